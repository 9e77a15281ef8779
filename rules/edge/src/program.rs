//! Expressions as programs.
//!
//! | program | size | field |
//! |---|---|---|
//! | 0 | 4 | index of its pattern |
//! | 4 | 4 | its first instruction |
//! | 8 | 2 | how many it has |
//! | 10 | 1 | view |
//! | 11 | 1 | 1: no literal announces it, it is tried on every text |
//!
//! | instruction | size | field |
//! |---|---|---|
//! | 0 | 1 | operation |
//! | 1 | 1 | 0 |
//! | 2 | 2 | `a` |
//! | 4 | 4 | `b` |
//!
//! | operation | meaning |
//! |---|---|
//! | 0 match | the expression has matched |
//! | 1 char | the character `b`, then the next instruction |
//! | 2 any | any character but a line feed |
//! | 3 class | a character of the `a` ranges from `b` on |
//! | 4 not class | a character of none of them |
//! | 5 split | go on at `a` and at `b` |
//! | 6 jump | go on at `a` |
//! | 7 assert | go on where the assertion `a` holds ([`Assertion`]) |
//!
//! Targets count from the program's first instruction. A range is two scalar values (4 bytes each), both inside it.

use crate::automaton::{u16_at, u32_at};
use yumen_rules::signal::View;

/// Length of a program's record in bytes.
pub const PROGRAM_LEN: usize = 12;
/// Length of an instruction in bytes.
pub const INSTRUCTION_LEN: usize = 8;
/// Length of a range in bytes.
pub const RANGE_LEN: usize = 8;
/// Instructions that one program may have.
pub const INSTRUCTIONS_MAX: usize = 512;
/// Programs that an automaton may have.
pub const PROGRAMS_MAX: usize = 1_024;

/// Something that holds between two characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Assertion {
    /// Before the first character.
    Start = 0,
    /// Behind the last character.
    End = 1,
    /// Between an ASCII word character and what isn't one.
    Boundary = 2,
    /// Not there.
    NoBoundary = 3,
}

/// One step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// The expression has matched.
    Match,
    /// One character.
    Char(u32),
    /// Any but a line feed.
    Any,
    /// One of some ranges, or of none of them.
    Class {
        /// The first range.
        first: u32,
        /// How many.
        count: u16,
        /// Whether the character must lie outside them.
        negated: bool,
    },
    /// Two ways.
    Split(u16, u16),
    /// One way.
    Jump(u16),
    /// Only where it holds.
    Assert(Assertion),
}

impl Instruction {
    /// As it lies in flash.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; INSTRUCTION_LEN] {
        let (operation, a, b) = match self {
            Self::Match => (0, 0, 0),
            Self::Char(scalar) => (1, 0, scalar),
            Self::Any => (2, 0, 0),
            Self::Class { first, count, negated: false } => (3, count, first),
            Self::Class { first, count, negated: true } => (4, count, first),
            Self::Split(a, b) => (5, a, b as u32),
            Self::Jump(a) => (6, a, 0),
            Self::Assert(assertion) => (7, assertion as u16, 0),
        };
        let ([a0, a1], [b0, b1, b2, b3]) = (a.to_le_bytes(), b.to_le_bytes());
        [operation, 0, a0, a1, b0, b1, b2, b3]
    }

    /// From flash; `None` where it isn't one.
    #[must_use]
    pub fn from_bytes(bytes: [u8; INSTRUCTION_LEN]) -> Option<Self> {
        let (a, b) = (u16_at(&bytes, 2), u32_at(&bytes, 4));
        Some(match bytes[0] {
            0 => Self::Match,
            1 => Self::Char(b),
            2 => Self::Any,
            3 => Self::Class { first: b, count: a, negated: false },
            4 => Self::Class { first: b, count: a, negated: true },
            5 => Self::Split(a, u16::try_from(b).ok()?),
            6 => Self::Jump(a),
            7 => Self::Assert(match a {
                0 => Assertion::Start,
                1 => Assertion::End,
                2 => Assertion::Boundary,
                3 => Assertion::NoBoundary,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// One expression.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) pattern: u32,
    pub(crate) first: u32,
    pub(crate) len: u16,
    pub(crate) view: View,
    pub(crate) always: bool,
}

impl Program {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let record: &[u8; PROGRAM_LEN] = bytes.first_chunk()?;
        Some(Self {
            pattern: u32_at(record, 0),
            first: u32_at(record, 4),
            len: u16_at(record, 8),
            view: View::from_wire(record[10])?,
            always: match record[11] {
                0 => false,
                1 => true,
                _ => return None,
            },
        })
    }
}

/// The instruction `at` of a program.
#[inline]
pub(crate) fn instruction(program: &Program, instructions: &[u8], at: u16) -> Option<Instruction> {
    let from = (program.first as usize).checked_add(at.into())?.checked_mul(INSTRUCTION_LEN)?;
    Instruction::from_bytes(*instructions.get(from..)?.first_chunk()?)
}

/// Whether a program stays within itself and its tables.
pub(crate) fn check(program: &Program, instructions: &[u8], ranges: &[u8]) -> bool {
    let ranges = ranges.len() / RANGE_LEN;
    let len = program.len;
    if len == 0 || usize::from(len) > INSTRUCTIONS_MAX {
        return false;
    }
    (0..len).all(|at| match instruction(program, instructions, at) {
        None => false,
        Some(Instruction::Match) => true,
        Some(Instruction::Split(a, b)) => a < len && b < len,
        Some(Instruction::Jump(a)) => a < len,
        Some(Instruction::Class { first, count, .. }) => {
            at + 1 < len && (first as usize).checked_add(count.into()).is_some_and(|end| end <= ranges)
        }
        Some(Instruction::Char(_) | Instruction::Any | Instruction::Assert(_)) => at + 1 < len,
    })
}
