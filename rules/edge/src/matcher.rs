//! The automaton as the engine's matcher.

use crate::automaton::Automaton;
use crate::machine::{Threads, find};
use crate::program::PROGRAMS_MAX;
use yumen_rules::engine::{HitSink, MatchError, Matcher};
use yumen_rules::signal::View;

const WORDS: usize = PROGRAMS_MAX / 32;

/// Finds the patterns of a pack on a device. Nothing it does can fail.
#[derive(Debug)]
pub struct EdgeMatcher<'f, 't> {
    automaton: Automaton<'f>,
    threads: &'t mut Threads,
}

impl<'f, 't> EdgeMatcher<'f, 't> {
    /// Over an automaton, with storage for its interpreter.
    #[must_use]
    pub const fn new(automaton: Automaton<'f>, threads: &'t mut Threads) -> Self {
        Self { automaton, threads }
    }
}

impl Matcher for EdgeMatcher<'_, '_> {
    fn scan(&mut self, view: View, text: &[u8], hits: &mut HitSink<'_>) -> Result<(), MatchError> {
        let Ok(words) = core::str::from_utf8(text) else { return Ok(()) };
        let automaton = self.automaton;
        let mut announced = [0_u32; WORDS];
        automaton.run(
            view,
            words,
            |pattern, end| hits.push(pattern, u32::try_from(end).unwrap_or(u32::MAX)),
            |program| {
                if let Some(word) = announced.get_mut(program as usize / 32) {
                    *word |= 1 << (program % 32);
                }
            },
        );
        for index in 0..automaton.program_count() {
            let Some(program) = automaton.program(index).filter(|program| program.view == view) else {
                continue;
            };
            let word = announced.get(usize::from(index) / 32).copied().unwrap_or(0);
            if !program.always && word & (1 << (index % 32)) == 0 {
                continue;
            }
            if let Some(end) = find(&automaton, &program, words, self.threads) {
                hits.push(program.pattern, u32::try_from(end).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }
}
