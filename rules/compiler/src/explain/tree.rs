//! A condition's decision graph as the tree of `&&`, `||` and `!` it was made from, with every value.

use yumen_rules::pack::node::{EXIT_FALSE, EXIT_TRUE, Node, Test};

/// A condition and how each part of it came out. Parts that the engine skipped have their values too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A test.
    Leaf(Leaf),
    /// All of them.
    And(Vec<Tree>),
    /// Any of them.
    Or(Vec<Tree>),
    /// Not.
    Not(Box<Tree>),
}

/// A test and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What was asked.
    pub test: Test,
    /// As it is written in a condition.
    pub text: String,
    /// How it came out.
    pub held: bool,
    /// What the field holds (`12`, `"10690000"`), or which members of the group hit; empty where `held` says it all.
    pub value: String,
}

impl Leaf {
    /// Whether it is about patterns, and some of them hit.
    #[must_use]
    pub const fn is_hit(&self) -> bool {
        self.held && matches!(self.test, Test::Group(_) | Test::GroupCount(..))
    }

    /// As it is written, with what is there instead.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.value.is_empty() { self.text.clone() } else { format!("{} [{}]", self.text, self.value) }
    }
}

impl Tree {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.held,
            Self::And(parts) => parts.iter().all(Self::holds),
            Self::Or(parts) => parts.iter().any(Self::holds),
            Self::Not(inner) => !inner.holds(),
        }
    }

    /// All tests in it.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::Leaf(leaf) => vec![leaf],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(inner) => inner.leaves(),
        }
    }

    /// The tests that made it come out as it did: those that would have to change.
    #[must_use]
    pub fn decisive(&self) -> Vec<&Leaf> {
        self.decisive_for(self.holds())
    }

    fn decisive_for(&self, outcome: bool) -> Vec<&Leaf> {
        match self {
            Self::Leaf(leaf) if leaf.held == outcome => vec![leaf],
            Self::Leaf(_) => Vec::new(),
            Self::And(parts) | Self::Or(parts) => parts
                .iter()
                .filter(|part| part.holds() == outcome)
                .flat_map(|part| part.decisive_for(outcome))
                .collect(),
            Self::Not(inner) => inner.decisive_for(!outcome),
        }
    }

    /// Negated; a negation of what is partly negated itself moves inward, as somebody would write it.
    fn not(self) -> Self {
        let partly_negated = |parts: &[Self]| parts.iter().any(|part| matches!(part, Self::Not(_)));
        match self {
            Self::Not(inner) => *inner,
            Self::Or(parts) if partly_negated(&parts) => Self::all(parts.into_iter().map(Self::not)),
            Self::And(parts) if partly_negated(&parts) => Self::any(parts.into_iter().map(Self::not)),
            tree => Self::Not(Box::new(tree)),
        }
    }

    /// `&&` of parts, those that are `&&` themselves taken apart.
    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            if let Self::And(inner) = part { flat.extend(inner) } else { flat.push(part) }
        }
        Self::And(flat)
    }

    /// `||` of parts, those that are `||` themselves taken apart.
    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            if let Self::Or(inner) = part { flat.extend(inner) } else { flat.push(part) }
        }
        Self::Or(flat)
    }
}

/// A part of the graph with its exits, by position.
struct Block {
    tree: Tree,
    position: u16,
    on_true: u16,
    on_false: u16,
}

/// Rebuilds the tree. `None` for a graph that no tree was compiled to.
pub(super) fn rebuild(nodes: impl IntoIterator<Item = (Node, Leaf)>) -> Option<Tree> {
    let mut blocks: Vec<Block> = (0..)
        .zip(nodes)
        .map(|(position, (node, leaf))| Block {
            tree: Tree::Leaf(leaf),
            position,
            on_true: node.on_true,
            on_false: node.on_false,
        })
        .collect();
    // Two blocks are one when the first leads to the second by one exit, nothing else does, and they share another exit.
    while blocks.len() > 1 {
        let at = (0..blocks.len().saturating_sub(1)).find(|&at| joins(&blocks, at))?;
        let second = blocks.remove(at.saturating_add(1));
        let first = blocks.remove(at);
        blocks.insert(at, join(first, second));
    }
    let block = blocks.pop()?;
    match (block.on_true, block.on_false) {
        (EXIT_TRUE, EXIT_FALSE) => Some(block.tree),
        (EXIT_FALSE, EXIT_TRUE) => Some(block.tree.not()),
        _ => None,
    }
}

fn joins(blocks: &[Block], at: usize) -> bool {
    let (Some(first), Some(second)) = (blocks.get(at), blocks.get(at.saturating_add(1))) else {
        return false;
    };
    let leads = |block: &Block| {
        usize::from(block.on_true == second.position)
            .saturating_add(usize::from(block.on_false == second.position))
    };
    let other = if first.on_true == second.position { first.on_false } else { first.on_true };
    leads(first) == 1
        && blocks.iter().map(leads).sum::<usize>() == 1
        && (other == second.on_true || other == second.on_false)
}

fn join(first: Block, second: Block) -> Block {
    let tree = if first.on_true == second.position {
        if first.on_false == second.on_false {
            Tree::all([first.tree, second.tree])
        } else {
            Tree::any([first.tree.not(), second.tree])
        }
    } else if first.on_true == second.on_true {
        Tree::any([first.tree, second.tree])
    } else {
        Tree::all([first.tree.not(), second.tree])
    };
    Block { tree, position: first.position, on_true: second.on_true, on_false: second.on_false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(on_true: u16, on_false: u16) -> Node {
        Node { test: Test::Constant(true), on_true, on_false }
    }

    fn leaf(text: &str) -> Leaf {
        Leaf { test: Test::Constant(true), text: text.to_owned(), held: true, value: String::new() }
    }

    fn shown(tree: &Tree) -> String {
        match tree {
            Tree::Leaf(leaf) => leaf.text.clone(),
            Tree::And(parts) => format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(" && ")),
            Tree::Or(parts) => format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(" || ")),
            Tree::Not(inner) => format!("!{}", shown(inner)),
        }
    }

    #[test]
    fn graphs_become_the_trees_they_were_made_from() {
        let (t, f) = (EXIT_TRUE, EXIT_FALSE);
        // a && (b || c) && !d
        let graph = [node(1, f), node(3, 2), node(3, f), node(f, t)];
        let nodes = graph.into_iter().zip(["a", "b", "c", "d"].map(leaf));
        assert_eq!(rebuild(nodes).as_ref().map(shown).as_deref(), Some("(a && (b || c) && !d)"));
        // !(a && b) || c
        let graph = [node(1, t), node(2, t), node(t, f)];
        let nodes = graph.into_iter().zip(["a", "b", "c"].map(leaf));
        assert_eq!(rebuild(nodes).as_ref().map(shown).as_deref(), Some("(!(a && b) || c)"));
    }

    #[test]
    fn what_decided_is_named() {
        let mut missing = leaf("b");
        missing.held = false;
        let tree = Tree::And(vec![
            Tree::Leaf(leaf("a")),
            Tree::Leaf(missing),
            Tree::Not(Box::new(Tree::Leaf(leaf("c")))),
        ]);
        let decisive: Vec<&str> = tree.decisive().iter().map(|leaf| leaf.text.as_str()).collect();
        assert_eq!(decisive, ["b", "c"]);
    }
}
