//! What the API is asked and what it answers: the OpenAPI description is made of these types.

use super::problem::Problem;
use crate::limits::{API_BATCH_MAX, API_FIELD_CHARS_MAX, API_TEXT_CHARS_MAX};
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::marker::PhantomData;
use yumen_wire::event;

/// 9999-12-31, in milliseconds since the Unix epoch: the latest time that is taken.
pub(super) const TIME_MS_MAX: u64 = 253_402_300_799_000;
/// Longest ring or call, in milliseconds: a week.
pub(super) const DURATION_MS_MAX: u64 = 7 * 86_400_000;

/// A whole number of milliseconds. JSON Schema counts `2914.0` among the integers, serde doesn't.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, not negative")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Some(value))
        }
        fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
            // 2^53: up to there a double holds every whole number.
            if value.fract() != 0.0 || !(0.0..=9_007_199_254_740_992.0).contains(&value) {
                return Err(E::invalid_value(serde::de::Unexpected::Float(value), &self));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole and in range, as just checked"
            )]
            Ok(Some(value as u64))
        }
    }
    deserializer.deserialize_any(Whole)
}

/// A JSON object and nothing else: serde would take an array of the fields' values for a struct too.
#[derive(Clone, Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// One message or one call attempt to decide on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    /// A short message.
    Sms(#[schemars(with = "Sms")] Object<Sms>),
    /// A call attempt.
    Call(#[schemars(with = "CallAttempt")] Object<CallAttempt>),
}

/// A short message.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sms {
    /// Who sends: digits with an optional leading +, or a sender ID. Empty where unknown.
    #[schemars(length(max = 64))]
    pub(super) from: String,
    /// Who receives. Empty where unknown.
    #[schemars(length(max = 64))]
    pub(super) to: String,
    /// The whole text.
    #[schemars(length(max = 4096))]
    pub(super) text: String,
    /// Into the centre (`submit`, the default) or out of it.
    pub(super) direction: Option<Direction>,
    /// When, in milliseconds since the Unix epoch. Default: now.
    #[schemars(range(max = 253_402_300_799_000_u64))]
    #[serde(default, deserialize_with = "whole")]
    pub(super) time_ms: Option<u64>,
}

/// A call attempt, before it rings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallAttempt {
    /// Who calls. Empty where withheld.
    #[schemars(length(max = 64))]
    pub(super) from: String,
    /// Who is called.
    #[schemars(length(max = 64))]
    pub(super) to: String,
    /// Into the network (`submit`, the default) or out of it.
    pub(super) direction: Option<Direction>,
    /// When, in milliseconds since the Unix epoch. Default: now.
    #[schemars(range(max = 253_402_300_799_000_u64))]
    #[serde(default, deserialize_with = "whole")]
    pub(super) time_ms: Option<u64>,
    /// The asserted caller (P-Asserted-Identity).
    #[schemars(length(max = 64))]
    pub(super) asserted: Option<String>,
    /// Who last sent the call on (Diversion, History-Info).
    #[schemars(length(max = 64))]
    pub(super) diverted_from: Option<String>,
    /// The display name of From.
    #[schemars(length(max = 64))]
    pub(super) display_name: Option<String>,
    /// User-Agent.
    #[schemars(length(max = 64))]
    pub(super) user_agent: Option<String>,
    /// What the network says of the caller's number.
    pub(super) verstat: Option<Verstat>,
    /// The attestation of a signature that holds.
    pub(super) attestation: Option<Attestation>,
    /// The caller asks not to be shown.
    pub(super) private: Option<bool>,
    /// The side of the network that the call comes from.
    pub(super) trunk: Option<Trunk>,
}

/// Which way.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Submit,
    Deliver,
}

/// What the network says of the caller's number.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verstat {
    Passed,
    Failed,
    NotValidated,
}

/// How far the signing provider vouches for the caller.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) enum Attestation {
    A,
    B,
    C,
}

/// The side of the network that a call comes from.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Trunk {
    Own,
    Domestic,
    International,
}

/// Several questions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub(super) items: Vec<Question>,
}

