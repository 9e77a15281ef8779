//! Characters → syllables, `sound_table.rs`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pinyin::ToPinyin;

use crate::emit::array;
use crate::map::Meaning;

const FIRST: u32 = 0x4e00;
const LAST: u32 = 0x9fff;

/// Source of `sound_table.rs`: only characters that folding leaves have a syllable.
pub fn table(mapped: &[(char, Meaning)]) -> Result<String> {
    let mut syllables: BTreeMap<String, u16> = BTreeMap::new();
    let spoken: BTreeMap<u32, String> = mapped
        .iter()
        .filter(|(char, meaning)| (FIRST..=LAST).contains(&(*char as u32)) && *meaning == Meaning::Same)
        .filter_map(|(char, _)| {
            Some((*char as u32, char.to_pinyin()?.plain().replace('ü', "v").replace('ê', "e")))
        })
        .filter(|(_, syllable)| syllable.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect();
    for syllable in spoken.values() {
        syllables.insert(syllable.clone(), 0);
    }
    for (at, number) in syllables.values_mut().enumerate() {
        *number = u16::try_from(at + 1)?;
    }
    let mut of_char = vec![];
    for code in FIRST..=LAST {
        of_char.push(match spoken.get(&code) {
            Some(syllable) => *syllables.get(syllable).context("a syllable")?,
            None => 0,
        });
    }
    let mut out =
        String::from("//! Generated from the `pinyin` crate by `cargo xtask fold-table`. Do not edit.\n");
    let names: Vec<&String> = syllables.keys().collect();
    array(&mut out, "Syllables without tone; `ü` is `v`.", "SYLLABLES", "&str", &names, |name| {
        format!("{name:?}")
    });
    array(
        &mut out,
        "For U+4E00 to U+9FFF: 0, or one more than the index of its syllable.",
        "SOUNDS",
        "u16",
        &of_char,
        |value| value.to_string(),
    );
    Ok(out)
}
