//! What loading a large pack costs: compiled, and from the cache.

use std::path::Path;
use std::time::Instant;

use yumen_matcher::{LoadOptions, LoadedPack};

use super::{BenchError, draft};
use crate::emit::emit;

/// What was measured, by the clock.
#[derive(Clone, Copy, Debug)]
pub struct CompileFigures {
    /// Patterns of the pack, one in ten of them a regular expression.
    pub patterns: usize,
    /// From the pack's bytes to one that can be used, nothing in the cache, in seconds.
    pub compile_s: f64,
    /// The same with its databases in the cache, in milliseconds: the median of several.
    pub cached_load_ms: f64,
}

impl CompileFigures {
    /// The figures by the names that `yumen bench --json` has for them.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        [("compile.patterns_10000_s", self.compile_s), ("compile.cached_load_ms", self.cached_load_ms)]
            .into_iter()
    }
}

/// Loads a pack of 10,000 patterns, with `cache` for its databases: a folder that doesn't exist yet.
///
/// # Errors
/// [`BenchError`].
pub fn measure_compile(cache: &Path) -> Result<CompileFigures, BenchError> {
    let draft = draft(LITERALS, REGEXES);
    let bytes = emit(&draft)?;
    let options = LoadOptions { cache: Some(cache), ..LoadOptions::ANYTHING };
    let timed = || -> Result<f64, BenchError> {
        let started = Instant::now();
        LoadedPack::load(&bytes, &options)?;
        Ok(started.elapsed().as_secs_f64())
    };
    let compile_s = timed()?;
    let cached = (0..CACHED_LOADS).map(|_| timed()).collect::<Result<Vec<_>, _>>()?;
    let cached_load_ms = super::median(cached.into_iter()) * 1e3;
    Ok(CompileFigures { patterns: draft.patterns.len(), compile_s, cached_load_ms })
}

const LITERALS: usize = 9_000;
const REGEXES: usize = 1_000;
const CACHED_LOADS: usize = 5;
