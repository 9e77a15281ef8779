//! Text → views that disguise doesn't change.
//!
//! ```text
//! text → folded (case, width, script, look-alikes, split characters, separators) → squeezed → sound
//! ```
//!
//! Packs are folded by the same code when they are compiled, so a literal matches however either side was written.
//! The pass is `fold(fold(x)) == fold(x)` for every text, and every view is valid UTF-8.
//!
//! What `folded` keeps between two ASCII letters or digits, so that domains and amounts stay readable: one of
//! `. / : @ - _`, the sequences `://` and `--`, and otherwise one space for any run of separators. `%` stays after a digit.
//! Beside any other character, separators are dropped.

pub(crate) mod digits;
mod join;
mod origin;
mod pass;
mod scan;
mod sound;
mod sound_table;
mod squeeze;
mod table;
#[cfg(test)]
mod tests;

/// Rises with every change of the tables or the pass: a pack folded by another version isn't loaded.
pub const FOLD_VERSION: u32 = 2;

/// Bytes of output that always suffice for a text of `len` bytes.
#[must_use]
pub const fn folded_len_max(len: usize) -> usize {
    len.saturating_mul(4).saturating_add(4)
}

pub use origin::origin;
pub use pass::{as_sent, fold};
pub use sound::sound;
pub use squeeze::squeeze;

/// What the pass noticed on its way, so that later steps can be skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Characters of the original text.
    pub chars: u32,
    /// ASCII digits of the folded text.
    pub digits: u32,
    /// ASCII letters of the folded text.
    pub letters: u32,
    /// Characters a disguise was undone for: look-alikes, split characters, separators inside words, zero-width
    /// characters. Traditional forms, full width and ordinary punctuation don't count.
    pub disguised: u32,
    /// Zero-width and other invisible characters.
    pub hidden: u32,
    /// Accents and other marks on the character before, each of its own.
    pub accents: u32,
    /// Emoji.
    pub emoji: u32,
    /// The output was too small: the rest of the text wasn't folded.
    pub truncated: bool,
    /// What the text may hold.
    pub hints: Hints,
}

/// What a text may hold; never unset where it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints(pub u8);

impl Hints {
    /// A character that words for messengers and invitations are made with (`微`, `薇`, `扫`).
    pub const INVITATION: Self = Self(2);
    /// `@`.
    pub const AT: Self = Self(4);
    /// Digits written as Chinese characters (`零`, `幺`, four of `零`, `四` to `九` but `五`).
    pub const CHINESE_DIGITS: Self = Self(8);

    /// Whether any of `other` is set.
    #[must_use]
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A folded text, in the caller's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Folded<'b> {
    bytes: &'b [u8],
    stats: Stats,
}

impl<'b> Folded<'b> {
    /// The view as bytes: always valid UTF-8. The hot path uses this, since [`Folded::text`] checks again.
    #[must_use]
    pub const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The view as text.
    #[must_use]
    pub fn text(&self) -> &'b str {
        valid(self.bytes)
    }

    /// What the pass noticed.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Mostly Latin letters: more than half of the characters that can be seen.
    #[must_use]
    pub const fn is_latin(&self) -> bool {
        let unseen = self.stats.hidden.saturating_add(self.stats.accents);
        self.stats.letters.saturating_mul(2) > self.stats.chars.saturating_sub(unseen)
    }
}

/// What a character is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// A letter that is Latin, or looks or is styled like one.
    Latin,
    /// A Han character.
    Han,
    /// A Han character that has a simplified form, and isn't it.
    TraditionalHan,
    /// Anything else.
    Other,
}

/// What a character is written with, by the folding tables.
#[must_use]
pub fn script_of(char: char) -> Script {
    const HAN: core::ops::RangeInclusive<u32> = 0x3400..=0x9fff;
    let from = u32::from(char);
    if char.is_ascii() {
        return if char.is_ascii_alphabetic() { Script::Latin } else { Script::Other };
    }
    let code = scan::code_of(from);
    match code {
        0..0x80 if code.to_le_bytes()[0].is_ascii_alphabetic() => Script::Latin,
        0x80..table::SAME if HAN.contains(&from) && HAN.contains(&u32::from(code)) => Script::TraditionalHan,
        _ if HAN.contains(&from) => Script::Han,
        _ => Script::Other,
    }
}

/// The longest prefix that is valid UTF-8.
fn valid(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            core::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
    }
}
