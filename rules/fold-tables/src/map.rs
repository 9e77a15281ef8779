//! What one character means to the pass.

use std::collections::HashMap;

use anyhow::{Context, Result};
use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_properties::{GeneralCategoryGroup as Group, UnicodeEmoji, UnicodeGeneralCategory};

use crate::lists::Lists;

/// What the pass does with a character.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning {
    /// Stays: a Han character.
    Same,
    /// Stays: a letter or digit of another script.
    Foreign,
    /// Dropped: white space, controls.
    Space,
    /// Dropped: punctuation as texts have it.
    Mark,
    /// Dropped: a symbol that ordinary texts don't put between two Han characters.
    Odd,
    /// Dropped: an emoji.
    Emoji,
    /// Dropped: invisible.
    Hidden,
    /// Dropped: an accent or a variation selector.
    Accent,
    /// Dropped: the keycap around a digit.
    Keycap,
    /// Another text stands for it.
    Text(String, Disguise),
}

/// Whether a mapping undid a disguise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disguise {
    /// Another spelling: width, case, script.
    None,
    /// Always.
    Always,
    /// If the text has no other letters of foreign scripts.
    Script,
    /// An enclosed form: letters always, digits inside a run of digits.
    Enclosed,
}

pub struct Map {
    pub lists: Lists,
    simplified: HashMap<char, char>,
}

impl Map {
    pub fn new(lists: Lists) -> Result<Self> {
        let opencc = OpenCC::from_config(BuiltinConfig::T2s).context("dictionary")?;
        let mut simplified = HashMap::new();
        for char in han() {
            let mut converted = char.to_string();
            for _ in 0..3 {
                converted = opencc.convert(&converted);
            }
            let mut chars = converted.chars();
            if let (Some(plain), None) = (chars.next(), chars.next())
                && plain != char
                && (plain as u32) < 0x10000
            {
                simplified.insert(char, plain);
            }
        }
        Ok(Self { lists, simplified })
    }

    /// Every character below U+30000 with its meaning.
    pub fn all(&self) -> Vec<(char, Meaning)> {
        (0x80..0x30000).filter_map(char::from_u32).map(|char| (char, self.meaning(char))).collect()
    }

    fn meaning(&self, char: char) -> Meaning {
        if let Some(dropped) = dropped_early(char) {
            return dropped;
        }
        let (text, disguise) = self.settle(char);
        if text == char.to_string() {
            return undecomposed(char);
        }
        let kept: String = text.chars().filter(|char| is_kept(*char)).collect();
        let single_mark = text.chars().count() == 1 && text.is_ascii();
        match (kept.is_empty(), single_mark) {
            (_, true) => Meaning::Text(text, disguise),
            (true, false) => text.chars().next().map_or(Meaning::Space, undecomposed),
            (false, false) if kept.len() > 12 => Meaning::Foreign,
            (false, false) => Meaning::Text(kept, disguise),
        }
    }

    /// Maps a character until nothing changes any more.
    fn settle(&self, char: char) -> (String, Disguise) {
        let mut disguise = if is_enclosed(char) { Disguise::Enclosed } else { Disguise::None };
        if ('\u{1d400}'..='\u{1d7ff}').contains(&char) {
            disguise = Disguise::Always;
        }
        let mut text = char.to_string();
        for _ in 0..6 {
            let mut next = String::new();
            for part in text.chars() {
                let (mapped, how) = self.step(part);
                disguise = disguise.max(how);
                next.push_str(&mapped);
            }
            if next == text {
                break;
            }
            text = next;
        }
        (text, disguise)
    }

    fn step(&self, char: char) -> (String, Disguise) {
        if char.is_ascii() {
            return (char.to_ascii_lowercase().to_string(), Disguise::None);
        }
        if let Some(listed) = self.lists.lookalikes.get(&char) {
            let kana = ('\u{30a0}'..='\u{30ff}').contains(&char);
            let how = match (listed.counted, kana) {
                (false, _) => Disguise::None,
                (true, true) => Disguise::Script,
                (true, false) => Disguise::Always,
            };
            return (listed.plain.to_string(), how);
        }
        if let Some(plain) = punctuation(char).or_else(|| decimal(char)).or_else(|| enclosed_dingbat(char)) {
            return (plain.to_string(), Disguise::None);
        }
        let normal: String = char.nfkc().collect();
        if normal != char.to_string() {
            return (normal, Disguise::None);
        }
        if let Some(plain) = self.simplified.get(&char) {
            return (plain.to_string(), Disguise::None);
        }
        if is_stripped(char) {
            let bare: String = char.nfd().filter(|part| !is_combining_mark(*part)).collect();
            if bare != char.to_string() && !bare.is_empty() {
                return (bare, Disguise::None);
            }
        }
        if let Some(looks) = looks_like(char) {
            // Accented letters of European languages are spelling.
            let how = if (char as u32) < 0x250 { Disguise::None } else { Disguise::Script };
            return (looks, how);
        }
        (char.to_lowercase().collect(), Disguise::None)
    }
}