/// How a call or a message went on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    /// The caller or sender, as it was asked about.
    #[schemars(length(max = 64))]
    pub(super) from: String,
    /// The called or receiving number, as it was asked about.
    #[schemars(length(max = 64))]
    pub(super) to: String,
    /// What happened.
    pub(super) outcome: OutcomeKind,
    /// How long it rang, in milliseconds: for `answered` and `cancelled`.
    #[schemars(range(max = 604_800_000_u64))]
    #[serde(default, deserialize_with = "whole")]
    pub(super) ring_ms: Option<u64>,
    /// How long they talked, in milliseconds: for `ended`.
    #[schemars(range(max = 604_800_000_u64))]
    #[serde(default, deserialize_with = "whole")]
    pub(super) duration_ms: Option<u64>,
    /// When, in milliseconds since the Unix epoch. Default: now.
    #[schemars(range(max = 253_402_300_799_000_u64))]
    #[serde(default, deserialize_with = "whole")]
    pub(super) time_ms: Option<u64>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeKind {
    /// Somebody picked up.
    Answered,
    /// An answered call is over.
    Ended,
    /// The caller gave up.
    Cancelled,
    /// Busy, no answer, unreachable.
    Failed,
    /// The receiver complained about it.
    Complaint,
}

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Sentence {
    /// Chinese.
    pub(super) zh: String,
    /// English.
    pub(super) en: String,
}

/// What to tell the person whose message or call is blocked: a sentence for laymen, which doesn't say what gave it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Redress {
    /// The language of the message, of a call the institution's first: `zh`, `zh-Hant` or `en`.
    pub(super) language: String,
    /// The sentence in that language.
    pub(super) sentence: String,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Let it pass.
    Allow,
    /// Let it pass; it was reported.
    Flag,
    /// Refuse it.
    Reject,
    /// Take it and drop it: the sender isn't told.
    Drop,
    /// Refuse it for now: no decision was to be had, and the policy is fail-closed.
    Defer,
}

/// A rule that held.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct RuleHit {
    /// Its id.
    pub(super) id: String,
    /// What it says.
    pub(super) title: Sentence,
    /// Its own score, 1 to 100.
    pub(super) score: u8,
}

/// The pack that was judged by.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct PackName {
    /// Its name.
    pub(super) name: String,
    /// Its serial.
    pub(super) serial: u64,
}

/// A decision.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// What is to be done.
    pub(super) verdict: Verdict,
    /// Whether it is to be kept from passing: `reject`, `drop` or `defer`.
    pub(super) block: bool,
    /// Whether the verdict was made by rules; otherwise `cause` says why not.
    pub(super) decided: bool,
    /// Why there was no decision in time: `late`, `no-pack`, `memory-short`, `engine`.
    pub(super) cause: Option<String>,
    /// Why, for who runs the service: it names the rule.
    pub(super) reason: Sentence,
    /// Why, for the person who is blocked. Null where nothing is blocked, or no rule decided.
    pub(super) redress: Option<Redress>,
    /// Combined score of the typology, 0 to 100.
    pub(super) score: u8,
    /// The practice it was decided for.
    pub(super) typology: Option<String>,
    /// The rules that held, strongest first; at most 8.
    pub(super) rules: Vec<RuleHit>,
    /// The pack that was judged by.
    pub(super) pack: Option<PackName>,
    /// Until when the answer may be used again for the same question, in milliseconds since the Unix epoch.
    pub(super) expires_ms: u64,
    /// Names this decision in an appeal; the same question under the same pack gets the same. Null for `allow`.
    pub(super) appeal_id: Option<String>,
}

/// Decisions, in the order of the questions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Answers {
    /// One each.
    pub(super) answers: Vec<Answer>,
}

/// A decision as it is kept for an appeal: without the text, and without any number.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Appeal {
    /// Its id.
    pub(super) appeal_id: String,
    /// When it was decided first, in milliseconds since the Unix epoch.
    pub(super) time_ms: u64,
    /// `sms` or `call`.
    pub(super) channel: String,
    /// What was answered.
    pub(super) verdict: Verdict,
    /// Why, for who runs the service: it names the rule.
    pub(super) reason: Sentence,
    /// Why, for the person who is blocked.
    #[serde(default)]
    pub(super) redress: Option<Redress>,
    /// Combined score, 0 to 100.
    pub(super) score: u8,
    /// The practice it was decided for.
    pub(super) typology: Option<String>,
    /// Ids of the rules that held.
    pub(super) rules: Vec<String>,
    /// The pack that was judged by.
    pub(super) pack: Option<PackName>,
}

