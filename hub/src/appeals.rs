//! Redress: who was blocked quotes an appeal id, and is answered within a time.
//!
//! ```text
//! id → decision (what the institution lets them see) → appeal: open ─┬→ upheld: retract, and a dispute of the indicators
//!                                             due in 24 h, escalated ─┴→ rejected, in bad faith or not
//! ```
//!
//! An id has at least 62 random bits; whoever quotes it was told it, and learns nothing about anybody else. Who appeals in
//! bad faith again and again waits longer, and behind the others: they are answered all the same.

use crate::audit::{self, Action};
use crate::limits::{APPEALS_MAX, REMARK_CHARS_MAX};
use crate::share::{ShareError, Sharer};
use crate::store::{AppealRow, Row, Store, StoreError};
use uuid::Uuid;
use yumen_compiler::suggest::masked;

const HOUR_MS: u64 = 3_600_000;
/// Bad faith counts for so long.
const BAD_FAITH_MS: u64 = 90 * 24 * HOUR_MS;
/// How often the time to answer is doubled at most.
const STANDING_MAX: u64 = 3;

/// Who appeals.
pub const SIDES: [&str; 3] = ["sender", "recipient", "member"];

/// Why nothing was done about an appeal.
#[derive(Debug, thiserror::Error)]
pub enum AppealError {
    /// There is no such decision, or none that blocked anything, or its time is over: which of them isn't told.
    #[error("there is no such appeal id, or its time is over 没有这个申诉编号，或已过期")]
    Unknown,
    /// It is being looked at already, or was often enough.
    #[error(
        "an appeal of this decision is being looked at, or was answered often enough 该申诉正在处理，或已多次答复"
    )]
    Known,
    /// Somebody else has answered.
    #[error("somebody else has just answered it: load the page again 已被他人答复，请刷新")]
    Changed,
    /// A text that is too long, or an empty one where there must be one.
    #[error("a text has 1 to {REMARK_CHARS_MAX} characters 文字须为 1 至 {REMARK_CHARS_MAX} 字")]
    Text,
    /// Not one of [`SIDES`], or not one for the public.
    #[error("who appeals is 'sender' or 'recipient'")]
    Side,
    /// What was to be taken back isn't part of the decision.
    #[error("only what this decision rests on can be taken back 只能撤回该判定所依据的内容")]
    Foreign,
    /// It can't be taken back.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The decision that an appeal id names. Only one that kept something back can be appealed.
///
/// # Errors
/// [`AppealError::Unknown`], whatever is wrong with the id.
pub async fn find(store: &Store, id: &str) -> Result<Row, AppealError> {
    let id: Uuid = id.trim().parse().map_err(|_| AppealError::Unknown)?;
    let row = store.appealed(id).await?.ok_or(AppealError::Unknown)?;
    if is_blocked(&row) { Ok(row) } else { Err(AppealError::Unknown) }
}

/// Whether something was kept back.
#[must_use]
pub fn is_blocked(row: &Row) -> bool {
    matches!(&row.data.verdict[..], "hold" | "reject" | "drop")
}

/// Opens an appeal of a decision; `actor` is the analyst who enters it, or `public`.
///
/// # Errors
/// [`AppealError`].
pub async fn open(
    store: &Store,
    actor: &str,
    row: &Row,
    (side, statement): (&str, &str),
    (answer_hours, now_ms): (u32, u64),
) -> Result<AppealRow, AppealError> {
    if !SIDES.contains(&side) {
        return Err(AppealError::Side);
    }
    let statement = statement.trim();
    if statement.chars().count() > REMARK_CHARS_MAX {
        return Err(AppealError::Text);
    }
    let sender = row.data.indicators.iter().find(|indicator| indicator.origin == "originator");
    let about = sender.map_or_else(String::new, |sender| format!("{}:{}", sender.kind, sender.value));
    let standing = match &about[..] {
        "" => 0,
        about => store.bad_faith(about, now_ms.saturating_sub(BAD_FAITH_MS)).await?,
    };
    let wait_ms = (u64::from(answer_hours) * HOUR_MS) << standing.min(STANDING_MAX);
    let appeal = AppealRow {
        id: Uuid::now_v7().to_string(),
        sighting: row.id.to_string(),
        member: row.member.clone(),
        agent: row.agent.clone(),
        about,
        typology: row.data.typology.clone(),
        judged_ms: row.time_ms,
        data: row.data.clone(),
        side: side.to_owned(),
        // Somebody may quote the message, and numbers in it.
        statement: masked(statement),
        state: "open".to_owned(),
        standing: standing.min(STANDING_MAX),
        bad_faith: false,
        answer: String::new(),
        answered_by: String::new(),
        opened_ms: now_ms,
        due_ms: now_ms.saturating_add(wait_ms),
        escalated_ms: 0,
        closed_ms: 0,
    };
    audit::add(store, actor, Action::Appealed, &appeal.sighting, side).await?;
    if store.add_appeal(&appeal, APPEALS_MAX).await? { Ok(appeal) } else { Err(AppealError::Known) }
}

