//! Expressions that are tried only where their words are.
//!
//! ```text
//! Hyperscan: literals, words, expressions without words → a hit, or a word: needs met → expression tried → a hit
//! ```
//!
//! A database of words costs a scan a fraction of what the expressions themselves would, and most messages have no
//! expression's words.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex_automata::meta::{self, Cache};
use regex_automata::util::syntax;
use regex_automata::{Input, nfa::thompson::WhichCaptures};
use yumen_rules::engine::MatchError;
use yumen_rules::pack::{Pack, Pattern};
use yumen_rules::signal::View;

use crate::dialect::{self, Translated};
use crate::limits::{LAZY_CACHE_BYTES_MAX, REGEX_PROGRAM_BYTES_MAX};
use crate::refusal::Refusal;
use crate::words;

/// Which words wake which expressions.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    expressions: Vec<Expression>,
    /// Words that are no literal of their view: their ids follow those of the patterns.
    words: Vec<(View, String)>,
    /// Where the needs of an id start; one more than there are ids.
    starts: Vec<u32>,
    needs: Vec<Need>,
    patterns: u32,
}

/// A word is one of an expression's set.
#[derive(Clone, Copy, Debug)]
struct Need {
    expression: u32,
    bit: u8,
}

#[derive(Debug)]
struct Expression {
    pattern: u32,
    text: String,
    /// One bit a set of words.
    all: u8,
    regex: OnceLock<Option<meta::Regex>>,
}

/// What Hyperscan must look for.
pub(crate) enum Sought<'f> {
    /// A word, which isn't a pattern of its own.
    Word(&'f str),
    /// An expression, as Hyperscan wants it.
    Expression(String),
}

