//! Literals → a trie in the layout of [`yumen_edge`].

use std::collections::{BTreeMap, HashMap};
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

/// Lists of outputs, each once.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) lists: Vec<Vec<u32>>,
    known: HashMap<Vec<u32>, usize>,
}

impl Lists {
    /// A list's number, from 1.
    fn number(&mut self, list: Vec<u32>) -> usize {
        if let Some(&number) = self.known.get(&list) {
            return number;
        }
        self.lists.push(list.clone());
        self.known.insert(list, self.lists.len());
        self.lists.len()
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

    /// Adds the view's part to the automaton: its nodes to the bytes returned, its outputs to `lists`, each list once.
    pub(super) fn emit(&self, lists: &mut Lists) -> Option<Vec<u8>> {
        let order = self.breadth_first();
        let (mut children, mut units, mut list_of) = (vec![1_usize], vec![0_usize], Vec::new());
        for &node in &order {
            let node = self.nodes.get(node)?;
            units.extend(node.children.keys().map(|&unit| usize::from(unit)));
            children.push(units.len());
            list_of.push(if node.outputs.is_empty() {
                0
            } else {
                let mut wire: Vec<u32> = node.outputs.iter().map(|output| output.wire()).collect();
                wire.sort_unstable();
                lists.number(wire)
            });
        }
        let mut out = Vec::new();
        for word in children.iter().chain(&list_of).chain(&units) {
            out.extend_from_slice(&u16::try_from(*word).ok()?.to_le_bytes());
        }
        Some(out)
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
