//! What leaving rules out costs.

use super::Fitted;
use crate::build::{BuildError, Built};
use std::sync::Arc;
use yumen_matcher::{LoadOptions, LoadedPack, Worker};
use yumen_rules::engine::Site;
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

/// Judges the `hit` texts of all rules by both packs.
///
/// # Errors
/// [`BuildError`], where one of them can't be loaded.
pub fn recall(built: &Built, fitted: &Fitted) -> Result<Recall, BuildError> {
    let texts: Vec<&str> =
        built.report.draft.rules.iter().flat_map(|rule| &rule.hits).map(String::as_str).collect();
    Ok(Recall {
        texts: texts.len(),
        gateway: blocked(&built.bytes, &texts)?,
        device: blocked(&fitted.bytes, &texts)?,
    })
}

fn blocked(pack: &[u8], texts: &[&str]) -> Result<usize, BuildError> {
    let loaded = Arc::new(LoadedPack::load_untried(pack, &LoadOptions::ANYTHING)?);
    let mut worker = Worker::new(Arc::clone(&loaded))?;
    let policy = Policy::enforcing();
    let mut count = 0_usize;
    for text in texts {
        if let Ok(judgement) = worker.judge(&Site::DEFAULT, &Event::text_only(text)) {
            count = count.saturating_add(usize::from(policy.decide(&judgement).action >= Action::Hold));
        }
    }
    Ok(count)
}
