//! What finds a pack's patterns where there is no Hyperscan and no memory to speak of.
//!
//! ```text
//! section 32 of a pack → Automaton::new_checked (once) → EdgeMatcher (lent Threads) → Matcher::scan: hits
//! ```
//!
//! Literals are found by an Aho-Corasick automaton that stays in flash. An expression is tried only where one of the
//! literals that each of its matches must hold was found; then an interpreter runs all its alternatives side by side, in
//! memory that doesn't depend on the text and time that is linear in it.
#![no_std]
#![forbid(unsafe_code)]

mod automaton;
mod machine;
mod matcher;
mod program;

pub use automaton::{Automaton, AutomatonError, HEADER_LEN, PROGRAM_BIT, VERSION};
pub use machine::Threads;
pub use matcher::EdgeMatcher;
pub use program::{
    Assertion, INSTRUCTION_LEN, INSTRUCTIONS_MAX, Instruction, PROGRAM_LEN, PROGRAMS_MAX, RANGE_LEN,
};
