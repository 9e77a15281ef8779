//! STIX 2.1 objects. Ids are UUIDv5 of what they stand for, so that the same indicator is the same object in every page,
//! bundle and version.

use super::pattern;
use crate::decay::DEFAULT;
use crate::store::{KnownEntry, SharedEntry};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use uuid::Uuid;
use yumen_exchange::time;
use yumen_rules::verdict::Typology;

/// What all ids of Yumen are derived from.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c8e_1f0a_5b1d_5a51_9d0c_2f6f_4f1b_7e21);
/// When what never changes counts as made: 2025-01-01T00:00:00Z.
pub(super) const STATIC_MS: u64 = 1_735_689_600_000;
/// The type's own maximum (STIX 2.1 §5.2).
const COUNT_MAX: u64 = 999_999_999;

/// TLP:GREEN and TLP:AMBER as STIX 2.1 §7.2.1.4 fixes them.
const GREEN: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

/// Makes objects in the name of one hub.
#[derive(Clone, Debug)]
pub struct Stix {
    name: String,
    /// What the ids of its objects are derived from.
    namespace: Uuid,
    identity: String,
    extension: String,
}

impl Stix {
    /// For a hub of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let namespace = v5(&NAMESPACE, name.as_bytes());
        Self {
            name: name.to_owned(),
            namespace,
            identity: format!("identity--{namespace}"),
            extension: format!("extension-definition--{}", v5(&NAMESPACE, b"extension/indicator")),
        }
    }

    /// An id that stays the same.
    #[must_use]
    pub fn id(&self, what: &str, parts: &[&str]) -> Uuid {
        let mut name = what.to_owned();
        for part in parts {
            name.push('\0');
            name.push_str(part);
        }
        v5(&self.namespace, name.as_bytes())
    }

    /// The hub's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the others refer to: who made them, how they may be passed on, what the extension means.
    #[must_use]
    pub fn statics(&self) -> Vec<Value> {
        let at = time::format(STATIC_MS);
        let project = format!("identity--{}", v5(&NAMESPACE, b"identity/yumen"));
        let marking = |id: &str, tlp: &str| {
            json!({
                "type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2017-01-20T00:00:00.000Z",
                "definition_type": "tlp", "name": format!("TLP:{}", tlp.to_uppercase()), "definition": { "tlp": tlp },
            })
        };
        vec![
            marking(GREEN, "green"),
            marking(AMBER, "amber"),
            json!({
                "type": "identity", "spec_version": "2.1", "id": self.identity, "created": at, "modified": at,
                "name": self.name, "identity_class": "system", "object_marking_refs": [GREEN],
            }),
            json!({
                "type": "identity", "spec_version": "2.1", "id": project, "created": at, "modified": at,
                "name": "Yumen", "identity_class": "organization", "object_marking_refs": [GREEN],
            }),
            json!({
                "type": "extension-definition", "spec_version": "2.1", "id": self.extension,
                "created_by_ref": project, "created": at, "modified": at, "name": "Yumen indicator",
                "description": "The indicator as Yumen has it, the practice it belongs to, and how many institutions saw it.",
                "schema": SCHEMA, "version": "1.0.0", "extension_types": ["property-extension"],
                "object_marking_refs": [GREEN],
            }),
        ]
    }

    /// An indicator that is, or was, enforced at every member.
    #[must_use]
    pub fn shared(&self, row: &SharedEntry) -> Option<Value> {
        let SharedEntry { kind, value, typology, state, created_ms, changed_ms } = row;
        let created = *created_ms.min(changed_ms);
        let mut object = self.indicator(kind, value, typology)?;
        let fields = json!({
            "id": format!("indicator--{}", self.id("shared", &[kind, value])),
            "created": time::format(created),
            "modified": time::format(*changed_ms),
            "valid_from": time::format(created),
            "labels": [typology, "enforced"],
            "object_marking_refs": [GREEN],
        });
        merge(&mut object, fields);
        match &state[..] {
            "retracted" => merge(&mut object, json!({ "revoked": true, "labels": [typology, "retracted"] })),
            "expired" => {
                let until = (*changed_ms).max(created.saturating_add(1));
                merge(
                    &mut object,
                    json!({ "valid_until": time::format(until), "labels": [typology, "expired"] }),
                );
            }
            _ => {}
        }
        Some(object)
    }

    /// An indicator that members saw, and how often they did.
    #[must_use]
    pub fn known(&self, row: &KnownEntry) -> Option<[Value; 2]> {
        let KnownEntry { kind, value, typology, members, hits, first_ms, last_ms } = row;
        let first = time::format(*first_ms.min(last_ms));
        let last = time::format(*last_ms);
        let parts = [&kind[..], value, typology];
        let id = format!("indicator--{}", self.id("known", &parts));
        let mut indicator = self.indicator(kind, value, typology)?;
        let until = last_ms.saturating_add(DEFAULT.lifetime_ms);
        merge(
            &mut indicator,
            json!({
                "id": id, "created": first, "modified": last, "valid_from": first, "valid_until": time::format(until),
                "labels": [typology], "object_marking_refs": [AMBER],
            }),
        );
        let extension = indicator.pointer_mut(&format!("/extensions/{}", self.extension));
        if let Some(extension) = extension {
            merge(extension, json!({ "members": members }));
        }
        let sighting = json!({
            "type": "sighting", "spec_version": "2.1", "id": format!("sighting--{}", self.id("sighting", &parts)),
            "created_by_ref": self.identity, "created": first, "modified": last, "first_seen": first,
            "last_seen": last, "count": (*hits).min(COUNT_MAX), "sighting_of_ref": id,
            "where_sighted_refs": [self.identity], "summary": true, "object_marking_refs": [AMBER],
        });
        Some([indicator, sighting])
    }

    fn indicator(&self, kind: &str, value: &str, typology: &str) -> Option<Value> {
        Some(json!({
            "type": "indicator", "spec_version": "2.1", "created_by_ref": self.identity,
            "name": format!("{kind}:{value}"), "description": description(typology), "indicator_types": ["malicious-activity"],
            "pattern": pattern::emit(kind, value)?, "pattern_type": "stix", "pattern_version": "2.1",
            "extensions": { &self.extension: {
                "extension_type": "property-extension", "kind": kind, "value": value, "typology": typology,
            } },
        }))
    }

    /// A bundle's head and tail, with the objects to be written between them, separated by commas.
    #[must_use]
    pub fn bundle(&self, what: &str, at_ms: u64) -> (String, &'static str) {
        let id = self.id("bundle", &[what, &at_ms.to_string()]);
        (format!("{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":["), "]}")
    }
}

