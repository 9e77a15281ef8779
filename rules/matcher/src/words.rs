//! Words that a text must have for an expression to match it.
//!
//! ```text
//! expression → syntax tree → sets of words: of each set, every text that it matches has at least one
//! ```
//!
//! Finding words is what Hyperscan does best; an expression whose words are missing needn't be tried. Expressions without
//! words that are rare enough stay with Hyperscan.

use regex_syntax::hir::{self, Hir, HirKind};

/// The sets of words of which a text has one each, where the expression matches it; at most [`SETS_MAX`]. `None` where there are
/// none that most texts lack, or where the expression is too large to be tried by itself.
pub(crate) fn required(hir: &Hir) -> Option<Vec<Vec<String>>> {
    if weight(hir) > WEIGHT_MAX {
        return None;
    }
    let mut walk = Walk::new();
    walk.visit(hir);
    let mut found = walk.finish();
    found.sort_by(|a, b| chance(a).total_cmp(&chance(b)));
    let mut sets: Vec<Vec<String>> = Vec::new();
    let mut all = 1.0;
    for set in found {
        let one = chance(&set);
        if one >= 1.0 || all <= CHANCE_LOW || sets.len() == SETS_MAX {
            break;
        }
        if !sets.contains(&set) {
            all *= one;
            sets.push(set);
        }
    }
    (all <= CHANCE_HIGH && !sets.is_empty()).then_some(sets)
}

/// Sets of an expression, at most.
pub(crate) const SETS_MAX: usize = 3;
/// Words of a set, at most.
const WORDS_MAX: usize = 256;
/// A class of more characters isn't written out.
const CLASS_CHARS_MAX: usize = 64;
/// A repetition of more isn't written out.
const REPEATED_MAX: u32 = 4;
/// Size up to which an expression is tried by itself, in characters and classes.
const WEIGHT_MAX: usize = 4_096;
/// Texts that have all words up to which no further set is asked for.
const CHANCE_LOW: f64 = 0.02;
/// Texts that have all words up to which it pays to look for them.
const CHANCE_HIGH: f64 = 0.7;

/// Gathers sets while it walks over an expression.
struct Walk {
    /// What the text has just before the place that the walk is at: one of these.
    current: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Walk {
    fn new() -> Self {
        Self { current: nothing(), found: Vec::new() }
    }

    fn finish(mut self) -> Vec<Vec<String>> {
        self.cut();
        self.found
    }

    fn visit(&mut self, hir: &Hir) {
        if let Some(words) = exact(hir) {
            return self.extend(words);
        }
        match hir.kind() {
            HirKind::Capture(capture) => self.visit(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.visit(part)),
            HirKind::Repetition(repetition) if repetition.min > 0 => match exact(&repetition.sub) {
                Some(words) => {
                    // The first one follows what came before, the last one stands before what comes.
                    self.extend(words.clone());
                    self.cut();
                    self.current = words;
                }
                None => {
                    self.visit(&repetition.sub);
                    self.cut();
                }
            },
            HirKind::Alternation(parts) => {
                self.cut();
                self.alternatives(parts);
            }
            HirKind::Repetition(_)
            | HirKind::Empty
            | HirKind::Literal(_)
            | HirKind::Class(_)
            | HirKind::Look(_) => self.cut(),
        }
    }

    /// The text has the words of one branch: of each, the rarest set.
    fn alternatives(&mut self, parts: &[Hir]) {
        let mut all = Vec::new();
        for part in parts {
            let mut walk = Self::new();
            walk.visit(part);
            let Some(rarest) = walk.finish().into_iter().min_by(|a, b| chance(a).total_cmp(&chance(b)))
            else {
                return;
            };
            all.extend(rarest);
            if all.len() > WORDS_MAX {
                return;
            }
        }
        self.found.push(shortest(all));
    }

    fn extend(&mut self, words: Vec<String>) {
        match product(&self.current, &words) {
            Some(both) => self.current = both,
            None => {
                self.cut();
                self.current = words;
            }
        }
    }

    /// What comes next doesn't follow directly.
    fn cut(&mut self) {
        let words = std::mem::replace(&mut self.current, nothing());
        if words.iter().all(|word| !word.is_empty()) {
            self.found.push(shortest(words));
        }
    }
}

fn nothing() -> Vec<String> {
    vec![String::new()]
}

/// Everything that a part of an expression can match, where that is few texts. Conditions on a place are left out: the
/// words must stand there all the same.
fn exact(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(nothing()),
        HirKind::Literal(literal) => Some(vec![std::str::from_utf8(&literal.0).ok()?.to_owned()]),
        HirKind::Class(hir::Class::Unicode(class)) => {
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            let words: Vec<String> = chars.take(CLASS_CHARS_MAX + 1).map(String::from).collect();
            (words.len() <= CLASS_CHARS_MAX).then_some(words)
        }
        HirKind::Class(hir::Class::Bytes(_)) => None,
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => {
            parts.iter().try_fold(nothing(), |words, part| product(&words, &exact(part)?))
        }
        HirKind::Alternation(parts) => {
            let words: Option<Vec<Vec<String>>> = parts.iter().map(exact).collect();
            Some(words?.concat()).filter(|words| words.len() <= WORDS_MAX)
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.filter(|most| *most <= REPEATED_MAX)?;
            let once = exact(&repetition.sub)?;
            let (mut times, mut all) = (nothing(), Vec::new());
            for count in 0..=most {
                if count >= repetition.min {
                    all.extend(times.iter().cloned());
                }
                if count < most {
                    times = product(&times, &once)?;
                }
            }
            (all.len() <= WORDS_MAX).then_some(all)
        }
    }
}

