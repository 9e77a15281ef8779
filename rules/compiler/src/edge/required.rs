//! The literals of which each match of an expression holds at least one.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Most literals that announce one expression.
const LITERALS_MAX: usize = 48;
/// Most members of a class that are spelled out.
const MEMBERS_MAX: usize = 12;

/// The best set found: its shortest literal is as long as can be. `None` where no literal has to be there.
pub(super) fn literals(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(parts) => {
            let sets: Option<Vec<_>> = parts.iter().map(literals).collect();
            bounded(sets?.concat())
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub),
        HirKind::Capture(capture) => literals(&capture.sub),
        _ => exact(hir),
    }
}

/// Of a sequence: the best of what its parts need and of what neighbours spell together.
fn concat(parts: &[Hir]) -> Option<Vec<String>> {
    let mut best: Option<Vec<String>> = None;
    let mut offer = |set: Option<Vec<String>>| {
        if let Some(set) = set.filter(|set| !set.is_empty() && set.iter().all(|literal| !literal.is_empty()))
            && best.as_ref().is_none_or(|best| value(&set) > value(best))
        {
            best = Some(set);
        }
    };
    let mut run: Option<Vec<String>> = None;
    for part in parts {
        run = match (run.take(), exact(part)) {
            (Some(head), Some(tail)) => match cross(&head, &tail) {
                Some(longer) => Some(longer),
                None => {
                    offer(Some(head));
                    Some(tail)
                }
            },
            (head, tail) => {
                offer(head);
                tail
            }
        };
        offer(literals(part));
    }
    offer(run);
    best
}

/// All texts that it matches, where they are few.
fn exact(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![String::new()]),
        HirKind::Literal(literal) => Some(vec![String::from_utf8(literal.0.to_vec()).ok()?]),
        HirKind::Class(Class::Unicode(class)) => {
            let members = class.iter().flat_map(|range| range.start()..=range.end());
            let members: Vec<String> = members.take(MEMBERS_MAX + 1).map(String::from).collect();
            (members.len() <= MEMBERS_MAX).then_some(members)
        }
        HirKind::Repetition(repetition) if repetition.max == Some(1) && repetition.min == 0 => {
            let mut all = exact(&repetition.sub)?;
            all.push(String::new());
            bounded(all)
        }
        HirKind::Repetition(repetition) if Some(repetition.min) == repetition.max => {
            let once = exact(&repetition.sub)?;
            let mut all = vec![String::new()];
            for _ in 0..repetition.min {
                all = cross(&all, &once)?;
            }
            Some(all)
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = vec![String::new()];
            for part in parts {
                all = cross(&all, &exact(part)?)?;
            }
            Some(all)
        }
        HirKind::Alternation(parts) => {
            let sets: Option<Vec<_>> = parts.iter().map(exact).collect();
            bounded(sets?.concat())
        }
        _ => None,
    }
}

fn cross(heads: &[String], tails: &[String]) -> Option<Vec<String>> {
    if heads.len().saturating_mul(tails.len()) > LITERALS_MAX {
        return None;
    }
    let joined = |head: &String| tails.iter().map(|tail| format!("{head}{tail}")).collect::<Vec<_>>();
    bounded(heads.iter().flat_map(joined).collect())
}

fn bounded(mut set: Vec<String>) -> Option<Vec<String>> {
    set.sort();
    set.dedup();
    (set.len() <= LITERALS_MAX).then_some(set)
}

/// Longer literals are rarer; of equal ones fewer are.
fn value(set: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = set.iter().map(|literal| literal.chars().count()).min().unwrap_or(0);
    (shortest, std::cmp::Reverse(set.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_matcher::dialect::parse;

    fn of(text: &str) -> Option<Vec<String>> {
        literals(&parse(text).unwrap())
    }

    #[test]
    fn what_must_be_there() {
        assert_eq!(of("(今天|今日)前还"), Some(vec!["今天前还".into(), "今日前还".into()]));
        assert_eq!(of(r"\d{3,5}元.{0,8}微信[^a-z]"), Some(vec!["微信".into()]));
        assert_eq!(of("(贷款|借钱)?.*加我"), Some(vec!["加我".into()]));
        assert_eq!(of("(ab|c)+"), Some(vec!["ab".into(), "c".into()]));
        assert_eq!(of("[^a]+"), None);
        assert_eq!(of("a?b?[0-9]"), Some((0..=9).map(|digit: u8| digit.to_string()).collect()));
    }
}
