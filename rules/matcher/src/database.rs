//! Hyperscan: one database a view, in block mode. Every pattern reports once a text, which is all that the engine asks.
//! Most expressions aren't in it: [`crate::filter`].

use std::path::Path;
use std::sync::Arc;

use ::hyperscan::{
    BlockDatabase, Builder, Error, ExprExt, HsError, Matching, Pattern, PatternFlags, Patterns, Scratch,
};
use sha2::{Digest, Sha256};
use yumen_rules::engine::{HitSink, MatchError};
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;

use crate::cache;
use crate::dialect;
use crate::filter::{Awaited, Filter, Sought};
use crate::refusal::Refusal;

/// The databases of a pack; `None` where a view has no patterns.
pub(crate) struct Databases {
    views: [Option<BlockDatabase>; View::COUNT],
    filter: Filter,
}

impl Databases {
    /// From the cache in a folder, or compiled and left there. What is wrong with the cache is no reason to refuse the pack.
    pub(crate) fn cached_or_built(
        pack: &Pack<'_>,
        version: &str,
        cache: Option<&Path>,
    ) -> Result<Self, Refusal> {
        let (filter, sought) = divided(pack)?;
        let Some(folder) = cache else { return Ok(Self { views: build(pack, sought)?, filter }) };
        let path = cache::path(folder, &digest(&sought), version);
        match cache::load(&path) {
            Ok(views) if views_fit(pack, &views) => return Ok(Self { views, filter }),
            Ok(_) => {
                tracing::warn!(path = %path.display(), "cached database is of other patterns; compiling")
            }
            Err(cache::Miss::Absent) => {}
            Err(miss) => tracing::warn!(path = %path.display(), %miss, "cached database not used; compiling"),
        }
        let views = build(pack, sought)?;
        if let Err(error) = cache::store(folder, &path, &views) {
            tracing::warn!(path = %path.display(), %error, "database not cached");
        }
        Ok(Self { views, filter })
    }

    /// Makes ready what would be made when it is first needed.
    pub(crate) fn warm(&self) {
        self.filter.warm();
    }
}

/// What Hyperscan looks for, a list a view.
type Lists = [Vec<Pattern>; View::COUNT];
type Views = [Option<BlockDatabase>; View::COUNT];

/// What Hyperscan looks for, and what is tried where its words are.
fn divided(pack: &Pack<'_>) -> Result<(Filter, Lists), Refusal> {
    let mut lists = Lists::default();
    let mut seek = |id: u32, view: View, expression: String| {
        if let Some(list) = lists.get_mut(view as usize) {
            list.push(sought(id, expression));
        }
    };
    for literal in pack.patterns().filter(|pattern| !pattern.regex) {
        seek(literal.index, literal.view, dialect::escape(literal.text));
    }
    let filter = Filter::build(pack, |id, view, what| match what {
        Sought::Word(word) => seek(id, view, dialect::escape(word)),
        Sought::Expression(expression) => seek(id, view, expression),
    })?;
    Ok((filter, lists))
}

pub(crate) fn sought(id: u32, expression: String) -> Pattern {
    Pattern {
        expression,
        flags: PatternFlags::UTF8 | PatternFlags::SINGLEMATCH,
        id: Some(id as usize),
        ext: ExprExt::default(),
        som: None,
    }
}

/// SHA-256 of what is compiled: packs that differ in their lists only share databases.
fn digest(lists: &Lists) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (pattern, view) in
        lists.iter().zip(0u8..).flat_map(|(list, view)| list.iter().map(move |p| (p, view)))
    {
        hash.update([view]);
        hash.update((pattern.id.unwrap_or(usize::MAX) as u64).to_le_bytes());
        hash.update((pattern.expression.len() as u64).to_le_bytes());
        hash.update(&pattern.expression);
    }
    hash.finalize().into()
}

fn build(pack: &Pack<'_>, lists: Lists) -> Result<Views, Refusal> {
    let mut built = [const { None }; View::COUNT];
    for (slot, patterns) in built.iter_mut().zip(lists) {
        if !patterns.is_empty() {
            let patterns = Patterns(patterns);
            let database = patterns.build();
            *slot =
                Some(database.map_err(|error| Refusal::Matcher(compile_message(pack, &patterns, &error)))?);
        }
    }
    Ok(built)
}

fn views_fit(pack: &Pack<'_>, views: &Views) -> bool {
    View::ALL
        .into_iter()
        .zip(views)
        .all(|(view, database)| database.is_some() == (pack.patterns_of(view) > 0))
}

/// The library's words, with the pattern they are about.
pub(crate) fn compile_message(pack: &Pack<'_>, patterns: &Patterns, error: &Error) -> String {
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
    awaited: Awaited,
}

impl HyperscanScanner {
    pub(crate) fn new(databases: Arc<Databases>) -> Result<Self, MatchError> {
        let scratch = scratch_of(databases.views.iter().flatten())?;
        let awaited = Awaited::new(&databases.filter);
        Ok(Self { databases, scratch, awaited })
    }

    #[inline]
    pub(crate) fn scan(&mut self, view: View, text: &[u8], hits: &mut HitSink<'_>) -> Result<(), MatchError> {
        self.run(view, text, |pattern, end| hits.push(pattern, end)).map(|_| ())
    }

    /// The scan alone, nothing done about what it finds.
    pub(crate) fn scan_raw(&mut self, view: View, text: &[u8]) -> Result<bool, MatchError> {
        self.run(view, text, |_, _| {})
    }

    /// `false` where the view has no patterns.
    #[inline]
    fn run(&mut self, view: View, text: &[u8], mut hit: impl FnMut(u32, u32)) -> Result<bool, MatchError> {
        let Self { databases, scratch, awaited } = self;
        let database = databases.views.get(view as usize).and_then(Option::as_ref);
        let (Some(database), Some(scratch)) = (database, scratch) else { return Ok(false) };
        let filter = &databases.filter;
        awaited.begin();
        let scanned = database.scan(text, scratch, |id: u32, _: u64, end: u64, _: u32| {
            if filter.is_pattern(id) {
                hit(id, u32::try_from(end).unwrap_or(u32::MAX));
            }
            awaited.met(filter, id);
            Matching::Continue
        });
        scanned.map_err(|error| failure(&error))?;
        awaited.try_ready(filter, text, |pattern, end| {
            hit(pattern, u32::try_from(end).unwrap_or(u32::MAX));
        })?;
        Ok(true)
    }
}

/// A scratch that fits every one of the databases; `None` where there are none.
pub(crate) fn scratch_of<'d>(
    databases: impl Iterator<Item = &'d BlockDatabase>,
) -> Result<Option<Scratch>, MatchError> {
    let mut scratch: Option<Scratch> = None;
    for database in databases {
        match &mut scratch {
            Some(scratch) => {
                database.realloc_scratch(scratch).map_err(|error| failure(&error))?;
            }
            None => scratch = Some(database.alloc_scratch().map_err(|error| failure(&error))?),
        }
    }
    Ok(scratch)
}

#[cold]
pub(crate) fn failure(error: &Error) -> MatchError {
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
