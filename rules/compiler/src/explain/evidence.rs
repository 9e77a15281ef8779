//! What hit, and which words of the message it came from.

use std::borrow::Cow;
use std::ops::Range;

use yumen_rules::engine::{Evidence, Judgement};
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;

use super::facts::Known;
use crate::check::canonical;
use crate::limits::EXPLAINED_TEXT_CHARS_MAX;

/// A group that something hit of.
#[derive(Clone, Debug)]
pub struct GroupHits {
    /// Its name.
    pub name: String,
    /// How many different members hit.
    pub count: u32,
    /// How many must.
    pub need: u16,
    /// Those that hit.
    pub hits: Vec<PatternHit>,
}

/// A pattern that hit.
#[derive(Clone, Debug)]
pub struct PatternHit {
    /// The pattern as it stands in the pack.
    pub pattern: String,
    /// Whether it is a regular expression.
    pub regex: bool,
    /// What it was matched against.
    pub view: View,
    /// What it matched there.
    pub matched: String,
    /// The words of the message that this came from; empty where they can't be told.
    pub original: String,
}

/// A view as text.
pub(super) fn view_text<'a>(judgement: &Judgement<'a>, view: View) -> Cow<'a, str> {
    String::from_utf8_lossy(judgement.view(view))
}

/// All groups that something hit of.
pub(super) fn groups(
    pack: Pack<'_>,
    judgement: &Judgement<'_>,
    known: &Known<'_>,
    text: &str,
) -> Vec<GroupHits> {
    let hits: Vec<(u32, PatternHit)> = judgement
        .hits
        .iter()
        .filter_map(|hit| {
            let evidence = judgement.evidence(&pack, hit)?;
            Some((hit.pattern, pattern_hit(pack, judgement, &evidence, text)?))
        })
        .collect();
    let of_group = |group| {
        let members = hits.iter().filter(move |(pattern, _)| pack.groups_of(*pattern).any(|of| of == group));
        members.map(|(_, hit)| hit.clone()).collect()
    };
    known
        .hit_groups()
        .into_iter()
        .filter_map(|(index, count)| {
            let group = pack.group(index)?;
            Some(GroupHits {
                name: pack.string(group.name).to_owned(),
                count,
                need: group.need,
                hits: of_group(index),
            })
        })
        .collect()
}

fn pattern_hit(
    pack: Pack<'_>,
    judgement: &Judgement<'_>,
    evidence: &Evidence,
    text: &str,
) -> Option<PatternHit> {
    let pattern = pack.pattern(evidence.pattern)?;
    let view = view_text(judgement, evidence.view);
    let span =
        if pattern.regex { regex_span(pattern.text, &view, &evidence.span) } else { evidence.span.clone() };
    Some(PatternHit {
        pattern: pattern.text.to_owned(),
        regex: pattern.regex,
        view: pattern.view,
        matched: view.get(span.clone()).unwrap_or_default().to_owned(),
        original: original(text, evidence.view, &span)
            .and_then(|range| text.get(range))
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Where a match that the engine reported the end of begins. Another engine looks for it, so it may choose another end.
fn regex_span(pattern: &str, view: &str, reported: &Range<usize>) -> Range<usize> {
    let Ok(regex) = regex::Regex::new(pattern) else { return reported.clone() };
    let found = regex.find_iter(view).find(|found| found.end() >= reported.end).or_else(|| regex.find(view));
    found.map_or_else(|| reported.clone(), |found| found.range())
}

/// The part of a message that a part of a view came from: the shortest whose beginning and end, as lengths of what was
/// viewed before them, enclose it.
fn original(text: &str, view: View, span: &Range<usize>) -> Option<Range<usize>> {
    if view == View::Plain {
        return Some(span.clone());
    }
    if text.chars().count() > EXPLAINED_TEXT_CHARS_MAX {
        return None;
    }
    let ends = text.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8()));
    let mut start = 0usize;
    for end in ends {
        let viewed = canonical::literal(text.get(..end)?, view).len();
        if viewed <= span.start {
            start = end;
        } else if viewed >= span.end {
            return Some(start..end);
        }
    }
    Some(start..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_lead_back_to_what_was_written() {
        let text = "您的借 款已逾期";
        let folded = canonical::literal(text, View::Folded);
        let at = folded.find("借款").expect("folding joins what a blank splits");
        let range = original(text, View::Folded, &(at..at + "借款".len())).expect("a short text");
        assert_eq!(&text[range], "借 款");
    }

    #[test]
    fn a_regex_hit_has_a_beginning() {
        let view = "今天三点前处理";
        let end = "今天三点前".len();
        assert_eq!(regex_span("[今明]天.{0,6}前", view, &(end..end)), 0..end);
    }
}
