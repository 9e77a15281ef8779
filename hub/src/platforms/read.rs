//! The forms in which lists come: STIX 2.1 bundles and envelopes, MISP events, tables.

use super::candidates::{Candidate, ImportError, Parsed, canonical};
use super::pattern;
use crate::limits::IMPORT_MAX;
use serde_json::Value;
use yumen_exchange::time;
use yumen_rules::verdict::Typology;

/// A form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Whichever it looks like.
    #[default]
    Auto,
    /// A STIX 2.1 bundle, or TAXII's envelope.
    Stix,
    /// A MISP event, or several.
    Misp,
    /// Lines with a header that names the columns.
    Csv,
}

impl std::str::FromStr for Format {
    type Err = ImportError;

    fn from_str(text: &str) -> Result<Self, ImportError> {
        match text {
            "auto" => Ok(Self::Auto),
            "stix" => Ok(Self::Stix),
            "misp" => Ok(Self::Misp),
            "csv" => Ok(Self::Csv),
            _ => Err(ImportError::Form),
        }
    }
}

/// How sure somebody is who doesn't say so.
const CONFIDENCE: u8 = 50;

/// Reads a file.
pub(super) fn parse(format: Format, bytes: &[u8], now_ms: u64) -> Result<Parsed, ImportError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::Encoding)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let is_json = text.starts_with(['{', '[']);
    if format == Format::Csv || (format == Format::Auto && !is_json) {
        return table(text);
    }
    let json: Value = serde_json::from_str(text).map_err(|_| ImportError::Json)?;
    // MISP's own lists of what is good.
    if json.get("list").is_some()
        && (json.get("matching_attributes").is_some() || json.get("version").is_some())
    {
        return Err(ImportError::KnownGood);
    }
    let is_stix = json.get("objects").is_some();
    match format {
        Format::Stix | Format::Auto if is_stix => stix(&json, now_ms),
        Format::Misp | Format::Auto => misp(&json),
        Format::Stix | Format::Csv => Err(ImportError::Form),
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn stix(bundle: &Value, now_ms: u64) -> Result<Parsed, ImportError> {
    let mut parsed = Parsed::default();
    for object in list(bundle, "objects") {
        match stix_object(object, now_ms) {
            Ok(candidates) => parsed.candidates.extend(candidates),
            Err(why) => parsed.skip(text(object, "id"), why),
        }
        if parsed.candidates.len() > IMPORT_MAX {
            return Err(ImportError::TooMany);
        }
    }
    parsed.settle()
}

/// The candidates of an object: none for one that only explains others.
pub(super) fn stix_object(object: &Value, now_ms: u64) -> Result<Vec<Candidate>, &'static str> {
    let found = match text(object, "type") {
        "identity"
        | "marking-definition"
        | "extension-definition"
        | "relationship"
        | "sighting"
        | "grouping"
        | "report"
        | "note"
        | "language-content" => return Ok(Vec::new()),
        "domain-name" => vec![("domain".to_owned(), text(object, "value").to_owned())],
        "url" => vec![("url".to_owned(), text(object, "value").to_owned())],
        "email-addr" => vec![("email".to_owned(), text(object, "value").to_owned())],
        "indicator" => {
            if object.get("revoked").and_then(Value::as_bool) == Some(true) {
                return Err("revoked");
            }
            if time::parse(text(object, "valid_until")).is_some_and(|until_ms| until_ms <= now_ms) {
                return Err("expired");
            }
            if list(object, "indicator_types").any(|kind| kind == "benign") {
                return Err("benign");
            }
            if !matches!(text(object, "pattern_type"), "stix") {
                return Err("not a STIX pattern");
            }
            pattern::parse(text(object, "pattern"))
                .ok_or("a pattern that is more than a choice of indicators")?
        }
        _ => return Err("of a type that isn't kept"),
    };
    let labels = list(object, "labels").filter_map(Value::as_str);
    let extended = object.get("extensions").and_then(Value::as_object).into_iter().flatten();
    let extended = extended.map(|(_, extension)| text(extension, "typology"));
    let typology = extended.chain(labels).find_map(Typology::from_id);
    let confidence =
        object.get("confidence").and_then(Value::as_u64).and_then(|sure| u8::try_from(sure).ok());
    let confidence = confidence.map_or(CONFIDENCE, |sure| sure.min(100));
    let mut candidates = Vec::new();
    for (kind, value) in found {
        let (kind, value) = canonical(&kind, &value)?;
        let candidate = Candidate { kind: kind.to_owned(), value, typology, confidence };
        // A link with either scheme is one.
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    Ok(candidates)
}

fn misp(json: &Value) -> Result<Parsed, ImportError> {
    let several = json.get("response").unwrap_or(json);
    let events: Vec<&Value> = match several {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    };
    let mut parsed = Parsed::default();
    for event in events {
        let event = event.get("Event").ok_or(ImportError::Form)?;
        let of_event = tagged(event, "typology").and_then(Typology::from_id);
        let objects = list(event, "Object").flat_map(|object| list(object, "Attribute"));
        for attribute in list(event, "Attribute").chain(objects) {
            match misp_attribute(attribute, of_event) {
                Ok(candidate) => parsed.candidates.push(candidate),
                Err(why) => parsed.skip(text(attribute, "value"), why),
            }
            if parsed.candidates.len() > IMPORT_MAX {
                return Err(ImportError::TooMany);
            }
        }
    }
    parsed.settle()
}

fn misp_attribute(attribute: &Value, of_event: Option<Typology>) -> Result<Candidate, &'static str> {
    let is = |field: &str| match attribute.get(field) {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(value)) => value == "1" || value == "true",
        Some(Value::Number(value)) => value.as_u64() == Some(1),
        _ => false,
    };
    if is("deleted") {
        return Err("deleted");
    }
    if !is("to_ids") {
        return Err("not meant for detection (to_ids)");
    }
    // `domain|ip` and the like: the first half says it.
    let kind = text(attribute, "type").split('|').next().unwrap_or_default();
    let value = if text(attribute, "type").contains('|') {
        text(attribute, "value").split('|').next().unwrap_or_default()
    } else {
        text(attribute, "value")
    };
    let (kind, value) = canonical(tagged(attribute, "kind").unwrap_or(kind), value)?;
    let typology = tagged(attribute, "typology").and_then(Typology::from_id).or(of_event);
    Ok(Candidate { kind: kind.to_owned(), value, typology, confidence: CONFIDENCE })
}

