//! What disguise does to recall: every message of a corpus written as people write who evade filters, judged with folding and
//! without.
//!
//! ```text
//! corpus × kinds → disguised corpora (the same each time) → run (folded), run (as sent) → Benchmark → text, JSON
//! ```
//!
//! The disguises have tables of their own, so that the folding tables aren't measured against themselves.

mod disguise;
mod render;
mod tables;

use std::sync::Arc;

use yumen_matcher::LoadedPack;
use yumen_rules::verdict::Action;

use crate::corpus::{Corpus, Meaning};
use crate::eval::{Run, RunError, run, run_as_sent};

pub use disguise::disguise;
pub use render::{json, markdown, render};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $id:literal $zh:literal $en:literal;)*) => {
        /// A way of writing that evades filters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its id on the command line and in output.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What it does, in Chinese.
            #[must_use]
            pub const fn title_zh(self) -> &'static str {
                match self { $(Self::$name => $zh),* }
            }

            /// What it does, in English.
            #[must_use]
            pub const fn title_en(self) -> &'static str {
                match self { $(Self::$name => $en),* }
            }
        }
    };
}

kinds! {
    /// As it is.
    Plain "plain" "原样" "as written";
    /// 贷 → 贝代.
    Split "split" "拆字" "split characters";
    /// 微 → 威.
    Homophone "homophone" "同音字" "homophones";
    /// 贷 → dai.
    Pinyin "pinyin" "拼音" "pinyin";
    /// a1 → ａ１.
    Fullwidth "fullwidth" "全角" "full width";
    /// a1 → ⓐ①.
    Circled "circled" "带圈" "circled";
    /// a1 → 𝗮𝟭.
    Bold "bold" "数学粗体" "mathematical bold";
    /// a → а (Cyrillic), ο (Greek).
    Lookalike "lookalike" "形近西里尔、希腊字母" "look-alike Cyrillic and Greek";
    /// 微 → 徽.
    Shape "shape" "形近、异体汉字" "look-alike and variant Han characters";
    /// Zero-width characters between.
    ZeroWidth "zero-width" "零宽字符" "zero-width characters";
    /// Combining marks after.
    Combining "combining" "组合附加符" "combining marks";
    /// Punctuation between.
    Punctuation "punctuation" "插标点" "inserted punctuation";
    /// Blanks between.
    Spaces "spaces" "插空格" "inserted blanks";
    /// Emoji between.
    Emoji "emoji" "插表情" "inserted emoji";
    /// 贷 → 貸.
    Traditional "traditional" "繁体" "traditional characters";
    /// One character a line.
    Vertical "vertical" "竖排" "one character a line";
    /// 138 → l三八.
    Digits "digits" "数字变形" "disguised digits";
    /// loan → l0an.
    Leet "leet" "数字代字母" "digits for letters";
    /// Several at once.
    Mixed "mixed" "混用" "several at once";
}

/// Counts of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The disguise.
    pub kind: Kind,
    /// Messages to be caught that it changes.
    pub scam: usize,
    /// Of these, blocked.
    pub blocked: usize,
    /// Of these, blocked or flagged.
    pub noticed: usize,
    /// Of these, blocked without folding.
    pub blocked_as_sent: usize,
    /// Of these, blocked before they were disguised.
    pub blocked_plain: usize,
    /// Honest messages that it changes.
    pub ham: usize,
    /// Of these, blocked.
    pub ham_blocked: usize,
}

/// What disguise does to a pack's recall.
#[derive(Clone, Debug)]
pub struct Benchmark {
    /// The pack's name and serial.
    pub pack: (String, u64),
    /// One a kind, [`Kind::Plain`] first.
    pub rows: Vec<Row>,
    /// Disguised messages that weren't blocked though they are when plain: kind, label, text.
    pub lost: Vec<(Kind, String, String)>,
}

/// Runs the corpus through every kind; `progress` is told the kinds done of all.
///
/// # Errors
/// [`RunError`].
pub fn benchmark(
    pack: &Arc<LoadedPack>,
    corpus: &Corpus,
    kinds: &[Kind],
    threads: usize,
    progress: impl Fn(usize, usize),
) -> Result<Benchmark, RunError> {
    let header = pack.header();
    let mut found =
        Benchmark { pack: (header.name().to_owned(), header.serial), rows: Vec::new(), lost: Vec::new() };
    for (done, &kind) in kinds.iter().enumerate() {
        progress(done, kinds.len());
        let changed = corpus.changed(|number, text| disguise(kind, text, number));
        // What a disguise leaves as it is says nothing about it.
        let (plain, disguised) =
            if kind == Kind::Plain { (corpus, corpus) } else { (&changed.0, &changed.1) };
        let quiet = |_: usize| ();
        let before = run(pack, plain, threads, quiet)?;
        let folded = run(pack, disguised, threads, quiet)?;
        let as_sent = run_as_sent(pack, disguised, threads, quiet)?;
        let row = count(kind, disguised, [&before, &folded, &as_sent], &mut found.lost);
        found.rows.push(row);
    }
    progress(kinds.len(), kinds.len());
    Ok(found)
}

fn count(
    kind: Kind,
    corpus: &Corpus,
    [before, folded, as_sent]: [&Run; 3],
    lost: &mut Vec<(Kind, String, String)>,
) -> Row {
    let mut row = Row {
        kind,
        scam: 0,
        blocked: 0,
        noticed: 0,
        blocked_as_sent: 0,
        blocked_plain: 0,
        ham: 0,
        ham_blocked: 0,
    };
    let add = |sum: &mut usize, counts: bool| *sum = sum.saturating_add(usize::from(counts));
    let outcomes = before.outcomes.iter().zip(&folded.outcomes).zip(&as_sent.outcomes);
    for (record, ((before, folded), as_sent)) in corpus.records.iter().zip(outcomes) {
        let (plain, blocked) = (before.action.blocks(), folded.action.blocks());
        match corpus.meaning(record) {
            meaning if meaning.is_scam() => {
                add(&mut row.scam, true);
                add(&mut row.blocked, blocked);
                add(&mut row.noticed, folded.action != Action::Allow);
                add(&mut row.blocked_as_sent, as_sent.action.blocks());
                add(&mut row.blocked_plain, plain);
                if plain && !blocked {
                    lost.push((kind, corpus.label(record).to_owned(), corpus.text(record).to_owned()));
                }
            }
            Meaning::Ham => {
                add(&mut row.ham, true);
                add(&mut row.ham_blocked, blocked);
            }
            _ => {}
        }
    }
    row
}
