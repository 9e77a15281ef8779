//! An evaluation as a page: one file, nothing loaded from anywhere.

use std::fmt::Write as _;

use yumen_rules::verdict::Typology;

use super::{Evaluation, Wrong};

/// As a page with charts.
#[must_use]
pub fn html(evaluation: &Evaluation) -> String {
    let mut out = String::from(HEAD);
    let (name, serial) = &evaluation.pack;
    let _ = write!(out, "<h1>{} · {serial}</h1><p class=\"sum\">", escape(name));
    for (words, value) in [
        ("应拦短信拦截率 recall", percent(evaluation.scam.rate())),
        ("正常短信误拦率 false positives", percent(evaluation.ham.rate())),
        ("短信 messages", evaluation.total.records.to_string()),
        ("每条耗时 cost", format!("{:.0} ns", evaluation.ns_mean)),
    ] {
        let _ = write!(out, "<span><b>{value}</b>{words}</span>");
    }
    out.push_str("</p>");
    chart(&mut out, evaluation);
    confusion(&mut out, evaluation);
    rules(&mut out, evaluation);
    list(&mut out, "误拦 False positives", &evaluation.false_positives);
    list(&mut out, "漏拦 Missed", &evaluation.missed);
    out.push_str("</html>\n");
    out
}

const HEAD: &str = "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>yumen rules eval</title><style>\
body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;width:100%}td,th{padding:.2em .5em;text-align:right;border-bottom:1px solid #ddd}\
td:first-child,th:first-child{text-align:left}.sum span{display:inline-block;margin-right:2.5em;color:#666}\
.sum b{display:block;font-size:1.7em;color:#222}.bad{color:#b00}li{margin:.4em 0}small{color:#666}\
svg text{font:13px system-ui,sans-serif}</style>";

/// Recall and precision of each practice, as bars.
fn chart(out: &mut String, evaluation: &Evaluation) {
    let rows: Vec<_> = evaluation.typologies.iter().filter(|row| row.labelled + row.named > 0).collect();
    let height = rows.len().saturating_mul(44).saturating_add(10);
    let _ = write!(out, "<h2>类型 Typologies</h2><svg viewBox=\"0 0 900 {height}\" role=\"img\">");
    for (row, y) in rows.iter().zip((0..).step_by(44)) {
        let name = format!("{} {}", row.typology.title_zh(), row.typology.id());
        let _ = write!(out, "<text x=\"0\" y=\"{}\">{name}</text>", y + 22);
        let bars = [("recall", row.recall(), "#2a6f97", 0), ("precision", row.precision(), "#89a894", 17)];
        for (words, rate, colour, down) in bars {
            let width = rate.unwrap_or(0.0) * 460.0;
            let (top, base) = (y + down + 4, y + down + 16);
            let _ = write!(
                out,
                "<rect x=\"240\" y=\"{top}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{base}\">{} {words}</text>",
                width + 248.0,
                percent(rate)
            );
        }
    }
    out.push_str("</svg>");
}

fn confusion(out: &mut String, evaluation: &Evaluation) {
    out.push_str("<h2>混淆表 Confusion</h2><table><tr><th>label<th>messages");
    Typology::ALL.iter().for_each(|typology| {
        let _ = write!(out, "<th>{}", typology.title_zh());
    });
    out.push_str("<th>flag<th>allow</tr>");
    for (label, _, row) in evaluation.labels.iter().filter(|(_, _, row)| row.records > 0) {
        let _ = write!(out, "<tr><td>{}<td>{}", escape(label), row.records);
        let passed = row.records.saturating_sub(row.blocked).saturating_sub(row.flagged);
        let named = Typology::ALL.map(|typology| row.named.get(&typology).copied().unwrap_or(0));
        for count in named.into_iter().chain([row.flagged, passed]) {
            let shade = count as f64 / row.records.max(1) as f64 * 0.7;
            let shown = if count == 0 { String::new() } else { count.to_string() };
            let _ = write!(out, "<td style=\"background:rgba(42,111,151,{shade:.2})\">{shown}");
        }
        out.push_str("</tr>");
    }
    out.push_str("</table>");
}

fn rules(out: &mut String, evaluation: &Evaluation) {
    out.push_str("<h2>规则 Rules</h2><table><tr><th>rule<th>hits<th>right<th>other<th>ham<th>blocked ham<th>precision<th>recall<th>ns/msg</tr>");
    let mut rules: Vec<_> = evaluation.rules.iter().filter(|rule| rule.hits > 0).collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.ham), std::cmp::Reverse(rule.hits)));
    for rule in rules {
        let class = if rule.ham > 0 { " class=\"bad\"" } else { "" };
        let _ = write!(
            out,
            "<tr><td>{}<td>{}<td>{}<td>{}<td{class}>{}<td{class}>{}<td>{}<td>{}<td>{:.1}</tr>",
            escape(&rule.id),
            rule.hits,
            rule.right,
            rule.other,
            rule.ham,
            rule.ham_blocked,
            percent(rule.precision()),
            percent(rule.recall()),
            rule.ns
        );
    }
    out.push_str("</table>");
}

fn list(out: &mut String, title: &str, wrong: &[Wrong]) {
    let _ = write!(out, "<h2>{title} ({})</h2><ol>", wrong.len());
    for wrong in wrong {
        let _ = write!(
            out,
            "<li>{}<br><small>{}: {} → {} {} {}</small>",
            escape(&wrong.text),
            wrong.line,
            escape(&wrong.label),
            wrong.action.name(),
            wrong.score,
            escape(&wrong.rules.join(" "))
        );
    }
    out.push_str("</ol>");
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.2} %", rate * 100.0))
}

/// A text that can't be markup. What a suspect wrote stands on this page.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