fn dropped_early(char: char) -> Option<Meaning> {
    Some(match char {
        '\u{20e3}' => Meaning::Keycap,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => {
            Meaning::Hidden
        }
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => Meaning::Hidden,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' => {
            Meaning::Hidden
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => Meaning::Accent,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' => Meaning::Accent,
        '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}' => Meaning::Accent,
        '\u{3099}'..='\u{309c}' | '\u{ff9e}' | '\u{ff9f}' => Meaning::Accent,
        '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}' => Meaning::Accent,
        '\u{1f1e6}'..='\u{1f1ff}' => Meaning::Emoji,
        '\u{2122}' | '\u{2120}' | '\u{a9}' | '\u{ae}' => Meaning::Mark,
        _ if char.is_whitespace() || char.is_control() => Meaning::Space,
        _ => return None,
    })
}

fn undecomposed(char: char) -> Meaning {
    let emoji = char.is_emoji_char()
        || ('\u{2600}'..='\u{27bf}').contains(&char)
        || ('\u{1f000}'..='\u{1faff}').contains(&char);
    if is_han(char) {
        return Meaning::Same;
    }
    match char.general_category_group() {
        Group::Letter | Group::Number => Meaning::Foreign,
        Group::Mark => Meaning::Foreign,
        _ if emoji => Meaning::Emoji,
        Group::Punctuation => Meaning::Mark,
        Group::Separator => Meaning::Space,
        Group::Symbol if is_ordinary_symbol(char) => Meaning::Mark,
        Group::Symbol => Meaning::Odd,
        Group::Other if ('\u{e000}'..='\u{f8ff}').contains(&char) => Meaning::Odd,
        Group::Other => Meaning::Foreign,
    }
}

fn is_ordinary_symbol(char: char) -> bool {
    matches!(char, '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' | '°' | '±' | '×' | '÷' | '→' | '←' | '↑' | '↓' | '∶' | '−' | '㉿')
}

fn is_kept(char: char) -> bool {
    if dropped_early(char).is_some() {
        return false;
    }
    if char.is_ascii() {
        char.is_ascii_alphanumeric() || char == '/'
    } else {
        matches!(undecomposed(char), Meaning::Same | Meaning::Foreign)
    }
}

fn punctuation(char: char) -> Option<char> {
    Some(match char {
        '。' | '｡' | '․' | '﹒' | '‧' => '.',
        '⁄' | '∕' => '/',
        '∶' | '꞉' | '﹕' | '︰' => ':',
        _ => return None,
    })
}

/// Digits of other scripts, by their place in their block of ten.
fn decimal(char: char) -> Option<char> {
    let code = char as u32;
    let zeros = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0,
        0xf20, 0x1040, 0x17e0, 0x1810, 0x1fbf0,
    ];
    let zero = zeros.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// Enclosed digits and letters that Unicode doesn't decompose.
fn enclosed_dingbat(char: char) -> Option<char> {
    let code = char as u32;
    Some(match code {
        0x2776..=0x277e => char::from_digit(code - 0x2775, 10)?,
        0x2780..=0x2788 => char::from_digit(code - 0x277f, 10)?,
        0x278a..=0x2792 => char::from_digit(code - 0x2789, 10)?,
        0x24f5..=0x24fd => char::from_digit(code - 0x24f4, 10)?,
        0x24ff | 0x1f10b | 0x1f10c => '0',
        0x1f150..=0x1f169 => letter(code - 0x1f150)?,
        0x1f170..=0x1f189 => letter(code - 0x1f170)?,
        _ => return None,
    })
}

fn letter(index: u32) -> Option<char> {
    char::from_u32(u32::from(b'a') + index)
}

fn is_enclosed(char: char) -> bool {
    matches!(char as u32, 0x2460..=0x24ff | 0x2776..=0x2793 | 0x1f100..=0x1f1e5 | 0x1f200..=0x1f265)
}

/// Scripts whose accents are dropped.
fn is_stripped(char: char) -> bool {
    matches!(char as u32, 0x80..=0x52f | 0x1d00..=0x1fff | 0x2c60..=0x2c7f | 0xa640..=0xa7ff)
}

/// The Latin letters or digits that a letter of another script looks like.
fn looks_like(char: char) -> Option<String> {
    let scripts = matches!(char as u32,
        0x80..=0x58f | 0x10a0..=0x10ff | 0x13a0..=0x167f | 0x1d00..=0x1fff | 0x2100..=0x218f | 0x2c00..=0x2dff
        | 0xa4d0..=0xa4ff | 0xa640..=0xa7ff | 0xab30..=0xabbf | 0x10280..=0x102df | 0x10400..=0x104ff | 0x118a0..=0x118ff);
    if !scripts {
        return None;
    }
    let skeleton = |char: char| -> Option<String> {
        let looks: String =
            unicode_security::skeleton(&char.to_string()).filter(|part| !is_combining_mark(*part)).collect();
        let looks = looks.to_ascii_lowercase().replace("rn", "m");
        (!looks.is_empty() && looks.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(looks)
    };
    let looks = skeleton(char)?;
    let lower = char.to_lowercase().next().and_then(skeleton);
    Some(if looks == "l" && lower.as_deref() == Some("i") { lower? } else { looks })
}

pub fn is_han(char: char) -> bool {
    matches!(char as u32, 0x2e80..=0x2fdf | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x31c0..=0x31ef | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x323af)
}

fn han() -> impl Iterator<Item = char> {
    (0x2e80..0x10000).filter_map(char::from_u32).filter(|char| is_han(*char))
}
