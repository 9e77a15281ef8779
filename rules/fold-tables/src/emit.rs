//! Meanings → `table.rs`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Display, Write};

use anyhow::{Context, Result, ensure};

use crate::map::{Disguise, Map, Meaning};

const SAME: u16 = 0xd800;
const FOREIGN: u16 = 0xd801;
const SPACE: u16 = 0xd802;
const MARK: u16 = 0xd803;
const ODD: u16 = 0xd804;
const EMOJI: u16 = 0xd805;
const HIDDEN: u16 = 0xd806;
const ACCENT: u16 = 0xd807;
const KEYCAP: u16 = 0xd808;
const INVITATION: u16 = 0xd809;
const DIGIT_WORD: u16 = 0xd80a;
const PART: u16 = 0xd820;
const TEXT: u16 = 0xd900;

/// Source of `table.rs`.
pub fn table(map: &Map, mapped: &[(char, Meaning)]) -> Result<String> {
    let meanings: HashMap<char, &Meaning> = mapped.iter().map(|(char, meaning)| (*char, meaning)).collect();
    check_settled(mapped, &meanings)?;
    let joins = Joins::new(map, &meanings)?;
    let mut texts: BTreeMap<(String, Disguise), u16> = BTreeMap::new();
    let mut codes = vec![SAME; 0x30000];
    for (index, code) in codes.iter_mut().enumerate().skip(0xd800).take(0x800) {
        ensure!((0xd800..0xe000).contains(&index), "surrogates");
        *code = ODD;
    }
    for (char, meaning) in mapped {
        let code = match joins.parts.iter().position(|part| part == char) {
            Some(part) => PART + u16::try_from(part)?,
            None => code(map, *char, meaning, &mut texts)?,
        };
        codes[*char as usize] = code;
    }
    for ascii in 0..0x80 {
        codes[ascii] = u16::try_from(ascii)?;
    }
    let mut out = String::from(HEADER);
    write_codes(&mut out);
    write_pages(&mut out, &codes)?;
    write_plain(&mut out, &codes)?;
    write_texts(&mut out, &texts)?;
    joins.write(&mut out)?;
    Ok(out)
}

const HEADER: &str = "//! Generated from Unicode data and `rules/fold-tables/lists` by `cargo xtask fold-table`. Do not edit.\n\n";

/// No mapping may lead to a character that is mapped itself: that is what makes folding idempotent.
fn check_settled(mapped: &[(char, Meaning)], meanings: &HashMap<char, &Meaning>) -> Result<()> {
    for (char, meaning) in mapped {
        let Meaning::Text(text, _) = meaning else { continue };
        for part in text.chars().filter(|part| !part.is_ascii()) {
            ensure!(
                matches!(meanings[&part], Meaning::Same | Meaning::Foreign),
                "{char} → {text}, but {part} is mapped itself"
            );
        }
    }
    Ok(())
}

fn code(
    map: &Map,
    char: char,
    meaning: &Meaning,
    texts: &mut BTreeMap<(String, Disguise), u16>,
) -> Result<u16> {
    Ok(match meaning {
        Meaning::Same if map.lists.invitation.contains(&char) => INVITATION,
        Meaning::Same if map.lists.digit_words.contains(&char) => DIGIT_WORD,
        Meaning::Same => SAME,
        Meaning::Foreign => FOREIGN,
        Meaning::Space => SPACE,
        Meaning::Mark => MARK,
        Meaning::Odd => ODD,
        Meaning::Emoji => EMOJI,
        Meaning::Hidden => HIDDEN,
        Meaning::Accent => ACCENT,
        Meaning::Keycap => KEYCAP,
        Meaning::Text(text, _) if is_plain_mark(text) => MARK,
        Meaning::Text(text, _) if matches!(text.as_str(), "*" | "#" | "^" | "\\" | "`" | "$") => ODD,
        Meaning::Text(text, disguise) => {
            let mut chars = text.chars();
            let single = chars.next().filter(|_| chars.next().is_none());
            match single
                .and_then(|char| u16::try_from(char as u32).ok())
                .filter(|_| *disguise == Disguise::None)
            {
                Some(direct) => direct,
                None => {
                    let next = TEXT + u16::try_from(texts.len())?;
                    ensure!(next < 0xf900, "too many texts");
                    *texts.entry((text.clone(), *disguise)).or_insert(next)
                }
            }
        }
    })
}

