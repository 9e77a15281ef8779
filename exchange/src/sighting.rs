//! One hit, as it leaves a site: a CloudEvents 1.0 event in structured JSON (`application/cloudevents+json`).
//!
//! There is no field for text, and none for a number of a subscriber in clear: what the type can't hold can't leak.

use crate::topic::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::limits::SIGHTING_BYTES_MAX;

/// `type` of the event.
pub const TYPE: &str = "cn.yumen.sighting.v1";

/// `specversion` of the event.
pub const SPECVERSION: &str = "1.0";

/// `datacontenttype` of the event.
pub const CONTENT_TYPE: &str = "application/json";

/// The MQTT 5 content type of the message that carries the event.
pub const EVENT_CONTENT_TYPE: &str = "application/cloudevents+json";

/// The CloudEvents envelope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// UUIDv7: time-ordered, and what the hub drops duplicates by.
    #[schemars(with = "String")]
    pub id: Uuid,
    /// `/{member}/{agent}`.
    pub source: String,
    /// [`TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 3339, UTC, with milliseconds: when the event was judged.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What was seen.
    pub data: Sighting,
}

impl Envelope {
    /// Wraps a sighting of an agent, judged at `time_ms` (milliseconds since the Unix epoch).
    #[must_use]
    pub fn new(id: Uuid, member: &Name, agent: &Name, time_ms: u64, data: Sighting) -> Self {
        Self {
            specversion: SPECVERSION.to_owned(),
            id,
            source: source(member, agent),
            kind: TYPE.to_owned(),
            time: crate::time::format(time_ms),
            datacontenttype: CONTENT_TYPE.to_owned(),
            data,
        }
    }
}

/// `source` of an agent's events.
#[must_use]
pub fn source(member: &Name, agent: &Name) -> String {
    format!("/{member}/{agent}")
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// `sms` or `call`.
    pub channel: String,
    /// `smpp`, `cmpp`, …: [`Door::name`] of the wire crate.
    pub door: String,
    /// `submit` or `deliver`.
    pub direction: String,
    /// The listener's name in the agent's configuration.
    pub listener: String,
    /// `flag`, `hold`, `reject` or `drop`, and `shadow` for a hit that a shadow rule would have had.
    pub verdict: String,
    /// The typology's id.
    pub typology: String,
    /// 0 to 100.
    pub score: u8,
    /// Name and serial of the pack.
    pub pack: PackRef,
    /// The rules that fired, strongest first.
    pub rules: Vec<RuleHit>,
    /// Number lists of the site that have a number which a rule asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListHit>,
    /// Contacts and senders of the suspect, in clear.
    pub indicators: Vec<Indicator>,
    /// Keyed pseudonym of the person it was sent to (`v1:` key epoch `:` 32 hex digits); of the subscriber who wrote to
    /// a service, where the message wasn't blocked. Absent where no person's number is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victim: Option<String>,
    /// How many destinations the message had.
    pub destinations: u16,
    /// Fuzzy digest of the text with its digits removed; close digests mean one template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the decision interface gave out for an appeal, 32 hexadecimal digits: whoever quotes it is blocked by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<String>,
    /// Characters of the text, parts so far and parts announced.
    pub text_chars: u32,
    /// Parts seen when the verdict fell, and parts announced; 1 of 1 for a single message.
    pub segments: (u8, u8),
}

/// A pack by name and serial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackRef {
    /// The pack's name.
    pub name: String,
    /// Its serial.
    pub serial: u64,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleHit {
    /// `debt-collection/threatens-contacts`.
    pub id: String,
    /// The rule's own score.
    pub score: u8,
    /// Where in the text, in characters: start and end, no text.
    pub spans: Vec<(u32, u32)>,
}

/// A number list that has one of the event's numbers; which one it is stands among the indicators, if it may leave the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListHit {
    /// The list's name.
    pub list: String,
    /// Whose number: `caller`, `callee` or `contact`.
    pub subject: String,
    /// 1 to 100.
    pub score: u8,
}

/// A contact or sender of the suspect.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Indicator {
    /// `number`, `sender-id`, `url`, `domain`, `wechat`, `qq`, `telegram`, `email`, `bank-account`.
    pub kind: String,
    /// Its canonical form.
    pub value: String,
    /// `originator` or `text`.
    pub origin: String,
}
