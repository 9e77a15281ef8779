//! The classifier: how much a text resembles each practice.
//!
//! ```text
//! folded text, signals → tokens → hashed n-grams → sum of the weights of those that are known, one a typology → logit → percent
//! ```
//!
//! A token is a character that isn't ASCII, a run of ASCII letters, a run of digits (by its length) or `%`; other ASCII separates
//! nothing. The features are tokens, pairs, triples and pairs with one token between them, and the [`Signals`], each once. Everything is integer
//! arithmetic, so a server and a device get the same percent. It is computed only when a condition asks for it.
//!
//! # Section 34
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | version of the features, 3 |
//! | 2 | 1 | b, bits of the directory: 0 for none, or 1 to 20 |
//! | 3 | 5 | 0 |
//! | 8 | 64 | for each typology: bias (4, signed) and what a weight of 1 adds (4, signed, not negative), in 1/65536 |
//! | 72 | d = 0 or 4 · (2^b + 1) | directory: for each value of a hash's upper b bits, how many hashes are below it; n at the end |
//! | 72 + d | 4 · n | hashes of the features that have weights, ascending, each once |
//! | 72 + d + 4 · n | 8 · n | for each of them, a signed byte a typology |
//!
//! The directory spares a server most steps of a search; a device goes without.
//!
//! A feature that isn't in the table weighs nothing: what training never saw says nothing. The logit of a text with `n` features, known
//! or not, is `bias + sum · scale / √n`. The section is empty where a pack has no classifier.

mod feature;

pub use feature::{FEATURES_VERSION, Feature, Signals, features};

use crate::verdict::Typology;

/// Bytes before the weights.
pub const HEADER_LEN: usize = 8 + 8 * Typology::COUNT;
/// Bytes of one feature: its hash and its weights.
pub const FEATURE_LEN: usize = 4 + Typology::COUNT;

/// Percents, in the order of [`Typology::ALL`].
pub type Scores = [u8; Typology::COUNT];

/// The weights of a pack.
#[derive(Clone, Copy, Debug)]
pub struct Model<'p> {
    header: &'p [u8; HEADER_LEN],
    directory: &'p [[u8; 4]],
    hashes: &'p [[u8; 4]],
    weights: &'p [[u8; Typology::COUNT]],
}

/// A feature that spoke for a typology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// What it is and where.
    pub feature: Feature,
    /// Its weight, above 0.
    pub weight: i8,
}

impl<'p> Model<'p> {
    /// From the bytes of the section; `None` where they aren't one, or are empty.
    #[must_use]
    pub fn new_checked(bytes: &'p [u8]) -> Option<Self> {
        let model = Self::new(bytes)?;
        let [v0, v1, _, reserved @ ..] = model.header.first_chunk::<8>()?;
        let scales = model.header.get(8..)?.as_chunks::<8>().0;
        let ascends = |pair: &[[u8; 4]]| match pair {
            [one, next] => u32::from_le_bytes(*one) < u32::from_le_bytes(*next),
            _ => true,
        };
        let valid = u16::from_le_bytes([*v0, *v1]) == FEATURES_VERSION
            && *reserved == [0; 5]
            && !model.hashes.is_empty()
            && model.hashes.windows(2).all(ascends)
            && model.directory_is_right()
            && scales.iter().all(|[.., sign]| sign & 0x80 == 0);
        valid.then_some(model)
    }

    /// From bytes that [`Model::new_checked`] took once. (With others the scores are nonsense.)
    pub(crate) fn new(bytes: &'p [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let (directory, rest) = rest.split_at_checked(directory_len(*header.get(2)?)?)?;
        let (hashes, weights) = rest.split_at_checked(rest.len() / FEATURE_LEN * 4)?;
        let (weights, left) = weights.as_chunks();
        let (directory, hashes) = (directory.as_chunks().0, hashes.as_chunks().0);
        (left.is_empty() && weights.len() == hashes.len()).then_some(Self {
            header,
            directory,
            hashes,
            weights,
        })
    }

    /// How many features have weights.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether no feature has one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether every entry of the directory says how many hashes are below it.
    fn directory_is_right(&self) -> bool {
        let bits = u32::from(self.header[2]);
        let below = |bucket: usize| {
            self.hashes
                .partition_point(|hash| (u64::from(u32::from_le_bytes(*hash)) << bits >> 32) < bucket as u64)
        };
        self.directory
            .iter()
            .enumerate()
            .all(|(bucket, entry)| u32::from_le_bytes(*entry) as usize == below(bucket))
    }

    /// How much a text resembles each typology, 0 to 100: by its folded view and what was found in it.
    #[must_use]
    pub fn scores(&self, folded: &[u8], signals: Signals) -> Scores {
        let (mut sums, mut count) = ([0i32; Typology::COUNT], 0u32);
        features(folded, signals, |feature| {
            count = count.saturating_add(1);
            for (sum, weight) in sums.iter_mut().zip(self.weights_of(&feature)) {
                *sum = sum.saturating_add(i32::from(weight.cast_signed()));
            }
        });
        let mut scores = [0; Typology::COUNT];
        for ((score, sum), scale) in scores.iter_mut().zip(sums).zip(self.scales()) {
            *score = percent(logit(sum, count, scale));
        }
        scores
    }

