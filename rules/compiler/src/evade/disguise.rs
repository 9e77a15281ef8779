//! One text, disguised. The same text, kind and number give the same disguise.

use std::collections::HashMap;
use std::sync::LazyLock;

use yumen_rules::fold::{fold, folded_len_max, sound};

use super::Kind;
use super::tables::{
    COMBINING, COMMON, DIGITS, EMOJI, INVISIBLE, LEET, LOOKALIKE, MARKS, SHAPE, SPLIT, TRADITIONAL,
};

/// The text as somebody writes it who evades filters by `kind`; `number` tells the messages of a corpus apart.
#[must_use]
pub fn disguise(kind: Kind, text: &str, number: usize) -> String {
    let mut chance = Chance::new(kind, number);
    match kind {
        Kind::Plain => text.to_owned(),
        Kind::Split => each(text, |char, out| replace(&SPLITS, char, out)),
        Kind::Shape => each(text, |char, out| replace(&SHAPES, char, out)),
        Kind::Traditional => each(text, |char, out| replace(&TRADITIONALS, char, out)),
        Kind::Homophone => each(text, |char, out| chance.one_in(3) && homophone(char, &mut chance, out)),
        Kind::Pinyin => each(text, |char, out| chance.one_in(4) && pinyin(char, out)),
        Kind::Fullwidth => each(text, |char, out| styled(char, out, |char| shifted(char, '!', '！', 94))),
        Kind::Circled => each(text, |char, out| styled(char, out, circled)),
        Kind::Bold => each(text, |char, out| styled(char, out, bold)),
        Kind::Lookalike => in_words(text, |char, out| chance.one_in(2) && replace(&LOOKALIKES, char, out)),
        Kind::Leet => in_words(text, |char, out| chance.one_in(2) && replace(&LEETS, char, out)),
        Kind::Digits => each(text, |char, out| digit(char, &mut chance, out)),
        Kind::ZeroWidth => between(text, |_, out| out.push(chance.of(&INVISIBLE))),
        Kind::Combining => each(text, |char, out| {
            out.push(char);
            if char.is_alphanumeric() && chance.one_in(2) {
                out.push(chance.of(&COMBINING));
            }
            true
        }),
        Kind::Punctuation => between(text, |_, out| {
            if chance.one_in(2) {
                out.push(chance.of(&MARKS));
            }
        }),
        Kind::Spaces => between(text, |_, out| out.push(' ')),
        Kind::Emoji => between(text, |_, out| {
            if chance.one_in(3) {
                out.push_str(chance.of(&EMOJI));
            }
        }),
        Kind::Vertical => between(text, |_, out| out.push('\n')),
        Kind::Mixed => {
            let some = |kind, text: &str| disguise(kind, text, number.wrapping_add(1));
            let looks = each(text, |char, out| {
                chance.one_in(3) && (replace(&SHAPES, char, out) || replace(&TRADITIONALS, char, out))
            });
            let letters = some(Kind::Lookalike, &some(Kind::Digits, &looks));
            between(&letters, |_, out| {
                if chance.one_in(3) {
                    out.push(chance.of(&MARKS));
                }
            })
        }
    }
}

/// Writes each character; where `write` doesn't, it stays.
fn each(text: &str, mut write: impl FnMut(char, &mut String) -> bool) -> String {
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for char in text.chars() {
        if !write(char, &mut out) {
            out.push(char);
        }
    }
    out
}

/// The same, but for links, which must lead somewhere.
fn in_words(text: &str, mut write: impl FnMut(char, &mut String) -> bool) -> String {
    let words = text.split_inclusive(char::is_whitespace);
    words.map(|word| if is_link(word) { word.to_owned() } else { each(word, &mut write) }).collect()
}

fn is_link(word: &str) -> bool {
    word.contains("://") || word.contains(".example") || word.contains(".me/")
}

/// Puts something between the characters that are part of words; links and numbers stay usable.
fn between(text: &str, mut put: impl FnMut(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len().saturating_mul(3));
    let mut words = text.split_inclusive(char::is_whitespace);
    for word in &mut words {
        let is_link = is_link(word);
        let mut chars = word.chars().peekable();
        while let Some(char) = chars.next() {
            out.push(char);
            let inside = |char: &char| char.is_alphabetic() || !char.is_ascii();
            if !is_link && inside(&char) && chars.peek().is_some_and(inside) {
                put(char, &mut out);
            }
        }
    }
    out
}

type Pairs = HashMap<char, &'static str>;

