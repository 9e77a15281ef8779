//! An evaluation for people.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;
use yumen_rules::verdict::Typology;

use super::{Evaluation, Wrong};

/// As text: the tables, and at most `texts_max` honest messages that would be blocked.
#[must_use]
pub fn render(evaluation: &Evaluation, texts_max: usize) -> String {
    let mut out = String::new();
    heading(&mut out, "标签 labels", &["messages", "blocked", "", "flagged"]);
    let sums =
        [("scam 应拦", &evaluation.scam), ("ham 应放", &evaluation.ham), ("total 合计", &evaluation.total)];
    let labels = evaluation.labels.iter().map(|(label, meaning, row)| {
        let same = label == meaning.id();
        (if same { label.clone() } else { format!("{label} ({})", meaning.id()) }, row)
    });
    let variants = evaluation.variants.iter().map(|(variant, row)| (format!("variant 变体 {variant}"), row));
    let sums = sums.into_iter().map(|(name, row)| (name.to_owned(), row));
    for (name, row) in labels.chain(variants).chain(sums).filter(|(_, row)| row.records > 0) {
        let cells =
            [row.records.to_string(), row.blocked.to_string(), percent(row.rate()), row.flagged.to_string()];
        line(&mut out, &name, &cells);
    }
    heading(&mut out, "类型 typologies", &["labelled", "recall", "named", "ham", "precision"]);
    for row in evaluation.typologies.iter().filter(|row| row.labelled + row.named > 0) {
        let cells = [
            row.labelled.to_string(),
            percent(row.recall()),
            row.named.to_string(),
            row.ham.to_string(),
            percent(row.precision()),
        ];
        line(&mut out, &format!("{} {}", row.typology.id(), row.typology.title_zh()), &cells);
    }
    confusion(&mut out, evaluation);
    rules(&mut out, evaluation);
    let shown = evaluation.false_positives.len().min(texts_max);
    let all = evaluation.false_positives.len();
    if all > 0 {
        let _ = writeln!(out, "\n误拦 false positives: {all}");
    }
    evaluation.false_positives.iter().take(shown).for_each(|wrong| message(&mut out, wrong));
    if shown < all {
        let _ = writeln!(out, "  … {} more 条未显示 (--texts)", all - shown);
    }
    let _ = writeln!(
        out,
        "\n漏拦 missed: {}, {:.0} ns a message 每条",
        evaluation.missed.len(),
        evaluation.ns_mean
    );
    out
}

/// Which practice the verdicts name, by label.
fn confusion(out: &mut String, evaluation: &Evaluation) {
    let short: Vec<&str> = Typology::ALL.iter().map(|typology| short(*typology)).collect();
    let heads: Vec<&str> = short.iter().copied().chain(["allowed"]).collect();
    heading(out, "混淆表 confusion: blocked as", &heads);
    for (label, _, row) in evaluation.labels.iter().filter(|(_, _, row)| row.records > 0) {
        let named = Typology::ALL.map(|typology| row.named.get(&typology).copied().unwrap_or(0));
        let allowed = row.records.saturating_sub(row.blocked);
        let cell = |count: usize| if count == 0 { "·".to_owned() } else { count.to_string() };
        let cells: Vec<String> = named.into_iter().chain([allowed]).map(cell).collect();
        line(out, label, &cells);
    }
}

const fn short(typology: Typology) -> &'static str {
    match typology {
        Typology::DebtCollection => "collect",
        Typology::LoanMediation => "loan",
        Typology::DebtEvasion => "evasion",
        Typology::InsuranceClaims => "insur",
        Typology::CreditRepair => "credit",
        Typology::StockTips => "stock",
        Typology::RightsAgency => "rights",
        Typology::Fraud => "fraud",
    }
}

fn rules(out: &mut String, evaluation: &Evaluation) {
    heading(out, "规则 rules", &["hits", "right", "other", "ham", "precis.", "recall", "ns/msg"]);
    let mut rules: Vec<_> = evaluation.rules.iter().filter(|rule| rule.hits + rule.suppressed > 0).collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.ham), std::cmp::Reverse(rule.hits)));
    let silent = evaluation.rules.len().saturating_sub(rules.len());
    for rule in rules {
        let cells = [
            rule.hits.to_string(),
            rule.right.to_string(),
            rule.other.to_string(),
            rule.ham.to_string(),
            percent(rule.precision()),
            percent(rule.recall()),
            format!("{:.1}", rule.ns),
        ];
        line(out, &rule.id, &cells);
    }
    let _ = writeln!(out, "  {silent} rules never fired 条规则未命中");
}

fn message(out: &mut String, wrong: &Wrong) {
    let typology = wrong.typology.map_or("", Typology::id);
    let text: String = wrong.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(
        out,
        "  {}: {} → {typology} {} {}\n     {text}",
        wrong.line,
        wrong.label,
        wrong.score,
        wrong.rules.join(" ")
    );
}

const NAME_COLUMNS: usize = 44;
const CELL_COLUMNS: usize = 10;

fn heading(out: &mut String, name: &str, cells: &[&str]) {
    out.push('\n');
    row(out, name, cells.iter().copied(), 0);
}

fn line(out: &mut String, name: &str, cells: &[String]) {
    row(out, name, cells.iter().map(String::as_str), 2);
}

fn row<'a>(out: &mut String, name: &str, cells: impl Iterator<Item = &'a str>, indent: usize) {
    let fill = NAME_COLUMNS.saturating_sub(name.width()).saturating_sub(indent);
    let _ = write!(out, "{:indent$}{name}{:fill$}", "", "");
    for cell in cells {
        let _ = write!(out, "{cell:>CELL_COLUMNS$}");
    }
    out.push('\n');
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.2} %", rate * 100.0))
}
