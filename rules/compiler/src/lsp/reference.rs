//! What the reference says of fields and measures of conditions: its tables, in both languages.

use std::collections::HashMap;
use std::sync::LazyLock;

const ZH: &str = include_str!("../../../../docs/rules.zh-CN.md");
const EN: &str = include_str!("../../../../docs/rules.md");

static TABLES: LazyLock<[HashMap<&'static str, String>; 2]> = LazyLock::new(|| [rows(ZH), rows(EN)]);

/// Chinese and English words about a name; `None` where the reference has no row for it.
pub(super) fn of(name: &str) -> Option<(&'static str, &'static str)> {
    let [zh, en] = &*TABLES;
    Some((zh.get(name)?.as_str(), en.get(name)?.as_str()))
}

/// `| `a`, `b` | kind | words |` → a: words, b: words; the last table that has a name counts.
fn rows(page: &'static str) -> HashMap<&'static str, String> {
    let mut rows = HashMap::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let mut cells = line.split(" | ");
        let Some(names) = cells.next() else { continue };
        let rest: Vec<&str> = cells.map(|cell| cell.trim_end_matches(['|', ' '])).collect();
        let words = rest.join(" · ");
        // Names may hold quotes and commas: `classifier("fraud")`.
        for name in names.split('`').filter(|name| !name.trim().is_empty() && name.trim() != ",") {
            rows.insert(name, words.clone());
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_rules::behave::Measure;
    use yumen_rules::signal::Field;

    #[test]
    fn every_field_and_measure_is_explained() {
        let measures = Measure::ALL.into_iter().map(Measure::name);
        for name in Field::ALL.iter().map(|field| field.name()).chain(measures) {
            let (zh, en) = of(name).unwrap_or_default();
            assert!(!zh.is_empty() && !en.is_empty(), "{name}");
        }
    }
}
