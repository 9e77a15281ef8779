//! Hyperscan as its manual has it: every pattern of a view in one database, and nothing around it. What judging is measured
//! against.

use ::hyperscan::{BlockDatabase, Builder, Matching, Patterns, Scratch};
use yumen_rules::engine::MatchError;
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;

use crate::database::{compile_message, failure, scratch_of, sought};
use crate::dialect;
use crate::gate;
use crate::refusal::Refusal;

/// One database with every pattern of a view.
pub struct PlainHyperscan {
    database: BlockDatabase,
    scratch: Scratch,
}

impl PlainHyperscan {
    /// Compiles the patterns of a view; `None` where it has none, or where Hyperscan isn't used here.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn build(pack: &Pack<'_>, view: View) -> Result<Option<Self>, Refusal> {
        let mut patterns = Vec::new();
        for pattern in pack.patterns().filter(|pattern| pattern.view == view) {
            let expression = if pattern.regex {
                let translated = dialect::translate(pattern.text);
                translated.map_err(|defect| Refusal::Pattern { index: pattern.index, defect })?.hyperscan
            } else {
                dialect::escape(pattern.text)
            };
            patterns.push(sought(pattern.index, expression));
        }
        if patterns.is_empty() || gate::hyperscan().is_err() {
            return Ok(None);
        }
        let patterns = Patterns(patterns);
        let built: Result<BlockDatabase, _> = patterns.build();
        let database = built.map_err(|error| Refusal::Matcher(compile_message(pack, &patterns, &error)))?;
        let scratch =
            scratch_of(std::iter::once(&database)).map_err(|error| Refusal::Matcher(error.to_string()))?;
        Ok(scratch.map(|scratch| Self { database, scratch }))
    }

    /// `hs_scan`; how many patterns it found.
    ///
    /// # Errors
    /// [`MatchError`].
    #[inline]
    pub fn scan(&mut self, text: &[u8]) -> Result<u32, MatchError> {
        let mut found = 0;
        let scanned = self.database.scan(text, &self.scratch, |_: u32, _: u64, _: u64, _: u32| {
            found += 1;
            Matching::Continue
        });
        scanned.map(|()| found).map_err(|error| failure(&error))
    }
}

impl std::fmt::Debug for PlainHyperscan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainHyperscan").finish_non_exhaustive()
    }
}
