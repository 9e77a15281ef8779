//! Labelled messages → the weights of the classifier ([`yumen_rules::classify`]).
//!
//! ```text
//! texts → the engine's own features, those that several texts have, rare ones counting more → a linear support vector machine, one
//! typology against what is honest → cross-validation: calibration (Platt) and report → training on everything → signed bytes
//! ```
//!
//! The same texts in the same order give the same weights: the shuffling is seeded, and nothing runs in parallel.

mod machine;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::classify::{FEATURES_VERSION, features};
use yumen_rules::engine::Site;
use yumen_rules::signal::View;
use yumen_rules::verdict::Typology;
use yumen_wire::event::Event;

use crate::Report;
use crate::build::BuildError;
use crate::draft::PackDraft;
use crate::emit::emit;
use crate::explain::Recorder;
use machine::{Example, Line, calibrate, fit};

/// A message and what it is: a practice, or honest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The practice; `None` for an honest one.
    pub typology: Option<Typology>,
    /// The message.
    pub text: String,
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// In how many texts a feature must be to get weights.
    pub least: usize,
    /// How many features get weights at most: those that weigh most.
    pub features: usize,
    /// How often every text is looked at.
    pub epochs: u32,
    /// What a text on the wrong side costs, against the weights' own size.
    pub cost: f32,
    /// Which power of the inverse document frequency multiplies a feature while it is learnt.
    pub rarity: f32,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Where shuffling begins.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { least: 2, features: 32_000, epochs: 40, cost: 0.3, rarity: 1.5, folds: 5, seed: 1 }
    }
}

/// What came of a training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The section of a pack.
    pub section: Vec<u8>,
    /// On messages that a part of the cross-validation hadn't seen.
    pub held_out: Vec<HeldOut>,
}

/// One typology in the cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// Which.
    pub typology: Typology,
    /// Its messages.
    pub positives: usize,
    /// Honest messages.
    pub honest: usize,
    /// For each of [`HeldOut::AT`]: its messages that reached the threshold, and honest ones that did.
    pub reached: [(usize, usize); HeldOut::AT.len()],
}

impl HeldOut {
    /// The thresholds of the report, in percent.
    pub const AT: [u8; 4] = [50, 70, 80, 90];
}

/// The texts that rules are tested with: what they must catch, and what is close and honest. Texts with an originator are left out, and
/// so is a miss that some other rule must catch.
#[must_use]
pub fn rule_tests(report: &Report) -> Vec<Labelled> {
    let mut texts = Vec::new();
    for rule in &report.draft.rules {
        let hit = |text: &String| Labelled { typology: Some(rule.typology), text: text.clone() };
        texts.extend(rule.hits.iter().map(hit));
    }
    let caught: HashSet<String> = texts.iter().map(|one| one.text.clone()).collect();
    let honest = report.draft.suppressions.iter().flat_map(|suppression| &suppression.hits);
    let honest = report.draft.rules.iter().flat_map(|rule| &rule.misses).chain(honest);
    let honest = honest.filter(|text| !caught.contains(*text));
    texts.extend(honest.map(|text| Labelled { typology: None, text: text.clone() }));
    texts
}

/// Trains. `report` is what the registry of signatures comes from.
///
/// # Errors
/// [`BuildError`], where the sources don't make a pack that judges.
pub fn train(report: &Report, texts: &[Labelled], options: &Options) -> Result<Trained, BuildError> {
    let (hashes, examples) = examples(report, texts, options)?;
    let rarity = rarity(&examples, hashes.len(), options.rarity);
    let (mut lines, mut held_out) = (Vec::new(), Vec::new());
    for typology in Typology::ALL {
        // Practices are alike, and which of them a text is words decide: other practices count neither for one nor against it.
        let side = |text: &Labelled| match text.typology {
            None => Some(false),
            Some(found) => (found == typology).then_some(true),
        };
        let truth: Vec<Option<bool>> = texts.iter().map(side).collect();
        let logits = cross_validate(&examples, &truth, &rarity, options);
        let platt = calibrate(&logits, &truth);
        held_out.push(count(typology, &truth, &logits, platt));
        lines.push(fit(&examples, &truth, &rarity, options).calibrated(platt));
    }
    Ok(Trained { section: section(&hashes, &lines, options.features), held_out })
}

/// A weights file: the section in base64, with what it is for people.
#[must_use]
pub fn weights_file(section: &[u8]) -> String {
    let mut out = String::from("# Weights of the classifier, by `yumen rules train`. Not for editing.\n");
    for line in data_encoding::BASE64.encode(section).as_bytes().chunks(120) {
        let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
    }
    out
}

/// The hashes of the features that are looked at, ascending, and the features of every text, as the engine sees them.
fn examples(
    report: &Report,
    texts: &[Labelled],
    options: &Options,
) -> Result<(Vec<u32>, Vec<Example>), BuildError> {
    // Words don't matter to features, only who signs.
    let senders = report.draft.senders.clone();
    let draft =
        PackDraft { name: "training".to_owned(), senders, expires_s: u64::MAX, ..PackDraft::default() };
    let bytes = emit(&draft)?;
    let loaded = LoadedPack::load(&bytes, &LoadOptions::ANYTHING)?;
    let mut worker = Worker::new(Arc::new(loaded))?;
    let mut found: Vec<Vec<u32>> = Vec::with_capacity(texts.len());
    for text in texts {
        let mut hashes = Vec::new();
        let event = Event::text_only(&text.text);
        if let Ok(judgement) = worker.judge_observed(&Site::DEFAULT, &event, &mut Recorder::default()) {
            let signals = judgement.classified().map(|(_, signals)| signals).unwrap_or_default();
            features(judgement.view(View::Folded), signals, |feature| hashes.push(feature.hash));
        }
        found.push(hashes);
    }
    let mut texts_with: BTreeMap<u32, usize> = BTreeMap::new();
    for hashes in &found {
        for hash in hashes.iter().collect::<HashSet<_>>() {
            *texts_with.entry(*hash).or_default() += 1;
        }
    }
    texts_with.retain(|_, texts| *texts >= options.least);
    let known: Vec<u32> = texts_with.into_keys().collect();
    let example = |hashes: Vec<u32>| {
        let columns = hashes.iter().filter_map(|hash| known.binary_search(hash).ok()).collect();
        Example::new(columns, hashes.len())
    };
    let examples = found.into_iter().map(example).collect();
    Ok((known, examples))
}

