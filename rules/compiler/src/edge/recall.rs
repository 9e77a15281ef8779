//! What leaving rules out costs.

use super::Fitted;
use crate::build::{BuildError, Built};
use crate::draft::PackDraft;
use std::sync::Arc;
use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::{Judgement, Site};
use yumen_rules::policy::Policy;
use yumen_rules::verdict::Action;
use yumen_wire::event::Event;

/// The rules' own `hit` texts, and how many of them are blocked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// How many there are.
    pub texts: usize,
    /// Blocked by the whole pack.
    pub gateway: usize,
    /// Blocked by the device's.
    pub device: usize,
}

/// Judges the `hit` texts of all rules by the device's pack.
///
/// # Errors
/// [`BuildError`], where it can't be loaded.
pub fn recall(built: &Built, fitted: &Fitted) -> Result<Recall, BuildError> {
    let draft = &built.report.draft;
    Ok(Recall {
        texts: draft.rules.iter().map(|rule| rule.hits.len()).sum(),
        gateway: fitted.gateway,
        device: each_hit(draft, &fitted.twin, |_, _| {})?,
    })
}

/// Shows `see` the judgement of each `hit` text, with its number among all; returns how many are blocked.
pub(super) fn each_hit(
    draft: &PackDraft,
    pack: &[u8],
    mut see: impl FnMut(usize, &Judgement<'_>),
) -> Result<usize, BuildError> {
    let loaded = Arc::new(LoadedPack::load_untried(pack, &LoadOptions::ANYTHING)?);
    let mut worker = Worker::new(loaded)?;
    let policy = Policy::enforcing();
    let mut count = 0_usize;
    for (number, text) in draft.rules.iter().flat_map(|rule| &rule.hits).enumerate() {
        if let Ok(judgement) = worker.judge(&Site::DEFAULT, &Event::text_only(text)) {
            count = count.saturating_add(usize::from(policy.decide(&judgement).action >= Action::Hold));
            see(number, &judgement);
        }
    }
    Ok(count)
}