fn product(before: &[String], after: &[String]) -> Option<Vec<String>> {
    (before.len() * after.len() <= WORDS_MAX)
        .then(|| before.iter().flat_map(|a| after.iter().map(move |b| format!("{a}{b}"))).collect())
}

/// Without words that hold another one: where they are, that one is too.
fn shortest(mut words: Vec<String>) -> Vec<String> {
    words.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    let mut kept: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        if !kept.iter().any(|shorter| word.contains(shorter.as_str())) {
            kept.push(word);
        }
    }
    kept
}

/// About how many of the words a message has. Only what is faster depends on it.
fn chance(words: &[String]) -> f64 {
    let share = |char: char| match char {
        '0'..='9' => 1.0 / 12.0,
        'j' | 'k' | 'q' | 'v' | 'w' | 'x' | 'z' => 1.0 / 800.0,
        '\0'..='\x7f' => 1.0 / 60.0,
        _ if COMMON.contains(char) => 1.0 / 60.0,
        _ => 1.0 / 400.0,
    };
    MESSAGE_CHARS * words.iter().map(|word| word.chars().map(share).product::<f64>()).sum::<f64>()
}

/// Characters of an ordinary message.
const MESSAGE_CHARS: f64 = 50.0;
/// Characters that ordinary messages are full of.
const COMMON: &str = "的您你我是在有了不到一个请时月日元年上来去为中如已将于可及信";

/// Size of an expression, repetitions written out.
fn weight(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 4,
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(weight).fold(0, usize::saturating_add)
        }
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            weight(&repetition.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::translate;

    fn sets(expression: &str) -> Option<Vec<Vec<String>>> {
        required(&translate(expression).unwrap().hir)
    }

    #[test]
    fn words_come_from_what_must_be_there() {
        let one = |word: &str| Some(vec![vec![word.to_owned()]]);
        assert_eq!(sets("征信.{0,8}修复"), one("修复"));
        assert_eq!(sets("(退|还)款?.*"), Some(vec![vec!["还".to_owned(), "退".to_owned()]]));
        assert_eq!(sets("[0-9]+万元"), Some(vec![digits("万元")]));
        assert_eq!(sets("^妈我.*钱$"), one("妈我"));
        assert_eq!(sets("(?:贷款)*x{2}"), one("xx"));
    }

    #[test]
    fn a_branch_gives_what_is_rare_in_it() {
        let found = sets("(?:贷.款|征[0-9]+信)x").unwrap();
        assert_eq!(found.first(), Some(&vec!["x".to_owned()]));
        let branches: Vec<String> = std::iter::once("贷".to_owned())
            .chain(digits("").iter().map(|digit| format!("征{digit}")))
            .collect();
        assert_eq!(found.get(1), Some(&branches));
    }

    #[test]
    fn what_every_message_has_is_no_word() {
        for expression in ["[0-9]{4}", "您[^a-z]{2}", "..", "[^0-9]+", r"\d+(点|时)?"] {
            assert_eq!(sets(expression), None, "{expression}");
        }
    }

    #[test]
    fn repetition_joins_its_ends_with_what_stands_there() {
        assert_eq!(sets("的借+还"), Some(vec![vec!["借还".to_owned()]]));
        assert_eq!(sets("还借+的"), Some(vec![vec!["还借".to_owned()]]));
        assert_eq!(sets("(?:贷款){5,}"), Some(vec![vec!["贷款".to_owned()]]));
    }

    #[test]
    fn the_largest_expressions_are_left_alone() {
        assert_eq!(sets("征信(?:(?:[^a-z]{200}){10}修复){3}"), None);
    }

    fn digits(after: &str) -> Vec<String> {
        (0..10).map(|digit| format!("{digit}{after}")).collect()
    }
}
