//! Labelled messages: a TSV with a label, perhaps a variant, and a text.
//!
//! ```text
//! file → header or column count → Record (label, variant, text) → Meaning of the label (a practice, fraud of any kind, honest, unknown)
//! ```

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use yumen_rules::verdict::Typology;

use crate::limits::{CORPUS_BYTES_MAX, CORPUS_LABELS_MAX};
use crate::screen::Column;

/// What a label says about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// One of the practices.
    Practice(Typology),
    /// To be caught, whatever the practice.
    Scam,
    /// To be let pass.
    Ham,
    /// Neither: counted, and no part of precision and recall.
    Unknown,
}

impl Meaning {
    /// Whether it is to be caught.
    #[must_use]
    pub const fn is_scam(self) -> bool {
        matches!(self, Self::Practice(_) | Self::Scam)
    }

    /// The word for it, as `--map` takes it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Practice(typology) => typology.id(),
            Self::Scam => "scam",
            Self::Ham => "ham",
            Self::Unknown => "unknown",
        }
    }

    /// From the word for it.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "scam" | "spam" => Some(Self::Scam),
            "ham" => Some(Self::Ham),
            "unknown" => Some(Self::Unknown),
            _ => Typology::from_id(id).map(Self::Practice),
        }
    }

    /// What a label most likely means: a typology's id, words that collections use, or nothing known.
    #[must_use]
    pub fn of_label(label: &str) -> Self {
        let label = label.trim().to_lowercase().replace([' ', '_'], "-");
        if let Some(meaning) = Self::from_id(&label) {
            return meaning;
        }
        let has = |words: &[&str]| words.iter().any(|word| label.contains(word));
        if has(&["not-spam", "not-scam", "非垃圾", "正常"]) || label == "0" {
            return Self::Ham;
        }
        if label.starts_with("ham") || has(&["normal", "legit", "captcha", "benign"]) {
            return Self::Ham;
        }
        let practice = KNOWN.iter().find(|(words, _)| has(words)).map(|&(_, typology)| typology);
        if let Some(typology) = practice {
            return Self::Practice(typology);
        }
        if has(&["spam", "scam", "fraud", "smish", "phish", "诈骗", "垃圾"]) || label == "1" {
            return Self::Scam;
        }
        Self::Unknown
    }
}

/// Words in labels, and the practice they mean; the first that fits counts.
const KNOWN: [(&[&str], Typology); 8] = [
    (&["rights-protection", "rights-agency", "代理维权"], Typology::RightsAgency),
    (&["collection", "催收"], Typology::DebtCollection),
    (&["evasion", "逃废债"], Typology::DebtEvasion),
    (&["insurance", "surrender", "退保", "理赔"], Typology::InsuranceClaims),
    (&["credit-repair", "征信"], Typology::CreditRepair),
    (&["stock", "荐股"], Typology::StockTips),
    (&["loan", "贷款"], Typology::LoanMediation),
    (&["other-fraud", "general-fraud"], Typology::Fraud),
];

/// How to read a corpus.
#[derive(Clone, Debug, Default)]
pub struct CorpusOptions {
    /// The label's column; by default `label` or the first of several.
    pub label: Option<Column>,
    /// The variant's column; by default `variant`, or the second of three.
    pub variant: Option<Column>,
    /// The text's column; by default `text` or the last.
    pub text: Option<Column>,
    /// Labels whose meaning isn't the one that [`Meaning::of_label`] finds.
    pub meanings: Vec<(String, Meaning)>,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its line, from 1.
    pub line: usize,
    /// Index into [`Corpus::labels`].
    pub label: usize,
    /// Index into [`Corpus::variants`].
    pub variant: usize,
    text: Range<usize>,
}

/// Labelled messages.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    content: String,
    /// The messages, in the order of the file.
    pub records: Vec<Record>,
    /// The labels with what they mean, in the order they appear. A file without labels has one empty, unknown label.
    pub labels: Vec<(String, Meaning)>,
    /// The variants, in the order they appear; one empty variant where there are none.
    pub variants: Vec<String>,
}

