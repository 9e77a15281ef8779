//! Hyperscan: one database a view, in block mode. Every pattern reports once a text, which is all that the engine asks.

use std::path::Path;
use std::sync::Arc;

use ::hyperscan::{
    BlockDatabase, Builder, Error, ExprExt, HsError, Matching, Pattern, PatternFlags, Patterns, Scratch,
};
use yumen_rules::engine::{HitSink, MatchError};
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;

use crate::cache;
use crate::dialect;
use crate::refusal::Refusal;

/// The databases of a pack; `None` where a view has no patterns.
pub(crate) struct Databases {
    views: [Option<BlockDatabase>; View::COUNT],
}

impl Databases {
    /// From the cache, or compiled and left there. What is wrong with the cache is no reason to refuse the pack.
    pub(crate) fn cached_or_built(
        pack: &Pack<'_>,
        version: &str,
        cached: Option<(&Path, &[u8; 32])>,
    ) -> Result<Self, Refusal> {
        let Some((folder, digest)) = cached else { return Self::build(pack) };
        let path = cache::path(folder, digest, version);
        match cache::load(&path) {
            Ok(views) if views_fit(pack, &views) => return Ok(Self { views }),
            Ok(_) => {
                tracing::warn!(path = %path.display(), "cached database is of other patterns; compiling")
            }
            Err(cache::Miss::Absent) => {}
            Err(miss) => tracing::warn!(path = %path.display(), %miss, "cached database not used; compiling"),
        }
        let built = Self::build(pack)?;
        if let Err(error) = cache::store(folder, &path, &built.views) {
            tracing::warn!(path = %path.display(), %error, "database not cached");
        }
        Ok(built)
    }

    fn build(pack: &Pack<'_>) -> Result<Self, Refusal> {
        let mut views: [Vec<Pattern>; View::COUNT] = Default::default();
        for pattern in pack.patterns() {
            let expression = if pattern.regex {
                let translated = dialect::translate(pattern.text);
                translated.map_err(|defect| Refusal::Pattern { index: pattern.index, defect })?.hyperscan
            } else {
                dialect::escape(pattern.text)
            };
            if let Some(patterns) = views.get_mut(pattern.view as usize) {
                patterns.push(Pattern {
                    expression,
                    flags: PatternFlags::UTF8 | PatternFlags::SINGLEMATCH,
                    id: Some(pattern.index as usize),
                    ext: ExprExt::default(),
                    som: None,
                });
            }
        }
        let mut built = [const { None }; View::COUNT];
        for (slot, patterns) in built.iter_mut().zip(views) {
            if !patterns.is_empty() {
                let patterns = Patterns(patterns);
                let database = patterns.build();
                *slot = Some(
                    database.map_err(|error| Refusal::Matcher(compile_message(pack, &patterns, &error)))?,
                );
            }
        }
        Ok(Self { views: built })
    }
}

fn views_fit(pack: &Pack<'_>, views: &[Option<BlockDatabase>; View::COUNT]) -> bool {
    View::ALL
        .into_iter()
        .zip(views)
        .all(|(view, database)| database.is_some() == (pack.patterns_of(view) > 0))
}

/// The library's words, with the pattern they are about.
fn compile_message(pack: &Pack<'_>, patterns: &Patterns, error: &Error) -> String {
    let Error::Hyperscan(HsError::CompileError(error)) = error else { return error.to_string() };
    let expression = error.expression().and_then(|at| patterns.0.get(at)?.id);
    let pattern = expression.and_then(|index| pack.pattern(u32::try_from(index).ok()?));
    match pattern {
        Some(pattern) => format!("{:?}: {}", pattern.text, error.message()),
        None => error.message().to_owned(),
    }
}

/// One thread's scratch over the shared databases.
pub(crate) struct HyperscanScanner {
    databases: Arc<Databases>,
    scratch: Option<Scratch>,
}

impl HyperscanScanner {
    pub(crate) fn new(databases: Arc<Databases>) -> Result<Self, MatchError> {
        let mut scratch: Option<Scratch> = None;
        for database in databases.views.iter().flatten() {
            match &mut scratch {
                Some(scratch) => {
                    database.realloc_scratch(scratch).map_err(|error| failure(&error))?;
                }
                None => scratch = Some(database.alloc_scratch().map_err(|error| failure(&error))?),
            }
        }
        Ok(Self { databases, scratch })
    }

    #[inline]
    pub(crate) fn scan(&mut self, view: View, text: &[u8], hits: &mut HitSink<'_>) -> Result<(), MatchError> {
        let Some((database, scratch)) = self.raw(view) else { return Ok(()) };
        let scanned = database.scan(text, scratch, |pattern: u32, _: u64, end: u64, _: u32| {
            hits.push(pattern, u32::try_from(end).unwrap_or(u32::MAX));
            Matching::Continue
        });
        scanned.map_err(|error| failure(&error))
    }

    /// The scan alone, nothing done about what it finds.
    pub(crate) fn scan_raw(&mut self, view: View, text: &[u8]) -> Result<bool, MatchError> {
        let Some((database, scratch)) = self.raw(view) else { return Ok(false) };
        let scanned = database.scan(text, scratch, |_: u32, _: u64, _: u64, _: u32| Matching::Continue);
        scanned.map(|()| true).map_err(|error| failure(&error))
    }

    fn raw(&self, view: View) -> Option<(&BlockDatabase, &Scratch)> {
        let database = self.databases.views.get(view as usize)?.as_ref()?;
        Some((database, self.scratch.as_ref()?))
    }
}

#[cold]
fn failure(error: &Error) -> MatchError {
    let code = match error {
        Error::Hyperscan(HsError::Invalid) => -1,
        Error::Hyperscan(HsError::NoMem) => -2,
        Error::Hyperscan(HsError::ScratchInUse) => -10,
        Error::Hyperscan(HsError::Code(code)) => *code,
        _ => -13,
    };
    tracing::error!(%error, "Hyperscan failed");
    MatchError { code }
}
