//! The automaton as it lies in flash, version 2.
//!
//! All integers are little endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | version, 2 |
//! | 2 | 2 | programs |
//! | 4 | 4 | instructions |
//! | 8 | 4 | ranges |
//! | 12 | 4 | lists of outputs |
//! | 16 | 4 | outputs |
//! | 20 | 4 × 2 | nodes of each view, in the order of [`View::ALL`]; 0 where it has no literal |
//! | 28 | 4 | 0 |
//!
//! Then, without gaps:
//! 1. programs ([`PROGRAM_LEN`] each), instructions ([`INSTRUCTION_LEN`]), ranges ([`RANGE_LEN`]): see [`crate::program`];
//! 2. list offsets (`lists + 1` × 4), outputs (4 each): the index of a pattern, or with bit 31 that of a program to try;
//! 3. for each view with nodes: first children (`nodes + 1` × 2), lists (2 each: 0, or the number of a list plus 1), units (2
//!    each: by which the node is reached).
//!
//! A unit is a UTF-16 code unit: one for nearly every character, where UTF-8 takes three for a Chinese one. Node 0 is the root. The
//! children of a node stand together, sorted by their units, behind those of the node before it.
//!
//! It is a trie: from each character of a text it is walked as far as it leads, which for words is two or three steps. Failure links
//! would save few of them, and take two fifths of the flash.

use core::cmp::Ordering;

use crate::program::{INSTRUCTION_LEN, PROGRAM_LEN, PROGRAMS_MAX, Program, RANGE_LEN, check};
use yumen_rules::signal::View;

/// The version this crate reads.
pub const VERSION: u16 = 2;
/// Length of the header in bytes.
pub const HEADER_LEN: usize = 32;
/// Marks an output that is a program to try.
pub const PROGRAM_BIT: u32 = 1 << 31;

/// Why bytes aren't an automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutomatonError {
    /// Shorter or longer than its header says.
    Length,
    /// Another version.
    Version(u16),
    /// A program that leads out of itself, or is longer than an interpreter takes.
    Program(u16),
    /// A node of a view that leads out of its view.
    Node(View, u16),
    /// An output list that isn't in order, or names what isn't there.
    Output(u32),
}

impl core::fmt::Display for AutomatonError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => f.write_str("the automaton's length isn't what its header says"),
            Self::Version(version) => write!(f, "automaton version {version}, this reader has {VERSION}"),
            Self::Program(program) => write!(f, "program {program} of the automaton is not valid"),
            Self::Node(view, node) => {
                write!(f, "node {node} of the automaton's view {} is not valid", view.name())
            }
            Self::Output(list) => write!(f, "output list {list} of the automaton is not valid"),
        }
    }
}

impl core::error::Error for AutomatonError {}

/// A checked automaton, read where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Automaton<'f> {
    pub(crate) programs: &'f [u8],
    pub(crate) instructions: &'f [u8],
    pub(crate) ranges: &'f [u8],
    lists: &'f [u8],
    outputs: &'f [u8],
    views: [Nodes<'f>; View::COUNT],
}

/// The nodes of one view.
#[derive(Clone, Copy, Debug, Default)]
struct Nodes<'f> {
    count: u16,
    children: &'f [u8],
    lists: &'f [u8],
    units: &'f [u8],
}

impl<'f> Automaton<'f> {
    /// Checks the whole of it. `patterns` is how many patterns the pack has.
    ///
    /// # Errors
    /// [`AutomatonError`], the first defect found.
    pub fn new_checked(bytes: &'f [u8], patterns: u32) -> Result<Self, AutomatonError> {
        let mut rest = Cursor(bytes);
        let header = rest.take(HEADER_LEN).ok_or(AutomatonError::Length)?;
        let version = u16_at(header, 0);
        if version != VERSION {
            return Err(AutomatonError::Version(version));
        }
        let automaton = Self::split(header, &mut rest).ok_or(AutomatonError::Length)?;
        if !rest.0.is_empty() {
            return Err(AutomatonError::Length);
        }
        automaton.check_programs(patterns)?;
        automaton.check_outputs(patterns)?;
        for (view, nodes) in View::ALL.into_iter().zip(&automaton.views) {
            nodes.check(automaton.list_count()).map_err(|node| AutomatonError::Node(view, node))?;
        }
        Ok(automaton)
    }

    fn split(header: &[u8], rest: &mut Cursor<'f>) -> Option<Self> {
        let count = |at| u32_at(header, at) as usize;
        let programs = rest.table(u16_at(header, 2).into(), PROGRAM_LEN)?;
        let instructions = rest.table(count(4), INSTRUCTION_LEN)?;
        let ranges = rest.table(count(8), RANGE_LEN)?;
        let lists = rest.table(count(12).checked_add(1)?, 4)?;
        let outputs = rest.table(count(16), 4)?;
        let mut views = [Nodes::default(); View::COUNT];
        for (slot, nodes) in views.iter_mut().enumerate() {
            let count = u16_at(header, 20 + slot * 2);
            if count > 0 {
                *nodes = Nodes::split(count, rest)?;
            }
        }
        Some(Self { programs, instructions, ranges, lists, outputs, views })
    }

    fn check_programs(&self, patterns: u32) -> Result<(), AutomatonError> {
        if self.program_count() as usize > PROGRAMS_MAX {
            return Err(AutomatonError::Program(self.program_count()));
        }
        for index in 0..self.program_count() {
            let valid = self.program(index).is_some_and(|program| {
                program.pattern < patterns && check(&program, self.instructions, self.ranges)
            });
            if !valid {
                return Err(AutomatonError::Program(index));
            }
        }
        Ok(())
    }

