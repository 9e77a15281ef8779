//! A pack with any of its bytes changed, and any patterns hit: it is refused, or judges without a panic, and ends.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use yumen_compiler::draft::{
    Expr, GroupDraft, ListDraft, ListKind, PackDraft, PatternDraft, RedressTexts, ProtectDraft, RuleDraft, SenderDraft, SuppressDraft,
};
use yumen_compiler::emit::emit;
use yumen_matcher::OwnedScratch;
use yumen_rules::engine::{HitSink, MatchError, Matcher, Site, judge};
use yumen_rules::pack::Layout;
use yumen_rules::policy::Policy;
use yumen_rules::signal::{Field, Protected, View};
use yumen_rules::verdict::{Ladder, Typology};
use yumen_wire::event::Event;

type Input<'a> = (Vec<(u16, u8)>, Option<u16>, Vec<u32>, &'a str, &'a str);

fuzz_target!(|input: Input<'_>| {
    let (changes, cut, hits, originator, text) = input;
    let mut bytes = whole_pack().to_vec();
    let len = bytes.len();
    for (at, value) in changes {
        bytes[usize::from(at) % len] = value;
    }
    bytes.truncate(cut.map_or(len, |cut| usize::from(cut) % (len + 1)));
    let Ok(layout) = Layout::new_checked(&bytes) else { return };
    let pack = layout.pack(&bytes);
    let mut event = Event::text_only(text);
    event.originator.digits = originator;
    let mut scratch = OwnedScratch::new(&pack);
    let judgement = judge(pack, &Site::DEFAULT, &mut Given(hits), &event, scratch.lend()).expect("its own scratch");
    let verdict = Policy::enforcing().decide(&judgement);
    assert!(verdict.score <= 100);
    for fired in judgement.fired {
        judgement.evidence_of(&pack, fired.rule).for_each(drop);
    }
    pack.canaries().for_each(drop);
});

/// A matcher that finds what it is told to, valid or not.
struct Given(Vec<u32>);

impl Matcher for Given {
    fn scan(&mut self, _: View, _: &[u8], hits: &mut HitSink<'_>) -> Result<(), MatchError> {
        self.0.iter().for_each(|&pattern| hits.push(pattern, pattern));
        Ok(())
    }
}

/// A pack with something in every section.
fn whole_pack() -> &'static [u8] {
    static PACK: OnceLock<Vec<u8>> = OnceLock::new();
    PACK.get_or_init(|| {
        let pattern = |text: &str, view| PatternDraft { text: text.to_owned(), regex: false, view };
        let group = |name: &str, patterns: &[usize], need| GroupDraft { name: name.to_owned(), patterns: patterns.to_vec(), need };
        let conditions = [
            Expr::And(vec![Expr::Group(0), Expr::Not(Box::new(Expr::Field(Field::SenderRegistered)))]),
            Expr::Or(vec![Expr::Group(1), Expr::FieldIn(Field::LinkDomain, 0), Expr::SignatureKind("bank".to_owned())]),
            Expr::Or(vec![Expr::FieldIn(Field::SenderNumber, 1), Expr::FieldStartsWith(Field::SignatureText, "测试".to_owned())]),
        ];
        let rules = conditions.into_iter().zip(1..).map(|(when, number)| RuleDraft {
            id: format!("fraud/{number}"),
            typology: Typology::Fraud,
            title_zh: "规则".to_owned(),
            title_en: "Rule".to_owned(),
            sms: true,
            call: false,
            ladder: Ladder::Enforce,
            score: 80,
            overrides: vec![Protected::Own],
            when,
            hits: vec!["退保".to_owned()],
            misses: vec!["你好".to_owned()],
            redress: RedressTexts(["已被拦截", "", "stopped"].map(str::to_owned)),
        });
        let list = |name: &str, kind, entry: &str| ListDraft { name: name.to_owned(), kind, entries: vec![entry.to_owned()] };
        let draft = PackDraft {
            name: "fuzz".to_owned(),
            channel: "stable".to_owned(),
            patterns: vec![pattern("退保", View::Folded), pattern("wx", View::Squeezed), pattern("tuibao", View::Sound)],
            groups: vec![group("a", &[0, 1], 1), group("b", &[1, 2], 2)],
            rules: rules.collect(),
            lists: vec![list("links", ListKind::Domain, "bad.test"), list("numbers", ListKind::Prefix, "1069")],
            senders: vec![SenderDraft {
                organisation: "测试银行".to_owned(),
                kind: "bank".to_owned(),
                numbers: vec!["95500".to_owned(), "106900*".to_owned()],
                signatures: vec!["测试银行".to_owned()],
                domains: vec!["bank.test".to_owned()],
            }],
            suppressions: vec![SuppressDraft {
                id: "calm".to_owned(),
                title_zh: "平常".to_owned(),
                title_en: String::new(),
                rules: vec![0],
                typologies: vec![Typology::Fraud],
                when: Expr::Group(1),
                hits: vec!["平常".to_owned()],
                misses: Vec::new(),
            }],
            protections: vec![ProtectDraft {
                id: "bank".to_owned(),
                class: Protected::Own,
                when: Expr::SenderKind("bank".to_owned()),
            }],
            ..PackDraft::default()
        };
        emit(&draft).expect("a pack")
    })
}