impl Question {
    /// Whether every field is within its limit; `at` is where the question stands in the body.
    pub(super) fn check(&self, at: &str) -> Result<(), Problem> {
        match self {
            Self::Sms(Object(sms)) => {
                let fields = [("from", sms.from.as_str()), ("to", &sms.to)];
                check_fields(&format!("{at}sms."), fields)?;
                check_length(&format!("{at}sms.text"), &sms.text, API_TEXT_CHARS_MAX)?;
                check_max(&format!("{at}sms.time_ms"), sms.time_ms, TIME_MS_MAX)
            }
            Self::Call(Object(call)) => {
                fn text(field: &Option<String>) -> &str {
                    field.as_deref().unwrap_or_default()
                }
                let fields = [
                    ("from", call.from.as_str()),
                    ("to", &call.to),
                    ("asserted", text(&call.asserted)),
                    ("diverted_from", text(&call.diverted_from)),
                    ("display_name", text(&call.display_name)),
                    ("user_agent", text(&call.user_agent)),
                ];
                check_fields(&format!("{at}call."), fields)?;
                check_max(&format!("{at}call.time_ms"), call.time_ms, TIME_MS_MAX)
            }
        }
    }
}

impl Batch {
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.items.is_empty() || self.items.len() > API_BATCH_MAX {
            return Err(Problem::field("items", &format!("1 to {API_BATCH_MAX} are taken at a time")));
        }
        self.items.iter().enumerate().try_for_each(|(at, item)| item.check(&format!("items[{at}].")))
    }
}

impl Outcome {
    pub(super) fn check(&self) -> Result<(), Problem> {
        check_fields("", [("from", self.from.as_str()), ("to", &self.to)])?;
        check_max("ring_ms", self.ring_ms, DURATION_MS_MAX)?;
        check_max("duration_ms", self.duration_ms, DURATION_MS_MAX)?;
        check_max("time_ms", self.time_ms, TIME_MS_MAX)
    }
}

fn check_fields<'a>(at: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), Problem> {
    for (name, value) in fields {
        // Bytes bound the characters: what is short is not counted.
        if value.len() > API_FIELD_CHARS_MAX {
            check_length(&format!("{at}{name}"), value, API_FIELD_CHARS_MAX)?;
        }
    }
    Ok(())
}

fn check_length(field: &str, value: &str, chars_max: usize) -> Result<(), Problem> {
    if value.len() > chars_max && value.chars().count() > chars_max {
        return Err(Problem::field(field, &format!("longer than {chars_max} characters")));
    }
    Ok(())
}

fn check_max(field: &str, value: Option<u64>, max: u64) -> Result<(), Problem> {
    match value {
        Some(value) if value > max => Err(Problem::field(field, &format!("more than {max}"))),
        _ => Ok(()),
    }
}

impl From<Direction> for event::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Submit => Self::Submit,
            Direction::Deliver => Self::Deliver,
        }
    }
}

impl From<Verstat> for event::Verstat {
    fn from(verstat: Verstat) -> Self {
        match verstat {
            Verstat::Passed => Self::Passed,
            Verstat::Failed => Self::Failed,
            Verstat::NotValidated => Self::NotValidated,
        }
    }
}

impl From<Attestation> for event::Attestation {
    fn from(attestation: Attestation) -> Self {
        match attestation {
            Attestation::A => Self::Full,
            Attestation::B => Self::Partial,
            Attestation::C => Self::Gateway,
        }
    }
}

impl From<Trunk> for event::Trunk {
    fn from(trunk: Trunk) -> Self {
        match trunk {
            Trunk::Own => Self::Own,
            Trunk::Domestic => Self::Domestic,
            Trunk::International => Self::International,
        }
    }
}
