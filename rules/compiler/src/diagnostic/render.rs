//! Diagnostics for people, like rustc's.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Diagnostic, Severity, Words};
use crate::limits::EXCERPT_COLUMNS_MAX;
use crate::source::{SourceMap, Span};

/// The language of what people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
    /// Chinese, then English.
    #[default]
    Both,
}

impl Lang {
    /// Whether Chinese is shown.
    #[must_use]
    pub const fn zh(self) -> bool {
        matches!(self, Self::Zh | Self::Both)
    }

    /// Whether English is shown.
    #[must_use]
    pub const fn en(self) -> bool {
        matches!(self, Self::En | Self::Both)
    }
}

/// One diagnostic, with a newline at its end.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, lang: Lang) -> String {
    let mut out = String::new();
    headline(&mut out, diagnostic, lang);
    let margin = margin(diagnostic, sources);
    if let Some(span) = diagnostic.span {
        excerpt(&mut out, sources, span, margin, '^', &[]);
    }
    for (span, words) in &diagnostic.others {
        let labels: Vec<&str> = both(words, lang).collect();
        excerpt(&mut out, sources, *span, margin, '-', &labels);
    }
    for words in diagnostic.help.iter().chain(diagnostic.defect.advice().iter()) {
        if lang.zh() {
            let _ = writeln!(out, "{:margin$} = 帮助：{}", "", words.zh);
        }
        if lang.en() {
            let _ = writeln!(out, "{:margin$} = help: {}", "", words.en);
        }
    }
    out
}

fn headline(out: &mut String, diagnostic: &Diagnostic, lang: Lang) {
    let words = diagnostic.defect.words();
    let code = diagnostic.defect.code();
    let (zh, en) = match diagnostic.defect.severity() {
        Severity::Error => ("错误", "error"),
        Severity::Warning => ("警告", "warning"),
    };
    if lang.zh() {
        let _ = writeln!(out, "{zh}[{code}]：{}", words.zh);
    }
    if lang.en() {
        let _ = writeln!(out, "{en}[{code}]: {}", words.en);
    }
}

fn both(words: &Words, lang: Lang) -> impl Iterator<Item = &str> {
    [(lang.zh(), words.zh.as_str()), (lang.en(), words.en.as_str())]
        .into_iter()
        .filter_map(|(shown, words)| shown.then_some(words))
}

/// Columns for line numbers.
fn margin(diagnostic: &Diagnostic, sources: &SourceMap) -> usize {
    let spans = diagnostic.span.iter().chain(diagnostic.others.iter().map(|(span, _)| span));
    let last = spans
        .filter_map(|span| sources.file(span.file).map(|file| file.position(span.start).0))
        .max()
        .unwrap_or(1);
    last.to_string().len().saturating_add(1)
}

/// `--> file:line:column`, the line, and a mark under the place.
fn excerpt(out: &mut String, sources: &SourceMap, span: Span, margin: usize, mark: char, labels: &[&str]) {
    let Some(file) = sources.file(span.file) else { return };
    let (line, column) = file.position(span.start);
    let _ = writeln!(out, "{:margin$}--> {}:{line}:{column}", "", file.path);
    let Some((text, start)) = file.line(line) else { return };
    let from = (span.start as usize).saturating_sub(start).min(text.len());
    let to = (span.end as usize).saturating_sub(start).clamp(from, text.len());
    let (Some(before), Some(inside), Some(after)) = (text.get(..from), text.get(from..to), text.get(to..))
    else {
        return;
    };
    let (before, inside, after) = cut(before, inside, after);
    let blank = columns(&before);
    let width = columns(&inside).max(1);
    let _ = writeln!(out, "{:margin$} |", "");
    let _ = writeln!(out, "{line:>margin$} | {before}{inside}{after}");
    let underline = mark.to_string().repeat(width);
    let mut labels = labels.iter();
    let first = labels.next().map(|label| format!(" {label}")).unwrap_or_default();
    let _ = writeln!(out, "{:margin$} | {:blank$}{underline}{first}", "", "");
    for label in labels {
        let indent = blank.saturating_add(width);
        let _ = writeln!(out, "{:margin$} | {:indent$} {label}", "", "");
    }
}

/// Keeps a long line within [`EXCERPT_COLUMNS_MAX`], the place in view. Tabs become blanks, so that marks stand right.
fn cut(before: &str, inside: &str, after: &str) -> (String, String, String) {
    let [mut before, mut inside, mut after] = [before, inside, after].map(|part| part.replace('\t', "    "));
    if columns(&inside) > EXCERPT_COLUMNS_MAX {
        inside = format!("{}…", head(&inside, EXCERPT_COLUMNS_MAX));
    }
    let room = EXCERPT_COLUMNS_MAX.saturating_sub(columns(&inside));
    if columns(&before).saturating_add(columns(&after)) > room {
        let ahead = columns(&after).min(room / 2);
        if columns(&before) > room.saturating_sub(ahead) {
            before = format!("…{}", tail(&before, room.saturating_sub(ahead)));
        }
        let rest = room.saturating_sub(columns(&before));
        if columns(&after) > rest {
            after = format!("{}…", head(&after, rest));
        }
    }
    (before, inside, after)
}

fn head(text: &str, columns_max: usize) -> String {
    let mut used = 0usize;
    text.chars()
        .take_while(|c| {
            used = used.saturating_add(c.width().unwrap_or(0));
            used <= columns_max
        })
        .collect()
}

fn tail(text: &str, columns_max: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    head(&reversed, columns_max).chars().rev().collect()
}

fn columns(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Defect;

    fn rendered(line: &str, part: &str) -> String {
        let mut sources = SourceMap::default();
        let file = sources.add("p/a.toml", line.to_owned()).expect("small");
        let at = line.find(part).expect("part of the line");
        let span = Span {
            file,
            start: u32::try_from(at).expect("small"),
            end: u32::try_from(at + part.len()).expect("small"),
        };
        let diagnostic = Diagnostic::at(span, Defect::UnknownGroup { name: part.to_owned() });
        render(&diagnostic, &sources, Lang::En)
    }

    #[test]
    fn marks_stand_under_wide_characters() {
        let shown = rendered("any = [\"逾期\", \"欠款\"]", "欠款");
        let lines: Vec<&str> = shown.lines().rev().take(2).collect();
        assert_eq!(lines, ["   |                 ^^^^", " 1 | any = [\"逾期\", \"欠款\"]"]);
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let line = format!("{}目标{}", "前".repeat(300), "后".repeat(300));
        let shown = rendered(&line, "目标");
        let longest = shown.lines().map(columns).max().unwrap_or(0);
        assert!(shown.contains("目标"), "{shown}");
        assert!(longest <= EXCERPT_COLUMNS_MAX + 8, "{longest}");
    }
}
