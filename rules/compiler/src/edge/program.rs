//! An expression → instructions of [`yumen_edge`].

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};
use std::collections::HashMap;
use yumen_edge::{Assertion, INSTRUCTIONS_MAX, Instruction};

/// The ranges of all classes, each class once.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    pub(super) bytes: Vec<u8>,
    known: HashMap<Vec<u8>, u32>,
    count: u32,
}

impl Ranges {
    fn place(&mut self, class: &ClassUnicode) -> Option<Instruction> {
        let mut complement = class.clone();
        complement.negate();
        let negated = complement.ranges().len() < class.ranges().len();
        let ranges = if negated { complement.ranges() } else { class.ranges() };
        let mut bytes = Vec::new();
        for range in ranges {
            bytes.extend_from_slice(&u32::from(range.start()).to_le_bytes());
            bytes.extend_from_slice(&u32::from(range.end()).to_le_bytes());
        }
        let count = u16::try_from(ranges.len()).ok()?;
        let first = match self.known.get(&bytes) {
            Some(&first) => first,
            None => {
                let first = self.count;
                self.count += u32::from(count);
                self.bytes.extend_from_slice(&bytes);
                self.known.insert(bytes, first);
                first
            }
        };
        Some(Instruction::Class { first, count, negated })
    }
}

/// The program of an expression; `None` where it is longer than a device's interpreter takes.
pub(super) fn compile(hir: &Hir, ranges: &mut Ranges) -> Option<Vec<Instruction>> {
    let mut program = Program { instructions: Vec::new(), ranges };
    program.add(hir)?;
    program.push(Instruction::Match)?;
    Some(program.instructions)
}

struct Program<'r> {
    instructions: Vec<Instruction>,
    ranges: &'r mut Ranges,
}

impl Program<'_> {
    fn push(&mut self, instruction: Instruction) -> Option<usize> {
        if self.instructions.len() >= INSTRUCTIONS_MAX {
            return None;
        }
        self.instructions.push(instruction);
        Some(self.instructions.len() - 1)
    }

    fn here(&self) -> Option<u16> {
        u16::try_from(self.instructions.len()).ok()
    }

    fn set(&mut self, at: usize, instruction: Instruction) -> Option<()> {
        *self.instructions.get_mut(at)? = instruction;
        Some(())
    }

    fn add(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                for char in std::str::from_utf8(&literal.0).ok()?.chars() {
                    self.push(Instruction::Char(char.into()))?;
                }
            }
            HirKind::Class(class) => {
                let class = match class {
                    Class::Unicode(class) => class.clone(),
                    Class::Bytes(class) => class.to_unicode_class()?,
                };
                let instruction = self.class(&class)?;
                self.push(instruction)?;
            }
            HirKind::Look(look) => {
                let assertion = match look {
                    Look::Start | Look::StartLF | Look::StartCRLF => Assertion::Start,
                    Look::End | Look::EndLF | Look::EndCRLF => Assertion::End,
                    Look::WordAsciiNegate | Look::WordUnicodeNegate => Assertion::NoBoundary,
                    _ => Assertion::Boundary,
                };
                self.push(Instruction::Assert(assertion))?;
            }
            HirKind::Repetition(repetition) => {
                for _ in 0..repetition.min {
                    self.add(&repetition.sub)?;
                }
                match repetition.max {
                    None => self.star(&repetition.sub)?,
                    Some(max) => self.optional(&repetition.sub, max.saturating_sub(repetition.min))?,
                }
            }
            HirKind::Capture(capture) => self.add(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part))?,
            HirKind::Alternation(parts) => self.alternation(parts)?,
        }
        Some(())
    }

    fn class(&mut self, class: &ClassUnicode) -> Option<Instruction> {
        let mut complement = class.clone();
        complement.negate();
        match (complement.ranges(), class.ranges()) {
            ([only], _) if (only.start(), only.end()) == ('\n', '\n') => Some(Instruction::Any),
            (_, [only]) if only.start() == only.end() => Some(Instruction::Char(only.start().into())),
            _ => self.ranges.place(class),
        }
    }

    fn star(&mut self, sub: &Hir) -> Option<()> {
        let split = self.push(Instruction::Split(0, 0))?;
        let body = self.here()?;
        self.add(sub)?;
        self.push(Instruction::Jump(u16::try_from(split).ok()?))?;
        let end = self.here()?;
        self.set(split, Instruction::Split(body, end))
    }

    /// At most `times` of it: each may be the last.
    fn optional(&mut self, sub: &Hir, times: u32) -> Option<()> {
        let mut splits = Vec::new();
        for _ in 0..times {
            splits.push(self.push(Instruction::Split(0, 0))?);
            self.add(sub)?;
        }
        let end = self.here()?;
        splits
            .into_iter()
            .try_for_each(|split| self.set(split, Instruction::Split(u16::try_from(split + 1).ok()?, end)))
    }

    fn alternation(&mut self, parts: &[Hir]) -> Option<()> {
        let mut jumps = Vec::new();
        for (position, part) in parts.iter().enumerate() {
            if position + 1 == parts.len() {
                self.add(part)?;
                continue;
            }
            let split = self.push(Instruction::Split(0, 0))?;
            let body = self.here()?;
            self.add(part)?;
            jumps.push(self.push(Instruction::Jump(0))?);
            let other = self.here()?;
            self.set(split, Instruction::Split(body, other))?;
        }
        let end = self.here()?;
        jumps.into_iter().try_for_each(|jump| self.set(jump, Instruction::Jump(end)))
    }
}
