//! Looking a number up in a list of 10 and of 100 million, beside a binary search over a sorted array and a hash set of the same keys.
//!
//! ```text
//! subscribers (H codes in use, each with a share of its ten thousand lines) → Writer → file → mapped → random lookups, half of them misses
//! ```

use super::{BenchError, Figures};
use std::collections::HashSet;
use std::fs::File;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;
use yumen_compiler::bench::CpuClock;
use yumen_compiler::numbers::Writer;
use yumen_matcher::{LoadedNumbers, NumbersOptions};
use yumen_rules::numbers::{Header, Key, Listed};
use yumen_rules::verdict::Typology;

/// Lists that are measured.
const SIZES: [(&str, u64); 2] = [("10m", 10_000_000), ("100m", 100_000_000)];
/// The memory that the baselines of a list take for each number, in bytes: array, hash set, and the list itself.
const BYTES_EACH: u64 = 8 + 24 + 4;
/// Lookups of a round.
const QUERIES: usize = 1_000_000;
const ROUNDS: usize = 7;

/// Measures every list that memory has room for.
///
/// # Errors
/// [`BenchError`], where a list can't be written or read.
pub fn run(folder: &Path, progress: impl Fn(&str)) -> Result<Figures, BenchError> {
    let mut figures = Figures::new();
    for (label, count) in SIZES {
        if available_bytes().is_some_and(|available| available < count * BYTES_EACH) {
            progress(&format!("numbers {label}: left out, there is too little memory"));
            continue;
        }
        progress(&format!("numbers {label} …"));
        measure(label, count, folder, &mut figures)?;
    }
    Ok(figures)
}

fn measure(label: &str, count: u64, folder: &Path, figures: &mut Figures) -> Result<(), BenchError> {
    let path = folder.join(format!("{label}.ynl"));
    let broken = |error: &dyn std::fmt::Display| BenchError::Peer(format!("number list: {error}"));
    let built = Instant::now();
    let keys = write(count, &path).map_err(|error| broken(&error))?;
    let built_s = built.elapsed().as_secs_f64();
    let loaded = Instant::now();
    let list = LoadedNumbers::open(&path, &NumbersOptions::ANYTHING).map_err(|error| broken(&error))?;
    let loaded_s = loaded.elapsed().as_secs_f64();
    let queries = queries(&keys);
    let set = list.set();
    let of_list = median(&queries, |query| set.lookup(query).is_some());
    let of_array =
        median(&queries, |query| Key::of(query).is_some_and(|key| keys.binary_search(&key.value).is_ok()));
    let hashed: HashSet<u64> = keys.iter().copied().collect();
    let of_hash = median(&queries, |query| Key::of(query).is_some_and(|key| hashed.contains(&key.value)));
    if [of_list.1, of_array.1].iter().any(|hits| *hits != of_hash.1) {
        return Err(broken(&"it doesn't say what a hash set says"));
    }
    let entries = keys.len() as f64;
    // A bucket of the standard hash set is a key and a byte, and at most seven of eight are in use.
    let buckets = (hashed.capacity() * 8 / 7).next_power_of_two() as f64;
    for (name, value) in [
        ("lookup_ns", of_list.0),
        ("sorted_array_ns", of_array.0),
        ("hash_set_ns", of_hash.0),
        ("bytes_per_entry", list.header().total_len as f64 / entries),
        ("sorted_array_bytes_per_entry", 8.0),
        ("hash_set_bytes_per_entry", buckets * 9.0 / entries),
        ("entries", entries),
        ("write_s", built_s),
        ("load_s", loaded_s),
    ] {
        figures.insert(format!("numbers.{name}_{label}"), value);
    }
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Writes a list of about `count` subscribers; gives its keys.
fn write(count: u64, path: &Path) -> Result<Vec<u64>, yumen_compiler::numbers::WriteError> {
    let typologies =
        [None, Some(Typology::Fraud), Some(Typology::DebtCollection), Some(Typology::LoanMediation)];
    let palette: Vec<Listed> = typologies
        .into_iter()
        .flat_map(|typology| (1..=25).map(move |step| Listed { score: step * 4, typology }))
        .collect();
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, File::create(path)?), palette)?;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    // Numbers that are in use for each that is listed.
    let mean = (PREFIXES.len() as u64 * CODES * LINES * H_CODES_PERCENT / 100) as f64 / count as f64;
    let mut keys = Vec::with_capacity(usize::try_from(count + count / 16).unwrap_or(0));
    for prefix in PREFIXES {
        for code in 0..CODES {
            if random.below(100) >= H_CODES_PERCENT {
                continue;
            }
            let start = 100_000_000_000 + (prefix * CODES + code) * LINES;
            // Densities from nearly none to twice the mean.
            let density = random.unit() * 2.0 / mean;
            let mut line = random.gap(density);
            while line < LINES {
                let value = u16::try_from(random.below(100)).unwrap_or(0);
                writer.push(start + line, value)?;
                keys.push(start + line);
                line += 1 + random.gap(density);
            }
        }
    }
    let header = Header::new("bench").ok_or(yumen_compiler::numbers::WriteError::TooLarge)?;
    writer.finish(&header, &[])?;
    Ok(keys)
}

/// Mobile numbers begin so.
const PREFIXES: [u64; 40] = [
    130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 145, 147, 150, 151, 152, 153, 155, 156, 157, 158, 159,
    162, 165, 166, 167, 170, 171, 173, 175, 176, 177, 178, 180, 181, 182, 185, 186, 187, 188, 189,
];
/// H codes of a prefix, and lines of an H code.
const CODES: u64 = 10_000;
const LINES: u64 = 10_000;
/// So many of them are in use.
const H_CODES_PERCENT: u64 = 40;

/// Numbers in canonical form: every other one is in the list, the others are close to one that is.
fn queries(keys: &[u64]) -> Vec<[u8; 11]> {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let pick = |nth: usize| {
        let at = usize::try_from(random.below(keys.len().max(1) as u64)).unwrap_or(0);
        let key = keys.get(at).copied().unwrap_or(0)
            + if nth.is_multiple_of(2) { 0 } else { 1 + random.below(LINES) };
        let mut digits = [b'0'; 11];
        let mut rest = key;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        digits
    };
    (0..QUERIES).map(pick).collect()
}

/// Nanoseconds of processor time a lookup, and hits of a round.
fn median(queries: &[[u8; 11]], lookup: impl Fn(&str) -> bool) -> (f64, usize) {
    let mut hits = 0;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            hits = 0;
            let clock = CpuClock::now();
            for query in queries {
                let query = std::str::from_utf8(query).unwrap_or_default();
                hits += usize::from(black_box(lookup(black_box(query))));
            }
            clock.elapsed_ns() / queries.len() as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    (rounds.get(ROUNDS / 2).copied().unwrap_or_default(), hits)
}

fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// xorshift64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound.max(1)
    }

    /// Above 0, up to 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// How many are left out before the next, where each is taken with this probability.
    fn gap(&mut self, density: f64) -> u64 {
        let density = density.clamp(1e-9, 0.999_999);
        let gap = self.unit().ln() / (-density).ln_1p();
        // A gap is never negative, and a float that is too large becomes the largest integer.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let gap = gap as u64;
        gap.min(LINES)
    }
}
