//! The draft as TOML.

use std::fmt::Write as _;

use super::grams::Gram;
use super::select::Chosen;
use super::{Member, SuggestOptions};

/// Messages that a draft quotes as `hit`.
const HITS_MAX: usize = 5;
/// Honest messages that a draft quotes as `miss`.
const MISSES_MAX: usize = 3;

pub(super) fn toml(
    chosen: &Chosen,
    missed: &[&str],
    ham: &[&str],
    grams: &[Gram],
    options: &SuggestOptions,
) -> String {
    let mut out = String::new();
    let count = |marks: &[bool]| marks.iter().filter(|mark| **mark).count();
    let _ = writeln!(
        out,
        "# {} / {} 条漏拦短信，误中 {} / {} 条正常短信 (missed messages caught, honest messages hit)\n\
         # 草稿：请阅读并改写；例句会随规则包分发，勿含真实个人信息\n\
         # A draft: read and reword it. Texts travel with the pack: no real person's words or numbers.",
        count(&chosen.covered),
        missed.len(),
        count(&chosen.ham_hit),
        ham.len()
    );
    let _ = writeln!(
        out,
        "[[rule]]\nid = {}\ntypology = {}\ntitle = \"草稿\"\ntitle_en = \"Draft\"\nscore = 70\nladder = \"shadow\"",
        quoted(&options.id),
        quoted(options.typology.id())
    );
    let (alone, pairs): (Vec<&Member>, Vec<&Member>) =
        chosen.members.iter().partition(|member| member.words.len() == 1);
    let mut names = Vec::new();
    if !alone.is_empty() {
        let _ = writeln!(out, "match.words = {{ any = [{}] }}", list(&alone));
        names.push("words".to_owned());
    }
    for (pair, number) in pairs.iter().zip(1..) {
        let _ = writeln!(out, "match.both_{number} = {{ all = [{}] }}", list(&[pair]));
        names.push(format!("both_{number}"));
    }
    let _ = writeln!(out, "when = {}", quoted(&names.join(" || ")));
    let covered = missed.iter().zip(&chosen.covered).filter(|(_, covered)| **covered);
    texts(&mut out, "hit", covered.map(|(text, _)| *text).take(HITS_MAX));
    texts(&mut out, "miss", nearest(chosen, ham, grams));
    out
}

/// The honest messages that have most of what missed messages have, and aren't hit.
fn nearest<'a>(chosen: &Chosen, ham: &[&'a str], grams: &[Gram]) -> impl Iterator<Item = &'a str> {
    let mut near = vec![0usize; ham.len()];
    for gram in grams {
        for &message in &gram.ham {
            if let Some(sum) = near.get_mut(message as usize) {
                *sum = sum.saturating_add(gram.missed.len());
            }
        }
    }
    let not_hit = ham.iter().copied().zip(near).zip(&chosen.ham_hit).filter(|(_, hit)| !**hit);
    let mut sorted: Vec<(&str, usize)> = not_hit.map(|(message, _)| message).collect();
    sorted.sort_by_key(|(_, near)| std::cmp::Reverse(*near));
    sorted.into_iter().take(MISSES_MAX).map(|(text, _)| text)
}

fn list(members: &[&Member]) -> String {
    let words = members.iter().flat_map(|member| &member.words);
    words.map(|word| quoted(word)).collect::<Vec<_>>().join(", ")
}

fn texts<'a>(out: &mut String, field: &str, texts: impl Iterator<Item = &'a str>) {
    let _ = writeln!(out, "{field} = [");
    for text in texts {
        let _ = writeln!(out, "    {},", quoted(&masked(text)));
    }
    out.push_str("]\n");
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text with the digits of numbers that could be somebody's replaced: of a run of five or more, all but the first two are 0.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (digits, after) = digits.split_at(end);
        out.push_str(before);
        let kept = if digits.len() >= 5 { 2 } else { digits.len() };
        out.extend(digits.chars().enumerate().map(|(at, digit)| if at < kept { digit } else { '0' }));
        rest = after;
    }
    out.push_str(rest);
    out
}
