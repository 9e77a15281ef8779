//! The one place where data about people leaves the site.
//!
//! ```text
//! Hit → who is the suspect, who the victim → Sighting (indicators, pseudonym, spans, digest) → spool
//! ```
//!
//! What never leaves: the text, nor any part of it but the suspect's own contacts; a victim's number in clear.
//!
//! Who is who:
//! - Into the centre (`submit`) the originator sent a bad message: the suspect. The destination is the victim.
//! - Out of the centre (`deliver`) a subscriber wrote to a service. A blocked message makes its originator the
//!   suspect; one that is only flagged or shadowed may as well be a victim who forwards what came to them, so that a
//!   subscriber's number leaves as a pseudonym then.
//! - What a device in front of a telephone saw is out of the centre, towards that telephone; the device sends its agent numbers
//!   and contacts, and what leaves is decided here.
//! - The institution's own numbers, numbers of organisations the pack's registry knows, and service numbers as
//!   destinations are neither.

use crate::pipeline::{Hit, ReportLost, Reporter};
use crate::pseudonym::Pseudonyms;
use crate::spool::Spool;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;
use yumen_exchange::limits::{
    INDICATOR_BYTES_MAX, INDICATORS_MAX, LABEL_BYTES_MAX, LISTS_MAX, RULES_MAX, SIGHTING_BYTES_MAX, SPANS_MAX,
};
use yumen_exchange::sighting::{Envelope, Indicator, ListHit, PackRef, RuleHit, Sighting};
use yumen_exchange::topic::Name;
use yumen_link as link;
use yumen_rules::digest::{Digest, digest};
use yumen_rules::engine::{Evidence, number_matches};
use yumen_rules::extract::ContactKind;
use yumen_rules::fold;
use yumen_rules::number::{CANONICAL_LEN_MAX, Number, NumberKind, classify};
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::{Channel, Direction, Door};

/// A text of fewer characters gets no digest: its few bits would narrow it down to a handful of guesses.
const TEMPLATE_CHARS_MIN: usize = 16;

/// Digits that a number must share with the victim's to count as theirs, written in whatever way.
const VICTIM_DIGITS_MIN: usize = 7;

/// Makes sightings of hits and puts them into the spool.
#[derive(Debug)]
pub struct SpoolReporter {
    spool: Spool,
    redaction: Redaction,
}

/// What decides about a sighting's contents, beside the hit.
#[derive(Debug)]
pub struct Redaction {
    /// The institution.
    pub member: Name,
    /// This gateway.
    pub agent: Name,
    /// The key of the victims' pseudonyms.
    pub pseudonyms: Pseudonyms,
    /// The institution's own numbers, a trailing `*` for a prefix: never suspects.
    pub own_numbers: Vec<String>,
}

impl SpoolReporter {
    /// Reports into `spool`.
    #[must_use]
    pub const fn new(spool: Spool, redaction: Redaction) -> Self {
        Self { spool, redaction }
    }
}

impl Reporter for SpoolReporter {
    fn report(&self, hit: &Hit<'_>) -> Result<(), ReportLost> {
        let payload = self.redaction.envelope(hit).and_then(fit).ok_or(ReportLost)?;
        // Why the spool refused is counted and said there.
        self.spool.append(&payload).map(|_| ()).map_err(|_| ReportLost)
    }
}

