//! What subscribers report: a text that came to them, forwarded to a short code (12321, 7726) and entered by their
//! institution. It becomes a sighting of that institution.
//!
//! ```text
//! text → folded, judged, indicators and digest taken, all in memory → sighting without the text → store → clues
//! ```
//!
//! The text is in no variable that outlives the call, and in no log.

use crate::audit::{self, Action};
use crate::clues::{self, NewClue, Source};
use crate::limits::COMPLAINT_BYTES_MAX;
use crate::rulebook::Rulebook;
use crate::share::Sharer;
use crate::store::{Store, StoreError};
use std::sync::Arc;
use uuid::Uuid;
use yumen_exchange::check::Received;
use yumen_exchange::limits::{INDICATORS_MAX, RULES_MAX};
use yumen_exchange::sighting::{Envelope, Indicator, PackRef, RuleHit, Sighting};
use yumen_exchange::topic::Name;
use yumen_matcher::{LoadedPack, Worker};
use yumen_rules::digest::digest;
use yumen_rules::engine::Site;
use yumen_rules::extract::{Contact, ContactKind, extract};
use yumen_rules::fold::{fold, folded_len_max};
use yumen_rules::limits::{CONTACT_VALUES_BYTES_MAX, CONTACTS_MAX};
use yumen_rules::number::{CANONICAL_LEN_MAX, NumberKind, classify};
use yumen_rules::verdict::Typology;
use yumen_wire::event::{Address, Direction, Event};

/// The rule of this name, in any typology, stands for a person who said so.
pub const REPORTED_RULE: &str = "reported";

/// The agent in whose name they stand; the institution may have no other.
const AGENT: &str = "reports";

/// A person's word alone: enough to be looked at, not to block.
const SCORE: u8 = 50;

/// A text of fewer characters gets no digest: its few bits would narrow it down to a handful of guesses.
const TEMPLATE_CHARS_MIN: usize = 16;

/// Digits that a number must share with the subscriber's to count as theirs.
const OWN_DIGITS_MIN: usize = 7;

/// What is reported. Never printed: it has the text.
#[derive(Clone, Default)]
pub struct Complaint {
    /// The institution whose subscriber it is.
    pub member: String,
    /// Whether it was a call; a message otherwise.
    pub call: bool,
    /// Who sent or called; may be empty.
    pub from: String,
    /// The subscriber's own number, so that it is left out; it is kept nowhere. May be empty.
    pub own: String,
    /// What came; empty for a call.
    pub text: String,
    /// The practice, where the subscriber named one; otherwise that of the rules, or fraud.
    pub typology: String,
}

/// Why a report isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum ComplaintError {
    /// Not an institution's name.
    #[error("there is no such member 没有这个机构")]
    Member,
    /// Neither sender nor text, or too much of it.
    #[error("a report has a sender or a text, of at most {COMPLAINT_BYTES_MAX} bytes 请填写发送方或正文")]
    Empty,
    /// Not a practice.
    #[error("there is no such typology 没有这个类型")]
    Typology,
    /// The text has no number, link or handle that could be followed, and no sender is named.
    #[error("nothing in it can be followed: no number, link or handle 未发现号码、链接或账号")]
    Nothing,
    /// The rules can't be used.
    #[error("the rules can't be used: the log says why 规则不可用")]
    Rules,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes a report in the name of `actor`; gives the sighting's id.
///
/// # Errors
/// [`ComplaintError`]; nothing was kept.
pub async fn take(
    store: &Store,
    rulebook: &Arc<Rulebook>,
    sharer: Option<&Sharer>,
    actor: &str,
    complaint: Complaint,
    now_ms: u64,
) -> Result<Uuid, ComplaintError> {
    let member: Name = complaint.member.parse().map_err(|_| ComplaintError::Member)?;
    let agent: Name = AGENT.parse().map_err(|_| ComplaintError::Member)?;
    let length = complaint.text.len() + complaint.from.len();
    if (complaint.text.trim().is_empty() && complaint.from.trim().is_empty()) || length > COMPLAINT_BYTES_MAX
    {
        return Err(ComplaintError::Empty);
    }
    if !complaint.typology.is_empty() && Typology::from_id(&complaint.typology).is_none() {
        return Err(ComplaintError::Typology);
    }
    let rules = Arc::clone(rulebook);
    // Rules are compiled for the first one.
    let looked = tokio::task::spawn_blocking(move || {
        let pack = rules.pack().inspect_err(|error| tracing::error!(%error, "no pack for reports"));
        pack.ok().and_then(|pack| sighting(&pack, &complaint))
    });
    let mut data = looked.await.ok().flatten().ok_or(ComplaintError::Rules)?;
    data.indicators.retain(|one| !sharer.is_some_and(|sharer| sharer.is_known_good(&one.kind, &one.value)));
    if data.indicators.is_empty() {
        return Err(ComplaintError::Nothing);
    }
    let id = Uuid::now_v7();
    audit::add(store, actor, Action::Reported, &id.to_string(), member.as_str()).await?;
    let new = data.indicators.iter().map(|indicator| NewClue {
        kind: indicator.kind.clone(),
        value: indicator.value.clone(),
        typology: data.typology.clone(),
        source: Source::Report,
        origin: member.to_string(),
        confidence: SCORE,
    });
    let new: Vec<NewClue> = new.collect();
    let envelope = Envelope::new(id, &member, &agent, now_ms, data);
    let received = Received { member: member.clone(), agent, time_ms: now_ms, envelope };
    store.commit(&[received], &[], now_ms).await?;
    clues::open(store, actor, &format!("report {id}"), &new, now_ms).await?;
    Ok(id)
}

