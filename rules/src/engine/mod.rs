//! Event → Judgement: which rules hold, and why.
//!
//! ```text
//! text → fold → Matcher::scan (one a view that the pack has patterns for) → hits → groups → triggered rules
//!      → conditions (contacts and registry looked at only when asked) → fired → suppressed → protected → Judgement
//! ```
//!
//! A message that hits nothing costs its folding, the scan, and the few rules that are always evaluated: nothing is
//! cleared and nothing is walked in proportion to the size of the pack.

mod call;
mod condition;
mod facts;
mod judgement;
mod listed;
mod matcher;
mod observer;
mod protect;
mod scratch;

use yumen_wire::event::{Channel, Event};

use crate::fold;
use crate::pack::{Pack, SectionKind};
use crate::signal::View;

pub use crate::fold::FOLD_VERSION;
pub use condition::ConditionId;
pub use facts::{Facts, Value};
pub use judgement::{Evidence, Fired, Judgement, ProtectedSet};
pub use listed::{ListHit, ListQuery, ListSubject};
pub use matcher::{Hit, HitSink, MatchError, Matcher};
pub use observer::{Observer, Unobserved};
pub use protect::{NoLists, NumberList, NumberLists, OwnNumbers, Site, Withdrawn, number_matches};
pub use scratch::{GroupMark, Marks, Scratch, ScratchSize, Texts};

use condition::Groups;

/// Why an event couldn't be judged. What happens to it then is the caller's policy (fail-open or fail-closed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JudgeError {
    /// The scratch was made for a smaller pack.
    ScratchTooSmall,
    /// The matcher failed.
    Match(MatchError),
}

impl core::fmt::Display for JudgeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::ScratchTooSmall => f.write_str("the scratch was made for a smaller pack"),
            Self::Match(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JudgeError {}

/// Judges an event.
///
/// # Errors
/// [`JudgeError`]; never because of what the event holds.
pub fn judge<'s>(
    pack: Pack<'s>,
    site: &Site<'_>,
    matcher: &mut impl Matcher,
    event: &Event<'s>,
    scratch: Scratch<'s>,
) -> Result<Judgement<'s>, JudgeError> {
    judge_observed(pack, site, matcher, event, scratch, &mut Unobserved)
}

/// Judges an event and tells `observer` every condition on the way. An exhaustive observer sees all rules, suppressions and
/// protections, those included that nothing triggered; the judgement is the same.
///
/// # Errors
/// [`JudgeError`]; never because of what the event holds.
pub fn judge_observed<'s, O: Observer>(
    pack: Pack<'s>,
    site: &Site<'_>,
    matcher: &mut impl Matcher,
    event: &Event<'s>,
    scratch: Scratch<'s>,
    observer: &mut O,
) -> Result<Judgement<'s>, JudgeError> {
    if !scratch.fits(&pack) {
        return Err(JudgeError::ScratchTooSmall);
    }
    let Scratch { texts, mut marks, hits, triggered, fired, contacts, values, number } = scratch;
    let stamp = marks.next_generation();

    let folded = if O::FOLDED {
        fold::fold(event.text, texts.folded)
    } else {
        fold::as_sent(event.text, texts.folded)
    };
    let mut sink = HitSink::new(hits, marks.patterns, stamp);
    let views = scan::<O>(&pack, matcher, event.text, &folded, (texts.squeezed, texts.sound), &mut sink)?;
    let (hits, hits_overflowed) = sink.finish();

    let mut queue = Queue { marks: marks.rules, stamp, rules: triggered, len: 0 };
    let mut groups = Groups::new(marks.groups, stamp);
    for hit in hits {
        for group in pack.groups_of(hit.pattern) {
            if groups.hit(&pack, group) {
                pack.rules_of(group).for_each(|rule| queue.push(rule));
            }
        }
    }
    if O::EXHAUSTIVE {
        (0..pack.count(SectionKind::Rules)).for_each(|rule| queue.push(rule));
    } else {
        pack.always().for_each(|rule| queue.push(rule));
    }

    let storage = facts::Storage { number, signature: texts.signature, contacts, values };
    let mut facts = Facts::new(pack, site, event, folded, storage);
    let (fired, fired_overflowed) =
        evaluate(&pack, event, queue.rules(), &groups, &mut facts, fired, observer);
    suppress(&pack, fired, &groups, &mut facts, observer);
    let any = fired.iter().any(|fired| fired.suppressed_by.is_none());
    let protected = if any || O::EXHAUSTIVE {
        protect::protected(&pack, &groups, &mut facts, observer)
    } else {
        ProtectedSet::NONE
    };
    if O::EXHAUSTIVE {
        facts.tell(observer);
    }
    Ok(Judgement {
        fired,
        hits,
        protected,
        views,
        stats: *folded.stats(),
        overflowed: hits_overflowed || fired_overflowed,
        truncated: folded.stats().truncated,
        facts: facts.finish(any || O::EXHAUSTIVE),
    })
}

