//! What was refused, added up before it is written: a flood of forgeries costs a row, not a row each.

use crate::limits::REFUSALS_MAX;
use crate::store::{RefusalRow, Store};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Refusals that aren't written yet. Those beyond the limit of different senders are counted without a name.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    waiting: HashMap<(String, String, &'static str), RefusalRow>,
    /// Senders that have a row: anybody can make names up, but not without end.
    named: std::collections::HashSet<(String, String)>,
}

impl Refusals {
    /// Counts one.
    pub fn add(&self, sender: Option<(&str, &str)>, reason: &'static str, now_ms: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut named =
            sender.map_or_else(Default::default, |(member, agent)| (member.to_owned(), agent.to_owned()));
        if !counts.named.contains(&named) {
            if counts.named.len() < REFUSALS_MAX {
                counts.named.insert(named.clone());
            } else {
                named = Default::default();
            }
        }
        let (member, agent) = named;
        let row =
            counts.waiting.entry((member.clone(), agent.clone(), reason)).or_insert_with(|| RefusalRow {
                member,
                agent,
                reason: reason.to_owned(),
                count: 0,
                first_ms: now_ms,
                last_ms: now_ms,
            });
        row.count = row.count.saturating_add(1);
        row.last_ms = now_ms;
    }

    /// Writes what waits. What can't be written is said in the log, and lost: it must not stop what is good.
    pub async fn write(&self, store: &Store) {
        let rows: Vec<RefusalRow> = {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            counts.waiting.drain().map(|(_, row)| row).collect()
        };
        if !rows.is_empty()
            && let Err(error) = store.add_refusals(&rows).await
        {
            tracing::error!(%error, refusals = rows.len(), "refusals could not be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_in_invented_names_is_one_row_beyond_the_limit() {
        let refusals = Refusals::default();
        for number in 0..REFUSALS_MAX + 500 {
            refusals.add(Some((&format!("m{number}"), "gw1")), "signature", 1);
        }
        refusals.add(Some(("m0", "gw1")), "signature", 7);
        let counts = refusals.0.lock().unwrap();
        assert_eq!(counts.waiting.len(), REFUSALS_MAX + 1);
        let row = &counts.waiting[&("m0".to_owned(), "gw1".to_owned(), "signature")];
        assert_eq!((row.count, row.first_ms, row.last_ms), (2, 1, 7));
        assert_eq!(counts.waiting[&(String::new(), String::new(), "signature")].count, 500);
    }
}
