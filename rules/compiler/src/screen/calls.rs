//! Records of calls in JSON lines.
//!
//! ```text
//! {"channel":"call","time":"2026-01-05T09:30:00+08:00","caller":"+86…","callee":"+86…","direction":"inbound",
//!  "outcome":"answered","ring_s":8,"duration_s":31,"verstat":"TN-Validation-Passed","user_agent":"…","trunk":"domestic"}
//! ```
//!
//! Only `caller` and `callee` must be there for a call to be judged; without `time` it isn't counted.

use serde_json::{Map, Value};
use yumen_behaviour::{Ending, Finish};
use yumen_wire::event::{Address, Attestation, Call, Channel, Trunk, Verstat};

/// What a record says of a call beside its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CallRecord {
    user_agent: String,
    display_name: String,
    diverted_from: String,
    verstat: Verstat,
    attestation: Option<Attestation>,
    private: bool,
    trunk: Trunk,
    pub(super) ending: Ending,
}

impl CallRecord {
    /// From an object's keys. What isn't understood is as if it weren't there.
    pub(super) fn of(object: &Map<String, Value>) -> Self {
        let text = |key: &str| object.get(key).and_then(word).unwrap_or_default();
        let user_agent = text("user_agent");
        Self {
            display_name: text("display_name"),
            diverted_from: text("diverted_from"),
            verstat: verstat(&text("verstat")),
            attestation: attestation(&text("attestation")),
            private: object.get("private").and_then(Value::as_bool).unwrap_or(false),
            trunk: trunk(&text("trunk")).unwrap_or_else(|| trunk_of(&user_agent)),
            ending: Ending {
                finish: Finish::from_word(&text("outcome")).unwrap_or_default(),
                ring_ms: milliseconds(object, "ring"),
                talk_ms: milliseconds(object, "duration"),
            },
            user_agent,
        }
    }

    /// As part of an event.
    pub(super) fn call(&self) -> Call<'_> {
        Call {
            asserted: Address::new(""),
            diverted_from: Address::new(&self.diverted_from),
            display_name: &self.display_name,
            user_agent: &self.user_agent,
            verstat: self.verstat,
            attestation: self.attestation,
            private: self.private,
            trunk: self.trunk,
        }
    }
}

/// Whether a file's first bytes look like records whose order tells something: then they are judged one after the other.
#[must_use]
pub fn looks_like_records_over_time(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let Ok(Value::Object(object)) = serde_json::from_slice(line) else { return false };
    object.contains_key("time") && (object.contains_key("channel") || object.contains_key("caller"))
}

/// What a record is; `None` where it doesn't say.
pub(super) fn channel(object: &Map<String, Value>) -> Result<Option<Channel>, &'static str> {
    match object.get("channel").and_then(Value::as_str) {
        Some("call") => Ok(Some(Channel::Call)),
        Some("sms") => Ok(Some(Channel::Sms)),
        Some(_) => Err("unknown channel"),
        None if object.contains_key("caller") && !object.contains_key("text") => Ok(Some(Channel::Call)),
        None => Ok(None),
    }
}

/// A value as a text.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// `ring_ms`, or else `ring_s`.
fn milliseconds(object: &Map<String, Value>, name: &str) -> u64 {
    let number = |unit: &str| object.get(&format!("{name}_{unit}"));
    if let Some(ms) = number("ms").and_then(Value::as_u64) {
        return ms;
    }
    let seconds = number("s").and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, SECONDS_MAX);
    // The range is checked.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a day")]
    let ms = (seconds * 1000.0) as u64;
    ms
}

const SECONDS_MAX: f64 = 86_400.0;

/// The values of SIP's `verstat`, and short words for them.
pub(crate) fn verstat(word: &str) -> Verstat {
    match word {
        "TN-Validation-Passed" | "passed" => Verstat::Passed,
        "TN-Validation-Failed" | "failed" => Verstat::Failed,
        "No-TN-Validation" | "not-validated" => Verstat::NotValidated,
        _ => Verstat::Absent,
    }
}

pub(crate) fn attestation(word: &str) -> Option<Attestation> {
    match word {
        "A" => Some(Attestation::Full),
        "B" => Some(Attestation::Partial),
        "C" => Some(Attestation::Gateway),
        _ => None,
    }
}

pub(crate) fn trunk(word: &str) -> Option<Trunk> {
    match word {
        "own" => Some(Trunk::Own),
        "domestic" => Some(Trunk::Domestic),
        "international" => Some(Trunk::International),
        _ => None,
    }
}

/// Records that don't name the trunk may name the gateway: `IGW-…` is what operators call their international ones.
fn trunk_of(user_agent: &str) -> Trunk {
    let names_gateway = user_agent.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("IGW-"));
    if names_gateway { Trunk::International } else { Trunk::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).expect("an object")
    }

    #[test]
    fn a_record_of_a_call() {
        let record = CallRecord::of(&object(
            r#"{"outcome":"answered","ring_s":1.5,"duration_s":30,"verstat":"TN-Validation-Failed","user_agent":"IGW-TEST/1"}"#,
        ));
        assert_eq!(record.ending, Ending { finish: Finish::Answered, ring_ms: 1500, talk_ms: 30_000 });
        assert_eq!((record.verstat, record.trunk), (Verstat::Failed, Trunk::International));
        let nothing =
            CallRecord::of(&object(r#"{"outcome":7,"ring_s":-4,"duration_s":1e300,"verstat":null}"#));
        assert_eq!(nothing.ending, Ending { finish: Finish::Unknown, ring_ms: 0, talk_ms: 86_400_000 });
    }

    #[test]
    fn records_over_time_are_known_by_their_keys() {
        assert!(looks_like_records_over_time(b"{\"channel\":\"call\",\"time\":\"x\"}\n{"));
        assert!(!looks_like_records_over_time(b"{\"text\":\"x\",\"time\":\"x\"}\n"));
        assert!(!looks_like_records_over_time(b"hello"));
    }
}
