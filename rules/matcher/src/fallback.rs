//! The Rust engine: Aho-Corasick for literals, the `regex` crate for expressions. Right, and slower; it is what runs where the
//! gate refuses Hyperscan, and what Hyperscan is compared with.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexSet, RegexSetBuilder};
use yumen_rules::engine::HitSink;
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;

use crate::dialect;
use crate::limits::REGEX_PROGRAM_BYTES_MAX;
use crate::refusal::Refusal;

/// The matchers of a pack, one a view.
pub(crate) struct RustEngine {
    views: [ViewEngine; View::COUNT],
}

#[derive(Default)]
struct ViewEngine {
    literals: Option<AhoCorasick>,
    literal_ids: Vec<u32>,
    regexes: Option<RegexSet>,
    regex_ids: Vec<u32>,
    /// Each expression by itself, to tell where it ends; made when it first hits.
    singles: Vec<(String, OnceLock<Option<Regex>>)>,
}

impl RustEngine {
    pub(crate) fn build(pack: &Pack<'_>) -> Result<Self, Refusal> {
        let mut views: [ViewEngine; View::COUNT] = Default::default();
        for (view, engine) in View::ALL.into_iter().zip(&mut views) {
            *engine = ViewEngine::build(pack, view)?;
        }
        Ok(Self { views })
    }

    pub(crate) fn scan(&self, view: View, text: &[u8], hits: &mut HitSink<'_>) {
        let (Some(engine), Ok(text)) = (self.views.get(view as usize), std::str::from_utf8(text)) else {
            return;
        };
        engine.scan(text, hits);
    }

    /// The scan alone, nothing done about what it finds.
    pub(crate) fn scan_raw(&self, view: View, text: &[u8]) -> bool {
        let (Some(engine), Ok(text)) = (self.views.get(view as usize), std::str::from_utf8(text)) else {
            return false;
        };
        let literals = engine.literals.as_ref().map(|literals| literals.find_overlapping_iter(text).count());
        let regexes = engine.regexes.as_ref().map(|set| set.matches(text).iter().count());
        literals.or(regexes).is_some()
    }
}

impl ViewEngine {
    fn build(pack: &Pack<'_>, view: View) -> Result<Self, Refusal> {
        let mut engine = Self::default();
        let (mut literals, mut regexes) = (Vec::new(), Vec::new());
        for pattern in pack.patterns().filter(|pattern| pattern.view == view) {
            if pattern.regex {
                let translated = dialect::translate(pattern.text);
                let rust =
                    translated.map_err(|defect| Refusal::Pattern { index: pattern.index, defect })?.rust;
                engine.regex_ids.push(pattern.index);
                engine.singles.push((rust.clone(), OnceLock::new()));
                regexes.push(rust);
            } else {
                engine.literal_ids.push(pattern.index);
                literals.push(pattern.text);
            }
        }
        if !literals.is_empty() {
            let built = AhoCorasick::new(&literals);
            engine.literals = Some(built.map_err(|error| Refusal::Matcher(error.to_string()))?);
        }
        if !regexes.is_empty() {
            let built = RegexSetBuilder::new(&regexes)
                .size_limit(REGEX_PROGRAM_BYTES_MAX)
                .dfa_size_limit(REGEX_PROGRAM_BYTES_MAX)
                .build();
            engine.regexes = Some(built.map_err(|error| Refusal::Matcher(error.to_string()))?);
        }
        Ok(engine)
    }

    fn scan(&self, text: &str, hits: &mut HitSink<'_>) {
        if let Some(literals) = &self.literals {
            for found in literals.find_overlapping_iter(text) {
                if let Some(&pattern) = self.literal_ids.get(found.pattern().as_usize()) {
                    hits.push(pattern, offset(found.end()));
                }
            }
        }
        for position in self.regexes.iter().flat_map(|set| set.matches(text)) {
            let single = self.singles.get(position).and_then(|(text, regex)| {
                regex
                    .get_or_init(|| {
                        regex::RegexBuilder::new(text).size_limit(REGEX_PROGRAM_BYTES_MAX).build().ok()
                    })
                    .as_ref()
            });
            let end = single.and_then(|regex| regex.find(text)).map_or(text.len(), |found| found.end());
            if let Some(&pattern) = self.regex_ids.get(position) {
                hits.push(pattern, offset(end));
            }
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