/// The value of a machine tag `yumen:predicate="value"`.
fn tagged<'a>(object: &'a Value, predicate: &str) -> Option<&'a str> {
    list(object, "Tag").find_map(|tag| {
        let rest = text(tag, "name").strip_prefix("yumen:")?.strip_prefix(predicate)?;
        rest.strip_prefix("=\"")?.strip_suffix('"')
    })
}

/// A table: a column `value` (or `indicator`) beside one of kinds (`kind` or `type`), or one that is named for the kind of
/// what is in it; `typology` and `confidence` where there are such columns.
fn table(text: &str) -> Result<Parsed, ImportError> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| ImportError::Form)?.clone();
    let column = |names: &[&str]| {
        header.iter().position(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
    };
    let kinds = column(&["kind", "type"]);
    let (values, only) = match (column(&["value", "indicator"]), kinds) {
        (Some(values), Some(_)) => (values, None),
        _ => {
            // A ranking (`1,popular.example`) is one of good names.
            if header.len() == 2 && header.get(0).is_some_and(|rank| rank.parse::<u64>().is_ok()) {
                return Err(ImportError::KnownGood);
            }
            let named = header.iter().position(|name| COLUMNS.contains(&&name.to_lowercase()[..]));
            let at = named.ok_or(ImportError::Form)?;
            (at, header.get(at).map(str::to_lowercase))
        }
    };
    let states = column(&["state"]);
    let (typologies, confidences) = (column(&["typology"]), column(&["confidence"]));
    let mut parsed = Parsed::default();
    for record in reader.records() {
        let Ok(record) = record else {
            parsed.skip("", "not a line of the table");
            continue;
        };
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        let value = field(Some(values));
        if value.is_empty() || value.starts_with('#') {
            continue;
        }
        if !matches!(field(states), "" | "enforced") {
            parsed.skip(value, "not in force");
            continue;
        }
        let kind = only.as_deref().unwrap_or_else(|| field(kinds));
        match canonical(kind, value) {
            Ok((kind, value)) => parsed.candidates.push(Candidate {
                kind: kind.to_owned(),
                value,
                typology: Typology::from_id(field(typologies)),
                confidence: field(confidences).parse().map_or(CONFIDENCE, |sure: u8| sure.min(100)),
            }),
            Err(why) => parsed.skip(value, why),
        }
        if parsed.candidates.len() > IMPORT_MAX {
            return Err(ImportError::TooMany);
        }
    }
    parsed.settle()
}

