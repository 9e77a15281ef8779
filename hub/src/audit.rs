//! The audit log: what was done, by whom, as a chain. Each row's hash covers the row and the hash before it, so that a
//! row can't be changed, taken out or put in without all that follow becoming wrong; and the database refuses to change or
//! delete one. Rows cut off at the end show when the last hash was noted elsewhere: each one goes to the hub's log too.
//!
//! ```text
//! hash = SHA-256("yumen audit v1" 00 ‖ JSON of [hash before, seq, at_ms, actor, action, subject, detail])
//! ```

use crate::store::{AuditRow, Store, StoreError};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Rows read at a time.
const PAGE: u32 = 1000;
/// Longest text of a row, in bytes: what is longer is cut.
const TEXT_BYTES_MAX: usize = 1024;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Somebody logged in.
    Login,
    /// A log-in failed.
    LoginRefused,
    /// Somebody logged out.
    Logout,
    /// An indicator was promoted.
    Promote,
    /// An indicator or a rule was taken back.
    Retract,
    /// A pack goes to more agents, or to fewer.
    RolledOut,
    /// A channel goes back to the rules before.
    RolledBack,
    /// An institution was added.
    MemberAdded,
    /// An agent was invited.
    Invited,
    /// An agent was enrolled.
    Enrolled,
    /// An agent renewed its certificate.
    Renewed,
    /// An agent was revoked.
    Revoked,
    /// A server's certificate was issued.
    Issued,
    /// A person was added, changed or disabled.
    PersonChanged,
    /// A program's token was added or removed.
    TokenChanged,
    /// Data left the hub as a file.
    Exported,
    /// The hub started, with this configuration.
    Started,
    /// Somebody brought clues.
    ClueOpened,
    /// Somebody looks at a clue.
    ClueAssigned,
    /// A clue became an indicator or a rule.
    ClueAccepted,
    /// A clue came to nothing.
    ClueRejected,
    /// A clue is the same as another.
    ClueMerged,
    /// A clue is looked at again.
    ClueReopened,
    /// A clue is of another practice.
    ClueChanged,
    /// Something was said about a clue or an appeal.
    Commented,
    /// Somebody was blocked by mistake, or says so.
    Appealed,
    /// They were.
    AppealUpheld,
    /// They weren't.
    AppealRejected,
    /// A subscriber's report was entered.
    Reported,
    /// A rule was written down.
    RuleSaved,
    /// A rule goes into the packs.
    RulePublished,
    /// A rule goes out of them.
    RuleWithdrawn,
}

impl Action {
    /// Its word in the table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginRefused => "login-refused",
            Self::Logout => "logout",
            Self::Promote => "promote",
            Self::Retract => "retract",
            Self::RolledOut => "rolled-out",
            Self::RolledBack => "rolled-back",
            Self::MemberAdded => "member-added",
            Self::Invited => "agent-invited",
            Self::Enrolled => "agent-enrolled",
            Self::Renewed => "certificate-renewed",
            Self::Revoked => "agent-revoked",
            Self::Issued => "certificate-issued",
            Self::PersonChanged => "person-changed",
            Self::TokenChanged => "token-changed",
            Self::Exported => "exported",
            Self::Started => "started",
            Self::ClueOpened => "clue-opened",
            Self::ClueAssigned => "clue-assigned",
            Self::ClueAccepted => "clue-accepted",
            Self::ClueRejected => "clue-rejected",
            Self::ClueMerged => "clue-merged",
            Self::ClueReopened => "clue-reopened",
            Self::ClueChanged => "clue-changed",
            Self::Commented => "commented",
            Self::Appealed => "appealed",
            Self::AppealUpheld => "appeal-upheld",
            Self::AppealRejected => "appeal-rejected",
            Self::Reported => "reported",
            Self::RuleSaved => "rule-saved",
            Self::RulePublished => "rule-published",
            Self::RuleWithdrawn => "rule-withdrawn",
        }
    }
}

