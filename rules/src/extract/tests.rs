//! Golden files, and what holds for every text.

extern crate std;

use std::path::Path;
use std::string::String;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Contact, Extract, extract};
use crate::fold::{fold, folded_len_max};

/// Each line of `testdata/extract/*.txt` is a text, ` → `, and what is found in it: `kind=value`, with `otp` and the
/// traits of links as words of their own; `nothing` where nothing is to be found.
#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/extract");
    let mut wrong = Vec::new();
    let mut lines = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines().filter(|line| !line.starts_with('#')) {
            let (text, expected) = line.split_once(" → ").unwrap_or_else(|| panic!("{name}: {line}"));
            let found = described(text);
            lines += 1;
            if found != expected {
                wrong.push(std::format!("{name}: {text} → {found} (expected {expected})"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(lines > 80, "only {lines} lines found");
}

fn described(text: &str) -> String {
    with(text, |found| {
        let mut words: Vec<String> = found
            .contacts()
            .map(|(contact, value)| {
                std::format!("{:?}={value}", contact.kind).to_lowercase().replace("bankaccount", "bank")
            })
            .collect();
        let traits = found.link_traits();
        for (is_set, name) in [
            (traits.shortened, "shortened"),
            (traits.ip, "ip"),
            (traits.punycode, "punycode"),
            (found.otp, "otp"),
        ] {
            words.extend(is_set.then(|| name.into()));
        }
        if words.is_empty() { "nothing".into() } else { words.join(" ") }
    })
}

fn with<T>(text: &str, check: impl FnOnce(&Extract<'_>) -> T) -> T {
    let mut out = vec![0; folded_len_max(text.len())];
    let folded = fold(text, &mut out);
    let mut contacts: [Contact; 16] = Default::default();
    let mut values = [0; 512];
    check(&extract(text, &folded, &mut contacts, &mut values))
}

/// A word that folding changes would never be found.
#[test]
fn the_words_are_folded() {
    use super::{invitation, otp, words};
    let lists: [&[&str]; 8] = [
        &words::WECHAT,
        &words::QQ,
        &words::TELEGRAM,
        &words::CONNECTORS,
        &invitation::NAMES,
        &otp::WORDS_HAN,
        &otp::WORDS_OTHER,
        &otp::ASKS,
    ];
    for word in lists.into_iter().flatten().filter(|word| **word != ":") {
        let mut out = [0; 256];
        assert_eq!(fold(word, &mut out).text(), *word);
    }
    for word in otp::WORDS_LATIN {
        let mut out = [0; 256];
        assert_eq!(fold(word, &mut out).text(), word.trim_end_matches(':'));
    }
}

#[test]
fn the_case_of_a_path_is_kept() {
    with("查看 T.cn/8FoHa 领取", |found| {
        let (_, value) = found.contacts().next().unwrap();
        assert_eq!((value, found.link_domain()), ("t.cn/8FoHa", "t.cn"));
    });
}

#[test]
fn spans_cover_what_was_read() {
    let text = "电话：138-0000-1234，微信 yumen0000";
    let mut out = vec![0; folded_len_max(text.len())];
    let folded = fold(text, &mut out);
    let mut contacts: [Contact; 4] = Default::default();
    let mut values = [0; 64];
    let found = extract(text, &folded, &mut contacts, &mut values);
    let spans: Vec<&str> = found
        .contacts()
        .map(|(contact, _)| &folded.text()[contact.span.start as usize..contact.span.end as usize])
        .collect();
    assert_eq!(spans, ["138-0000-1234", "yumen0000"]);
}

#[test]
fn little_storage_is_said() {
    let text = "a.com b.com c.com d.com";
    let mut out = vec![0; folded_len_max(text.len())];
    let folded = fold(text, &mut out);
    let mut contacts: [Contact; 2] = Default::default();
    let mut values = [0; 64];
    let found = extract(text, &folded, &mut contacts, &mut values);
    assert_eq!((found.count(), found.truncated), (2, true));
    let mut values = [0; 4];
    assert!(extract(text, &folded, &mut contacts, &mut values).truncated);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_text_and_any_storage(text in any_text(), room in 0usize..80, slots in 0usize..5) {
        let mut out = vec![0; folded_len_max(text.len())];
        let folded = fold(&text, &mut out);
        let mut contacts = vec![Contact::default(); slots];
        let mut values = vec![0; room];
        let found = extract(&text, &folded, &mut contacts, &mut values);
        prop_assert!(found.count() <= slots);
        for (contact, value) in found.contacts() {
            prop_assert!(value.len() <= room);
            prop_assert!(contact.span.start <= contact.span.end);
            prop_assert!(contact.span.end as usize <= folded.bytes().len());
        }
        if let Some(signature) = &found.signature {
            prop_assert!(text.get(signature.clone()).is_some());
        }
    }

    /// However a mobile number is written, it is found.
    #[test]
    fn a_mobile_number_is_found_in_every_dress(
        tail in "[0-9]{8}",
        dress in proptest::collection::vec(0usize..6, 11),
        gaps in proptest::collection::vec(0usize..6, 11),
    ) {
        let number = std::format!("139{tail}");
        let mut text = String::from("请拨");
        for ((digit, dress), gap) in number.bytes().zip(&dress).zip(&gaps) {
            let at = usize::from(digit - b'0');
            text.push(DRESSES[*dress].chars().nth(at).unwrap());
            text.push_str(["", "", "", " ", "-", "\u{200b}"][*gap]);
        }
        text.push_str("咨询");
        let found = with(&text, |found| found.contacts().any(|(_, value)| value == number));
        prop_assert!(found, "{} in {}: {}", number, text, described(&text));
    }
}

const DRESSES: [&str; 6] =
    ["0123456789", "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "0123456789", "⓿❶❷❸❹❺❻❼❽❾"];

fn any_text() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(PIECES.to_vec());
    let piece = prop_oneof![
        3 => pieces.prop_map(String::from),
        1 => "[0-9 -]{1,14}",
        1 => "[0-9.]{1,40}",
        1 => "[a-z0-9.:/@_-]{1,12}",
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

const PIECES: [&str; 30] = [
    "加",
    "微",
    "薇信",
    "v",
    "vx",
    "qq",
    "群",
    "号",
    "点",
    "com",
    ".",
    "/",
    "://",
    "@",
    "dot",
    "电话",
    "138",
    "0000",
    "一三八",
    "零零",
    "【",
    "】",
    "[",
    "]",
    "扫码",
    "进群",
    "同号",
    "验证码",
    "请勿告诉他人",
    "xxxxxxxxxxx",
];