/// One ASCII mark that the pass needn't know apart.
fn is_plain_mark(text: &str) -> bool {
    text.len() == 1
        && text.bytes().all(|byte| byte.is_ascii_punctuation() && !b"./:@%*#^-_\\`$".contains(&byte))
}

fn write_codes(out: &mut String) {
    for (name, value, doc) in [
        ("SAME", SAME, "Stays, a Han character."),
        ("FOREIGN", FOREIGN, "Stays, a letter of another script."),
        ("SPACE", SPACE, "Dropped: white space, controls."),
        ("MARK", MARK, "Dropped: punctuation."),
        ("ODD", ODD, "Dropped: a symbol that isn't ordinary between two Han characters."),
        ("EMOJI", EMOJI, "Dropped: an emoji."),
        ("HIDDEN", HIDDEN, "Dropped: invisible."),
        ("ACCENT", ACCENT, "Dropped: an accent or a variation selector."),
        ("KEYCAP", KEYCAP, "Dropped: the keycap around a digit."),
        ("INVITATION", INVITATION, "Stays: words for messengers are made with it."),
        ("DIGIT_WORD", DIGIT_WORD, "Stays: a digit in Chinese."),
        ("PART", PART, "From here: stays, a part of split characters, index into `PARTS`."),
        ("TEXT", TEXT, "From here: index into `TEXTS`."),
    ] {
        let _ = writeln!(out, "/// {doc}\npub(super) const {name}: u16 = {value:#06x};");
    }
}

/// 256 codes a page, equal pages once.
fn write_pages(out: &mut String, codes: &[u16]) -> Result<()> {
    let mut pages: Vec<&[u16]> = vec![];
    let mut index = vec![];
    for page in codes.chunks(256) {
        let at = pages.iter().position(|known| *known == page).unwrap_or_else(|| {
            pages.push(page);
            pages.len() - 1
        });
        index.push(u8::try_from(at).context("more than 256 pages")?);
    }
    array(
        out,
        "Which page holds the codes of a character, by its upper bits.",
        "INDEX",
        "u8",
        &index,
        |value| value.to_string(),
    );
    let flat: Vec<u16> = pages.concat();
    array(
        out,
        "Pages of 256 codes: what a character becomes, or one of the codes above.",
        "CODES",
        "u16",
        &flat,
        |value| format!("{value:#x}"),
    );
    Ok(())
}

/// One bit for each character of three bytes: stays, and nothing else is to be noticed.
fn write_plain(out: &mut String, codes: &[u16]) -> Result<()> {
    let words: Vec<u64> = codes[..0x10000]
        .chunks(64)
        .enumerate()
        .map(|(at, chunk)| {
            let bits = |word, (bit, code): (usize, &u16)| word | u64::from(*code == SAME) << bit;
            if at < 0x800 / 64 { 0 } else { chunk.iter().enumerate().fold(0, bits) }
        })
        .collect();
    array(
        out,
        "One bit a character: a Han character that stays as it is.",
        "PLAIN",
        "u64",
        &words,
        |value| format!("{value:#x}"),
    );
    Ok(())
}

fn write_texts(out: &mut String, texts: &BTreeMap<(String, Disguise), u16>) -> Result<()> {
    let mut by_code: Vec<_> = texts.iter().map(|((text, disguise), code)| (*code, text, *disguise)).collect();
    by_code.sort_by_key(|(code, ..)| *code);
    let entries: Vec<String> =
        by_code.iter().map(|(_, text, disguise)| format!("({text:?}, {})", *disguise as u8)).collect();
    array(
        out,
        "Texts that stand for a character, and when that counts as disguise: 0 never, 1 always, 2 if no letters of\n/// foreign scripts are about, 3 letters always and digits inside a run.",
        "TEXTS",
        "(&str, u8)",
        &entries,
        String::clone,
    );
    Ok(())
}

struct Joins {
    parts: Vec<char>,
    by_left: BTreeMap<(usize, u16), u16>,
    by_right: BTreeMap<(usize, u16), u16>,
}

