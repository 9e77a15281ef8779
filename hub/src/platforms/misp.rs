//! A MISP feed of what is enforced: an event for each practice and month, which keeps its id while it grows.
//!
//! MISP has no type for messenger accounts and sender ids: those are `other`, with a machine tag `yumen:kind`.

use super::Stix;
use crate::limits::{PLATFORM_BATCH, SHARED_MAX};
use crate::store::{Place, SharedEntry, Store, StoreError};
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;
use yumen_exchange::time;
use yumen_rules::number::{CANONICAL_LEN_MAX, classify};
use yumen_rules::verdict::Typology;

/// Entries of one practice that were first shared in one month.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) id: Uuid,
    typology: String,
    /// `2026-11`.
    month: String,
    rows: Vec<SharedEntry>,
}

/// Reads everything that is or was shared.
pub(super) async fn load(store: &Store) -> Result<Vec<SharedEntry>, StoreError> {
    let mut all: Vec<SharedEntry> = Vec::new();
    let mut from = Place::default();
    loop {
        let rows = store.shared_from(&from, PLATFORM_BATCH).await?;
        let is_last = rows.len() < usize::try_from(PLATFORM_BATCH).unwrap_or(usize::MAX);
        // The first was the last of the batch before.
        let again = all.last().zip(rows.first()).is_some_and(|(last, first)| last == first);
        all.extend(rows.into_iter().skip(usize::from(again)));
        let Some(last) = all.last().filter(|_| !is_last) else { break };
        if all.len() >= usize::try_from(SHARED_MAX).unwrap_or(usize::MAX) {
            tracing::warn!(limit = SHARED_MAX, "the MISP feed is cut");
            break;
        }
        from = Place {
            at_ms: last.changed_ms,
            kind: last.kind.clone(),
            value: last.value.clone(),
            typology: String::new(),
        };
    }
    Ok(all)
}

/// Divides them into events.
pub(super) fn events(stix: &Stix, rows: &[SharedEntry]) -> Vec<Event> {
    let mut by_event: BTreeMap<(String, String), Vec<SharedEntry>> = BTreeMap::new();
    for row in rows {
        let month = time::format(row.created_ms).chars().take(7).collect();
        by_event.entry((row.typology.clone(), month)).or_default().push(row.clone());
    }
    let event = |((typology, month), rows): ((String, String), Vec<SharedEntry>)| {
        let id = stix.id("misp event", &[&typology, &month]);
        Event { id, typology, month, rows }
    };
    by_event.into_iter().map(event).collect()
}

impl Event {
    fn changed_s(&self) -> u64 {
        self.rows.iter().map(|row| row.changed_ms).max().unwrap_or(0) / 1000
    }

    /// What both the manifest and the event say.
    fn head(&self, stix: &Stix) -> Map<String, Value> {
        let title = Typology::from_id(&self.typology).map_or("", Typology::title_zh);
        let tags = json!([
            { "name": "tlp:green", "colour": "#339900" },
            { "name": format!("yumen:typology=\"{}\"", self.typology), "colour": "#8c1d18" },
        ]);
        let head = json!({
            "info": format!("{} {title} {}: {}", stix.name(), self.typology, self.month),
            "date": format!("{}-01", self.month), "analysis": "2", "threat_level_id": "2",
            "timestamp": self.changed_s().to_string(),
            "Orgc": { "name": stix.name(), "uuid": stix.id("misp organisation", &[]) },
            "Tag": tags,
        });
        match head {
            Value::Object(head) => head,
            _ => Map::new(),
        }
    }
}

/// `manifest.json`.
pub(super) fn manifest(stix: &Stix, events: &[Event]) -> Value {
    Value::Object(
        events.iter().map(|event| (event.id.to_string(), Value::Object(event.head(stix)))).collect(),
    )
}

/// `hashes.csv`: the MD5 of each value, with the event that it is in.
pub(super) fn hashes(events: &[Event]) -> String {
    let mut out = String::new();
    for event in events {
        for row in event.rows.iter().filter(|row| row.state == "enforced") {
            let value = attribute_of(&row.kind, &row.value).2;
            out.push_str(&HEXLOWER.encode(&Md5::digest(value.as_bytes())));
            out.push(',');
            out.push_str(&event.id.to_string());
            out.push('\n');
        }
    }
    out
}

/// An event's own file. What isn't enforced any more is deleted there.
pub(super) fn event(stix: &Stix, event: &Event) -> Value {
    let attributes = event.rows.iter().map(|row| {
        let (kind, category, value) = attribute_of(&row.kind, &row.value);
        let mut attribute = json!({
            "uuid": stix.id("misp attribute", &[&row.kind, &row.value]), "type": kind, "category": category,
            "value": value, "to_ids": row.state == "enforced", "deleted": row.state != "enforced",
            "timestamp": (row.changed_ms / 1000).to_string(), "comment": row.state, "disable_correlation": false,
        });
        if kind == "other"
            && let Some(attribute) = attribute.as_object_mut()
        {
            let tag = json!([{ "name": format!("yumen:kind=\"{}\"", row.kind), "colour": "#6f6f6f" }]);
            attribute.insert("Tag".to_owned(), tag);
        }
        attribute
    });
    let mut head = event.head(stix);
    head.insert("uuid".to_owned(), json!(event.id));
    head.insert("published".to_owned(), json!(true));
    head.insert("publish_timestamp".to_owned(), json!(event.changed_s().to_string()));
    head.insert("Attribute".to_owned(), attributes.collect());
    json!({ "Event": head })
}

/// MISP's type and category, and the value as MISP has it.
fn attribute_of(kind: &str, value: &str) -> (&'static str, &'static str, String) {
    match kind {
        "domain" => ("domain", "Network activity", value.to_owned()),
        "url" => ("url", "Network activity", format!("http://{value}")),
        "email" => ("email-src", "Payload delivery", value.to_owned()),
        "bank-account" => ("bank-account-nr", "Financial fraud", value.to_owned()),
        "number" => {
            let (mut canonical, mut out) = ([0; CANONICAL_LEN_MAX], [0; CANONICAL_LEN_MAX]);
            let number = classify(value, &mut canonical);
            let e164 = number.as_ref().map_or(value, |number| number.e164(&mut out));
            ("phone-number", "Financial fraud", e164.to_owned())
        }
        _ => ("other", "Financial fraud", value.to_owned()),
    }
}
