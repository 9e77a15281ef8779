//! A fuzzy digest of a template: near for texts that were rewritten from one another, whatever numbers and links
//! they carry. For hits only.

use core::fmt;
use core::str::FromStr;

/// Length of the text form, `s1:` and 16 hexadecimal digits.
pub const TEXT_LEN: usize = 19;

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// How many of 64 bits differ: below [`NEAR_MAX`] for the same template, around 32 for unrelated texts.
    #[must_use]
    pub const fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// Distance up to which two texts are taken for the same template.
pub const NEAR_MAX: u32 = 12;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s1:{:016x}", self.0)
    }
}

/// Not a digest of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestParseError;

impl fmt::Display for DigestParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest is \"s1:\" and 16 hexadecimal digits")
    }
}

impl core::error::Error for DigestParseError {}

impl FromStr for Digest {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.strip_prefix("s1:").filter(|hex| hex.len() == 16).ok_or(DigestParseError)?;
        u64::from_str_radix(hex, 16).map(Self).map_err(|_| DigestParseError)
    }
}

/// The digest of a folded text.
#[must_use]
pub fn digest(folded: &[u8]) -> Digest {
    let mut sums = [0i32; 64];
    for shingle in folded.windows(6) {
        let hash = shingle.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        for (bit, sum) in sums.iter_mut().enumerate() {
            *sum += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    Digest(sums.iter().enumerate().fold(0, |bits, (bit, sum)| bits | u64::from(*sum > 0) << bit))
}
