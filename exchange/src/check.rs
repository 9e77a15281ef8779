//! What comes in from an agent is checked before anything else looks at it: a member is another institution, and its
//! agent may be old, broken or hostile.

use crate::limits::{
    APPEAL_HEX, INDICATOR_BYTES_MAX, INDICATORS_MAX, LABEL_BYTES_MAX, LISTS_MAX, PSEUDONYM_HEX, REFUSED_MAX,
    RULES_MAX, SIGHTING_BYTES_MAX, SPANS_MAX, STATUS_BYTES_MAX, TEMPLATE_BYTES_MAX, WORD_BYTES_MAX,
};
use crate::sighting::{
    CONTENT_TYPE, Envelope, Indicator, ListHit, PackRef, RuleHit, SPECVERSION, Sighting, TYPE, source,
};
use crate::status::{Refused, Status};
use crate::topic::{self, Name};
use uuid::Uuid;

/// Verdicts a sighting may carry.
pub const VERDICTS: [&str; 5] = ["shadow", "flag", "hold", "reject", "drop"];

/// Kinds of indicators.
pub const INDICATOR_KINDS: [&str; 9] =
    ["number", "sender-id", "url", "domain", "wechat", "qq", "telegram", "email", "bank-account"];

/// What is wrong with a message of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Defect {
    /// Larger than the limit for its topic.
    #[error("the message is too large")]
    TooLarge,
    /// The topic isn't `yumen/v1/{member}/{agent}/{kind}`.
    #[error("the topic names no member and agent")]
    Topic,
    /// Not the JSON of its type.
    #[error("the payload isn't the JSON of its type")]
    Json,
    /// `specversion` isn't `1.0`.
    #[error("the CloudEvents version isn't {SPECVERSION}")]
    SpecVersion,
    /// `type` isn't [`TYPE`].
    #[error("the event type isn't {TYPE}")]
    Type,
    /// `datacontenttype` isn't [`CONTENT_TYPE`].
    #[error("the content type isn't {CONTENT_TYPE}")]
    ContentType,
    /// `id` isn't a UUIDv7.
    #[error("the id isn't a UUIDv7")]
    Id,
    /// `source` isn't the member and agent that the topic names.
    #[error("the source isn't the topic's member and agent")]
    Source,
    /// `time` isn't an RFC 3339 instant.
    #[error("the time isn't an RFC 3339 instant")]
    Time,
    /// A word that the vocabulary doesn't know, or that can't be one.
    #[error("channel, door, direction, verdict, typology or a kind isn't a known word")]
    Word,
    /// A name of a listener, pack or rule that is empty, too long, or has a control character.
    #[error("the name of a listener, pack or rule is empty, too long or not printable")]
    Label,
    /// A score above 100.
    #[error("a score is above 100")]
    Score,
    /// More rules, spans or indicators than the limits allow.
    #[error("there are more rules, spans or indicators than allowed")]
    Count,
    /// A span that ends before it starts, or beyond the text.
    #[error("an evidence span doesn't lie in the text")]
    Span,
    /// An indicator that is empty, too long, or has a control character.
    #[error("an indicator is empty, too long or not printable")]
    Indicator,
    /// A victim that isn't a pseudonym.
    #[error("the victim isn't a keyed pseudonym")]
    Pseudonym,
    /// A template that isn't a digest.
    #[error("the template isn't a digest")]
    Template,
    /// An appeal id that isn't one.
    #[error("the appeal id isn't 32 hexadecimal digits")]
    Appeal,
    /// Segments other than 1 ≤ received ≤ announced.
    #[error("more segments received than announced, or none")]
    Segments,
    /// Nobody signed it.
    #[error("it isn't signed")]
    Unsigned,
    /// Its sender isn't enrolled.
    #[error("the topic's agent isn't enrolled")]
    NotEnrolled,
    /// Its sender was enrolled, and isn't any more.
    #[error("the topic's agent is revoked")]
    Revoked,
    /// Not the signature of the topic's agent over these bytes on this topic.
    #[error("it isn't signed by the topic's agent")]
    Signature,
    /// A status older than the last one.
    #[error("it is older than what was said last")]
    Old,
}

impl Defect {
    /// The word for it in acknowledgements, logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Topic => "topic",
            Self::Json => "json",
            Self::SpecVersion => "specversion",
            Self::Type => "type",
            Self::ContentType => "datacontenttype",
            Self::Id => "id",
            Self::Source => "source",
            Self::Time => "time",
            Self::Word => "word",
            Self::Label => "label",
            Self::Score => "score",
            Self::Count => "count",
            Self::Span => "span",
            Self::Indicator => "indicator",
            Self::Pseudonym => "pseudonym",
            Self::Template => "template",
            Self::Appeal => "appeal",
            Self::Segments => "segments",
            Self::Unsigned => "unsigned",
            Self::NotEnrolled => "not-enrolled",
            Self::Revoked => "revoked",
            Self::Signature => "signature",
            Self::Old => "old",
        }
    }
}

/// A sighting that passed every check, with who sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The institution.
    pub member: Name,
    /// Its agent.
    pub agent: Name,
    /// When it was judged, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The event.
    pub envelope: Envelope,
}

