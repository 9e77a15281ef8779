//! A message or a caller → a verdict, by the engine and the pack of the gateways.

use crate::at::Caller;
use crate::behaviour::Numbers;
use crate::clock::Moment;
use crate::limits::{
    CANARIES_MAX, CONTACTS_MAX, FIRED_MAX, GROUPS_MAX, HITS_MAX, PATTERNS_MAX, RULES_MAX, SEGMENT_BYTES_MAX,
    TEXT_BYTES_MAX, VALUES_BYTES_MAX,
};
use crate::listed::Listed;
use crate::parts::Messages;
use crate::sighting::{See, sighting};
use heapless::String;
use yumen_edge::{Automaton, EdgeMatcher, Threads};
use yumen_rules::behave::State;
use yumen_rules::engine::{
    ConditionId, Fired, GroupMark, Hit, Marks, Observer, Scratch, Site, Texts, judge, judge_observed,
};
use yumen_rules::extract::Contact;
use yumen_rules::fold::folded_len_max;
use yumen_rules::limits::SIGNATURE_BYTES_MAX;
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};
use yumen_rules::pack::{Canary, CanaryOwner, Pack, SectionKind};
use yumen_rules::policy::Policy;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::{Address, Call, Channel, Direction, Door, Event, Segments};
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::text::blank;
use yumen_wire::tpdu::{ToMobile, parse_to_mobile};

const FOLDED: usize = folded_len_max(TEXT_BYTES_MAX);

/// The memory that judging needs: about 130 KiB, set aside once.
#[derive(Debug)]
pub struct Storage {
    folded: [u8; FOLDED],
    squeezed: [u8; FOLDED],
    sound: [u8; FOLDED * 2],
    signature: [u8; folded_len_max(SIGNATURE_BYTES_MAX)],
    contacts: [Contact; CONTACTS_MAX],
    values: [u8; VALUES_BYTES_MAX],
    number: [u8; CANONICAL_LEN_MAX],
    hits: [Hit; HITS_MAX],
    patterns: [u32; PATTERNS_MAX],
    groups: [GroupMark; GROUPS_MAX],
    rules: [u32; RULES_MAX],
    triggered: [u32; RULES_MAX],
    fired: [Fired; FIRED_MAX],
    generation: u32,
    threads: Threads,
    messages: Messages,
    numbers: Numbers,
    text: String<TEXT_BYTES_MAX>,
}

impl Storage {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            folded: [0; FOLDED],
            squeezed: [0; FOLDED],
            sound: [0; FOLDED * 2],
            signature: [0; folded_len_max(SIGNATURE_BYTES_MAX)],
            contacts: [const { Contact::EMPTY }; CONTACTS_MAX],
            values: [0; VALUES_BYTES_MAX],
            number: [0; CANONICAL_LEN_MAX],
            hits: [Hit { pattern: 0, end: 0 }; HITS_MAX],
            patterns: [0; PATTERNS_MAX],
            groups: [GroupMark::EMPTY; GROUPS_MAX],
            rules: [0; RULES_MAX],
            triggered: [0; RULES_MAX],
            fired: [Fired::EMPTY; FIRED_MAX],
            generation: 0,
            threads: Threads::new(),
            messages: Messages::new(),
            numbers: Numbers::new(),
            text: String::new(),
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::new()
    }
}

/// What is done, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is done.
    pub action: Action,
    /// The practice.
    pub typology: Option<Typology>,
    /// Its score, 0 to 100.
    pub score: u8,
    /// The strongest rule, by its index in the pack.
    pub rule: Option<u32>,
}

impl Verdict {
    /// What can't be judged is passed on: a one-time password that doesn't arrive is worse than a spam that does.
    pub const ALLOW: Self = Self { action: Action::Allow, typology: None, score: 0, rule: None };

    /// Whether it is stopped.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.action >= Action::Hold
    }
}

/// A pack with its automaton.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'p> {
    pack: Pack<'p>,
    automaton: Automaton<'p>,
}

impl<'p> Loaded<'p> {
    /// Of a checked pack ([`crate::pack::check`]). `None` where it has no automaton.
    #[must_use]
    pub fn new(pack: Pack<'p>) -> Option<Self> {
        let automaton = Automaton::new_checked(pack.automaton(), pack.count(SectionKind::Patterns)).ok()?;
        Some(Self { pack, automaton })
    }
}

/// Judges.
#[derive(Debug)]
pub struct Guard<'p> {
    loaded: Option<Loaded<'p>>,
    policy: Policy,
    listed: Listed,
    storage: &'p mut Storage,
}

impl<'p> Guard<'p> {
    /// By a pack. Without one nothing is judged but callers of the site's own list.
    #[must_use]
    pub fn new(loaded: Option<Loaded<'p>>, policy: Policy, listed: Listed, storage: &'p mut Storage) -> Self {
        Self { loaded, policy, listed, storage }
    }

    /// The pack's name and serial; an empty name and 0 without one.
    #[must_use]
    pub fn pack(&self) -> (&str, u64) {
        self.loaded.as_ref().map_or(("", 0), |loaded| {
            let header = loaded.pack.header();
            (header.name(), header.serial)
        })
    }

    /// The site's own list.
    pub const fn listed(&mut self) -> &mut Listed {
        &mut self.listed
    }

    /// Another pack from now on.
    pub fn load(&mut self, loaded: Loaded<'p>) {
        self.loaded = Some(loaded);
    }

    /// Whether a pack's own texts come out as they must, by this device's engine in this device's storage.
    pub fn passes_its_canaries(&mut self, tried: &Loaded<'_>) -> bool {
        let mut count = 0_u32;
        tried.pack.canaries().all(|canary| {
            count = count.saturating_add(1);
            count <= CANARIES_MAX && self.comes_out(tried, &canary)
        })
    }