    /// The features that speak for a typology most, the strongest first; gives how many of `out` are filled.
    pub fn reasons(&self, folded: &[u8], signals: Signals, typology: Typology, out: &mut [Reason]) -> usize {
        let mut len = 0;
        features(folded, signals, |feature| {
            let weights = self.weights_of(&feature);
            let weight = weights.get(typology as usize).map_or(0, |weight| weight.cast_signed());
            let filled = out.get(..len).unwrap_or_default();
            if weight <= 0 || filled.iter().any(|reason| reason.feature.hash == feature.hash) {
                return;
            }
            let at = filled.iter().position(|reason| reason.weight < weight).unwrap_or(len);
            len = out.len().min(len + 1);
            // Empty where `out` is full of stronger ones: turning nothing would panic.
            if let Some(tail) = out.get_mut(at..len).filter(|tail| !tail.is_empty()) {
                tail.rotate_right(1);
                if let Some(first) = tail.first_mut() {
                    *first = Reason { feature, weight };
                }
            }
        });
        len
    }

    fn weights_of(&self, feature: &Feature) -> [u8; Typology::COUNT] {
        let (start, hashes) = self.bucket(feature.hash);
        let at = hashes.binary_search_by_key(&feature.hash, |hash| u32::from_le_bytes(*hash));
        at.ok().and_then(|at| self.weights.get(start + at)).copied().unwrap_or_default()
    }

    /// The hashes among which one would be, and where they start.
    fn bucket(&self, hash: u32) -> (usize, &'p [[u8; 4]]) {
        let bits = u32::from(self.header[2]);
        // No more than 20 bits: a place in memory.
        let bucket = (u64::from(hash) << bits >> 32) as usize;
        let entry = |at: usize| self.directory.get(at).map(|entry| u32::from_le_bytes(*entry) as usize);
        match (entry(bucket), entry(bucket + 1)) {
            (Some(start), Some(end)) => (start, self.hashes.get(start..end).unwrap_or_default()),
            _ => (0, self.hashes),
        }
    }

    /// Bias and scale of each typology.
    fn scales(&self) -> impl Iterator<Item = (i32, i32)> + use<'p> {
        let pairs = self.header.get(8..).unwrap_or_default().as_chunks::<8>().0;
        pairs.iter().map(|&[a, b, c, d, e, f, g, h]| {
            (i32::from_le_bytes([a, b, c, d]), i32::from_le_bytes([e, f, g, h]))
        })
    }
}

/// Bytes of a section that starts with `section` and has weights for so many features; `None` where that is no length.
pub(crate) fn section_len(section: &[u8], features: u32) -> Option<usize> {
    if features == 0 {
        return Some(0);
    }
    let table = (features as usize).checked_mul(FEATURE_LEN)?;
    table.checked_add(HEADER_LEN)?.checked_add(directory_len(*section.get(2)?)?)
}

/// Bytes of a directory of so many bits; `None` where there are too many.
const fn directory_len(bits: u8) -> Option<usize> {
    match bits {
        0 => Some(0),
        1..=DIRECTORY_BITS_MAX => Some(4 * ((1 << bits) + 1)),
        _ => None,
    }
}

/// Bits of a directory, at most.
pub const DIRECTORY_BITS_MAX: u8 = 20;

/// In 1/65536.
fn logit(sum: i32, features: u32, (bias, scale): (i32, i32)) -> i64 {
    // 16 times the root, so that its fraction counts.
    let root = i64::try_from((u64::from(features) << 8).isqrt()).unwrap_or(i64::MAX).max(1);
    (i64::from(sum) * i64::from(scale)).saturating_mul(16) / root + i64::from(bias)
}

/// The logistic function of a logit, in percent.
fn percent(logit: i64) -> u8 {
    let below = LOGITS.partition_point(|&bound| i64::from(bound) <= logit);
    u8::try_from(below).unwrap_or(100)
}

/// The logits of 1 to 99 percent, in 1/65536.
const LOGITS: [i32; 99] = [
    -301_146, -255_054, -227_810, -208_277, -192_967, -180_325, -169_521, -160_062, -151_626, -143_997,
    -137_019, -130_576, -124_581, -118_967, -113_679, -108_674, -103_916, -99_375, -95_028, -90_852, -86_830,
    -82_947, -79_188, -75_542, -71_999, -68_549, -65_184, -61_896, -58_680, -55_529, -52_437, -49_399,
    -46_412, -43_470, -40_569, -37_707, -34_879, -32_083, -29_315, -26_573, -23_853, -21_153, -18_471,
    -15_805, -13_151, -10_508, -7_874, -5_246, -2_622, 0, 2_622, 5_246, 7_874, 10_508, 13_151, 15_805,
    18_471, 21_153, 23_853, 26_573, 29_315, 32_083, 34_879, 37_707, 40_569, 43_470, 46_412, 49_399, 52_437,
    55_529, 58_680, 61_896, 65_184, 68_549, 71_999, 75_542, 79_188, 82_947, 86_830, 90_852, 95_028, 99_375,
    103_916, 108_674, 113_679, 118_967, 124_581, 130_576, 137_019, 143_997, 151_626, 160_062, 169_521,
    180_325, 192_967, 208_277, 227_810, 255_054, 301_146,
];

#[cfg(test)]
mod tests;