/// Why there is no corpus.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The file can't be read.
    #[error("{0}: {1}")]
    Read(String, #[source] io::Error),
    /// Above [`CORPUS_BYTES_MAX`].
    #[error("{0}: larger than {CORPUS_BYTES_MAX} bytes")]
    TooLarge(String),
    /// More labels than anybody means: the label's column is another one.
    #[error("more than {CORPUS_LABELS_MAX} labels or variants: is the column right?")]
    TooManyLabels,
    /// A column that isn't there.
    #[error("there is no column {0}")]
    NoSuchColumn(String),
}

impl Corpus {
    /// Reads a file.
    ///
    /// # Errors
    /// [`CorpusError`].
    pub fn read(path: &Path, options: &CorpusOptions) -> Result<Self, CorpusError> {
        let name = path.display().to_string();
        let fail = |error| CorpusError::Read(name.clone(), error);
        if fs::metadata(path).map_err(fail)?.len() > CORPUS_BYTES_MAX {
            return Err(CorpusError::TooLarge(name));
        }
        let bytes = fs::read(path).map_err(fail)?;
        Self::parse(String::from_utf8_lossy(&bytes).into_owned(), options)
    }

    /// Takes a text apart. Lines without a text are left out.
    ///
    /// # Errors
    /// [`CorpusError`].
    pub fn parse(content: String, options: &CorpusOptions) -> Result<Self, CorpusError> {
        let first = content.lines().next().unwrap_or_default().trim_start_matches('\u{feff}');
        let columns = Columns::new(options, first)?;
        let mut corpus = Self { content, ..Self::default() };
        let content = std::mem::take(&mut corpus.content);
        let (mut labels, mut variants) = (HashMap::new(), HashMap::new());
        for (number, line) in content.lines().enumerate().skip(usize::from(columns.header)) {
            let line = line.trim_start_matches('\u{feff}');
            let fields: Vec<&str> = line.split('\t').collect();
            let at = |column: Option<usize>| column.and_then(|column| fields.get(column)).copied();
            let text = match columns.text {
                Some(_) => at(columns.text),
                None => fields.last().copied(),
            };
            let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { continue };
            let label = at(columns.label).unwrap_or_default();
            let variant = at(columns.variant).unwrap_or_default();
            let label = index(&mut labels, label, |label| {
                let given = options.meanings.iter().find(|(name, _)| name == label);
                corpus.labels.push((label.to_owned(), given.map_or_else(|| meaning(label), |given| given.1)));
            });
            let variant = index(&mut variants, variant, |variant| corpus.variants.push(variant.to_owned()));
            if corpus.labels.len().max(corpus.variants.len()) > CORPUS_LABELS_MAX {
                return Err(CorpusError::TooManyLabels);
            }
            let start = (text.as_ptr() as usize).saturating_sub(content.as_ptr() as usize);
            let line = number.saturating_add(1);
            let text = start..start.saturating_add(text.len());
            corpus.records.push(Record { line, label, variant, text });
        }
        corpus.content = content;
        Ok(corpus)
    }

    /// The messages that `change` changes, as they were and as they become; it is told their numbers.
    #[must_use]
    pub fn changed(&self, mut change: impl FnMut(usize, &str) -> String) -> (Self, Self) {
        let empty =
            || Self { labels: self.labels.clone(), variants: self.variants.clone(), ..Self::default() };
        let (mut before, mut after) = (empty(), empty());
        let push = |corpus: &mut Self, record: &Record, text: &str| {
            let start = corpus.content.len();
            corpus.content.push_str(text);
            let text = start..corpus.content.len();
            corpus.records.push(Record { text, ..record.clone() });
        };
        for (number, record) in self.records.iter().enumerate() {
            let text = self.text(record);
            let changed = change(number, text);
            if changed != text {
                push(&mut before, record, text);
                push(&mut after, record, &changed);
            }
        }
        (before, after)
    }

    /// A record's message.
    #[must_use]
    pub fn text(&self, record: &Record) -> &str {
        self.content.get(record.text.clone()).unwrap_or_default()
    }

    /// A record's label.
    #[must_use]
    pub fn label(&self, record: &Record) -> &str {
        self.labels.get(record.label).map_or("", |(label, _)| label)
    }

    /// What a record's label means.
    #[must_use]
    pub fn meaning(&self, record: &Record) -> Meaning {
        self.labels.get(record.label).map_or(Meaning::Unknown, |&(_, meaning)| meaning)
    }
}