static SPLITS: LazyLock<Pairs> = LazyLock::new(|| pairs(SPLIT));
static SHAPES: LazyLock<Pairs> = LazyLock::new(|| pairs(SHAPE));
static TRADITIONALS: LazyLock<Pairs> = LazyLock::new(|| pairs(TRADITIONAL));
static LOOKALIKES: LazyLock<Pairs> = LazyLock::new(|| pairs(LOOKALIKE));
static LEETS: LazyLock<Pairs> = LazyLock::new(|| pairs(LEET));
static HOMOPHONES: LazyLock<HashMap<String, Vec<char>>> = LazyLock::new(|| {
    let mut by_sound: HashMap<String, Vec<char>> = HashMap::new();
    for char in COMMON.chars() {
        if let Some(syllable) = syllable(char) {
            let alike = by_sound.entry(syllable).or_default();
            if !alike.contains(&char) {
                alike.push(char);
            }
        }
    }
    by_sound
});

/// `ab ac` → a: b (the first of each).
fn pairs(table: &'static str) -> Pairs {
    let mut pairs = Pairs::new();
    for entry in table.split_whitespace() {
        let mut chars = entry.chars();
        if let (Some(char), written) = (chars.next(), chars.as_str()) {
            pairs.entry(char).or_insert(written);
        }
    }
    pairs
}

fn replace(pairs: &Pairs, char: char, out: &mut String) -> bool {
    let written = pairs.get(&char);
    out.extend(written.copied());
    written.is_some()
}

fn syllable(char: char) -> Option<String> {
    let text = char.to_string();
    let mut folded = vec![0; folded_len_max(text.len())];
    let mut spoken = vec![0; folded.len().saturating_mul(2)];
    let spoken = sound(&fold(&text, &mut folded), &mut spoken).to_vec();
    String::from_utf8(spoken).ok().filter(|spoken| !char.is_ascii() && spoken.is_ascii())
}

fn homophone(char: char, chance: &mut Chance, out: &mut String) -> bool {
    let Some(alike) = syllable(char).and_then(|syllable| HOMOPHONES.get(&syllable)) else { return false };
    let others: Vec<char> = alike.iter().copied().filter(|&other| other != char).collect();
    if others.is_empty() {
        return false;
    }
    out.push(chance.of(&others));
    true
}

fn pinyin(char: char, out: &mut String) -> bool {
    let syllable = syllable(char);
    out.extend(syllable.as_deref());
    syllable.is_some()
}

fn digit(char: char, chance: &mut Chance, out: &mut String) -> bool {
    let Some(ways) = char.to_digit(10).and_then(|digit| DIGITS.get(digit as usize)) else { return false };
    if chance.one_in(2) {
        return false;
    }
    out.push_str(chance.of(ways));
    true
}

fn styled(char: char, out: &mut String, style: impl Fn(char) -> Option<char>) -> bool {
    let styled = style(char);
    out.extend(styled);
    styled.is_some()
}

/// The character as far behind `to` as it is behind `from`, if that is less than `len`.
fn shifted(char: char, from: char, to: char, len: u32) -> Option<char> {
    let offset = u32::from(char).checked_sub(u32::from(from)).filter(|&offset| offset < len)?;
    char::from_u32(u32::from(to).saturating_add(offset))
}

fn circled(char: char) -> Option<char> {
    match char {
        '0' => Some('⓪'),
        '1'..='9' => shifted(char, '1', '①', 9),
        'a'..='z' => shifted(char, 'a', 'ⓐ', 26),
        'A'..='Z' => shifted(char, 'A', 'Ⓐ', 26),
        _ => None,
    }
}

fn bold(char: char) -> Option<char> {
    match char {
        '0'..='9' => shifted(char, '0', '𝟬', 10),
        'a'..='z' => shifted(char, 'a', '𝗮', 26),
        'A'..='Z' => shifted(char, 'A', '𝗔', 26),
        _ => None,
    }
}

/// Numbers that look random and are the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn new(kind: Kind, number: usize) -> Self {
        Self((kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number as u64)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.next().is_multiple_of(number)
    }

    /// One of `choices`, which aren't empty.
    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = usize::try_from(self.next() % choices.len().max(1) as u64).unwrap_or(0);
        choices[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_changes_what_it_is_about_and_always_alike() {
        let text = "专业代办贷款，加微信 abc138 Loan offer";
        for &kind in Kind::ALL {
            let once = disguise(kind, text, 7);
            assert_eq!(once, disguise(kind, text, 7), "{kind:?}");
            assert_eq!(once == text, kind == Kind::Plain, "{kind:?}: {once}");
        }
        assert_eq!(disguise(Kind::Split, "贷款", 0), "贝代款");
        assert_eq!(disguise(Kind::Bold, "a1", 0), "𝗮𝟭");
        assert_eq!(disguise(Kind::Spaces, "贷款", 0), "贷 款");
        assert_eq!(disguise(Kind::Fullwidth, "a1!", 0), "ａ１！");
    }
}