impl Joins {
    fn new(map: &Map, meanings: &HashMap<char, &Meaning>) -> Result<Self> {
        let settle = |char: char| match meanings[&char] {
            Meaning::Text(text, _) => text.chars().next().unwrap_or(char),
            _ => char,
        };
        // The part is what the list names: lefts are given by lists of rights, unless the right is the rarer one.
        let rights: BTreeSet<char> = "刂阝攵页贝彡欠艮灬皿".chars().collect();
        let mut parts: Vec<char> = vec![];
        let mut joins = Self { parts: vec![], by_left: BTreeMap::new(), by_right: BTreeMap::new() };
        let mut lefts: BTreeMap<char, usize> = BTreeMap::new();
        for (left, _, _) in &map.lists.joins {
            *lefts.entry(settle(*left)).or_default() += 1;
        }
        for (left, right, joined) in &map.lists.joins {
            let (left, right, joined) = (settle(*left), settle(*right), settle(*joined));
            ensure!(
                [left, right, joined].iter().all(|char| char.len_utf8() == 3),
                "{left}{right}{joined}: three bytes"
            );
            ensure!(
                [left, right, joined].iter().all(|char| *meanings[char] == Meaning::Same),
                "{left}{right}{joined}: not Han"
            );
            if joined == left || joined == right {
                eprintln!("left out: {left}{right} → {joined}");
                continue;
            }
            let by_right = rights.contains(&right) && lefts[&left] < 3;
            let part = if by_right { right } else { left };
            let at = parts.iter().position(|known| *known == part).unwrap_or_else(|| {
                parts.push(part);
                parts.len() - 1
            });
            let (side, other) =
                if by_right { (&mut joins.by_right, left) } else { (&mut joins.by_left, right) };
            side.entry((at, u16::try_from(other as u32)?)).or_insert(u16::try_from(joined as u32)?);
        }
        ensure!(parts.len() < usize::from(TEXT - PART), "too many parts");
        let hints = map.lists.invitation.iter().chain(&map.lists.digit_words);
        for hint in hints {
            ensure!(!parts.contains(hint), "{hint} is a part and a hint");
        }
        joins.parts = parts;
        Ok(joins)
    }

    fn write(&self, out: &mut String) -> Result<()> {
        let range = |side: &BTreeMap<(usize, u16), u16>, part: usize| {
            let start = side.range(..(part, 0)).count();
            (start, start + side.range((part, 0)..=(part, u16::MAX)).count())
        };
        let parts: Vec<String> = (0..self.parts.len())
            .map(|part| {
                let ((left_start, left_end), (right_start, right_end)) =
                    (range(&self.by_left, part), range(&self.by_right, part));
                format!("({left_start}, {left_end}, {right_start}, {right_end})")
            })
            .collect();
        array(
            out,
            "For each part, its entries in `AFTER` (the part came first) and in `BEFORE` (it came second).",
            "PARTS",
            "(u16, u16, u16, u16)",
            &parts,
            String::clone,
        );
        let pairs = |side: &BTreeMap<(usize, u16), u16>| -> Vec<String> {
            side.iter().map(|((_, other), joined)| format!("({other:#x}, {joined:#x})")).collect()
        };
        array(
            out,
            "The right part and what it joins to, sorted within a part.",
            "AFTER",
            "(u16, u16)",
            &pairs(&self.by_left),
            String::clone,
        );
        array(
            out,
            "The left part and what it joins to, sorted within a part.",
            "BEFORE",
            "(u16, u16)",
            &pairs(&self.by_right),
            String::clone,
        );
        Ok(())
    }
}

/// Writes one static array in lines of about 110 columns.
pub fn array<T>(
    out: &mut String,
    doc: &str,
    name: &str,
    kind: &str,
    values: &[T],
    show: impl Fn(&T) -> String,
) where
    T: Clone,
{
    let _ = writeln!(
        out,
        "\n/// {doc}\n#[rustfmt::skip]\npub(super) static {name}: [{kind}; {}] = [",
        values.len()
    );
    let mut line = String::new();
    for value in values {
        let shown = show(value);
        if line.len() + shown.len() > 104 {
            let _ = writeln!(out, "   {line}");
            line.clear();
        }
        push(&mut line, &shown);
    }
    let _ = writeln!(out, "   {line}\n];");
}

fn push(line: &mut String, shown: &dyn Display) {
    let _ = write!(line, " {shown},");
}