    fn comes_out(&mut self, tried: &Loaded<'_>, canary: &Canary<'_>) -> bool {
        let event = Event::text_only(canary.text);
        let site = Site::DEFAULT;
        let (scratch, threads, _) = scratch(self.storage);
        let mut matcher = EdgeMatcher::new(tried.automaton, threads);
        let found = match canary.owner {
            CanaryOwner::Rule(rule) => judge(tried.pack, &site, &mut matcher, &event, scratch)
                .map(|judgement| judgement.effective().any(|fired| fired.rule == rule)),
            CanaryOwner::Suppression(suppression) => {
                let mut watch = Watch { id: ConditionId::Suppression(suppression), held: false };
                judge_observed(tried.pack, &site, &mut matcher, &event, scratch, &mut watch)
                    .map(|_| watch.held)
            }
        };
        found == Ok(canary.hit)
    }

    /// Judges a TPDU on its way to the telephone. Parts of a message are judged with those that came before.
    /// `see` is shown what is to be reported.
    pub fn message(&mut self, tpdu: &[u8], at: Moment, see: &mut See<'_>) -> Verdict {
        let Ok(ToMobile::Deliver(deliver)) = parse_to_mobile(tpdu) else { return Verdict::ALLOW };
        if deliver.user_data.coding().is_binary() {
            return Verdict::ALLOW;
        }
        let mut address = [0; ADDRESS_TEXT_BYTES_MAX];
        let originator = deliver.originator.address(&mut address);
        let mut buffer = [0; SEGMENT_BYTES_MAX];
        let out = blank(&mut buffer);
        let written = deliver.user_data.decode(out).written;
        let segment = out.get(..written).unwrap_or_default();
        let part = deliver.user_data.user_data().parts().concatenation();
        let mut text = core::mem::take(&mut self.storage.text);
        text.clear();
        let (known, segments) = match &part {
            None => {
                let _ = text.push_str(segment);
                (None, None)
            }
            Some(part) => {
                let known = self.storage.messages.add(originator.digits, part, segment, at.now_ms, &mut text);
                (Some(known), Some(Segments { received: part.number, total: part.total }))
            }
        };
        let event = Event {
            direction: Direction::Deliver,
            door: Door::Modem,
            originator,
            segments,
            time_ms: at.event_ms(),
            ..Event::text_only(&text)
        };
        self.storage.numbers.attempt(&event);
        let mut verdict = self.judge(&event, see);
        self.storage.text = text;
        if let Some(known) = known {
            if verdict.is_blocked() {
                self.storage.messages.condemn(&known);
            } else if known.is_bad {
                verdict.action = Action::Reject;
            }
        }
        verdict
    }

    /// Judges a caller. `see` is shown what is to be reported.
    pub fn caller(&mut self, caller: &Caller<'_>, at: Moment, see: &mut See<'_>) -> Verdict {
        let event = call(caller, at);
        self.storage.numbers.attempt(&event);
        let mut canonical = [0; CANONICAL_LEN_MAX];
        if let Some(number) = classify(caller.digits, &mut canonical)
            && self.listed.blocks(number.canonical)
        {
            return Verdict { action: Action::Reject, typology: None, score: 100, rule: None };
        }
        self.judge(&event, see)
    }

    /// Learns how a call went on.
    pub fn call_went_on(&mut self, caller: &Caller<'_>, state: State, ring_ms: u64, at: Moment) {
        self.storage.numbers.outcome(&call(caller, at), state, ring_ms);
    }

    fn judge(&mut self, event: &Event<'_>, see: &mut See<'_>) -> Verdict {
        let Some(Loaded { pack, automaton }) = self.loaded else { return Verdict::ALLOW };
        let (scratch, threads, numbers) = scratch(self.storage);
        let counts = numbers.counts();
        let site = Site { own: &self.listed, behaviour: &counts, ..Site::DEFAULT };
        let mut matcher = EdgeMatcher::new(automaton, threads);
        match judge(pack, &site, &mut matcher, event, scratch) {
            Ok(judgement) => {
                let verdict = self.policy.decide(&judgement);
                if verdict.action != Action::Allow {
                    see(sighting(&verdict, &judgement, &pack, event));
                }
                Verdict {
                    action: verdict.action,
                    typology: verdict.typology,
                    score: verdict.score,
                    rule: verdict.rule,
                }
            }
            Err(_) => Verdict::ALLOW,
        }
    }
}

fn call<'c>(caller: &Caller<'c>, at: Moment) -> Event<'c> {
    Event {
        channel: Channel::Call,
        direction: Direction::Deliver,
        door: Door::Modem,
        originator: Address { digits: caller.digits, ton: caller.ton, npi: 1 },
        call: Call { private: caller.is_withheld, ..Call::NONE },
        time_ms: at.event_ms(),
        ..Event::text_only("")
    }
}

struct Watch {
    id: ConditionId,
    held: bool,
}

impl Observer for Watch {
    fn condition(&mut self, condition: ConditionId, held: bool) {
        self.held |= held && condition == self.id;
    }
}

/// The storage of one judgement, and the counters that it may ask.
fn scratch(storage: &mut Storage) -> (Scratch<'_>, &mut Threads, &mut Numbers) {
    let Storage {
        folded,
        squeezed,
        sound,
        signature,
        contacts,
        values,
        number,
        hits,
        patterns,
        groups,
        rules,
        triggered,
        fired,
        generation,
        threads,
        numbers,
        ..
    } = storage;
    let scratch = Scratch {
        texts: Texts { folded, squeezed, sound, signature },
        marks: Marks { patterns, groups, rules, generation },
        hits,
        triggered,
        fired,
        contacts,
        values,
        number,
    };
    (scratch, threads, numbers)
}