impl Redaction {
    /// The sighting of a hit; `None` where no rule held, so that there is nothing to say.
    #[must_use]
    pub fn envelope(&self, hit: &Hit<'_>) -> Option<Envelope> {
        let event = hit.event;
        let typology = hit.verdict.typology?;
        let people = People::of(hit, &self.own_numbers);
        let contacts = hit.judgement.extract();
        let contacts = contacts.into_iter().flat_map(|extract| extract.contacts());
        let contacts = contacts.map(|(contact, value)| (contact.kind, value));
        let mut rules: Vec<_> = hit.judgement.effective().collect();
        rules.sort_by_key(|fired| {
            (std::cmp::Reverse(fired.typology == typology), std::cmp::Reverse(fired.score))
        });
        let rules = rules.into_iter().take(RULES_MAX).map(|fired| RuleHit {
            id: label(hit.pack.rule_id(fired.rule)),
            score: fired.score.min(100),
            spans: spans(hit, fired.rule),
        });
        let chars = event.text.chars().count();
        let folded = hit.judgement.view(View::Folded);
        let segments = event.segments.map_or((1, 1), |parts| (parts.received.max(1), parts.total));
        let data = Sighting {
            channel: match event.channel {
                Channel::Sms => "sms".to_owned(),
                Channel::Call => "call".to_owned(),
            },
            door: event.door.name().to_owned(),
            direction: match event.direction {
                Direction::Submit => "submit".to_owned(),
                Direction::Deliver => "deliver".to_owned(),
            },
            listener: label(hit.listener),
            verdict: if hit.action == Action::Allow { "shadow" } else { hit.action.name() }.to_owned(),
            typology: typology.id().to_owned(),
            score: hit.verdict.score.min(100),
            pack: PackRef { name: label(hit.pack.header().name()), serial: hit.pack.header().serial },
            rules: rules.collect(),
            lists: lists(hit),
            indicators: people.indicators(contacts),
            victim: people.victim.and_then(|number| self.pseudonyms.of(number)),
            destinations: event.destinations,
            template: (chars >= TEMPLATE_CHARS_MIN && !folded.is_empty()).then(|| digest(folded).to_string()),
            appeal: hit.appeal.map(str::to_owned),
            text_chars: u32::try_from(chars).unwrap_or(u32::MAX),
            segments: (segments.0, segments.1.max(segments.0)),
        };
        let time_ms = if event.time_ms == 0 { crate::clock::now_ms() } else { event.time_ms };
        Some(Envelope::new(Uuid::now_v7(), &self.member, &self.agent, time_ms, data))
    }
}

/// A sighting of a device of this site, as it came over the site's own line.
#[derive(Clone, Copy, Debug)]
pub struct OfDevice<'a> {
    /// The device's own name.
    pub device: &'a Name,
    /// The number of the telephone that it guards, where it is known.
    pub number: &'a str,
    /// The name of the pack that it judged by.
    pub pack: &'a str,
    /// What it saw.
    pub seen: &'a link::Sighting<'a>,
    /// The same as it came: what its id is made of, so that it has one id however often it comes.
    pub bytes: &'a [u8],
}

impl Redaction {
    /// The sighting of a device, in the device's own name; `None` where no rule held, so that there is nothing to say, or where it
    /// says what can't be. `registry` is the pack of this agent, `now_ms` stands in for the time where the device knew none.
    #[must_use]
    pub fn of_device(&self, told: &OfDevice<'_>, registry: Option<Pack<'_>>, now_ms: u64) -> Option<Vec<u8>> {
        let seen = told.seen;
        let typology = Typology::from_wire(seen.typology?)?;
        let action = match seen.action {
            1 => Action::Flag,
            2 => Action::Hold,
            3 => Action::Reject,
            4 => Action::Drop,
            _ => return None,
        };
        let parties = (seen.originator, told.number);
        let people = People::between(Direction::Deliver, action, parties, &self.own_numbers, registry);
        let contacts = seen.contacts.iter();
        let contacts = contacts.filter_map(|contact| Some((contact_kind(contact.kind)?, contact.value)));
        let rules = seen.rules.iter().map(|rule| RuleHit {
            id: label(rule.id),
            score: rule.score.min(100),
            spans: Vec::new(),
        });
        let received = seen.segments.0.max(1);
        let data = Sighting {
            channel: if seen.is_call { "call" } else { "sms" }.to_owned(),
            door: Door::Modem.name().to_owned(),
            direction: "deliver".to_owned(),
            listener: label(told.device.as_str()),
            verdict: action.name().to_owned(),
            typology: typology.id().to_owned(),
            score: seen.score.min(100),
            pack: PackRef { name: label(told.pack), serial: seen.serial },
            rules: rules.collect(),
            lists: Vec::new(),
            indicators: people.indicators(contacts),
            victim: people.victim.and_then(|number| self.pseudonyms.of(number)),
            destinations: 1,
            template: seen.template.map(|bits| Digest(bits).to_string()),
            text_chars: seen.chars.into(),
            appeal: None,
            segments: (received, seen.segments.1.max(received)),
        };
        let time_ms = if seen.time_ms == 0 { now_ms } else { seen.time_ms };
        fit(Envelope::new(self.device_id(told), &self.member, told.device, time_ms, data))
    }

    /// A UUIDv7 that is the same however often a sighting comes: the hub takes it once.
    fn device_id(&self, told: &OfDevice<'_>) -> Uuid {
        let mut digest = Sha256::new();
        for part in [
            &b"yumen device sighting v1"[..],
            self.member.as_str().as_bytes(),
            told.device.as_str().as_bytes(),
        ] {
            digest.update(part);
            digest.update([0]);
        }
        digest.update(told.bytes);
        let digest: [u8; 32] = digest.finalize().into();
        let bits = digest.first_chunk().copied().unwrap_or_default();
        // Without a time its own count orders a device's sightings.
        let ms = if told.seen.time_ms == 0 { told.seen.id } else { told.seen.time_ms } & 0xFFFF_FFFF_FFFF;
        uuid::Builder::from_unix_timestamp_millis(ms, &bits).into_uuid()
    }
}