/// Adds a row. Called before the act itself: one that can't be written down isn't done.
///
/// # Errors
/// Nothing was written.
pub async fn add(
    store: &Store,
    actor: &str,
    action: Action,
    subject: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let at_ms = crate::clock::now_ms();
    let new = store
        .add_audit(|last| {
            let mut row = AuditRow {
                seq: last.map_or(0, |last| last.seq).saturating_add(1),
                at_ms,
                actor: cut(actor),
                action: action.word().to_owned(),
                subject: cut(subject),
                detail: cut(detail),
                hash: String::new(),
            };
            row.hash = hash(last.map_or("", |last| &last.hash), &row);
            row
        })
        .await?;
    tracing::info!(seq = new.seq, action = new.action, actor = new.actor, hash = new.hash, "AuditAdded");
    Ok(())
}

/// What is wrong with the chain.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is missing.
    #[error("row {0} is missing")]
    Missing(u64),
    /// A row isn't what its hash says.
    #[error("row {0} was changed, or one before it")]
    Changed(u64),
    /// The row that was noted elsewhere isn't there, or has another hash.
    #[error("row {0} isn't the one that was noted")]
    Other(u64),
}

/// The last row of a good chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 where there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

/// Goes through the whole chain; `noted` is a row's number and hash from elsewhere, such as the hub's log.
///
/// # Errors
/// The first thing that is wrong.
pub async fn verify(store: &Store, noted: Option<(u64, &str)>) -> Result<Head, AuditError> {
    let mut head = Head::default();
    let mut met = noted.is_none();
    loop {
        let rows = store.audit_after(head.seq, PAGE).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            head = follow(&head, &row)?;
            if let Some((seq, hash)) = noted
                && seq == head.seq
            {
                met = hash == head.hash;
            }
        }
    }
    match noted {
        Some((seq, _)) if !met => Err(AuditError::Other(seq)),
        _ => Ok(head),
    }
}

fn follow(head: &Head, row: &AuditRow) -> Result<Head, AuditError> {
    if row.seq != head.seq.saturating_add(1) {
        return Err(AuditError::Missing(head.seq.saturating_add(1)));
    }
    if row.hash != hash(&head.hash, row) {
        return Err(AuditError::Changed(row.seq));
    }
    Ok(Head { seq: row.seq, hash: row.hash.clone() })
}

fn hash(before: &str, row: &AuditRow) -> String {
    let fields =
        serde_json::json!([before, row.seq, row.at_ms, row.actor, row.action, row.subject, row.detail]);
    let mut digest = Sha256::new();
    digest.update(b"yumen audit v1\0");
    digest.update(fields.to_string().as_bytes());
    HEXLOWER.encode(&digest.finalize())
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<AuditRow> {
        let mut rows: Vec<AuditRow> = Vec::new();
        for seq in 1..=count {
            let mut row = AuditRow {
                seq,
                at_ms: 1_000 + seq,
                actor: "li".into(),
                action: Action::Promote.word().into(),
                subject: format!("number:1390000000{seq}"),
                detail: String::new(),
                hash: String::new(),
            };
            row.hash = hash(rows.last().map_or("", |row| &row.hash), &row);
            rows.push(row);
        }
        rows
    }

    fn follow_all(rows: &[AuditRow]) -> Result<Head, AuditError> {
        rows.iter().try_fold(Head::default(), |head, row| follow(&head, row))
    }

    #[test]
    fn a_change_anywhere_shows() {
        let good = chain(5);
        assert_eq!(follow_all(&good).unwrap().seq, 5);
        for at in 0..5 {
            let changes: [fn(&mut AuditRow); 5] = [
                |row| row.actor.push('x'),
                |row| row.at_ms += 1,
                |row| row.subject.clear(),
                |row| row.detail.push(' '),
                |row| row.action = "retract".into(),
            ];
            for change in changes {
                let mut rows = good.clone();
                change(&mut rows[at]);
                assert!(matches!(follow_all(&rows), Err(AuditError::Changed(seq)) if seq == rows[at].seq));
            }
            // Also where its own hash was made right: the next one's isn't.
            let mut rows = good.clone();
            rows[at].actor.push('x');
            rows[at].hash = hash(if at == 0 { "" } else { &good[at - 1].hash }, &rows[at]);
            assert_eq!(follow_all(&rows).is_err(), at < 4, "the last one's shows against what was noted");
            let mut rows = good.clone();
            rows.remove(at);
            assert_eq!(follow_all(&rows).is_err(), at < 4);
        }
    }
}