fn description(typology: &str) -> String {
    let title = Typology::from_id(typology).map_or("", Typology::title_zh);
    format!("Used in financial fraud over SMS or calls: {title} {typology}")
}

const SCHEMA: &str = "An object with these properties: kind (number, sender-id, url, domain, wechat, qq, telegram, email, \
    bank-account), value (its canonical form: numbers as dialled in China, links without their scheme), typology \
    (debt-collection, loan-mediation, debt-evasion, insurance-claims, credit-repair, stock-tips, rights-agency, fraud), \
    members (how many institutions saw it within ten days before the last sighting; optional).";

/// RFC 9562 §5.5.
fn v5(namespace: &Uuid, name: &[u8]) -> Uuid {
    let digest = Sha1::new().chain_update(namespace.as_bytes()).chain_update(name).finalize();
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(digest) {
        *byte = of;
    }
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}

/// When the object got into a collection, which is when this version was made.
pub(super) fn version(object: &Value) -> &str {
    let field = object.get("modified").or_else(|| object.get("created"));
    field.and_then(Value::as_str).unwrap_or_default()
}

fn merge(into: &mut Value, fields: Value) {
    if let (Some(into), Value::Object(fields)) = (into.as_object_mut(), fields) {
        into.extend(fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_everybody_elses_uuidv5() {
        let dns = Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8);
        assert_eq!(v5(&dns, b"www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    #[test]
    fn the_same_indicator_is_the_same_object_whatever_becomes_of_it() {
        let stix = Stix::new("Test hub");
        let row = |state: &str, changed_ms| SharedEntry {
            kind: "domain".into(),
            value: "a.example".into(),
            typology: "fraud".into(),
            state: state.into(),
            created_ms: 1_764_000_000_000,
            changed_ms,
        };
        let enforced = stix.shared(&row("enforced", 1_764_000_000_000)).unwrap();
        let retracted = stix.shared(&row("retracted", 1_764_000_060_000)).unwrap();
        assert_eq!(enforced["id"], retracted["id"]);
        assert_eq!(enforced["created"], retracted["created"]);
        assert_eq!((&enforced["revoked"], &retracted["revoked"]), (&Value::Null, &json!(true)));
        assert_ne!(enforced["id"], Stix::new("Other hub").shared(&row("enforced", 1)).unwrap()["id"]);
        assert_eq!(enforced["id"], Stix::new("Test hub").shared(&row("enforced", 1)).unwrap()["id"]);
    }

    #[test]
    fn what_members_saw_has_counts_and_nobodys_name() {
        let row = KnownEntry {
            kind: "number".into(),
            value: "13900000001".into(),
            typology: "debt-collection".into(),
            members: 3,
            hits: 5_000_000_000,
            first_ms: 1_764_000_000_000,
            last_ms: 1_764_000_500_000,
        };
        let stix = Stix::new("Test hub");
        let [indicator, sighting] = stix.known(&row).unwrap();
        assert_eq!(sighting["count"], 999_999_999);
        assert_eq!(sighting["sighting_of_ref"], indicator["id"]);
        assert_eq!(indicator["extensions"][&stix.extension]["members"], 3);
        assert_eq!(indicator["labels"], json!(["debt-collection"]));
    }
}