/// A kind of contact by its number on the line.
fn contact_kind(number: u8) -> Option<ContactKind> {
    use ContactKind::{BankAccount, Email, Link, Mobile, Phone, Qq, Telegram, Wechat};
    let kinds = [Mobile, Phone, Link, Wechat, Qq, Telegram, Email, BankAccount];
    kinds.into_iter().find(|kind| *kind as u8 == number)
}

/// Suspect and victim of a hit.
struct People<'a> {
    /// As an indicator.
    suspect: Option<Indicator>,
    /// The number, for its pseudonym.
    victim: Option<&'a str>,
    own_numbers: &'a [String],
    registry: Option<Pack<'a>>,
}

impl<'a> People<'a> {
    fn of(hit: &Hit<'a>, own_numbers: &'a [String]) -> Self {
        let event = hit.event;
        let parties = (event.originator.digits, event.destination.digits);
        Self::between(event.direction, hit.action, parties, own_numbers, Some(hit.pack))
    }

    /// By the numbers of originator and destination.
    fn between(
        direction: Direction,
        action: Action,
        (from, to): (&'a str, &'a str),
        own_numbers: &'a [String],
        registry: Option<Pack<'a>>,
    ) -> Self {
        let mut storage = ([0; CANONICAL_LEN_MAX], [0; CANONICAL_LEN_MAX]);
        let originator = classify(from, &mut storage.0);
        let destination = classify(to, &mut storage.1);
        let named = match (direction, originator) {
            (Direction::Deliver, Some(number)) => action.blocks() || number.kind != NumberKind::Mobile,
            _ => true,
        };
        let mut people = Self { suspect: None, victim: None, own_numbers, registry };
        if destination.is_some_and(|number| is_subscriber(&number)) {
            people.victim = Some(to);
        } else if !named {
            people.victim = Some(from);
        }
        if let Some(number) = originator.filter(|_| named)
            && !people.is_known(number.canonical)
            && destination.is_none_or(|to| to.canonical != number.canonical)
        {
            let kind = if number.kind == NumberKind::Alphanumeric { "sender-id" } else { "number" };
            people.suspect = indicator(kind, number.canonical, "originator");
        }
        people
    }

    /// The institution's own number, or one of an organisation in the pack's registry.
    fn is_known(&self, canonical: &str) -> bool {
        self.own_numbers.iter().any(|own| number_matches(own, canonical))
            || self.registry.is_some_and(|pack| pack.organisations_by_number(canonical).next().is_some())
    }

    fn indicators<'c>(&self, contacts: impl Iterator<Item = (ContactKind, &'c str)>) -> Vec<Indicator> {
        let mut indicators: Vec<Indicator> = self.suspect.iter().cloned().collect();
        for (kind, value) in contacts {
            for found in self.of_contact(kind, value).into_iter().flatten() {
                let is_new =
                    indicators.iter().all(|known| (&known.kind, &known.value) != (&found.kind, &found.value));
                if is_new && indicators.len() < INDICATORS_MAX {
                    indicators.push(found);
                }
            }
        }
        indicators
    }

    /// What a contact of the text says about the suspect: up to two indicators.
    fn of_contact(&self, kind: ContactKind, value: &str) -> [Option<Indicator>; 2] {
        let kind = match kind {
            ContactKind::Link => return self.of_link(value),
            ContactKind::Mobile | ContactKind::Phone if self.is_known(value) => return [None, None],
            ContactKind::Mobile | ContactKind::Phone => "number",
            ContactKind::Wechat => "wechat",
            ContactKind::Qq => "qq",
            ContactKind::Telegram => "telegram",
            ContactKind::Email => "email",
            ContactKind::BankAccount => "bank-account",
        };
        if self.names_victim(value) { [None, None] } else { [indicator(kind, value, "text"), None] }
    }

    /// The link without what comes behind `?` or `#`, where senders put whom they wrote to; and its domain.
    fn of_link(&self, value: &str) -> [Option<Indicator>; 2] {
        let link = value.split(['?', '#']).next().unwrap_or_default();
        let domain = link.split(['/', ':']).next().unwrap_or_default();
        let is_bare = link.trim_end_matches('/') == domain;
        let link = indicator("url", link, "text").filter(|_| !is_bare && !self.names_victim(link));
        [link, indicator("domain", domain, "text").filter(|_| !self.names_victim(domain))]
    }

    /// Whether the victim's number stands in a value, with a country code, separators or other things around it.
    fn names_victim(&self, value: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let mut storage = [0; CANONICAL_LEN_MAX];
        let victim = self.victim.and_then(|number| classify(number, &mut storage));
        let victim = victim.map_or_else(String::new, |number| digits(number.canonical));
        victim.len() >= VICTIM_DIGITS_MIN && digits(value).contains(&victim)
    }
}

