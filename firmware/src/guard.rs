//! A message or a caller → a verdict, by the engine and the pack of the gateways.

use crate::at::Caller;
use crate::limits::{
    CONTACTS_MAX, FIRED_MAX, GROUPS_MAX, HITS_MAX, PATTERNS_MAX, RULES_MAX, SEGMENT_BYTES_MAX,
    TEXT_BYTES_MAX, VALUES_BYTES_MAX,
};
use crate::parts::Messages;
use heapless::String;
use yumen_edge::{Automaton, EdgeMatcher, Threads};
use yumen_rules::engine::{
    Fired, GroupMark, Hit, Marks, NumberList, Scratch, Site, Texts, judge, number_matches,
};
use yumen_rules::extract::Contact;
use yumen_rules::fold::folded_len_max;
use yumen_rules::limits::SIGNATURE_BYTES_MAX;
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};
use yumen_rules::pack::{Pack, SectionKind};
use yumen_rules::policy::Policy;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::{Address, Call, Channel, Direction, Door, Event, Segments};
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::text::blank;
use yumen_wire::tpdu::{ToMobile, parse_to_mobile};

const FOLDED: usize = folded_len_max(TEXT_BYTES_MAX);

/// The memory that judging needs: about 80 KiB, set aside once.
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

/// Judges.
#[derive(Debug)]
pub struct Guard<'p> {
    pack: Pack<'p>,
    automaton: Automaton<'p>,
    policy: Policy,
    own: &'p [&'p str],
    blocked: &'p [&'p str],
    storage: &'p mut Storage,
}

impl<'p> Guard<'p> {
    /// By a checked pack ([`crate::pack::check`]). `own` are the site's own numbers, `blocked` those that are always hung up on;
    /// both in canonical form, a trailing `*` makes a prefix. `None` where the pack has no automaton.
    #[must_use]
    pub fn new(
        pack: Pack<'p>,
        policy: Policy,
        own: &'p [&'p str],
        blocked: &'p [&'p str],
        storage: &'p mut Storage,
    ) -> Option<Self> {
        let automaton = Automaton::new_checked(pack.automaton(), pack.count(SectionKind::Patterns)).ok()?;
        Some(Self { pack, automaton, policy, own, blocked, storage })
    }

    /// The pack's serial.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.pack.header().serial
    }

    /// A rule's id.
    #[must_use]
    pub fn rule_id(&self, rule: u32) -> &'p str {
        self.pack.rule_id(rule)
    }

    /// Judges a TPDU on its way to the telephone. Parts of a message are judged with those that came before.
    pub fn message(&mut self, tpdu: &[u8], now_ms: u64) -> Verdict {
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
                let known = self.storage.messages.add(originator.digits, part, segment, now_ms, &mut text);
                (Some(known), Some(Segments { received: part.number, total: part.total }))
            }
        };
        let event = Event {
            direction: Direction::Deliver,
            door: Door::Modem,
            originator,
            segments,
            time_ms: now_ms,
            ..Event::text_only(&text)
        };
        let mut verdict = self.judge(&event);
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

    /// Judges a caller.
    pub fn caller(&mut self, caller: &Caller<'_>, now_ms: u64) -> Verdict {
        let mut canonical = [0; CANONICAL_LEN_MAX];
        if let Some(number) = classify(caller.digits, &mut canonical)
            && self.blocked.iter().any(|blocked| number_matches(blocked, number.canonical))
        {
            return Verdict { action: Action::Reject, typology: None, score: 100, rule: None };
        }
        let event = Event {
            channel: Channel::Call,
            direction: Direction::Deliver,
            door: Door::Modem,
            originator: Address { digits: caller.digits, ton: caller.ton, npi: 1 },
            call: Call { private: caller.is_withheld, ..Call::NONE },
            time_ms: now_ms,
            ..Event::text_only("")
        };
        self.judge(&event)
    }

    fn judge(&mut self, event: &Event<'_>) -> Verdict {
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
            ..
        } = &mut *self.storage;
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
        let own = NumberList(self.own);
        let site = Site { own: &own, ..Site::DEFAULT };
        let mut matcher = EdgeMatcher::new(self.automaton, threads);
        match judge(self.pack, &site, &mut matcher, event, scratch) {
            Ok(judgement) => {
                let verdict = self.policy.decide(&judgement);
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