/// Checks a sighting that came in on `topic`.
///
/// # Errors
/// The first defect found; [`id`] may still tell which sighting it was.
pub fn sighting(topic: &str, payload: &[u8]) -> Result<Received, Defect> {
    let (member, agent, kind) = topic::sender(topic).ok_or(Defect::Topic)?;
    ensure(kind == "sighting", Defect::Topic)?;
    ensure(payload.len() <= SIGHTING_BYTES_MAX, Defect::TooLarge)?;
    let envelope: Envelope = serde_json::from_slice(payload).map_err(|_| Defect::Json)?;
    ensure(envelope.specversion == SPECVERSION, Defect::SpecVersion)?;
    ensure(envelope.kind == TYPE, Defect::Type)?;
    ensure(envelope.datacontenttype == CONTENT_TYPE, Defect::ContentType)?;
    ensure(envelope.id.get_version_num() == 7, Defect::Id)?;
    ensure(envelope.source == source(&member, &agent), Defect::Source)?;
    let time_ms = crate::time::parse(&envelope.time).ok_or(Defect::Time)?;
    data(&envelope.data)?;
    Ok(Received { member, agent, time_ms, envelope })
}

/// Checks a status that came in on `topic`.
///
/// # Errors
/// The first defect found.
pub fn status(topic: &str, payload: &[u8]) -> Result<(Name, Name, Status), Defect> {
    let (member, agent, kind) = topic::sender(topic).ok_or(Defect::Topic)?;
    ensure(kind == "status", Defect::Topic)?;
    ensure(payload.len() <= STATUS_BYTES_MAX, Defect::TooLarge)?;
    let status: Status = serde_json::from_slice(payload).map_err(|_| Defect::Json)?;
    label(&status.version)?;
    status.pack.as_ref().map_or(Ok(()), pack)?;
    ensure(status.refused.len() <= REFUSED_MAX, Defect::Count)?;
    let words = |refused: &Refused| is_word(&refused.what) && is_word(&refused.reason);
    ensure(status.refused.iter().all(words), Defect::Word)?;
    Ok((member, agent, status))
}

/// The id of a message that isn't a good sighting, where it can be found at all: without it the agent can't be told
/// to stop sending.
#[must_use]
pub fn id(payload: &[u8]) -> Option<Uuid> {
    #[derive(serde::Deserialize)]
    struct OnlyId {
        id: Uuid,
    }
    // A message a little above the limit is worth reading; one far above it never went through the broker.
    let payload = payload.get(..crate::limits::PACKET_BYTES_MAX).unwrap_or(payload);
    serde_json::from_slice::<OnlyId>(payload).ok().map(|only| only.id)
}

fn data(data: &Sighting) -> Result<(), Defect> {
    let known = matches!(data.channel.as_str(), "sms" | "call")
        && matches!(data.direction.as_str(), "submit" | "deliver")
        && VERDICTS.contains(&data.verdict.as_str())
        && is_word(&data.door)
        && is_word(&data.typology);
    ensure(known, Defect::Word)?;
    label(&data.listener)?;
    pack(&data.pack)?;
    ensure(data.score <= 100 && data.rules.iter().all(|rule| rule.score <= 100), Defect::Score)?;
    ensure(data.rules.len() <= RULES_MAX && data.indicators.len() <= INDICATORS_MAX, Defect::Count)?;
    data.rules.iter().try_for_each(|hit| rule(hit, data.text_chars))?;
    ensure(data.lists.len() <= LISTS_MAX, Defect::Count)?;
    data.lists.iter().try_for_each(list)?;
    data.indicators.iter().try_for_each(indicator)?;
    ensure(data.victim.as_deref().is_none_or(is_pseudonym), Defect::Pseudonym)?;
    ensure(data.template.as_deref().is_none_or(is_template), Defect::Template)?;
    ensure(data.appeal.as_deref().is_none_or(is_appeal), Defect::Appeal)?;
    ensure(data.segments.0 >= 1 && data.segments.0 <= data.segments.1, Defect::Segments)
}

fn rule(rule: &RuleHit, text_chars: u32) -> Result<(), Defect> {
    label(&rule.id)?;
    ensure(rule.spans.len() <= SPANS_MAX, Defect::Count)?;
    ensure(rule.spans.iter().all(|&(start, end)| start <= end && end <= text_chars), Defect::Span)
}

fn list(hit: &ListHit) -> Result<(), Defect> {
    label(&hit.list)?;
    ensure(is_word(&hit.subject), Defect::Word)?;
    ensure(hit.score <= 100, Defect::Score)
}

fn indicator(indicator: &Indicator) -> Result<(), Defect> {
    let known = INDICATOR_KINDS.contains(&indicator.kind.as_str())
        && matches!(indicator.origin.as_str(), "originator" | "text");
    ensure(known, Defect::Word)?;
    ensure(is_printable(&indicator.value, INDICATOR_BYTES_MAX), Defect::Indicator)
}

fn pack(pack: &PackRef) -> Result<(), Defect> {
    // SQLite and PostgreSQL keep it in a signed 64-bit column.
    ensure(i64::try_from(pack.serial).is_ok(), Defect::Label)?;
    label(&pack.name)
}

fn label(text: &str) -> Result<(), Defect> {
    ensure(is_printable(text, LABEL_BYTES_MAX), Defect::Label)
}

fn is_printable(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// `a-z 0-9 -`: what the vocabularies of all versions are made of.
fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// `v1:` key epoch `:` 32 hex digits.
fn is_pseudonym(text: &str) -> bool {
    let Some((epoch, digits)) = text.strip_prefix("v1:").and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    is_word(epoch) && digits.len() == PSEUDONYM_HEX && digits.bytes().all(is_hex)
}

fn is_appeal(text: &str) -> bool {
    text.len() == APPEAL_HEX && text.bytes().all(is_hex)
}

/// Letters, digits and what joins them: no digest has a space or a sign beyond ASCII, and no text lacks both for long.
fn is_template(text: &str) -> bool {
    (1..=TEMPLATE_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'+' | b'/' | b'='))
}

const fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn ensure(holds: bool, defect: Defect) -> Result<(), Defect> {
    if holds { Ok(()) } else { Err(defect) }
}
