//! Whatever a source holds, it is answered with diagnostics: no panic, no hang.

use proptest::prelude::*;
use yumen_compiler::Report;
use yumen_compiler::diagnostic::Lang;

const SOURCE: &str = include_str!("../testdata/explanations/rules.toml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_source_is_answered(cut in 0..SOURCE.len(), len in 0..40usize, put in "[\\]\\[\"'={}.,#a-z0-9\\n\\\\逾期 &|!()]{0,12}") {
        let floor = |mut at: usize| {
            while !SOURCE.is_char_boundary(at.min(SOURCE.len())) { at -= 1 }
            at.min(SOURCE.len())
        };
        let (from, to) = (floor(cut), floor(cut + len));
        let damaged = format!("{}{put}{}", &SOURCE[..from], &SOURCE[to..]);
        let report = Report::of_texts([("a.toml", damaged.as_str())]);
        let shown = report.render(Lang::Both);
        prop_assert_eq!(shown.is_empty(), report.diagnostics.is_empty());
        prop_assert_eq!(report.json().lines().count(), report.diagnostics.sorted().len());
    }

    #[test]
    fn any_condition_is_answered(when in "(threat|debt|sender\\.|text\\.chars|[&|!()<>=\"in0-9 ,\\[\\].]){0,20}") {
        let source = format!("[[rule]]\nid = 'a/b'\ntypology = 'fraud'\ntitle = 't'\nscore = 1\nmatch.threat = {{ any = ['逾期'] }}\nwhen = '''{when}'''\nhit = ['x']\nmiss = ['y']\n");
        let report = Report::of_texts([("a.toml", source.as_str())]);
        let _ = report.render(Lang::Both);
    }
}