/// What each column is multiplied by: its inverse document frequency, to a power, in the order of 1.
fn rarity(examples: &[Example], columns: usize, power: f32) -> Vec<f32> {
    let mut texts = vec![0u32; columns];
    for &column in examples.iter().flat_map(Example::columns) {
        if let Some(count) = texts.get_mut(column) {
            *count += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    let frequency = |&count: &u32| (1.0 + examples.len() as f32) / (1.0 + count as f32);
    texts.iter().map(|count| (frequency(count).ln() + 1.0).powf(power) / RARITY_UNIT).collect()
}

/// About the inverse document frequency of a feature that few texts have.
const RARITY_UNIT: f32 = 6.0;

/// The logit of each text by weights that never saw it.
fn cross_validate(
    examples: &[Example],
    truth: &[Option<bool>],
    rarity: &[f32],
    options: &Options,
) -> Vec<f32> {
    let folds = options.folds.max(2);
    let mut logits = vec![0.0; examples.len()];
    for fold in 0..folds {
        let seen: Vec<Option<bool>> =
            truth.iter().enumerate().map(|(at, truth)| truth.filter(|_| at % folds != fold)).collect();
        let line = fit(examples, &seen, rarity, options);
        for (at, (logit, example)) in logits.iter_mut().zip(examples).enumerate() {
            if at % folds == fold {
                *logit = line.logit(example);
            }
        }
    }
    logits
}

fn count(typology: Typology, truth: &[Option<bool>], logits: &[f32], (slope, shift): (f32, f32)) -> HeldOut {
    let mut counts = HeldOut { typology, positives: 0, honest: 0, reached: Default::default() };
    for (truth, logit) in truth.iter().zip(logits) {
        match truth {
            Some(true) => counts.positives += 1,
            Some(false) => counts.honest += 1,
            None => continue,
        }
        for (at, (found, wrong)) in HeldOut::AT.into_iter().zip(&mut counts.reached) {
            let threshold = (f32::from(at) / f32::from(100 - at)).ln();
            if logit * slope + shift >= threshold {
                *(if *truth == Some(true) { found } else { wrong }) += 1;
            }
        }
    }
    counts
}

/// The bytes of the section: the features that weigh most, `most` of them.
fn section(hashes: &[u32], lines: &[Line], most: usize) -> Vec<u8> {
    let mut out = FEATURES_VERSION.to_le_bytes().to_vec();
    out.extend_from_slice(&[0; 6]);
    let quantised: Vec<(i32, Vec<i8>)> = lines.iter().map(Line::quantised).collect();
    for (line, (scale, _)) in lines.iter().zip(&quantised) {
        out.extend_from_slice(&machine::fixed(line.bias).to_le_bytes());
        out.extend_from_slice(&scale.to_le_bytes());
    }
    let weights_of =
        |column: usize| quantised.iter().map(move |(_, weights)| weights.get(column).copied().unwrap_or(0));
    let weighs = |column: usize| weights_of(column).map(i8::unsigned_abs).max().unwrap_or(0);
    let mut columns: Vec<usize> = (0..hashes.len()).filter(|&column| weighs(column) > 0).collect();
    columns.sort_by_key(|&column| Reverse(weighs(column)));
    columns.truncate(most);
    columns.sort_unstable();
    for hash in columns.iter().filter_map(|&column| hashes.get(column)) {
        out.extend_from_slice(&hash.to_le_bytes());
    }
    for &column in &columns {
        out.extend(weights_of(column).map(i8::cast_unsigned));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_rules::classify::{Model, Signals};

    fn texts() -> Vec<Labelled> {
        let loan = (0..30).map(|n| Labelled {
            typology: Some(Typology::LoanMediation),
            text: format!("急用钱找我，黑户也能下款{n}万"),
        });
        let honest =
            (0..60).map(|n| Labelled { typology: None, text: format!("今晚{n}点回家吃饭吗") });
        loan.chain(honest).collect()
    }

    #[test]
    fn what_was_learnt_is_what_the_engine_says() {
        let report = Report::default();
        let trained = train(&report, &texts(), &Options::default()).unwrap();
        let model = Model::new_checked(&trained.section).unwrap();
        let score = |text: &str| model.scores(text.as_bytes(), Signals::default());
        assert!(score("急用钱找我，黑户也能下款")[Typology::LoanMediation as usize] > 80);
        assert!(score("回家吃饭")[Typology::LoanMediation as usize] < 20);
        let loan = trained.held_out[Typology::LoanMediation as usize];
        assert_eq!((loan.positives, loan.honest, loan.reached[2]), (30, 60, (30, 0)));
    }

    #[test]
    fn the_same_texts_give_the_same_weights() {
        let options = Options { epochs: 3, ..Options::default() };
        let once = train(&Report::default(), &texts(), &options).unwrap();
        let again = train(&Report::default(), &texts(), &options).unwrap();
        assert_eq!(once.section, again.section);
        let file = weights_file(&once.section);
        assert!(file.lines().all(|line| line.len() <= 120));
    }
}