/// A person's number, not a service's or an institution's.
const fn is_subscriber(number: &Number<'_>) -> bool {
    matches!(number.kind, NumberKind::Mobile | NumberKind::Fixed | NumberKind::International)
}

/// An indicator of a printable value; a longer one than the limit is none, since a part of it would be another's.
fn indicator(kind: &str, value: &str, origin: &str) -> Option<Indicator> {
    let value = value.trim();
    let legal = (1..=INDICATOR_BYTES_MAX).contains(&value.len()) && !value.chars().any(char::is_control);
    legal.then(|| Indicator { kind: kind.to_owned(), value: value.to_owned(), origin: origin.to_owned() })
}

/// The number lists that a rule asked for and that have one of the event's numbers: each list once a subject, with the highest score.
fn lists(hit: &Hit<'_>) -> Vec<ListHit> {
    let mut found: BTreeMap<(String, &str), u8> = BTreeMap::new();
    for asked in hit.judgement.listed() {
        let key = (label(hit.pack.string(asked.query.list)), asked.query.subject.name());
        let score = found.entry(key).or_default();
        *score = asked.listed.score.max(*score);
    }
    let hits = found.into_iter().map(|((list, subject), score)| ListHit {
        list,
        subject: subject.to_owned(),
        score,
    });
    hits.take(LISTS_MAX).collect()
}

/// Where in the text a rule found its evidence, in characters. Views without a way back to the text give no spans.
fn spans(hit: &Hit<'_>, rule: u32) -> Vec<(u32, u32)> {
    let text = hit.event.text;
    let evidence = hit.judgement.evidence_of(&hit.pack, rule);
    // Finding a place in the text folds it again: a text made of nothing but hits must not cost a fold for each.
    let mut spans: Vec<_> =
        evidence.filter_map(|evidence| span(hit, text, &evidence)).take(SPANS_MAX).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

fn span(hit: &Hit<'_>, text: &str, evidence: &Evidence) -> Option<(u32, u32)> {
    let mut range = evidence.span.clone();
    if range.is_empty() {
        // Of a regular expression only the end is known: its last character stands for it.
        let view = std::str::from_utf8(hit.judgement.view(evidence.view)).ok()?;
        range.start = view.get(..range.end)?.char_indices().next_back()?.0;
    }
    let range = match evidence.view {
        View::Plain => range,
        View::Folded => {
            // For hits only, which are rare: the pipeline's own buffers are lent to the judgement.
            let mut scratch = vec![0; fold::folded_len_max(text.len())];
            fold::origin(text, range, &mut scratch)
        }
        View::Squeezed | View::Sound => return None,
    };
    let chars = |to: usize| text.get(..to).and_then(|head| u32::try_from(head.chars().count()).ok());
    let (start, end) = (chars(range.start)?, chars(range.end)?);
    (start <= end).then_some((start, end))
}

/// A name that fits its limit and can be printed.
fn label(text: &str) -> String {
    let mut label: String = text.chars().filter(|char| !char.is_control()).collect();
    label.truncate(label.floor_char_boundary(LABEL_BYTES_MAX));
    if label.is_empty() { "-".to_owned() } else { label }
}

/// The JSON, under its limit: spans go first, then the weakest rules and the last indicators.
fn fit(mut envelope: Envelope) -> Option<Vec<u8>> {
    loop {
        let payload = serde_json::to_vec(&envelope).ok()?;
        if payload.len() <= SIGHTING_BYTES_MAX {
            return Some(payload);
        }
        let data = &mut envelope.data;
        if data.rules.iter().any(|rule| !rule.spans.is_empty()) {
            data.rules.iter_mut().for_each(|rule| rule.spans.clear());
        } else if data.rules.len() > 1 {
            data.rules.truncate(data.rules.len() / 2);
        } else {
            data.indicators.pop()?;
        }
    }
}

#[cfg(test)]
mod tests;
