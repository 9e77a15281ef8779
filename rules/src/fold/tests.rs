//! Golden files, and what holds for every text.

extern crate std;

use std::path::Path;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Folded, Stats, fold, folded_len_max, origin, sound, squeeze};

/// Each line of `testdata/fold/*.txt` is a text, `→`, and what it folds to; a third column gives `disguised`.
#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fold");
    let mut wrong = Vec::new();
    let mut lines = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split(" → ").collect();
            let [text, expected, rest @ ..] = columns.as_slice() else { panic!("{name}: {line}") };
            let (found, stats) = folded(text);
            lines += 1;
            if found != *expected || rest.first().is_some_and(|count| *count != stats.disguised.to_string()) {
                wrong.push(std::format!(
                    "{name}: {text} → {found} → {} (expected {expected})",
                    stats.disguised
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(lines > 50, "only {lines} lines found");
}

#[test]
fn a_short_buffer_cuts_and_says_so() {
    for len in 0..12 {
        let mut out = vec![0; len];
        let view = fold("贷款ab12。① ②", &mut out);
        assert!(view.stats().truncated && view.bytes().len() <= len);
        assert_eq!(view.text().len(), view.bytes().len());
    }
}

#[test]
fn squeezed_unifies_digits() {
    let cases = [
        ("电话l38-oo0o-l234", "电话13800001234"),
        ("电话一三八零零零零幺二三四", "电话13800001234"),
        ("壹叁捌００００①②③④", "13800001234"),
        ("加 v x 8 8 6 6", "加vx8866"),
        ("三天内还清五千", "三天内还清五千"),
        ("hello 13800001234 lisa", "hello13800001234lisa"),
        ("this is so good", "thisissogood"),
    ];
    for (text, expected) in cases {
        let mut out = vec![0; folded_len_max(text.len())];
        let view = fold(text, &mut out);
        let mut squeezed = vec![0; view.bytes().len()];
        assert_eq!(core::str::from_utf8(squeeze(&view, &mut squeezed)), Ok(expected), "{text}");
    }
}

#[test]
fn sound_is_one_for_homophones() {
    for text in ["薇芯", "weixin", "微信", "威 信", "维新"] {
        let mut out = vec![0; folded_len_max(text.len())];
        let view = fold(text, &mut out);
        let mut spoken = [0; 64];
        assert_eq!(sound(&view, &mut spoken), b"weixin", "{text}");
    }
}

#[test]
fn origin_finds_the_disguised_word() {
    for (text, word, source) in [
        ("专业办理贷*款，当天", "贷款", "贷*款"),
        ("办亻 言用卡", "信用卡", "亻 言用卡"),
        ("加ＶＸ：ａｂ", "vx", "ＶＸ"),
        ("贷款", "贷款", "贷款"),
        ("点 tb。example。com/q7 看", "tb.example.com/q7", "tb。example。com/q7"),
    ] {
        let mut out = vec![0; folded_len_max(text.len())];
        let view = fold(text, &mut out);
        let start = view.text().find(word).unwrap_or_else(|| panic!("{word} in {}", view.text()));
        let mut scratch = vec![0; folded_len_max(text.len())];
        assert_eq!(&text[origin(text, start..start + word.len(), &mut scratch)], source);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn folding_twice_is_folding_once(text in any_text()) {
        let (once, _) = folded(&text);
        let (twice, again) = folded(&once);
        prop_assert_eq!(&twice, &once, "from {:?}", text);
        prop_assert_eq!(again.hidden + again.emoji, 0);
    }

    #[test]
    fn output_is_utf8_and_fits(text in any_text(), room in 0usize..400) {
        let mut out = vec![0; folded_len_max(text.len())];
        let whole = fold(&text, &mut out);
        prop_assert!(!whole.stats().truncated);
        prop_assert_eq!(whole.text().len(), whole.bytes().len());
        prop_assert_eq!(whole.stats().chars as usize, text.chars().count());
        let digits = whole.bytes().iter().filter(|byte| byte.is_ascii_digit()).count();
        prop_assert_eq!(whole.stats().digits as usize, digits);
        let whole = whole.bytes().to_vec();
        let mut short = vec![0; room];
        let part: Folded<'_> = fold(&text, &mut short);
        prop_assert_eq!(part.text().len(), part.bytes().len());
        let mut squeezed = vec![0; room];
        prop_assert!(core::str::from_utf8(squeeze(&part, &mut squeezed)).is_ok());
        prop_assert!(core::str::from_utf8(sound(&part, &mut squeezed)).is_ok());
        prop_assert!(part.stats().truncated || part.bytes() == &whole[..]);
    }

    #[test]
    fn origin_stays_inside(text in any_text(), start in 0usize..200, len in 0usize..200) {
        let mut scratch = vec![0; folded_len_max(text.len())];
        let range = origin(&text, start..start + len, &mut scratch);
        prop_assert!(text.get(range).is_some());
    }
}

/// Characters of every plane, and those that the pass treats in a way of its own, side by side.
fn any_text() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(SPECIAL.chars().collect::<Vec<_>>());
    let char = prop_oneof![
        4 => special,
        2 => any::<char>(),
        2 => (0x20u8..0x7f).prop_map(char::from),
        2 => proptest::char::range('\u{4e00}', '\u{9fff}'),
        1 => proptest::char::range('\u{2000}', '\u{33ff}'),
        1 => proptest::char::range('\u{a0}', '\u{5ff}'),
    ];
    proptest::collection::vec(char, 0..60).prop_map(|chars| chars.into_iter().collect())
}

const SPECIAL: &str = "亻言昔讠兑氵去法贝代刂禾页是阝者女口马纟隹力云辶彳亍行.:/@%,0123abOl \u{200b}\u{fe0f}\u{20e3}\
    \u{300}①❶⓪㈠½㎡㍿𝐯𝟙🅥😀👨‍👩‍👧🇨🇳零幺四壹伍，。、【】*#аоеΝνİßﬁ／：．％＠";

pub(super) fn folded(text: &str) -> (String, Stats) {
    let mut out = vec![0; folded_len_max(text.len())];
    let view = fold(text, &mut out);
    (view.text().into(), *view.stats())
}
