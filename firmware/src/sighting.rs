//! A judgement → what is told to the agent: no text.

use heapless::Vec;
use yumen_link::limits::{CONTACT_BYTES_MAX, CONTACTS_MAX, RULES_MAX};
use yumen_link::{Contact, RuleHit, Sighting};
use yumen_rules::digest::digest;
use yumen_rules::engine::Judgement;
use yumen_rules::pack::Pack;
use yumen_rules::policy;
use yumen_rules::signal::View;
use yumen_rules::verdict::Action;
use yumen_wire::event::{Channel, Event};

/// Who is shown a sighting.
pub type See<'s> = dyn FnMut(Sighting<'_>) + 's;

/// A text of fewer characters gets no digest: its few bits would narrow it down to a handful of guesses.
const TEMPLATE_CHARS_MIN: usize = 16;

/// The sighting of an event; its id and time are the caller's to set.
pub(crate) fn sighting<'s>(
    verdict: &policy::Verdict,
    judgement: &'s Judgement<'s>,
    pack: &Pack<'s>,
    event: &Event<'s>,
) -> Sighting<'s> {
    let chars = event.text.chars().count();
    let folded = judgement.view(View::Folded);
    Sighting {
        id: 0,
        time_ms: 0,
        is_call: event.channel == Channel::Call,
        action: action(verdict.action),
        typology: verdict.typology.map(|typology| typology as u8),
        score: verdict.score,
        serial: pack.header().serial,
        rules: rules(verdict, judgement, pack),
        originator: event.originator.digits,
        contacts: contacts(judgement),
        template: (chars >= TEMPLATE_CHARS_MIN && !folded.is_empty()).then(|| digest(folded).0),
        chars: u16::try_from(chars).unwrap_or(u16::MAX),
        segments: event.segments.map_or((1, 1), |parts| (parts.received.max(1), parts.total)),
    }
}

/// The number of an action on the link.
pub(crate) const fn action(action: Action) -> u8 {
    match action {
        Action::Allow => 0,
        Action::Flag => 1,
        Action::Hold => 2,
        Action::Reject => 3,
        Action::Drop => 4,
    }
}

fn rules<'s>(
    verdict: &policy::Verdict,
    judgement: &'s Judgement<'s>,
    pack: &Pack<'s>,
) -> Vec<RuleHit<'s>, RULES_MAX> {
    let mut strongest: Vec<(bool, u8, u32), { RULES_MAX + 1 }> = Vec::new();
    for fired in judgement.effective() {
        let standing = (Some(fired.typology) == verdict.typology, fired.score, fired.rule);
        // One more than is told, of which the weakest goes.
        let _ = strongest.push(standing);
        strongest.sort_unstable_by(|a, b| (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2)));
        strongest.truncate(RULES_MAX);
    }
    strongest.iter().map(|&(_, score, rule)| RuleHit { id: pack.rule_id(rule), score }).collect()
}

fn contacts<'s>(judgement: &'s Judgement<'s>) -> Vec<Contact<'s>, CONTACTS_MAX> {
    let mut told = Vec::new();
    if let Some(extract) = judgement.extract() {
        for (contact, value) in extract.contacts() {
            if (1..=CONTACT_BYTES_MAX).contains(&value.len()) {
                let _ = told.push(Contact { kind: contact.kind as u8, value });
            }
        }
    }
    told
}