/// Computes and scans the views that the pack has patterns for.
fn scan<'s, O: Observer>(
    pack: &Pack<'_>,
    matcher: &mut impl Matcher,
    text: &'s str,
    folded: &fold::Folded<'s>,
    (squeezed, sound): (&'s mut [u8], &'s mut [u8]),
    sink: &mut HitSink<'_>,
) -> Result<[&'s [u8]; View::COUNT], JudgeError> {
    let wanted =
        |view| pack.patterns_of(view) > 0 && (O::FOLDED || !matches!(view, View::Squeezed | View::Sound));
    let views = [
        folded.bytes(),
        if wanted(View::Squeezed) { fold::squeeze(folded, squeezed) } else { &[] },
        text.as_bytes(),
        if wanted(View::Sound) { fold::sound(folded, sound) } else { &[] },
    ];
    for (view, bytes) in View::ALL.into_iter().zip(views) {
        if wanted(view) && !bytes.is_empty() {
            matcher.scan(view, bytes, sink).map_err(JudgeError::Match)?;
        }
    }
    Ok(views)
}

/// The rules among `queue` that hold, in the order of the pack, so that no order of hits changes the judgement.
fn evaluate<'s, O: Observer>(
    pack: &Pack<'_>,
    event: &Event<'_>,
    queue: &[u32],
    groups: &Groups<'_>,
    facts: &mut Facts<'_, '_>,
    fired: &'s mut [Fired],
    observer: &mut O,
) -> (&'s mut [Fired], bool) {
    let (mut len, mut overflowed) = (0, false);
    for &index in queue {
        let Some(rule) = pack.rule(index) else { continue };
        let applies = match event.channel {
            Channel::Sms => rule.sms,
            Channel::Call => rule.call,
        };
        let nodes = (rule.first_node, rule.nodes);
        if !applies || !condition::holds(pack, ConditionId::Rule(index), nodes, groups, facts, observer) {
            continue;
        }
        if facts.site().withdrawn.has_rule(pack.string(rule.id)) {
            continue;
        }
        match fired.get_mut(len) {
            Some(slot) => {
                *slot = Fired::new(index, &rule);
                len += 1;
            }
            None => overflowed = true,
        }
    }
    let fired = fired.get_mut(..len).unwrap_or_default();
    fired.sort_unstable_by_key(|fired| fired.rule);
    (fired, overflowed)
}

/// Marks the fired rules that a suppression takes back.
fn suppress<O: Observer>(
    pack: &Pack<'_>,
    fired: &mut [Fired],
    groups: &Groups<'_>,
    facts: &mut Facts<'_, '_>,
    observer: &mut O,
) {
    if fired.is_empty() && !O::EXHAUSTIVE {
        return;
    }
    for (index, suppression) in pack.suppressions() {
        let takes = |fired: &Fired| {
            fired.suppressed_by.is_none() && pack.suppresses(&suppression, fired.rule, fired.typology)
        };
        if !O::EXHAUSTIVE && !fired.iter().any(takes) {
            continue;
        }
        let nodes = (suppression.first_node, suppression.nodes);
        if condition::holds(pack, ConditionId::Suppression(index), nodes, groups, facts, observer) {
            fired.iter_mut().filter(|fired| takes(fired)).for_each(|fired| fired.suppressed_by = Some(index));
        }
    }
}

/// Rules to evaluate, each once.
struct Queue<'s> {
    marks: &'s mut [u32],
    stamp: u32,
    rules: &'s mut [u32],
    len: usize,
}

impl Queue<'_> {
    fn push(&mut self, rule: u32) {
        let Some(mark) = self.marks.get_mut(rule as usize) else { return };
        if *mark == self.stamp {
            return;
        }
        *mark = self.stamp;
        if let Some(slot) = self.rules.get_mut(self.len) {
            *slot = rule;
            self.len += 1;
        }
    }

    fn rules(&self) -> &[u32] {
        self.rules.get(..self.len).unwrap_or_default()
    }
}
