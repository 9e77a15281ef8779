//! Runs a program over a text: all its ways side by side, each instruction at most once a character.

use crate::automaton::{Automaton, u32_at};
use crate::program::{Assertion, INSTRUCTIONS_MAX, Instruction, Program, RANGE_LEN, instruction};

/// The storage of a run: it depends on the longest program, not on the text.
#[derive(Debug)]
pub struct Threads {
    current: Set,
    next: Set,
    stack: [u16; INSTRUCTIONS_MAX],
}

impl Threads {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { current: Set::new(), next: Set::new(), stack: [0; INSTRUCTIONS_MAX] }
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::new()
    }
}

/// Instructions, each at most once: a sparse set, emptied in one step.
#[derive(Debug)]
struct Set {
    dense: [u16; INSTRUCTIONS_MAX],
    sparse: [u16; INSTRUCTIONS_MAX],
    len: u16,
}

impl Set {
    const fn new() -> Self {
        Self { dense: [0; INSTRUCTIONS_MAX], sparse: [0; INSTRUCTIONS_MAX], len: 0 }
    }

    /// Whether it is new.
    #[inline]
    fn insert(&mut self, value: u16) -> bool {
        let Some(position) = self.sparse.get_mut(usize::from(value)) else { return false };
        if *position < self.len && self.dense.get(usize::from(*position)) == Some(&value) {
            return false;
        }
        let Some(slot) = self.dense.get_mut(usize::from(self.len)) else { return false };
        *slot = value;
        *position = self.len;
        self.len += 1;
        true
    }

    #[inline]
    fn get(&self, at: u16) -> Option<u16> {
        if at < self.len { self.dense.get(usize::from(at)).copied() } else { None }
    }
}

/// Where between two characters a run is.
#[derive(Clone, Copy)]
struct Place {
    before: Option<char>,
    after: Option<char>,
}

impl Place {
    fn holds(self, assertion: Assertion) -> bool {
        let is_word =
            |side: Option<char>| side.is_some_and(|char| char.is_ascii_alphanumeric() || char == '_');
        match assertion {
            Assertion::Start => self.before.is_none(),
            Assertion::End => self.after.is_none(),
            Assertion::Boundary => is_word(self.before) != is_word(self.after),
            Assertion::NoBoundary => is_word(self.before) == is_word(self.after),
        }
    }
}

/// The offset behind the match that ends first, if there is a match.
pub(crate) fn find(
    automaton: &Automaton<'_>,
    program: &Program,
    text: &str,
    threads: &mut Threads,
) -> Option<usize> {
    let Threads { current, next, stack } = threads;
    let (mut current, mut next) = (current, next);
    current.len = 0;
    let mut place = Place { before: None, after: text.chars().next() };
    let mut rest = text.chars();
    let mut at = 0;
    loop {
        if follow(automaton, program, 0, place, current, stack) {
            return Some(at);
        }
        let char = rest.next()?;
        at += char.len_utf8();
        let behind = Place { before: Some(char), after: rest.clone().next() };
        next.len = 0;
        let mut position = 0;
        while let Some(thread) = current.get(position) {
            position += 1;
            let Some(step) = instruction(program, automaton.instructions, thread) else { continue };
            if takes(automaton, step, char) && follow(automaton, program, thread + 1, behind, next, stack) {
                return Some(at);
            }
        }
        core::mem::swap(&mut current, &mut next);
        place = behind;
    }
}

/// Adds an instruction and all that is reached from it without a character; `true` where that is a match.
fn follow(
    automaton: &Automaton<'_>,
    program: &Program,
    from: u16,
    place: Place,
    set: &mut Set,
    stack: &mut [u16; INSTRUCTIONS_MAX],
) -> bool {
    // Each instruction is entered once, and puts at most one more on the stack than it takes: it can't run over.
    let mut depth = 0;
    let mut at = Some(from);
    while let Some(thread) = at {
        at = None;
        if set.insert(thread) {
            match instruction(program, automaton.instructions, thread) {
                Some(Instruction::Match) => return true,
                Some(Instruction::Jump(a)) => at = Some(a),
                Some(Instruction::Split(a, b)) => {
                    if let Some(slot) = stack.get_mut(depth) {
                        *slot = b;
                        depth += 1;
                    }
                    at = Some(a);
                }
                Some(Instruction::Assert(assertion)) if place.holds(assertion) => at = Some(thread + 1),
                _ => {}
            }
        }
        if at.is_none() && depth > 0 {
            depth -= 1;
            at = stack.get(depth).copied();
        }
    }
    false
}

#[inline]
fn takes(automaton: &Automaton<'_>, step: Instruction, char: char) -> bool {
    let scalar = u32::from(char);
    match step {
        Instruction::Char(wanted) => wanted == scalar,
        Instruction::Any => char != '\n',
        Instruction::Class { first, count, negated } => {
            let from = first as usize * RANGE_LEN;
            let ranges =
                automaton.ranges.get(from..from + usize::from(count) * RANGE_LEN).unwrap_or_default();
            let inside = ranges
                .chunks_exact(RANGE_LEN)
                .any(|range| (u32_at(range, 0)..=u32_at(range, 4)).contains(&scalar));
            inside != negated
        }
        _ => false,
    }
}
