//! Labelled messages → the weights of the classifier ([`yumen_rules::classify`]).
//!
//! ```text
//! texts → the engine's own features → logistic regression, one typology against the rest, L2 → cross-validation:
//! calibration (Platt) and report → training on everything → signed bytes
//! ```
//!
//! The same texts in the same order give the same weights: the shuffling is seeded, and nothing runs in parallel.

mod regression;

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
use regression::{Example, Line, calibrate, fit};

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
    /// Binary logarithm of the number of buckets.
    pub bits: u8,
    /// How often every text is looked at.
    pub epochs: u32,
    /// Strength of the L2 penalty.
    pub penalty: f32,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Where shuffling begins.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { bits: 14, epochs: 12, penalty: 2e-5, folds: 5, seed: 1 }
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

/// One typology in the cross-validation, at [`HeldOut::AT`] percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// Which.
    pub typology: Typology,
    /// Its messages.
    pub positives: usize,
    /// Those of them that reached the threshold.
    pub found: usize,
    /// Honest messages.
    pub honest: usize,
    /// Those of them that reached it.
    pub wrong: usize,
}

impl HeldOut {
    /// The threshold of the report, in percent.
    pub const AT: f32 = 80.0;
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
    let caught: std::collections::HashSet<String> = texts.iter().map(|one| one.text.clone()).collect();
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
    let examples = examples(report, texts, options)?;
    let (mut lines, mut held_out) = (Vec::new(), Vec::new());
    for typology in Typology::ALL {
        let truth: Vec<bool> = texts.iter().map(|text| text.typology == Some(typology)).collect();
        let logits = cross_validate(&examples, &truth, options);
        let platt = calibrate(&logits, &truth);
        held_out.push(count(typology, texts, &logits, platt));
        lines.push(fit(&examples, &truth, options).calibrated(platt));
    }
    Ok(Trained { section: section(&lines, options.bits), held_out })
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

/// The features of every text, as the engine sees them.
fn examples(report: &Report, texts: &[Labelled], options: &Options) -> Result<Vec<Example>, BuildError> {
    // Words don't matter to features, only who signs.
    let senders = report.draft.senders.clone();
    let draft =
        PackDraft { name: "training".to_owned(), senders, expires_s: u64::MAX, ..PackDraft::default() };
    let bytes = emit(&draft)?;
    let loaded = LoadedPack::load(&bytes, &LoadOptions::ANYTHING)?;
    let mut worker = Worker::new(Arc::new(loaded))?;
    let mut examples = Vec::with_capacity(texts.len());
    for text in texts {
        let mut buckets = Vec::new();
        let event = Event::text_only(&text.text);
        if let Ok(judgement) = worker.judge_observed(&Site::DEFAULT, &event, &mut Recorder::default()) {
            let signals = judgement.classified().map(|(_, signals)| signals).unwrap_or_default();
            features(judgement.view(View::Folded), signals, |feature| {
                buckets.push(feature.bucket(options.bits))
            });
        }
        examples.push(Example::new(buckets));
    }
    Ok(examples)
}

/// The logit of each text by weights that never saw it.
fn cross_validate(examples: &[Example], truth: &[bool], options: &Options) -> Vec<f32> {
    let folds = options.folds.max(2);
    let mut logits = vec![0.0; examples.len()];
    for fold in 0..folds {
        let is_held = |index: usize| index % folds == fold;
        let seen: Vec<Example> =
            examples.iter().enumerate().filter(|(at, _)| !is_held(*at)).map(|(_, one)| one.clone()).collect();
        let seen_truth: Vec<bool> =
            truth.iter().enumerate().filter(|(at, _)| !is_held(*at)).map(|(_, one)| *one).collect();
        let line = fit(&seen, &seen_truth, options);
        for (at, (logit, example)) in logits.iter_mut().zip(examples).enumerate() {
            if is_held(at) {
                *logit = line.logit(example);
            }
        }
    }
    logits
}

fn count(typology: Typology, texts: &[Labelled], logits: &[f32], (slope, shift): (f32, f32)) -> HeldOut {
    let threshold = (HeldOut::AT / (100.0 - HeldOut::AT)).ln();
    let mut counts = HeldOut { typology, positives: 0, found: 0, honest: 0, wrong: 0 };
    for (text, logit) in texts.iter().zip(logits) {
        let reached = usize::from(logit * slope + shift >= threshold);
        if text.typology == Some(typology) {
            counts.positives += 1;
            counts.found += reached;
        } else if text.typology.is_none() {
            counts.honest += 1;
            counts.wrong += reached;
        }
    }
    counts
}

/// The bytes of the section.
fn section(lines: &[Line], bits: u8) -> Vec<u8> {
    let mut out = FEATURES_VERSION.to_le_bytes().to_vec();
    out.extend_from_slice(&[bits, 0, 0, 0, 0, 0]);
    let quantised: Vec<(i32, Vec<i8>)> = lines.iter().map(Line::quantised).collect();
    for (line, (scale, _)) in lines.iter().zip(&quantised) {
        out.extend_from_slice(&regression::fixed(line.bias).to_le_bytes());
        out.extend_from_slice(&scale.to_le_bytes());
    }
    for bucket in 0..1usize << bits {
        let weights = quantised.iter().map(|(_, weights)| weights.get(bucket).copied().unwrap_or(0));
        out.extend(weights.map(i8::cast_unsigned));
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
        let trained = train(&report, &texts(), &Options { bits: 10, ..Options::default() }).unwrap();
        let model = Model::new_checked(&trained.section).unwrap();
        let score = |text: &str| model.scores(text.as_bytes(), Signals::default());
        assert!(score("急用钱找我，黑户也能下款")[Typology::LoanMediation as usize] > 80);
        assert!(score("回家吃饭")[Typology::LoanMediation as usize] < 20);
        let loan = trained.held_out[Typology::LoanMediation as usize];
        assert_eq!((loan.positives, loan.found, loan.honest, loan.wrong), (30, 30, 60, 0));
    }

    #[test]
    fn the_same_texts_give_the_same_weights() {
        let options = Options { bits: 9, epochs: 3, ..Options::default() };
        let once = train(&Report::default(), &texts(), &options).unwrap();
        let again = train(&Report::default(), &texts(), &options).unwrap();
        assert_eq!(once.section, again.section);
        let file = weights_file(&once.section);
        assert!(file.lines().all(|line| line.len() <= 120));
    }
}
