//! Literals → an Aho-Corasick automaton in the layout of [`yumen_edge`].

use std::collections::BTreeMap;
use yumen_edge::PROGRAM_BIT;

/// What a node announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Output {
    /// A pattern has matched.
    Pattern(u32),
    /// A program is worth trying.
    Program(u32),
}

impl Output {
    const fn wire(self) -> u32 {
        match self {
            Self::Pattern(pattern) => pattern,
            Self::Program(program) => program | PROGRAM_BIT,
        }
    }
}

/// The literals of one view while they are collected.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<u16, usize>,
    outputs: Vec<Output>,
}

impl Trie {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    pub(super) fn insert(&mut self, literal: &str, output: Output) {
        let mut at = 0;
        for unit in literal.encode_utf16() {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = *node.children.entry(unit).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at).filter(|_| at != 0)
            && !node.outputs.contains(&output)
        {
            node.outputs.push(output);
        }
    }

    /// How many nodes it has; 1 where it has no literal.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Adds the view's part to the automaton: its nodes to the bytes returned, its outputs to `lists`.
    pub(super) fn emit(&self, lists: &mut Vec<Vec<u32>>) -> Option<Vec<u8>> {
        let order = self.breadth_first();
        let mut number = vec![0_usize; self.nodes.len()];
        for (position, &node) in order.iter().enumerate() {
            *number.get_mut(node)? = position;
        }
        let (mut children, mut units) = (vec![1_usize], vec![0_usize]);
        let (mut fails, mut suffixes) = (vec![0_usize; order.len()], vec![0_usize; order.len()]);
        let mut list_of = vec![0_usize; order.len()];
        for (position, &node) in order.iter().enumerate() {
            let outputs = &self.nodes.get(node)?.outputs;
            if !outputs.is_empty() {
                let mut wire: Vec<u32> = outputs.iter().map(|output| output.wire()).collect();
                wire.sort_unstable();
                lists.push(wire);
                *list_of.get_mut(position)? = lists.len();
            }
        }
        for (position, &node) in order.iter().enumerate() {
            let fail_of_this = *fails.get(position)?;
            for (&unit, &child) in &self.nodes.get(node)?.children {
                let child_at = *number.get(child)?;
                let fail =
                    if position == 0 { 0 } else { self.step(&order, &number, &fails, fail_of_this, unit)? };
                *fails.get_mut(child_at)? = fail;
                let suffix = if *list_of.get(fail)? > 0 { fail } else { *suffixes.get(fail)? };
                *suffixes.get_mut(child_at)? = suffix;
                units.push(unit.into());
            }
            children.push(units.len());
        }
        let mut out = Vec::new();
        for word in children.iter().chain(&fails).chain(&suffixes).chain(&list_of).chain(&units) {
            out.extend_from_slice(&u16::try_from(*word).ok()?.to_le_bytes());
        }
        out.extend_from_slice(&[0; 2]);
        Some(out)
    }

    /// Where a unit leads from a node or the nearest of its failure nodes.
    fn step(
        &self,
        order: &[usize],
        number: &[usize],
        fails: &[usize],
        mut position: usize,
        unit: u16,
    ) -> Option<usize> {
        loop {
            if let Some(&child) = self.nodes.get(*order.get(position)?)?.children.get(&unit) {
                return number.get(child).copied();
            }
            if position == 0 {
                return Some(0);
            }
            position = *fails.get(position)?;
        }
    }

    fn breadth_first(&self) -> Vec<usize> {
        let mut order = vec![0];
        let mut at = 0;
        while let Some(node) = order.get(at).and_then(|&node| self.nodes.get(node)) {
            order.extend(node.children.values().copied());
            at += 1;
        }
        order
    }
}
