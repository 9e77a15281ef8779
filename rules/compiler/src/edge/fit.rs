//! Which rules a device gets.

use super::lean::lean;
use super::rank::{caught, rank};
use super::{EdgeError, Parts, automaton};
use crate::build::{BuildError, BuildOptions, Built};
use crate::check::prune;
use crate::draft::{PackDraft, RedressTexts, RuleDraft};
use crate::emit::{EmitError, emit, needs_words};

/// The classifier goes along where it takes no more than this part of the flash.
const CLASSIFIER_SHARE: usize = 8;
/// Texts of a rule that go along as its canaries.
const CANARIES_OF_A_RULE: usize = 1;

/// A pack that fits.
#[derive(Debug)]
pub struct Fitted {
    /// The bytes, with room for the signature. For the automaton alone: its patterns have no texts.
    pub bytes: Vec<u8>,
    /// The same rules with their texts, for a gateway to judge by, so that both can be compared.
    pub twin: Vec<u8>,
    /// Its automaton.
    pub parts: Parts,
    /// How many rules it has.
    pub rules: usize,
    /// How many of the rules' own `hit` texts the whole pack blocks.
    pub gateway: usize,
    /// What had to stay out, the most valuable first.
    pub left_out: Vec<LeftOut>,
}

/// A rule that stayed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: Reason,
}

/// Why a rule stayed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No room.
    Flash,
    /// One of its expressions is longer than a device's interpreter takes.
    Expression,
    /// It asks the classifier, which stayed out.
    Classifier,
}

/// Why nothing fits.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The registry and the lists alone are larger than that.
    #[error("{needed} bytes are needed without any rule, {flash} are there")]
    NoRoom {
        /// Bytes of the pack without rules.
        needed: usize,
        /// Bytes there are.
        flash: usize,
    },
    /// It doesn't fit the format.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// No automaton.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// The whole pack can't be tried.
    #[error(transparent)]
    Whole(#[from] BuildError),
}

/// Takes as many rules as fit into `flash` bytes, in the order of [`rank`].
///
/// # Errors
/// [`FitError`].
pub fn fit(built: &Built, options: &BuildOptions, flash: usize) -> Result<Fitted, FitError> {
    let mut draft = options.applied_to(&built.report.draft);
    if draft.classifier.len() > flash / CLASSIFIER_SHARE {
        draft.classifier.clear();
    }
    let mut left_out = Vec::new();
    let mut candidates = Vec::new();
    for (index, rule) in draft.rules.iter().enumerate() {
        match hindrance(&draft, rule) {
            Some(reason) => left_out.push(LeftOut { id: rule.id.clone(), reason }),
            None => candidates.push(index),
        }
    }
    let caught = caught(built)?;
    let gateway = caught.blocked;
    let ranked = rank(&built.report.draft, caught, &candidates);

    let mut best = packed(&cut(&draft, &[]))?;
    if best.0.len() > flash {
        return Err(FitError::NoRoom { needed: best.0.len(), flash });
    }
    // A pack grows with each rule, so that the largest number of rules that fits is found by halving.
    let (mut low, mut high) = (0, ranked.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        match packed(&cut(&draft, ranked.get(..middle).unwrap_or_default())) {
            Ok(made) if made.0.len() <= flash => (low, best) = (middle, made),
            // More nodes than 16 bits can number are more than fits, too.
            Ok(_) | Err(FitError::Edge(EdgeError::TooMany)) => high = middle - 1,
            Err(error) => return Err(error),
        }
    }
    let without_room = ranked.get(low..).unwrap_or_default().iter().filter_map(|&rule| draft.rules.get(rule));
    left_out.extend(without_room.map(|rule| LeftOut { id: rule.id.clone(), reason: Reason::Flash }));
    let (bytes, parts) = best;
    let twin = emit(&cut(&draft, ranked.get(..low).unwrap_or_default()))?;
    Ok(Fitted { bytes, twin, parts, rules: low, gateway, left_out })
}

/// What keeps a rule out wherever it would fit.
fn hindrance(draft: &PackDraft, rule: &RuleDraft) -> Option<Reason> {
    if draft.classifier.is_empty() && rule.when.asks_classifier() {
        return Some(Reason::Classifier);
    }
    let mut alone = PackDraft {
        patterns: draft.patterns.clone(),
        groups: draft.groups.clone(),
        rules: vec![rule.clone()],
        ..PackDraft::default()
    };
    prune::unused(&mut alone);
    matches!(automaton(&alone.patterns), Err(EdgeError::TooLong(_))).then_some(Reason::Expression)
}

fn packed(draft: &PackDraft) -> Result<(Vec<u8>, Parts), FitError> {
    let (lean, parts) = lean(draft)?;
    Ok((emit(&lean)?, parts))
}

/// The draft with some of the rules; texts for people stay at home, and one canary of each kind goes along.
fn cut(draft: &PackDraft, kept: &[usize]) -> PackDraft {
    let mut kept = kept.to_vec();
    kept.sort_unstable();
    let number = |rule: usize| kept.binary_search(&rule).ok();
    let mut small = draft.clone();
    small.redress.clear();
    small.rules = kept.iter().filter_map(|&rule| draft.rules.get(rule)).map(bare).collect();
    for suppression in &mut small.suppressions {
        let named = !suppression.rules.is_empty();
        suppression.rules = suppression.rules.iter().filter_map(|&rule| number(rule)).collect();
        if draft.classifier.is_empty()
            && suppression.when.asks_classifier()
            && !needs_words(&suppression.when, draft)
        {
            // Without weights every text is unlike everything.
            suppression.when = crate::draft::Expr::Bool(false);
        }
        suppression.title_zh.clear();
        suppression.title_en.clear();
        suppression.hits.clear();
        suppression.misses.clear();
        if named && suppression.rules.is_empty() {
            // Without its rules it would take back all of them.
            suppression.when = crate::draft::Expr::Bool(false);
        }
    }
    prune::unused(&mut small);
    small
}

fn bare(rule: &RuleDraft) -> RuleDraft {
    let mut bare = rule.clone();
    bare.title_zh.clear();
    bare.title_en.clear();
    bare.hits.truncate(CANARIES_OF_A_RULE);
    bare.redress = RedressTexts::default();
    bare.misses.truncate(CANARIES_OF_A_RULE);
    bare
}