/// An analyst's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether they were blocked by mistake.
    pub upheld: bool,
    /// What they are told.
    pub text: String,
    /// Whether they knew that they weren't; only where it isn't upheld.
    pub bad_faith: bool,
    /// Indicators of the decision that are taken back, as `kind:value`.
    pub indicators: Vec<String>,
    /// Rules of the decision that are taken back.
    pub rules: Vec<String>,
}

/// Answers an appeal. What is taken back is taken back at every member before the answer stands, and each indicator of an
/// upheld appeal that is named, or is the sender's own, counts as disputed.
///
/// # Errors
/// [`AppealError`].
pub async fn answer(
    store: &Store,
    sharer: Option<&Sharer>,
    actor: &str,
    id: &str,
    answer: &Answer,
    now_ms: u64,
) -> Result<(), AppealError> {
    let appeal = store.appeal(id).await?.ok_or(AppealError::Unknown)?;
    if appeal.state != "open" {
        return Err(AppealError::Changed);
    }
    let text = answer.text.trim();
    if !(1..=REMARK_CHARS_MAX).contains(&text.chars().count()) {
        return Err(AppealError::Text);
    }
    let mut disputed = Vec::new();
    if answer.upheld {
        let own = |name: &String| {
            let indicators = appeal.data.indicators.iter();
            indicators.into_iter().any(|one| *name == format!("{}:{}", one.kind, one.value))
        };
        let fired = |name: &String| appeal.data.rules.iter().any(|rule| rule.id == *name);
        if !answer.indicators.iter().all(own) || !answer.rules.iter().all(fired) {
            return Err(AppealError::Foreign);
        }
        disputed = disputed_by(&appeal, &answer.indicators);
        take_back(store, sharer, actor, answer, now_ms).await?;
    }
    let action = if answer.upheld { Action::AppealUpheld } else { Action::AppealRejected };
    let detail = if answer.bad_faith && !answer.upheld { "in bad faith" } else { "" };
    audit::add(store, actor, action, &appeal.sighting, detail).await?;
    let closed = AppealRow {
        state: if answer.upheld { "upheld" } else { "rejected" }.to_owned(),
        bad_faith: answer.bad_faith && !answer.upheld,
        answer: text.to_owned(),
        answered_by: actor.to_owned(),
        closed_ms: now_ms,
        ..appeal
    };
    if store.answer_appeal(&closed, &disputed).await? { Ok(()) } else { Err(AppealError::Changed) }
}

fn disputed_by(appeal: &AppealRow, named: &[String]) -> Vec<(String, String)> {
    let indicators = appeal.data.indicators.iter();
    let disputed = indicators
        .filter(|one| one.origin == "originator" || named.contains(&format!("{}:{}", one.kind, one.value)));
    disputed.map(|one| (one.kind.clone(), one.value.clone())).collect()
}

/// By the way that retractions always go.
async fn take_back(
    store: &Store,
    sharer: Option<&Sharer>,
    actor: &str,
    answer: &Answer,
    now_ms: u64,
) -> Result<(), AppealError> {
    let Some(sharer) = sharer else { return Ok(()) };
    for name in &answer.indicators {
        let Some((kind, value)) = name.split_once(':') else { continue };
        audit::add(store, actor, Action::Retract, name, "appeal").await?;
        sharer.retract(kind, value, now_ms).await?;
    }
    for rule in &answer.rules {
        audit::add(store, actor, Action::Retract, &format!("rule {rule}"), "appeal").await?;
        sharer.retract_rule(rule, now_ms).await?;
    }
    Ok(())
}

/// Says which appeals waited too long.
///
/// # Errors
/// [`StoreError`].
pub async fn escalate(store: &Store, now_ms: u64) -> Result<usize, StoreError> {
    let overdue = store.escalate(now_ms).await?;
    for appeal in &overdue {
        tracing::warn!(appeal, "AppealOverdue");
    }
    Ok(overdue.len())
}