fn meaning(label: &str) -> Meaning {
    Meaning::of_label(label)
}

fn index<'a>(known: &mut HashMap<&'a str, usize>, name: &'a str, mut add: impl FnMut(&str)) -> usize {
    let next = known.len();
    *known.entry(name).or_insert_with(|| {
        add(name);
        next
    })
}

struct Columns {
    header: bool,
    label: Option<usize>,
    variant: Option<usize>,
    text: Option<usize>,
}

impl Columns {
    fn new(options: &CorpusOptions, first: &str) -> Result<Self, CorpusError> {
        let names: Vec<String> = first.split('\t').map(|name| name.trim().to_lowercase()).collect();
        let position = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let known_text = position(&["text", "content", "message", "sms", "短信", "内容", "正文"]);
        let wanted = [&options.label, &options.variant, &options.text];
        let named = wanted.iter().any(|column| matches!(column, Some(Column::Name(_))));
        let header = named || known_text.is_some();
        let place = |column: &Option<Column>| match column {
            None => Ok(None),
            Some(Column::Number(number)) => Ok(Some(number.saturating_sub(1))),
            Some(Column::Name(name)) => {
                let found = names.iter().position(|known| *known == name.to_lowercase());
                found.map(Some).ok_or_else(|| CorpusError::NoSuchColumn(name.clone()))
            }
        };
        let (label, variant) = if header {
            (position(&["label", "class", "category", "标签", "类别"]), position(&["variant", "变体"]))
        } else {
            ((names.len() > 1).then_some(0), (names.len() == 3).then_some(1))
        };
        Ok(Self {
            header,
            label: place(&options.label)?.or(label),
            variant: place(&options.variant)?.or(variant),
            text: place(&options.text)?.or(known_text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(text: &str, options: &CorpusOptions) -> Corpus {
        Corpus::parse(text.to_owned(), options).unwrap()
    }

    #[test]
    fn labels_of_common_collections_are_understood() {
        use Meaning::{Ham, Practice, Scam, Unknown};
        for (label, meaning) in [
            ("debt-evasion", Practice(Typology::DebtEvasion)),
            ("loan_broker", Practice(Typology::LoanMediation)),
            ("insurance_surrender_agency", Practice(Typology::InsuranceClaims)),
            ("ham_insurance_broker", Ham),
            ("Normal SMS", Ham),
            ("not spam", Ham),
            ("Scam SMS", Scam),
            ("spam", Scam),
            ("other_fraud", Practice(Typology::Fraud)),
            ("weather", Unknown),
        ] {
            assert_eq!(Meaning::of_label(label), meaning, "{label}");
        }
    }

    #[test]
    fn columns_are_found_by_header_or_by_count() {
        let by_count = corpus("ham\tplain\t你好\nspam\tevasion\t刷 单", &CorpusOptions::default());
        let by_header = corpus(
            "text\tlabel\tvariant\n你好\tham\tplain\n刷 单\tspam\tevasion\n\tham\tplain\n",
            &CorpusOptions::default(),
        );
        for corpus in [by_count, by_header] {
            let texts: Vec<&str> = corpus.records.iter().map(|record| corpus.text(record)).collect();
            assert_eq!(texts, ["你好", "刷 单"]);
            assert_eq!(corpus.labels, [("ham".to_owned(), Meaning::Ham), ("spam".to_owned(), Meaning::Scam)]);
            assert_eq!(corpus.variants, ["plain", "evasion"]);
        }
        let bare = corpus("你好\n再见\n", &CorpusOptions::default());
        assert_eq!((bare.records.len(), bare.labels.len()), (2, 1));
        let absent = CorpusOptions { label: Some(Column::Name("x".to_owned())), ..CorpusOptions::default() };
        assert!(matches!(Corpus::parse("a\tb\n".to_owned(), &absent), Err(CorpusError::NoSuchColumn(_))));
    }

    #[test]
    fn a_given_meaning_comes_first() {
        let meanings = vec![("ads".to_owned(), Meaning::Scam)];
        let options = CorpusOptions { meanings, ..CorpusOptions::default() };
        assert_eq!(corpus("ads\tx\n", &options).labels, [("ads".to_owned(), Meaning::Scam)]);
    }
}
