//! Who looks at a page, and where they may go.

use super::words::Words;
use crate::accounts::{Access, Caller, Via};

/// Who looks at a page, as far as it shows.
pub(super) struct Me {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) csrf: String,
    pub(super) reports: bool,
    pub(super) analyses: bool,
    pub(super) administers: bool,
    pub(super) has_session: bool,
    pub(super) pages: Vec<Page>,
}

/// A page in the navigation.
pub(super) struct Page {
    pub(super) address: &'static str,
    pub(super) word: &'static str,
    pub(super) is_here: bool,
}

/// Where everything is, and who may go there.
fn pages(caller: &Caller, t: &'static Words, here: &str) -> Vec<Page> {
    let all = [
        ("/overview", t.w.overview, Access::Member),
        ("/", t.sightings, Access::Member),
        ("/indicators", t.w.indicators, Access::Reader),
        ("/clues", t.w.clues, Access::Reader),
        ("/appeals", t.w.appeals, Access::Member),
        ("/complaints", t.w.complaint, Access::Reporter),
        ("/rules", t.w.rules, Access::Reader),
        ("/rollout", t.w.rollout, Access::Reader),
        ("/statistics", t.w.statistics, Access::Member),
        ("/members", t.members, Access::Reader),
        ("/refused", t.refused, Access::Reader),
        ("/people", t.people, Access::Administrator),
        ("/audit", t.audit, Access::Administrator),
    ];
    let allowed = all.into_iter().filter(|(.., access)| caller.may(*access));
    allowed.map(|(address, word, _)| Page { address, word, is_here: address == here }).collect()
}

impl Me {
    /// On a page of the navigation.
    pub(super) fn at(caller: &Caller, t: &'static Words, here: &str) -> Self {
        Self {
            name: caller.name.clone(),
            role: t.term(caller.role.id()),
            csrf: caller.csrf().to_owned(),
            reports: caller.may(Access::Reporter),
            analyses: caller.may(Access::Analyst),
            administers: caller.may(Access::Administrator),
            has_session: matches!(caller.via, Via::Session { .. }),
            pages: pages(caller, t, here),
        }
    }

    /// Elsewhere.
    pub(super) fn new(caller: &Caller, t: &'static Words) -> Self {
        Self::at(caller, t, "")
    }
}
