//! The text files under `lists/`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A character that stands for another.
#[derive(Clone, Copy)]
pub struct Lookalike {
    pub plain: char,
    pub counted: bool,
}

/// Everything from `lists/`.
pub struct Lists {
    pub lookalikes: BTreeMap<char, Lookalike>,
    pub invitation: Vec<char>,
    pub digit_words: Vec<char>,
    /// (left, right, joined)
    pub joins: Vec<(char, char, char)>,
}

impl Lists {
    pub fn read(folder: &Path) -> Result<Self> {
        let mut lists =
            Self { lookalikes: BTreeMap::new(), invitation: vec![], digit_words: vec![], joins: vec![] };
        for line in lines(&folder.join("lookalike.txt"))? {
            let (kind, rest) = line.split_once(' ').context("kind and pairs")?;
            ensure!(kind == "strong" || kind == "quiet", "{kind}: strong or quiet");
            for (from, plain) in pairs(rest)? {
                lists.lookalikes.insert(from, Lookalike { plain, counted: kind == "strong" });
            }
        }
        for line in lines(&folder.join("digit.txt"))? {
            for (from, plain) in pairs(&line)? {
                lists.lookalikes.insert(from, Lookalike { plain, counted: false });
            }
        }
        for line in lines(&folder.join("hint.txt"))? {
            let (kind, chars) = line.split_once(' ').context("kind and characters")?;
            match kind {
                "invitation" => lists.invitation.extend(chars.chars()),
                "digit" => lists.digit_words.extend(chars.chars()),
                _ => anyhow::bail!("{kind}: invitation or digit"),
            }
        }
        for line in lines(&folder.join("split.txt"))? {
            let (part, rest) = line.split_once(": ").with_context(|| format!("no colon: {line}"))?;
            let right = part.strip_prefix('|');
            let part = right.unwrap_or(part).chars().next().context("a part")?;
            for (other, joined) in pairs(rest)? {
                let (left, right) = if right.is_some() { (other, part) } else { (part, other) };
                lists.joins.push((left, right, joined));
            }
        }
        Ok(lists)
    }
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

fn pairs(text: &str) -> Result<Vec<(char, char)>> {
    text.split_whitespace()
        .map(|pair| {
            let mut chars = pair.chars();
            let both =
                (chars.next().context("pair")?, chars.next().with_context(|| format!("half: {pair}"))?);
            ensure!(chars.next().is_none(), "more than a pair: {pair}");
            Ok(both)
        })
        .collect()
}
