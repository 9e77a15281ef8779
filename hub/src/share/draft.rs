//! The rules that every pack has, and the lists that are put into them.

use crate::rulebook::Rulebook;
use crate::store::{SHARED_RULE, SharedRow};
use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::PathBuf;
use yumen_compiler::draft::{Expr, ListDraft, ListKind, PackDraft, RedressTexts, RuleDraft};
use yumen_compiler::emit::{EmitError, emit};
use yumen_compiler::sign::sign;
use yumen_exchange::check::INDICATOR_KINDS;
use yumen_exchange::limits::{INDICATOR_BYTES_MAX, SHARED_PACK_BYTES_MAX};
use yumen_exchange::topic::Name;
use yumen_rules::engine::number_matches;
use yumen_rules::language::Language;
use yumen_rules::pack::PackError;
use yumen_rules::signal::Field;
use yumen_rules::verdict::{Ladder, Typology};

/// How long agents take a pack, in seconds: one is made anew with every change, and at every start of the hub.
const LIFETIME_S: u64 = 90 * 86_400;

/// What a shared indicator is worth by itself: enough to block.
const SCORE: u8 = 90;

/// Why no pack can be made.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The sources have errors.
    #[error("{0} of the rules' sources have errors: `yumen rules check` shows them")]
    Sources(usize),
    /// It doesn't fit the format.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// It can't be signed.
    #[error("the pack can't be signed: {0}")]
    Sign(PackError),
    /// It is too large for the way to the agents.
    #[error("the pack has {0} bytes, and {SHARED_PACK_BYTES_MAX} go over MQTT")]
    TooLarge(usize),
}

/// The rules, checked.
pub(super) struct Base {
    draft: PackDraft,
    digest: String,
    known_good: HashSet<String>,
}

impl Base {
    /// Checks the rules in these folders, and `more` of the console, as name and text.
    pub(super) fn load(
        rules: &[PathBuf],
        known_good: &[String],
        more: &[(String, String)],
    ) -> Result<Self, BaseError> {
        let report = match more {
            [] => yumen_compiler::check_paths(rules),
            more => Rulebook::read(rules).with(more),
        };
        if !report.is_buildable() {
            return Err(BaseError::Sources(rules.len()));
        }
        let draft = report.draft;
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(emit(&draft)?));
        Ok(Self { draft, digest, known_good: known_good.iter().cloned().collect() })
    }

    /// SHA-256 of the rules as a pack without shared lists, in hexadecimal.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn has_rule(&self, id: &str) -> bool {
        let shared = Typology::ALL.iter().any(|typology| id == shared_rule(*typology));
        shared || self.draft.rules.iter().any(|rule| rule.id == id)
    }

    /// Whether it belongs to an organisation of the registry, to the emergency services, or is named in the configuration.
    pub(super) fn is_known_good(&self, kind: &str, value: &str) -> bool {
        if self.known_good.contains(&format!("{kind}:{value}")) {
            return true;
        }
        let lies_in = |domain: &String, host: &str| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match kind {
            "number" => {
                EMERGENCY.contains(&value)
                    || self
                        .draft
                        .senders
                        .iter()
                        .any(|sender| sender.numbers.iter().any(|own| number_matches(own, value)))
            }
            "domain" | "url" => {
                let host = value.split(['/', ':']).next().unwrap_or_default();
                // A name without an inner dot is everybody's.
                !host.contains('.')
                    || self
                        .draft
                        .senders
                        .iter()
                        .any(|sender| sender.domains.iter().any(|domain| lies_in(domain, host)))
            }
            _ => false,
        }
    }

    /// A signed pack with these indicators.
    pub(super) fn pack(
        &self,
        enforced: &[SharedRow],
        channel: &Name,
        serial: u64,
        now_s: u64,
        key: &SigningKey,
    ) -> Result<Vec<u8>, BaseError> {
        let mut draft = PackDraft {
            name: "yumen".to_owned(),
            channel: channel.as_str().to_owned(),
            serial,
            created_s: now_s,
            expires_s: now_s.saturating_add(LIFETIME_S),
            ..self.draft.clone()
        };
        for typology in Typology::ALL {
            let of_typology = enforced.iter().filter(|row| row.typology == typology.id());
            let entries = of_typology.map(|row| format!("{}:{}", row.kind, row.value)).collect();
            draft.rules.push(rule(typology, draft.lists.len()));
            draft.lists.push(ListDraft { name: shared_rule(typology), kind: ListKind::Exact, entries });
        }
        let mut bytes = emit(&draft)?;
        if bytes.len() > SHARED_PACK_BYTES_MAX {
            return Err(BaseError::TooLarge(bytes.len()));
        }
        sign(&mut bytes, key).map_err(BaseError::Sign)?;
        Ok(bytes)
    }
}

