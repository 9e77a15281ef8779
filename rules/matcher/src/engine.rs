//! The matcher of a loaded pack: Hyperscan, or the Rust engine.

use std::path::Path;
use std::sync::Arc;

use yumen_rules::engine::{HitSink, MatchError, Matcher};
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;

use crate::database::{Databases, HyperscanScanner};
use crate::fallback::RustEngine;
use crate::gate;
use crate::refusal::Refusal;

/// Which engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Hyperscan where the gate lets it, the Rust engine otherwise.
    #[default]
    Auto,
    /// Hyperscan, or none.
    Hyperscan,
    /// The Rust engine: right, and slower.
    Rust,
}

/// Which engine is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Hyperscan.
    Hyperscan,
    /// The Rust engine.
    Rust,
}

impl EngineKind {
    /// The word used in output and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hyperscan => "hyperscan",
            Self::Rust => "rust",
        }
    }
}

/// What all workers share.
#[derive(Clone)]
pub(crate) enum Engine {
    Hyperscan(Arc<Databases>),
    Rust(Arc<RustEngine>),
}

impl Engine {
    /// Builds it from the patterns of a pack. `cache` is the folder where databases may be found or left.
    pub(crate) fn build(
        pack: &Pack<'_>,
        choice: EngineChoice,
        cache: Option<&Path>,
    ) -> Result<Self, Refusal> {
        let allowed = match choice {
            EngineChoice::Rust => None,
            EngineChoice::Auto => gate::hyperscan().ok(),
            EngineChoice::Hyperscan => {
                Some(gate::hyperscan().map_err(|failure| Refusal::Matcher(failure.to_string()))?)
            }
        };
        Ok(match allowed {
            Some(version) => Self::Hyperscan(Arc::new(Databases::cached_or_built(pack, version, cache)?)),
            None => Self::Rust(Arc::new(RustEngine::build(pack)?)),
        })
    }

    pub(crate) const fn kind(&self) -> EngineKind {
        match self {
            Self::Hyperscan(_) => EngineKind::Hyperscan,
            Self::Rust(_) => EngineKind::Rust,
        }
    }

    /// Makes ready what would be made when it is first needed.
    pub(crate) fn warm(&self) {
        match self {
            Self::Hyperscan(databases) => databases.warm(),
            Self::Rust(_) => {}
        }
    }

    pub(crate) fn scanner(&self) -> Result<Scanner, MatchError> {
        Ok(Scanner(match self {
            Self::Hyperscan(databases) => Inner::Hyperscan(HyperscanScanner::new(Arc::clone(databases))?),
            Self::Rust(engine) => Inner::Rust(Arc::clone(engine)),
        }))
    }
}

/// One thread's matcher.
pub struct Scanner(Inner);

enum Inner {
    Hyperscan(HyperscanScanner),
    Rust(Arc<RustEngine>),
}

impl Matcher for Scanner {
    #[inline]
    fn scan(&mut self, view: View, text: &[u8], hits: &mut HitSink<'_>) -> Result<(), MatchError> {
        match &mut self.0 {
            Inner::Hyperscan(scanner) => scanner.scan(view, text, hits),
            Inner::Rust(engine) => {
                engine.scan(view, text, hits);
                Ok(())
            }
        }
    }
}

impl Scanner {
    /// The scan alone. `false` where there is nothing to scan with.
    pub(crate) fn scan_raw(&mut self, view: View, text: &[u8]) -> Result<bool, MatchError> {
        match &mut self.0 {
            Inner::Hyperscan(scanner) => scanner.scan_raw(view, text),
            Inner::Rust(engine) => Ok(engine.scan_raw(view, text)),
        }
    }
}
