//! What the hub takes back, retained at [`RETRACT`](crate::topic::RETRACT): the whole list each time, so that an agent which
//! was away needs only the last message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::limits::{RETRACT_BYTES_MAX, RETRACTED_MAX};

/// Everything that is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retractions {
    /// Rises with every change: an older list is not taken.
    pub sequence: u64,
    /// Ids of rules.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Indicators, each as `kind:value`.
    #[serde(default)]
    pub indicators: Vec<String>,
}

impl Retractions {
    /// The bytes that are signed for a payload.
    #[must_use]
    pub fn signed(list: &str) -> Vec<u8> {
        [b"yumen retract v1\0", list.as_bytes()].concat()
    }

    /// Whether it names more than [`RETRACTED_MAX`] rules and indicators.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.rules.len() + self.indicators.len() > RETRACTED_MAX
    }
}

/// A [`Retractions`] with the signature of the key that signs packs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedRetractions {
    /// JSON of [`Retractions`], as it was signed.
    pub list: String,
    /// First 8 bytes of the public key, in hexadecimal.
    pub key: String,
    /// Ed25519 over [`Retractions::signed`], in hexadecimal.
    pub signature: String,
}