/// What is left of a report. `None` where the engine failed.
fn sighting(pack: &Arc<LoadedPack>, complaint: &Complaint) -> Option<Sighting> {
    let text = complaint.text.trim();
    let mut worker = Worker::new(Arc::clone(pack)).ok()?;
    let event = Event {
        direction: Direction::Deliver,
        originator: Address::new(complaint.from.trim()),
        ..Event::text_only(text)
    };
    let judgement = worker.judge(&Site::DEFAULT, &event).ok()?;
    let strongest = judgement.effective().max_by_key(|fired| fired.score).map(|fired| fired.typology.id());
    let typology = match &complaint.typology[..] {
        "" => strongest.unwrap_or(Typology::Fraud.id()),
        named => named,
    };
    let score = Typology::from_id(typology).map_or(0, |typology| judgement.score(typology)).clamp(SCORE, 100);
    let reported = RuleHit { id: format!("{typology}/{REPORTED_RULE}"), score: SCORE, spans: Vec::new() };
    let mut fired: Vec<_> = judgement.effective().collect();
    fired.sort_by_key(|fired| std::cmp::Reverse(fired.score));
    let fired = fired.into_iter().take(RULES_MAX - 1).map(|fired| RuleHit {
        id: pack.pack().rule_id(fired.rule).to_owned(),
        score: fired.score.min(100),
        spans: Vec::new(),
    });
    let header = pack.header();
    let chars = text.chars().count();
    let (indicators, template) = seen(pack, complaint, text);
    Some(Sighting {
        channel: if complaint.call { "call" } else { "sms" }.to_owned(),
        door: "report".to_owned(),
        direction: "deliver".to_owned(),
        listener: AGENT.to_owned(),
        verdict: "flag".to_owned(),
        typology: typology.to_owned(),
        score,
        pack: PackRef { name: header.name().to_owned(), serial: header.serial },
        rules: [reported].into_iter().chain(fired).collect(),
        lists: Vec::new(),
        indicators,
        victim: None,
        destinations: 1,
        template: template.filter(|_| chars >= TEMPLATE_CHARS_MIN),
        appeal: None,
        text_chars: u32::try_from(chars).unwrap_or(u32::MAX),
        segments: (1, 1),
    })
}

/// The suspect's contacts, without the subscriber's own number and those of organisations that the rules know; and the
/// digest of the text.
fn seen(pack: &LoadedPack, complaint: &Complaint, text: &str) -> (Vec<Indicator>, Option<String>) {
    let mut buffer = vec![0; folded_len_max(text.len())];
    let folded = fold(text, &mut buffer);
    let mut contacts = vec![Contact::EMPTY; CONTACTS_MAX];
    let mut values = vec![0; CONTACT_VALUES_BYTES_MAX];
    let found = extract(text, &folded, &mut contacts, &mut values);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let mut storage = [0; CANONICAL_LEN_MAX];
    let own = classify(&complaint.own, &mut storage).map_or_else(String::new, |own| digits(own.canonical));
    let is_own = |value: &str| own.len() >= OWN_DIGITS_MIN && digits(value).contains(&own);
    let is_known = |value: &str| pack.pack().organisations_by_number(value).next().is_some();
    let mut indicators: Vec<Indicator> = Vec::new();
    let mut add = |kind: &str, value: &str, origin: &str| {
        let new = !indicators.iter().any(|one| one.kind == kind && one.value == value);
        let good = crate::share::is_indicator(kind, value) && !is_own(value);
        if new && good && indicators.len() < INDICATORS_MAX {
            let (kind, value, origin) = (kind.to_owned(), value.to_owned(), origin.to_owned());
            indicators.push(Indicator { kind, value, origin });
        }
    };
    let mut storage = [0; CANONICAL_LEN_MAX];
    if let Some(from) = classify(&complaint.from, &mut storage).filter(|from| !is_known(from.canonical)) {
        let kind = if from.kind == NumberKind::Alphanumeric { "sender-id" } else { "number" };
        add(kind, from.canonical, "originator");
    }
    for (contact, value) in found.contacts() {
        match contact.kind {
            ContactKind::Link => {
                let url = value.split(['?', '#']).next().unwrap_or_default();
                let host = url.split(['/', ':']).next().unwrap_or_default();
                if url.trim_end_matches('/') != host {
                    add("url", url, "text");
                }
                add("domain", host, "text");
            }
            ContactKind::Mobile | ContactKind::Phone if is_known(value) => {}
            kind => add(kind.indicator(), value, "text"),
        }
    }
    let template = (!folded.bytes().is_empty()).then(|| digest(folded.bytes()).to_string());
    (indicators, template)
}
