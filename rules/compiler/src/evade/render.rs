//! The benchmark for people and programs.

use std::fmt::Write as _;

use serde_json::{Value, json as object};

use super::{Benchmark, Row};
use crate::diagnostic::Lang;

/// As a table for a terminal.
#[must_use]
pub fn render(benchmark: &Benchmark) -> String {
    let mut out = String::new();
    let (name, serial) = &benchmark.pack;
    let _ = writeln!(out, "{name} {serial}");
    let _ = writeln!(
        out,
        "{:<12} {:>6} {:>9} {:>9} {:>9} {:>9} {:>12}",
        "", "scam", "as sent", "folded", "noticed", "plain", "ham blocked"
    );
    for row in &benchmark.rows {
        let percent = |part| percent(part, row.scam);
        let _ = writeln!(
            out,
            "{:<12} {:>6} {:>9} {:>9} {:>9} {:>9} {:>12}  {} {}",
            row.kind.id(),
            row.scam,
            percent(row.blocked_as_sent),
            percent(row.blocked),
            percent(row.noticed),
            percent(row.blocked_plain),
            format!("{}/{}", row.ham_blocked, row.ham),
            row.kind.title_zh(),
            row.kind.title_en()
        );
    }
    out
}

/// As the table of a page.
#[must_use]
pub fn markdown(benchmark: &Benchmark, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let head = if zh {
        "| 规避手法 | 短信 | 原样可拦 | 不折叠 | 折叠 | 拦截或标记 | 误拦正常短信 |\n"
    } else {
        "| disguise | messages | plain | disguised, no folding | disguised, folded | blocked or flagged | honest ones blocked |\n"
    };
    let mut out = format!("{head}|---|---|---|---|---|---|---|\n");
    for row in &benchmark.rows {
        let title = if zh { row.kind.title_zh() } else { row.kind.title_en() };
        let percent = |part| percent(part, row.scam);
        let _ = writeln!(
            out,
            "| {title} | {} | {} | {} | {} | {} | {} / {} |",
            row.scam,
            percent(row.blocked_plain),
            percent(row.blocked_as_sent),
            percent(row.blocked),
            percent(row.noticed),
            row.ham_blocked,
            row.ham
        );
    }
    out
}

/// As one JSON object.
#[must_use]
pub fn json(benchmark: &Benchmark) -> Value {
    let row = |row: &Row| {
        object!({
            "kind": row.kind.id(),
            "scam": row.scam,
            "blocked": row.blocked,
            "noticed": row.noticed,
            "blocked_without_folding": row.blocked_as_sent,
            "blocked_plain": row.blocked_plain,
            "ham": row.ham,
            "ham_blocked": row.ham_blocked,
        })
    };
    object!({
        "pack": { "name": benchmark.pack.0, "serial": benchmark.pack.1 },
        "kinds": benchmark.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}
