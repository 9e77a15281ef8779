//! Number lists of a test: `listed = ["reported 17000000001 80 fraud"]`. A gateway's lists are files of their own ([`crate::numbers`]).

use yumen_rules::engine::{NumberLists, number_matches};
use yumen_rules::numbers::{Listed, SCORE_MAX, is_name};
use yumen_rules::verdict::Typology;

use super::reader::{Reader, Section};
use crate::check::canonical;
use crate::diagnostic::Defect;

/// Number lists, as a test has them.
#[derive(Clone, Debug, Default)]
pub struct ListedSource(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    list: String,
    /// In canonical form; a trailing `*` makes a prefix.
    number: String,
    listed: Listed,
}

impl ListedSource {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl NumberLists for ListedSource {
    fn listed(&self, list: &str, canonical: &str) -> Option<Listed> {
        let entries =
            self.0.iter().filter(|entry| entry.list == list && number_matches(&entry.number, canonical));
        // A number's own entry counts before a range's, and a narrow range's before a wide one's.
        let narrow = |entry: &&Entry| (!entry.number.ends_with('*'), entry.number.len());
        entries.max_by_key(narrow).map(|entry| entry.listed)
    }
}

fn entry(written: &str) -> Option<Entry> {
    let words: Vec<&str> = written.split_whitespace().collect();
    let (list, number, score, typology) = match words.as_slice() {
        [list, number, score] => (list, number, score, None),
        [list, number, score, typology] => (list, number, score, Some(Typology::from_id(typology)?)),
        _ => return None,
    };
    let score = score.parse().ok().filter(|score| (1..=SCORE_MAX).contains(score))?;
    let number = canonical::number(number)?;
    is_name(list).then(|| Entry { list: (*list).to_owned(), number, listed: Listed { score, typology } })
}

impl Reader<'_> {
    /// `listed`, where a test has it.
    pub(super) fn listed(&mut self, section: Section<'_>) -> ListedSource {
        let mut entries = Vec::new();
        for text in self.texts(section, "listed") {
            match entry(&text.value) {
                Some(entry) => entries.push(entry),
                None => self.out.at(text.span, Defect::BadListed { value: text.value.clone() }),
            }
        }
        ListedSource(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_a_list_a_number_and_a_score() {
        let lists = ListedSource(
            ["reported 170* 40", "reported +8617000000001 80 fraud", "other 95588 1"]
                .map(|written| entry(written).unwrap())
                .to_vec(),
        );
        let score = |list, number| lists.listed(list, number).map(|listed| listed.score);
        assert_eq!(score("reported", "17000000001"), Some(80));
        assert_eq!(score("reported", "17000000002"), Some(40));
        assert_eq!(score("reported", "95588"), None);
        assert_eq!(score("other", "95588"), Some(1));
        for wrong in ["", "reported 1", "reported x 80", "reported 1 0", "reported 1 101", "R 1 5", "r 1 5 x"]
        {
            assert!(entry(wrong).is_none(), "{wrong}");
        }
    }
}
