//! A pack for a small device: what fits its flash, with an automaton instead of a database.
//!
//! ```text
//! PackDraft → fit (rules by what they add, until it is full) → automaton (trie, programs) → emit
//! ```

mod fit;
mod lean;
mod program;
mod rank;
mod recall;
mod required;
mod trie;

pub use fit::{FitError, Fitted, LeftOut, Reason, fit};
pub use recall::{Recall, recall};

use crate::draft::PatternDraft;
use program::Ranges;
use trie::{Lists, Output, Trie};
use yumen_edge::{HEADER_LEN, INSTRUCTION_LEN, PROGRAM_LEN, PROGRAMS_MAX, VERSION};
use yumen_matcher::dialect;
use yumen_rules::signal::View;

/// Why no automaton was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// An expression with more steps than a device's interpreter takes.
    #[error("the expression {0:?} is too long for a device")]
    TooLong(String),
    /// An expression outside the dialect: `check` finds it first.
    #[error("{0:?} isn't an expression of the dialect")]
    Expression(String),
    /// More literals than 16 bits can number, or more programs than an automaton takes.
    #[error("too many patterns for one automaton")]
    TooMany,
}

/// The parts of an automaton.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Literals and expressions.
    pub patterns: usize,
    /// Nodes of all views.
    pub nodes: usize,
    /// Expressions.
    pub programs: usize,
    /// Those that no literal announces: each is tried on every text.
    pub always: usize,
    /// Their instructions.
    pub instructions: usize,
    /// Length in bytes.
    pub bytes: usize,
}

/// The automaton of a pack's patterns ([`yumen_edge::Automaton`] reads it).
///
/// # Errors
/// [`EdgeError`].
pub fn automaton(patterns: &[PatternDraft]) -> Result<(Vec<u8>, Parts), EdgeError> {
    automaton_as(patterns, |index| index)
}

/// The same, where each pattern is reported as another: `number` says as which.
fn automaton_as(
    patterns: &[PatternDraft],
    number: impl Fn(usize) -> usize,
) -> Result<(Vec<u8>, Parts), EdgeError> {
    let mut writer = Writer::default();
    for (index, pattern) in patterns.iter().enumerate() {
        let index = u32::try_from(number(index)).map_err(|_| EdgeError::TooMany)?;
        if pattern.regex {
            writer.expression(index, pattern)?;
        } else {
            writer.trie(pattern.view).insert(&pattern.text, Output::Pattern(index));
        }
    }
    let (bytes, parts) = writer.finish().ok_or(EdgeError::TooMany)?;
    Ok((bytes, Parts { patterns: patterns.len(), ..parts }))
}

#[derive(Default)]
struct Writer {
    tries: [Option<Trie>; View::COUNT],
    programs: Vec<u8>,
    instructions: Vec<u8>,
    ranges: Ranges,
    always: usize,
}

impl Writer {
    fn trie(&mut self, view: View) -> &mut Trie {
        let [folded, squeezed, plain, sound] = &mut self.tries;
        let slot = match view {
            View::Folded => folded,
            View::Squeezed => squeezed,
            View::Plain => plain,
            View::Sound => sound,
        };
        slot.get_or_insert_with(Trie::new)
    }

    fn expression(&mut self, index: u32, pattern: &PatternDraft) -> Result<(), EdgeError> {
        let hir = dialect::parse(&pattern.text).map_err(|_| EdgeError::Expression(pattern.text.clone()))?;
        let steps = program::compile(&hir, &mut self.ranges)
            .ok_or_else(|| EdgeError::TooLong(pattern.text.clone()))?;
        let number = self.programs.len() / PROGRAM_LEN;
        if number >= PROGRAMS_MAX {
            return Err(EdgeError::TooMany);
        }
        let announced = required::literals(&hir);
        let first = self.instructions.len() / INSTRUCTION_LEN;
        let word = |value: usize| u32::try_from(value).map_err(|_| EdgeError::TooMany);
        let len = u16::try_from(steps.len()).map_err(|_| EdgeError::TooMany)?;
        self.programs.extend_from_slice(&index.to_le_bytes());
        self.programs.extend_from_slice(&word(first)?.to_le_bytes());
        self.programs.extend_from_slice(&len.to_le_bytes());
        self.programs.extend_from_slice(&[pattern.view as u8, u8::from(announced.is_none())]);
        steps.iter().for_each(|step| self.instructions.extend_from_slice(&step.to_bytes()));
        let number = word(number)?;
        match announced {
            None => self.always += 1,
            Some(literals) => {
                let trie = self.trie(pattern.view);
                literals.iter().for_each(|text| trie.insert(text, Output::Program(number)));
            }
        }
        Ok(())
    }

    fn finish(self) -> Option<(Vec<u8>, Parts)> {
        let (mut views, mut lists, mut counts) = (Vec::new(), Lists::default(), Vec::new());
        let mut nodes = 0;
        for trie in &self.tries {
            let count = trie.as_ref().map_or(0, Trie::len);
            nodes += count;
            counts.extend_from_slice(&u16::try_from(count).ok()?.to_le_bytes());
            if let Some(trie) = trie {
                views.extend(trie.emit(&mut lists)?);
            }
        }
        let lists = lists.lists;
        let outputs: usize = lists.iter().map(Vec::len).sum();
        let programs = self.programs.len() / PROGRAM_LEN;
        let instructions = self.instructions.len() / INSTRUCTION_LEN;
        let mut out = Vec::new();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u16::try_from(programs).ok()?.to_le_bytes());
        let ranges = self.ranges.bytes.len() / yumen_edge::RANGE_LEN;
        for word in [instructions, ranges, lists.len(), outputs] {
            out.extend_from_slice(&u32::try_from(word).ok()?.to_le_bytes());
        }
        out.extend(counts);
        out.resize(HEADER_LEN, 0);
        out.extend(self.programs);
        out.extend(self.instructions);
        out.extend(self.ranges.bytes);
        let mut end = 0_u32;
        out.extend_from_slice(&end.to_le_bytes());
        for list in &lists {
            end = end.checked_add(u32::try_from(list.len()).ok()?)?;
            out.extend_from_slice(&end.to_le_bytes());
        }
        lists.iter().flatten().for_each(|output| out.extend_from_slice(&output.to_le_bytes()));
        out.extend(views);
        let bytes = out.len();
        Some((out, Parts { patterns: 0, nodes, programs, always: self.always, instructions, bytes }))
    }
}