impl Filter {
    /// Divides the expressions of a pack; hands those that stay with Hyperscan, and the words, to `seek` as id, view and text.
    pub(crate) fn build(
        pack: &Pack<'_>,
        mut seek: impl FnMut(u32, View, Sought<'_>),
    ) -> Result<Self, Refusal> {
        let mut filter = Self::default();
        let mut ids: HashMap<(View, String), u32> = HashMap::new();
        for pattern in pack.patterns() {
            filter.patterns = filter.patterns.max(pattern.index.saturating_add(1));
            if !pattern.regex {
                ids.insert((pattern.view, pattern.text.to_owned()), pattern.index);
            }
        }
        let mut needs: Vec<(u32, Need)> = Vec::new();
        for pattern in pack.patterns().filter(|pattern| pattern.regex) {
            let translated = dialect::translate(pattern.text);
            let translated =
                translated.map_err(|defect| Refusal::Pattern { index: pattern.index, defect })?;
            match words::required(&translated.hir) {
                Some(sets) => filter.add(&pattern, translated, &sets, &mut ids, &mut needs),
                None => {
                    seek(pattern.index, pattern.view, Sought::Expression(translated.hyperscan));
                }
            }
        }
        for (id, (view, word)) in (filter.patterns..).zip(&filter.words) {
            seek(id, *view, Sought::Word(word));
        }
        filter.index(needs);
        Ok(filter)
    }

    fn add(
        &mut self,
        pattern: &Pattern<'_>,
        translated: Translated,
        sets: &[Vec<String>],
        ids: &mut HashMap<(View, String), u32>,
        needs: &mut Vec<(u32, Need)>,
    ) {
        let expression = count(self.expressions.len());
        let mut all = 0;
        for (set, bit) in sets.iter().zip((0..8).map(|bit| 1 << bit)) {
            all |= bit;
            for word in set {
                let id = *ids.entry((pattern.view, word.clone())).or_insert_with(|| {
                    self.words.push((pattern.view, word.clone()));
                    self.patterns.saturating_add(count(self.words.len() - 1))
                });
                needs.push((id, Need { expression, bit }));
            }
        }
        let regex = OnceLock::new();
        self.expressions.push(Expression { pattern: pattern.index, text: translated.rust, all, regex });
    }

    /// Sorts the needs by id.
    fn index(&mut self, mut needs: Vec<(u32, Need)>) {
        needs.sort_by_key(|(id, _)| *id);
        let ids = self.patterns.saturating_add(count(self.words.len()));
        let mut at = 0;
        self.starts = (0..=ids)
            .map(|id| {
                at += needs.iter().skip(at).take_while(|(of, _)| *of < id).count();
                count(at)
            })
            .collect();
        self.needs = needs.into_iter().map(|(_, need)| need).collect();
    }

    /// Compiles every expression now, not when it is first tried.
    pub(crate) fn warm(&self) {
        for expression in &self.expressions {
            expression.regex();
        }
    }

    /// Whether an id is a pattern's, not a word's.
    #[inline]
    pub(crate) const fn is_pattern(&self, id: u32) -> bool {
        id < self.patterns
    }

    #[inline]
    fn needs_of(&self, id: u32) -> &[Need] {
        let at = id as usize;
        match self.starts.get(at..at + 2) {
            Some(&[start, end]) => self.needs.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

impl Expression {
    fn regex(&self) -> Option<&meta::Regex> {
        self.regex
            .get_or_init(|| {
                let config = meta::Config::new()
                    .which_captures(WhichCaptures::Implicit)
                    .nfa_size_limit(Some(REGEX_PROGRAM_BYTES_MAX))
                    .hybrid_cache_capacity(LAZY_CACHE_BYTES_MAX)
                    .onepass(false)
                    .dfa(false);
                meta::Builder::new().configure(config).syntax(syntax::Config::new()).build(&self.text).ok()
            })
            .as_ref()
    }
}

/// One thread's memory of which words a text has.
#[derive(Debug)]
pub(crate) struct Awaited {
    marks: Vec<Mark>,
    stamp: u32,
    ready: Vec<u32>,
    caches: Vec<Option<Box<Cache>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    stamp: u32,
    met: u8,
}

impl Awaited {
    pub(crate) fn new(filter: &Filter) -> Self {
        let expressions = filter.expressions.len();
        Self {
            marks: vec![Mark::default(); expressions],
            stamp: 0,
            ready: Vec::with_capacity(expressions),
            caches: std::iter::repeat_with(|| None).take(expressions).collect(),
        }
    }

    /// A new text.
    pub(crate) fn begin(&mut self) {
        self.ready.clear();
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.marks.fill(Mark::default());
            self.stamp = 1;
        }
    }

    /// The text has what stands behind an id.
    #[inline]
    pub(crate) fn met(&mut self, filter: &Filter, id: u32) {
        for need in filter.needs_of(id) {
            let at = need.expression as usize;
            let (Some(mark), Some(expression)) = (self.marks.get_mut(at), filter.expressions.get(at)) else {
                continue;
            };
            let before = if mark.stamp == self.stamp { mark.met } else { 0 };
            *mark = Mark { stamp: self.stamp, met: before | need.bit };
            if mark.met == expression.all && before != expression.all {
                self.ready.push(need.expression);
            }
        }
    }

    /// Tries the expressions whose words the text has; tells pattern and end of those that match.
    pub(crate) fn try_ready(
        &mut self,
        filter: &Filter,
        text: &[u8],
        mut hit: impl FnMut(u32, usize),
    ) -> Result<(), MatchError> {
        for &at in &self.ready {
            let (Some(expression), Some(cache)) =
                (filter.expressions.get(at as usize), self.caches.get_mut(at as usize))
            else {
                continue;
            };
            let regex = expression.regex().ok_or(MatchError { code: UNCOMPILED })?;
            let cache = cache.get_or_insert_with(|| Box::new(regex.create_cache()));
            if let Some(found) = regex.search_half_with(cache, &Input::new(text).earliest(true)) {
                hit(expression.pattern, found.offset());
            }
        }
        Ok(())
    }
}

/// An expression that the dialect allows doesn't compile: more memory than it may have.
const UNCOMPILED: i32 = -14;

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