    fn check_outputs(&self, patterns: u32) -> Result<(), AutomatonError> {
        let lists = self.list_count();
        let total = self.outputs.len() / 4;
        for list in 0..lists {
            let (from, to) = (self.list_offset(list), self.list_offset(list + 1));
            let valid = from <= to
                && to <= total
                && (from..to).all(|at| match u32_at(self.outputs, at * 4) {
                    program if program & PROGRAM_BIT != 0 => {
                        program & !PROGRAM_BIT < u32::from(self.program_count())
                    }
                    pattern => pattern < patterns,
                });
            if !valid || (list == 0 && from != 0) || (list + 1 == lists && to != total) {
                return Err(AutomatonError::Output(list));
            }
        }
        if lists == 0 && total != 0 { Err(AutomatonError::Output(0)) } else { Ok(()) }
    }

    /// How many programs there are.
    #[must_use]
    pub fn program_count(&self) -> u16 {
        u16::try_from(self.programs.len() / PROGRAM_LEN).unwrap_or(u16::MAX)
    }

    pub(crate) fn program(&self, index: u16) -> Option<Program> {
        Program::read(self.programs.get(usize::from(index) * PROGRAM_LEN..)?)
    }

    fn list_count(&self) -> u32 {
        u32::try_from(self.lists.len() / 4).unwrap_or(u32::MAX).saturating_sub(1)
    }

    fn list_offset(&self, list: u32) -> usize {
        u32_at(self.lists, list as usize * 4) as usize
    }

    fn view(&self, view: View) -> &Nodes<'f> {
        self.views.get(view as usize).unwrap_or(&EMPTY)
    }

    /// Reports what ends where in a text: each pattern to `hit`, each program to try to `attempt`, with the offset behind it.
    #[inline]
    pub(crate) fn run(
        &self,
        view: View,
        text: &str,
        mut hit: impl FnMut(u32, usize),
        mut attempt: impl FnMut(u32),
    ) {
        let nodes = self.view(view);
        if nodes.count == 0 {
            return;
        }
        let mut from = text.chars();
        while !from.as_str().is_empty() {
            let start = text.len() - from.as_str().len();
            let (mut node, mut end) = (0, start);
            for char in from.as_str().chars() {
                let mut units = [0; 2];
                let next =
                    char.encode_utf16(&mut units).iter().try_fold(node, |node, &unit| nodes.next(node, unit));
                let Some(next) = next else { break };
                node = next;
                end += char.len_utf8();
                let list = u32::from(nodes.list(node));
                if list == 0 {
                    continue;
                }
                for output in self.list_offset(list - 1)..self.list_offset(list) {
                    match u32_at(self.outputs, output * 4) {
                        program if program & PROGRAM_BIT != 0 => attempt(program & !PROGRAM_BIT),
                        pattern => hit(pattern, end),
                    }
                }
            }
            let _ = from.next();
        }
    }
}

const EMPTY: Nodes<'static> = Nodes { count: 0, children: &[], lists: &[], units: &[] };

impl<'f> Nodes<'f> {
    fn split(count: u16, rest: &mut Cursor<'f>) -> Option<Self> {
        let nodes = usize::from(count);
        Some(Self {
            count,
            children: rest.table(nodes + 1, 2)?,
            lists: rest.table(nodes, 2)?,
            units: rest.table(nodes, 2)?,
        })
    }

    /// Every index leads into the view, and to nodes behind the one that it is of, so that following them ends.
    fn check(&self, lists: u32) -> Result<(), u16> {
        let mut depth_bound = 1;
        for node in 0..self.count {
            let (from, to) = (self.child(node), self.child(node + 1));
            let ordered = from <= to && to <= self.count && from > node && from >= depth_bound;
            let sorted = (from..to.saturating_sub(1)).all(|at| self.unit(at) < self.unit(at + 1));
            if !ordered || !sorted || u32::from(self.list(node)) > lists {
                return Err(node);
            }
            depth_bound = to;
        }
        let first = self.count == 0 || self.child(0) == 1;
        if first && depth_bound == self.count.max(1) && self.list(0) == 0 { Ok(()) } else { Err(0) }
    }

    #[inline]
    fn child(&self, node: u16) -> u16 {
        u16_at(self.children, usize::from(node) * 2)
    }

    #[inline]
    fn list(&self, node: u16) -> u16 {
        u16_at(self.lists, usize::from(node) * 2)
    }

    #[inline]
    fn unit(&self, node: u16) -> u16 {
        u16_at(self.units, usize::from(node) * 2)
    }

    /// The node after one more unit; `None` where no literal goes on so.
    #[inline]
    fn next(&self, node: u16, unit: u16) -> Option<u16> {
        let (mut from, mut to) = (self.child(node), self.child(node + 1));
        while from < to {
            let middle = from + (to - from) / 2;
            match self.unit(middle).cmp(&unit) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        None
    }
}

/// The bytes that aren't taken yet.
struct Cursor<'f>(&'f [u8]);

impl<'f> Cursor<'f> {
    fn take(&mut self, len: usize) -> Option<&'f [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn table(&mut self, count: usize, record: usize) -> Option<&'f [u8]> {
        self.take(count.checked_mul(record)?)
    }
}

#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u16::from_le_bytes)
}

#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_le_bytes)
}
