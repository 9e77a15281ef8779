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

#[test]
fn deep_nesting_is_answered() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let source = format!("x = {}1{}", open.repeat(100_000), close.repeat(100_000));
        let report = Report::of_texts([("a.toml", source.as_str())]);
        assert!(!report.is_buildable());
    }
}

#[test]
fn sources_in_memory_read_nothing_from_disk() {
    let list = "[[list]]\nname = 'hosts'\nkind = 'exact'\nfile = '/etc/hosts'\n";
    assert!(Report::of_texts([("p/a.toml", list)]).render(Lang::En).contains("E002"));
    let list = list.replace("/etc/hosts", "hosts.txt");
    let report = Report::of_texts([("p/a.toml", list.as_str()), ("p/hosts.txt", "one # first\ntwo\n")]);
    assert!(report.is_buildable(), "{}", report.render(Lang::En));
    assert_eq!(report.draft.lists[0].entries, ["one", "two"]);
}
