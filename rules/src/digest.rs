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
        let hex = text
            .strip_prefix("s1:")
            .filter(|hex| hex.len() == 16 && !hex.starts_with('+'))
            .ok_or(DigestParseError)?;
        u64::from_str_radix(hex, 16).map(Self).map_err(|_| DigestParseError)
    }
}

/// The digest of a folded text: a SimHash over single units and pairs of units side by side. A unit is a character, or in a
/// Latin text a word; whatever has digits, and in other texts whatever is ASCII, is left out, so that numbers, amounts,
/// links and ids don't count. A text without units has the digest 0.
#[must_use]
pub fn digest(folded: &[u8]) -> Digest {
    let letters = folded.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    let latin = letters * 2 > folded.len();
    let mut votes = Votes::default();
    let mut before = 0;
    let mut at = 0;
    while at < folded.len() {
        let end = unit_end(folded, at);
        let unit = folded.get(at..end).unwrap_or_default();
        at = end;
        let counts = match unit.first() {
            Some(byte) if byte.is_ascii() => latin && unit.iter().all(u8::is_ascii_lowercase),
            _ => true,
        };
        if counts {
            let hash = hash(unit);
            votes.add(mixed(hash), 0);
            votes.add(mixed(before ^ hash.rotate_left(17)), 1);
            before = hash;
        }
    }
    Digest(votes.majority())
}

/// Where the unit that starts at `at` ends: a character, or a run of ASCII without spaces.
fn unit_end(text: &[u8], at: usize) -> usize {
    let is_word = |byte: &&u8| byte.is_ascii() && **byte != b' ';
    let word = text.get(at..).unwrap_or_default().iter().take_while(is_word).count();
    at + if word > 0 { word } else { crate::fold::digits::width(text, at) }
}

/// Counts of 64 votes side by side: plane `n` holds bit `n` of every count, so that a vote costs a few operations and not 64.
#[derive(Default)]
struct Votes {
    planes: [u64; PLANES],
    cast: u64,
}

/// Bits of a count: more than a text of any length casts.
const PLANES: usize = 32;

impl Votes {
    /// Adds a vote of weight `2^plane` wherever `hash` has a bit.
    fn add(&mut self, hash: u64, plane: usize) {
        self.cast += 1 << plane;
        let mut carry = hash;
        for bits in self.planes.iter_mut().skip(plane) {
            let next = *bits & carry;
            *bits ^= carry;
            carry = next;
            if carry == 0 {
                return;
            }
        }
    }

    /// The places with more than half of the votes.
    fn majority(&self) -> u64 {
        let half = self.cast / 2;
        let (mut above, mut equal) = (0, u64::MAX);
        for (plane, bits) in self.planes.iter().enumerate().rev() {
            let bound = if half >> plane & 1 == 1 { u64::MAX } else { 0 };
            above |= equal & bits & !bound;
            equal &= !(bits ^ bound);
        }
        above
    }
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Every bit depends on every bit (the finisher of SplitMix64).
const fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec;

    use proptest::prelude::*;

    use super::{Digest, NEAR_MAX, TEXT_LEN, Votes, digest};
    use crate::fold::{fold, folded_len_max};

    fn of(text: &str) -> Digest {
        let mut out = vec![0; folded_len_max(text.len())];
        digest(fold(text, &mut out).bytes())
    }

    const TEMPLATE: &str = "您的借款已经逾期47天，今天下午五点前不处理，我们将安排外访人员到您的户籍地和工作单位走访，详询17000001234";

    #[test]
    fn rewriting_keeps_near() {
        for rewritten in [
            "您的借款已经逾期63天，今天下午五点前不处理，我们将安排外访人员到您的户籍地和工作单位走访，详询17100005678",
            "您的借款已經逾期47天,今天下午五點前不處理,我們將安排外訪人員到您的戶籍地和工作單位走訪",
            "您 的 借*款 已经逾期9天！！今天下午五点前不处理，我们将安排外访人员到您的户籍地和工作单位走访 tb.example.com/q7",
            "您的借款已经逾期47天，今天下午六点前不处理，我们会安排外访人员到您的户籍地和工作单位走访，详询电话17000001234",
        ] {
            let distance = of(TEMPLATE).distance(of(rewritten));
            assert!(distance <= NEAR_MAX, "{distance}: {rewritten}");
        }
    }

    #[test]
    fn other_texts_are_far() {
        let texts = [
            TEMPLATE,
            "您的快递已到小区东门驿站，请凭取件码在今晚九点前领取，逾期将退回，如有疑问请联系驿站工作人员",
            "急用钱吗？无抵押无担保，当天放款，利息低至2.6%，详情加薇芯了解",
            "尊敬的业主，因小区供水管道检修，明日上午八点至下午五点停水，请提前做好储水准备",
            "your parcel is waiting at the depot please pay the fee to have it delivered today",
            "free entry in a weekly draw to win tickets text the word to the number now",
        ];
        for (at, one) in texts.iter().enumerate() {
            for other in &texts[at + 1..] {
                let distance = of(one).distance(of(other));
                assert!(distance > NEAR_MAX + 4, "{distance}: {one} / {other}");
            }
        }
    }

    #[test]
    fn the_text_form_is_frozen() {
        let known = of("贷款");
        assert_eq!(known.to_string().len(), TEXT_LEN);
        assert_eq!(known.to_string().parse(), Ok(known));
        assert_eq!(known.to_string(), "s1:0c18589970a98404");
        for wrong in ["", "s1:", "s1:00", "s2:0000000000000000", "s1:+000000000000000", "s1:000000000000000g"]
        {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    /// Counts each place by itself.
    fn counted(votes: &[(u64, usize)]) -> u64 {
        (0..64).fold(0, |bits, bit| {
            let sum: i64 =
                votes.iter().map(|(hash, plane)| ((hash >> bit & 1) as i64 * 2 - 1) << plane).sum();
            bits | u64::from(sum > 0) << bit
        })
    }

    proptest! {
        #[test]
        fn votes_are_counted_as_by_hand(votes in proptest::collection::vec((any::<u64>(), 0..2usize), 0..200)) {
            let mut planes = Votes::default();
            votes.iter().for_each(|&(hash, plane)| planes.add(hash, plane));
            prop_assert_eq!(planes.majority(), counted(&votes));
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let one = digest(&bytes);
            prop_assert_eq!(one.distance(digest(&bytes)), 0);
            prop_assert_eq!(one.to_string().parse(), Ok(one));
        }
    }
}
