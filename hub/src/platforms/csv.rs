//! Lines for spreadsheets and scripts. RFC 4180, UTF-8. A field may begin with `+` or `=`, as its indicator does: a
//! spreadsheet must be told that the column is text.

use crate::store::{KnownEntry, SharedEntry};
use yumen_exchange::time;

/// Columns of what is, or was, enforced.
pub(super) const SHARED: &str = "kind,value,typology,state,created,changed\r\n";
/// Columns of what members saw.
pub(super) const KNOWN: &str = "kind,value,typology,members,hits,first,last\r\n";

pub(super) fn shared(row: &SharedEntry) -> String {
    let SharedEntry { kind, value, typology, state, created_ms, changed_ms } = row;
    line(&[kind, value, typology, state, &time::format(*created_ms), &time::format(*changed_ms)])
}

pub(super) fn known(row: &KnownEntry) -> String {
    let KnownEntry { kind, value, typology, members, hits, first_ms, last_ms } = row;
    let (members, hits) = (members.to_string(), hits.to_string());
    line(&[kind, value, typology, &members, &hits, &time::format(*first_ms), &time::format(*last_ms)])
}

fn line(fields: &[&str]) -> String {
    let quoted = fields.iter().map(|field| {
        if field.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            (*field).to_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}