/// The same content under a new serial, signed anew.
pub(super) fn restamp(
    mut bytes: Vec<u8>,
    serial: u64,
    now_s: u64,
    key: &SigningKey,
) -> Result<Vec<u8>, BaseError> {
    // Serial, created, expires: the header's layout is specified in `yumen_rules::pack`.
    let stamp = [serial, now_s, now_s.saturating_add(LIFETIME_S)];
    let fields = bytes.get_mut(16..40).ok_or(BaseError::Sign(PackError::Length))?;
    for (field, value) in fields.chunks_exact_mut(8).zip(stamp) {
        field.copy_from_slice(&value.to_le_bytes());
    }
    sign(&mut bytes, key).map_err(BaseError::Sign)?;
    Ok(bytes)
}

/// Numbers that stand in no registry and are never blocked.
const EMERGENCY: [&str; 8] = ["110", "112", "119", "120", "122", "999", "12110", "12395"];

/// A typology by its id.
pub(super) fn typology(id: &str) -> Option<Typology> {
    Typology::from_id(id)
}

/// Whether it is of a kind that sightings have, and a value that can be one.
pub(crate) fn is_indicator(kind: &str, value: &str) -> bool {
    INDICATOR_KINDS.contains(&kind)
        && (1..=INDICATOR_BYTES_MAX).contains(&value.len())
        && !value.chars().any(char::is_control)
}

fn shared_rule(typology: Typology) -> String {
    format!("{}/{SHARED_RULE}", typology.id())
}

fn rule(typology: Typology, list: usize) -> RuleDraft {
    RuleDraft {
        id: shared_rule(typology),
        typology,
        title_zh: format!("多家机构共享的线索：{}", typology.title_zh()),
        title_en: format!("An indicator shared by several institutions: {}", typology.id()),
        sms: true,
        call: true,
        ladder: Ladder::Enforce,
        score: SCORE,
        overrides: Vec::new(),
        when: Expr::FieldIn(Field::Indicators, list),
        hits: Vec::new(),
        misses: Vec::new(),
        redress: RedressTexts(REDRESS.map(str::to_owned)),
    }
}

/// Whether a rule is the one of a typology's shared list.
pub(crate) fn is_shared(id: &str) -> bool {
    id.rsplit('/').next() == Some(SHARED_RULE)
}

/// What a person is told whom a shared indicator blocked.
pub(crate) const fn shared_redress(language: Language) -> &'static str {
    match language {
        Language::Chinese => REDRESS[0],
        Language::TraditionalChinese => REDRESS[1],
        Language::English => REDRESS[2],
    }
}

/// What a person is told whom a shared indicator blocked: in Chinese, in traditional characters, in English.
const REDRESS: [&str; 3] = [
    "因其中的号码、链接或账号曾被多家机构举报，已被拦截；如属误拦，可向您的运营商申诉。",
    "因其中的號碼、連結或帳號曾被多家機構舉報，已被攔截；如屬誤攔，可向您的電信業者申訴。",
    "Stopped because several institutions reported a number, link or account in it; if that is a mistake, you can appeal to your operator.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_compiler::draft::SenderDraft;

    #[test]
    fn what_is_known_good_is_known_by_number_prefix_and_domain() {
        let sender = SenderDraft {
            organisation: "示例银行".into(),
            kind: "bank".into(),
            numbers: vec!["95500".into(), "1069000*".into()],
            signatures: Vec::new(),
            domains: vec!["bank.example".into()],
        };
        let draft = PackDraft { senders: vec![sender], ..PackDraft::default() };
        let base =
            Base { draft, digest: String::new(), known_good: HashSet::from(["wechat:helpdesk".to_owned()]) };
        for (kind, value) in [
            ("number", "95500"),
            ("number", "106900012"),
            ("number", "110"),
            ("domain", "bank.example"),
            ("domain", "m.bank.example"),
            ("url", "bank.example/x"),
            ("domain", "com"),
            ("wechat", "helpdesk"),
        ] {
            assert!(base.is_known_good(kind, value), "{kind}:{value}");
        }
        for (kind, value) in [
            ("number", "13900000009"),
            ("domain", "evilbank.example"),
            ("domain", "bank.example.evil.example"),
            ("url", "evil.example/bank.example"),
            ("qq", "95500"),
        ] {
            assert!(!base.is_known_good(kind, value), "{kind}:{value}");
        }
    }
}
