//! Why a pack isn't taken.

use yumen_rules::pack::PackError;

use crate::dialect::RegexDefect;

/// Why a pack isn't taken. The last good one stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Larger than a pack may be.
    #[error("the pack is too large: {0} bytes")]
    TooLarge(usize),
    /// Not a pack, or not a whole one.
    #[error("the pack is damaged: {0}")]
    Damaged(PackError),
    /// Another format, a newer engine or other folding tables are needed.
    #[error("the pack is for another version: {0}")]
    Incompatible(PackError),
    /// It has no signature.
    #[error("the pack isn't signed")]
    Unsigned,
    /// Signed with a key that isn't in the keyring.
    #[error("the pack is signed with key {}…, which isn't trusted here", data_encoding::HEXLOWER.encode(.0))]
    ForeignKey([u8; 8]),
    /// The signature isn't right: changed since it was signed, or forged.
    #[error("the pack's signature isn't right: it was changed after signing, or forged")]
    BadSignature,
    /// Expired.
    #[error("the pack expired at {expires_s} (now {now_s}, seconds since the Unix epoch)")]
    Expired {
        /// When it expired.
        expires_s: u64,
        /// When it was looked at.
        now_s: u64,
    },
    /// Older than the one in use.
    #[error("the pack has serial {serial}, older than {last_serial}, which was in use already")]
    Older {
        /// Its serial.
        serial: u64,
        /// The highest that was in use.
        last_serial: u64,
    },
    /// A regular expression isn't in the dialect.
    #[error("pattern {index} isn't valid: {defect}")]
    Pattern {
        /// Index of the pattern.
        index: u32,
        /// What is wrong with it.
        defect: RegexDefect,
    },
    /// The matcher can't be built from the patterns.
    #[error("the patterns can't be compiled: {0}")]
    Matcher(String),
    /// One of the pack's own tests gives another result than the pack says.
    #[error("the pack's own test fails: {owner} {} {text:?}", if *.expected { "doesn't hit" } else { "hits" })]
    Canary {
        /// Id of the rule or suppression.
        owner: String,
        /// The text.
        text: String,
        /// What the pack says should come of it.
        expected: bool,
    },
}

impl Refusal {
    /// A word for metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too-large",
            Self::Damaged(_) => "damaged",
            Self::Incompatible(_) => "incompatible",
            Self::Unsigned => "unsigned",
            Self::ForeignKey(_) => "foreign-key",
            Self::BadSignature => "bad-signature",
            Self::Expired { .. } => "expired",
            Self::Older { .. } => "older",
            Self::Pattern { .. } => "pattern",
            Self::Matcher(_) => "matcher",
            Self::Canary { .. } => "canary",
        }
    }
}

impl From<PackError> for Refusal {
    fn from(error: PackError) -> Self {
        match error {
            PackError::TooLarge => Self::TooLarge(yumen_rules::limits::PACK_BYTES_MAX),
            PackError::Format(_)
            | PackError::Engine(_)
            | PackError::Fold(_)
            | PackError::UnknownSection(_) => Self::Incompatible(error),
            _ => Self::Damaged(error),
        }
    }
}
