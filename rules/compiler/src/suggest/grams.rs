//! The word sequences of folded messages, and how many messages have each.

use std::collections::HashMap;

use yumen_rules::signal::View;

use crate::check::canonical;
use crate::limits::SUGGEST_TOKENS_MAX;

/// A sequence of the folded view, with the messages that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gram {
    pub(super) text: String,
    /// Indices of missed messages, rising.
    pub(super) missed: Vec<u32>,
    /// Indices of honest messages, rising.
    pub(super) ham: Vec<u32>,
}

/// All sequences of at least two characters that `least` missed messages have. Of those that the same missed and honest
/// messages have, only the shortest: it withstands rewriting best.
pub(super) fn grams(missed: &[&str], ham: &[&str], least: usize) -> Vec<Gram> {
    let folded: Vec<String> = missed.iter().map(|text| canonical::literal(text, View::Folded)).collect();
    let mut found: HashMap<&str, Vec<u32>> = HashMap::new();
    for (text, number) in folded.iter().zip(0..) {
        each(text, |gram| note(found.entry(gram).or_default(), number));
    }
    found.retain(|_, messages| messages.len() >= least);
    let mut grams: Vec<Gram> = found
        .into_iter()
        .map(|(text, missed)| Gram { text: text.to_owned(), missed, ham: Vec::new() })
        .collect();
    grams.sort_unstable_by(|a, b| a.text.cmp(&b.text));
    let index: HashMap<String, usize> =
        grams.iter().enumerate().map(|(index, gram)| (gram.text.clone(), index)).collect();
    for (text, number) in ham.iter().zip(0..) {
        let folded = canonical::literal(text, View::Folded);
        each(&folded, |gram| {
            if let Some(gram) = index.get(gram).and_then(|&index| grams.get_mut(index)) {
                note(&mut gram.ham, number);
            }
        });
    }
    shortest(grams)
}

fn note(messages: &mut Vec<u32>, number: u32) {
    if messages.last() != Some(&number) {
        messages.push(number);
    }
}

/// Calls `take` with every sequence of up to [`SUGGEST_TOKENS_MAX`] tokens. One that has a number or a link in it says nothing
/// about the practice.
fn each<'a>(folded: &'a str, mut take: impl FnMut(&'a str)) {
    let tokens = tokens(folded);
    for first in 0..tokens.len() {
        for &(start, end) in tokens.get(first..).unwrap_or_default().iter().take(SUGGEST_TOKENS_MAX) {
            let (Some(&(begin, _)), true) = (tokens.get(first), start < end) else { break };
            let Some(gram) = folded.get(begin..end) else { break };
            if gram.chars().nth(1).is_some() {
                take(gram);
            }
        }
    }
}

/// Chinese characters one by one, Latin words whole; a token without length where a sequence must end.
fn tokens(folded: &str) -> Vec<(usize, usize)> {
    let mut tokens = Vec::new();
    let mut chars = folded.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let mut end = start.saturating_add(first.len_utf8());
        if first == ' ' {
            continue;
        }
        if !first.is_ascii() {
            tokens.push(if first.is_alphanumeric() { (start, end) } else { (start, start) });
            continue;
        }
        while let Some((at, c)) = chars.next_if(|&(_, c)| c.is_ascii() && c != ' ') {
            end = at.saturating_add(c.len_utf8());
        }
        let word = folded.get(start..end).unwrap_or_default();
        let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
        tokens.push(if is_word { (start, end) } else { (start, start) });
    }
    tokens
}

fn shortest(grams: Vec<Gram>) -> Vec<Gram> {
    let mut kept: HashMap<(Vec<u32>, Vec<u32>), String> = HashMap::new();
    for gram in grams {
        let held = kept.entry((gram.missed, gram.ham)).or_insert_with(|| gram.text.clone());
        if rank(&gram.text) < rank(held) {
            *held = gram.text;
        }
    }
    let mut grams: Vec<Gram> =
        kept.into_iter().map(|((missed, ham), text)| Gram { text, missed, ham }).collect();
    grams.sort_unstable_by(|a, b| a.text.cmp(&b.text));
    grams
}

/// Three or four characters are a word; two may be the halves of others.
fn rank(text: &str) -> (bool, usize, &str) {
    let chars = text.chars().count();
    (chars < 3, chars, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_end_at_numbers_and_keep_words_whole() {
        let mut found = Vec::new();
        each("加微信abc12买入hot stock", |gram| found.push(gram));
        assert!(found.contains(&"加微") && found.contains(&"加微信") && found.contains(&"hot stock"));
        assert!(found.iter().all(|gram| !gram.contains("12") && !gram.ends_with("ho")), "{found:?}");
        assert!(!found.contains(&"信abc12买"));
    }

    #[test]
    fn of_sequences_in_the_same_messages_the_shortest_word_stays() {
        let found = grams(&["内部消息牛股", "内部消息涨停"], &["部门消息"], 2);
        let texts: Vec<&str> = found.iter().map(|gram| gram.text.as_str()).collect();
        assert!(texts.contains(&"内部消"), "{texts:?}");
        assert!(!texts.contains(&"内部消息") && !texts.contains(&"牛股"), "{texts:?}");
        let shared = found.iter().find(|gram| gram.text == "消息").expect("in both");
        assert_eq!((shared.missed.len(), shared.ham.len()), (2, 1));
    }
}