/// Names of columns that say of which kind everything in them is.
const COLUMNS: [&str; 11] = [
    "number",
    "phone-number",
    "phone",
    "domain",
    "hostname",
    "url",
    "email",
    "bank-account",
    "wechat",
    "qq",
    "telegram",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: u64 = 1_764_000_000_000;

    fn found(bytes: &str) -> Vec<(String, String)> {
        let parsed = parse(Format::Auto, bytes.as_bytes(), NOW).unwrap();
        parsed.candidates.into_iter().map(|one| (one.kind, one.value)).collect()
    }

    fn pair(kind: &str, value: &str) -> (String, String) {
        (kind.to_owned(), value.to_owned())
    }

    #[test]
    fn what_the_hub_gives_it_takes_again() {
        let stix = crate::platforms::Stix::new("Test");
        let kinds = [
            ("number", "13900000001"),
            ("sender-id", "X Bank"),
            ("url", "evil.example/a?b"),
            ("domain", "evil.example"),
            ("wechat", "wx_0000"),
            ("qq", "10000001"),
            ("telegram", "some_body"),
            ("email", "a@evil.example"),
            ("bank-account", "6200000000000000000"),
        ];
        let rows: Vec<crate::store::SharedEntry> = kinds
            .iter()
            .map(|(kind, value)| crate::store::SharedEntry {
                kind: (*kind).into(),
                value: (*value).into(),
                typology: "stock-tips".into(),
                state: "enforced".into(),
                created_ms: 1_764_000_000_000,
                changed_ms: 1_764_000_000_000,
            })
            .collect();
        let objects: Vec<Value> = rows.iter().filter_map(|row| stix.shared(row)).collect();
        let bundle = json!({ "type": "bundle", "objects": objects }).to_string();
        let parsed = parse(Format::Auto, bundle.as_bytes(), NOW).unwrap();
        assert!(parsed.skipped.is_empty(), "{:?}", parsed.skipped);
        assert!(parsed.candidates.iter().all(|one| one.typology == Some(Typology::StockTips)));
        let expected: Vec<_> = kinds.iter().map(|(kind, value)| pair(kind, value)).collect();
        assert_eq!(found(&bundle), expected);
        let events = crate::platforms::misp::events(&stix, &rows);
        let event = crate::platforms::misp::event(&stix, &events[0]).to_string();
        assert_eq!(found(&event), expected, "{event}");
    }

    #[test]
    fn benign_revoked_and_deleted_entries_are_left_out() {
        let of = |fields: Value| {
            let mut object = json!({ "type": "indicator", "id": "indicator--1", "pattern_type": "stix",
                "pattern": "[domain-name:value = 'a.example']" });
            object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            found(&json!({ "objects": [object] }).to_string()).len()
        };
        assert_eq!(of(json!({})), 1);
        assert_eq!(of(json!({ "revoked": true })), 0);
        assert_eq!(of(json!({ "valid_until": "2025-11-24T16:00:00Z" })), 0);
        assert_eq!(of(json!({ "valid_until": "2025-11-24T16:00:01Z" })), 1);
        assert_eq!(of(json!({ "indicator_types": ["benign"] })), 0);
        assert_eq!(of(json!({ "pattern_type": "yara" })), 0);
        let event = json!({ "Event": { "Attribute": [
            { "type": "domain", "value": "a.example", "to_ids": true },
            { "type": "domain", "value": "b.example", "to_ids": false },
            { "type": "domain", "value": "c.example", "to_ids": true, "deleted": true },
            { "type": "domain|ip", "value": "d.example|192.0.2.1", "to_ids": "1" },
            { "type": "md5", "value": "0", "to_ids": true },
        ] } });
        assert_eq!(found(&event.to_string()), [pair("domain", "a.example"), pair("domain", "d.example")]);
    }

    #[test]
    fn tables_name_their_columns() {
        let text = "\u{feff}Type,Value,Typology\nhostname,\"a.example\",fraud\nphone-number,+86 139 0000 0001,\nmd5,0,\n";
        assert_eq!(found("kind,value,state\nqq,10001,retracted\nqq,10002,enforced\n"), [pair("qq", "10002")]);
        assert_eq!(found(text), [pair("domain", "a.example"), pair("number", "13900000001")]);
    }

    #[test]
    fn lists_of_good_ones_are_known_by_their_form() {
        let warninglist = json!({ "name": "Top 1000", "version": 1, "list": ["a.example"], "matching_attributes": ["domain"] });
        assert_eq!(parse(Format::Auto, warninglist.to_string().as_bytes(), NOW), Err(ImportError::KnownGood));
        assert_eq!(parse(Format::Auto, b"1,a.example\n2,b.example", NOW), Err(ImportError::KnownGood));
        assert_eq!(parse(Format::Auto, b"a.example\nb.example", NOW), Err(ImportError::Form));
        assert_eq!(parse(Format::Auto, b"{", NOW), Err(ImportError::Json));
        assert_eq!(parse(Format::Auto, b"{}", NOW), Err(ImportError::Form));
        assert_eq!(parse(Format::Auto, b"\xff", NOW), Err(ImportError::Encoding));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:a-z0-9\\n]{0,120}") {
            let _parsed = parse(Format::Auto, &bytes, NOW);
            let _parsed = parse(Format::Csv, &bytes, NOW);
            let _parsed = parse(Format::Auto, text.as_bytes(), NOW);
        }
    }
}
