//! The queue of clues: indicators that somebody should decide about, the most harmful first.
//!
//! ```text
//! members saw it, nobody shares it ─┐
//! a subscriber's report ────────────┼→ clue: open → assigned → accepted (indicator or rule), rejected, merged
//! a list or feed, a person ─────────┘
//! ```
//!
//! Every change stands in the audit log before it is made.

use crate::audit::{self, Action};
use crate::decay::DEFAULT;
use crate::limits::{CLUES_NEW_MAX, CLUES_SEEN_MAX, REMARK_CHARS_MAX};
use crate::share::{ShareError, Sharer, is_indicator};
use crate::store::{ClueRow, Observed, Remark, SharedRow, Store, StoreError};
use uuid::Uuid;
use yumen_rules::verdict::Typology;

const DAY_MS: u64 = 86_400_000;

/// What brings a clue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Members saw it.
    Seen,
    /// A subscriber reported it.
    Report,
    /// A list or another platform.
    Import,
    /// An analyst typed it.
    Manual,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Seen, Self::Report, Self::Import, Self::Manual];

    /// By its word.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.id() == id)
    }

    /// Its word.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Report => "report",
            Self::Import => "import",
            Self::Manual => "manual",
        }
    }
}

/// The states of a clue, in the order of its life.
pub const STATES: [&str; 5] = ["open", "assigned", "accepted", "rejected", "merged"];

/// A clue that somebody brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClue {
    /// Kind of the indicator: one of [`yumen_exchange::check::INDICATOR_KINDS`].
    pub kind: String,
    /// Its canonical value, as sightings have it.
    pub value: String,
    /// The practice, by its id.
    pub typology: String,
    /// What brings it.
    pub source: Source,
    /// The feed, the institution or the person that it is from.
    pub origin: String,
    /// How sure they are, 0 to 100.
    pub confidence: u8,
}

/// What came of opening clues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Clues that are new.
    pub new: usize,
    /// Indicators that had a clue already, whatever was decided about it.
    pub known: usize,
    /// Those that can't be indicators: an unknown kind or typology, an empty or overlong value.
    pub refused: usize,
}

/// Why nothing was done about a clue.
#[derive(Debug, thiserror::Error)]
pub enum ClueError {
    /// There is no such clue.
    #[error("there is no such clue 没有这条线索")]
    Unknown,
    /// It was decided about, or somebody else was first.
    #[error("somebody else has just changed it: load the page again 已被他人更改，请刷新")]
    Changed,
    /// A text that is too long, or an empty one where there must be one.
    #[error("a text has 1 to {REMARK_CHARS_MAX} characters 文字须为 1 至 {REMARK_CHARS_MAX} 字")]
    Text,
    /// Not a kind, value or typology of indicators.
    #[error("there is no such kind of indicator, or typology 没有这种指标或类型")]
    Indicator,
    /// A clue can't be merged into itself, or into one that was decided about.
    #[error("it can't be merged into that one 不能并入该线索")]
    Merge,
    /// The indicator can't be shared.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The hub publishes no packs.
    #[error("the hub has no [share] in its configuration 未配置 [share]")]
    NoShare,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How much a practice hurts, 1 to 5.
#[must_use]
pub fn weight(typology: &str) -> u64 {
    match Typology::from_id(typology) {
        Some(Typology::Fraud) => 5,
        Some(Typology::LoanMediation | Typology::StockTips | Typology::DebtCollection) => 4,
        Some(_) => 3,
        None => 1,
    }
}

/// The order of the queue: weight of the practice × evidence × recency. Evidence is 20 for each member up to ten, 10 for
/// each doubling of the sightings up to ten, and half of the confidence of whoever brought it; recency is 100 % on the day
/// it was last seen (or brought, where nobody has seen it) and 10 % less with each day, down to 10 %.
#[must_use]
pub fn harm(clue: &ClueRow, now_ms: u64) -> u64 {
    let doublings = u64::from(clue.hits.saturating_add(1).ilog2()).min(10);
    let evidence = 20 * clue.members.min(10) + 10 * doublings + clue.confidence.min(100) / 2;
    let since_ms = if clue.last_ms > 0 { clue.last_ms } else { clue.opened_ms };
    let days = now_ms.saturating_sub(since_ms) / DAY_MS;
    weight(&clue.typology) * evidence * 100u64.saturating_sub(10 * days.min(9)) / 100
}

fn row(new: &NewClue, now_ms: u64) -> ClueRow {
    let mut row = ClueRow {
        id: Uuid::now_v7().to_string(),
        kind: new.kind.clone(),
        value: new.value.clone(),
        typology: new.typology.clone(),
        state: "open".to_owned(),
        source: new.source.id().to_owned(),
        origin: new.origin.clone(),
        assignee: String::new(),
        merged: String::new(),
        outcome: String::new(),
        confidence: u64::from(new.confidence.min(100)),
        members: 0,
        hits: 0,
        last_ms: 0,
        harm: 0,
        opened_ms: now_ms,
        changed_ms: now_ms,
    };
    row.harm = harm(&row, now_ms);
    row
}

fn is_good(new: &NewClue) -> bool {
    is_indicator(&new.kind, &new.value) && Typology::from_id(&new.typology).is_some()
}

/// Opens clues in the name of `actor`: one row of the audit log for all of them, named by `what` (a feed, a file, an
/// indicator). What can't be an indicator is counted and left out. Any number may be given.
///
/// # Errors
/// [`StoreError`]; some of them may have been opened, and opening them again does no harm.
pub async fn open(
    store: &Store,
    actor: &str,
    what: &str,
    new: &[NewClue],
    now_ms: u64,
) -> Result<Opened, StoreError> {
    let good: Vec<ClueRow> = new.iter().filter(|new| is_good(new)).map(|new| row(new, now_ms)).collect();
    let mut opened = Opened { refused: new.len().saturating_sub(good.len()), ..Opened::default() };
    if good.is_empty() {
        return Ok(opened);
    }
    let detail = format!("{} of {}", good.len(), new.len());
    audit::add(store, actor, Action::ClueOpened, what, &detail).await?;
    for chunk in good.chunks(CLUES_NEW_MAX) {
        let fresh = store.add_clues(chunk).await?.len();
        opened.new += fresh;
        opened.known += chunk.len().saturating_sub(fresh);
    }
    // What members have seen of them already.
    look(store, now_ms, now_ms).await?;
    Ok(opened)
}

/// What somebody does about a clue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody looks at it.
    Assign(String),
    /// It comes to nothing, for this reason.
    Reject(String),
    /// It is the same as another one.
    Merge(String),
    /// It is looked at again.
    Reopen,
    /// Something is said about it.
    Comment(String),
    /// It is of another practice.
    Typology(String),
}

/// Does it.
///
/// # Errors
/// [`ClueError`]; nothing was changed.
pub async fn change(
    store: &Store,
    actor: &str,
    id: &str,
    change: &Change,
    now_ms: u64,
) -> Result<(), ClueError> {
    let before = store.clue(id).await?.ok_or(ClueError::Unknown)?;
    let mut after = ClueRow { changed_ms: now_ms.max(before.changed_ms + 1), ..before.clone() };
    let waits = matches!(&before.state[..], "open" | "assigned");
    let (action, detail, said) = match change {
        Change::Assign(name) if waits => {
            after.state = if name.is_empty() { "open" } else { "assigned" }.to_owned();
            after.assignee.clone_from(name);
            (Action::ClueAssigned, name.clone(), None)
        }
        Change::Reject(reason) if waits => {
            after.state = "rejected".to_owned();
            (Action::ClueRejected, text(reason)?, Some(reason))
        }
        Change::Merge(into) if waits => {
            let target = store.clue(into).await?.ok_or(ClueError::Unknown)?;
            if target.id == before.id || !matches!(&target.state[..], "open" | "assigned") {
                return Err(ClueError::Merge);
            }
            after.state = "merged".to_owned();
            after.merged = target.id;
            (Action::ClueMerged, format!("{}:{}", target.kind, target.value), None)
        }
        Change::Reopen if !waits => {
            after.state = "open".to_owned();
            after.assignee = String::new();
            after.merged = String::new();
            after.outcome = String::new();
            (Action::ClueReopened, String::new(), None)
        }
        Change::Typology(typology) if waits => {
            if Typology::from_id(typology).is_none() {
                return Err(ClueError::Indicator);
            }
            after.typology.clone_from(typology);
            after.harm = harm(&after, now_ms);
            (Action::ClueChanged, typology.clone(), None)
        }
        Change::Comment(said) => (Action::Commented, text(said)?, Some(said)),
        _ => return Err(ClueError::Changed),
    };
    let subject = format!("{}:{}", before.kind, before.value);
    audit::add(store, actor, action, &subject, &detail).await?;
    if action != Action::Commented && !store.put_clue(&before, &after).await? {
        return Err(ClueError::Changed);
    }
    if action == Action::ClueMerged {
        store.repoint_clues(id, &after.merged).await?;
    }
    if let Some(said) = said {
        let remark = Remark { author: actor.to_owned(), at_ms: now_ms, text: said.trim().to_owned() };
        store.add_remark(id, &remark).await?;
    }
    Ok(())
}

fn text(said: &str) -> Result<String, ClueError> {
    let chars = said.trim().chars().count();
    if (1..=REMARK_CHARS_MAX).contains(&chars) { Ok(said.trim().to_owned()) } else { Err(ClueError::Text) }
}

/// Accepts a clue as an indicator, with those that were merged into it: they are enforced at every member.
///
/// # Errors
/// [`ClueError`]; where the indicator is known good, nothing was changed.
pub async fn accept(
    store: &Store,
    sharer: Option<&Sharer>,
    actor: &str,
    id: &str,
    now_ms: u64,
) -> Result<(), ClueError> {
    let sharer = sharer.ok_or(ClueError::NoShare)?;
    let clue = store.clue(id).await?.ok_or(ClueError::Unknown)?;
    if !matches!(&clue.state[..], "open" | "assigned") {
        return Err(ClueError::Changed);
    }
    let mut all = vec![clue.clone()];
    all.extend(store.merged_into(id).await?);
    if let Some(good) = all.iter().find(|one| sharer.is_known_good(&one.kind, &one.value)) {
        return Err(ShareError::KnownGood(format!("{}:{}", good.kind, good.value)).into());
    }
    for one in all {
        let subject = format!("{}:{}", one.kind, one.value);
        audit::add(store, actor, Action::Promote, &subject, &clue.typology).await?;
        sharer
            .promote(SharedRow { kind: one.kind, value: one.value, typology: clue.typology.clone() }, now_ms)
            .await?;
    }
    accepted(store, actor, &clue, "indicator", now_ms).await
}

/// Marks a clue as accepted: its indicator, or a rule made from it, is in force.
///
/// # Errors
/// [`ClueError`].
pub async fn accepted(
    store: &Store,
    actor: &str,
    clue: &ClueRow,
    outcome: &str,
    now_ms: u64,
) -> Result<(), ClueError> {
    let after = ClueRow {
        state: "accepted".to_owned(),
        outcome: outcome.to_owned(),
        changed_ms: now_ms.max(clue.changed_ms + 1),
        ..clue.clone()
    };
    audit::add(store, actor, Action::ClueAccepted, &format!("{}:{}", clue.kind, clue.value), outcome).await?;
    if store.put_clue(clue, &after).await? { Ok(()) } else { Err(ClueError::Changed) }
}

/// Makes clues of what members saw and nobody shares, and brings the queue's order up to date. `since_ms` is when this was
/// last done. Leaves the audit log alone: nobody decides anything here.
///
/// # Errors
/// [`StoreError`].
pub async fn gather(
    store: &Store,
    sharer: Option<&Sharer>,
    since_ms: u64,
    now_ms: u64,
) -> Result<(), StoreError> {
    let waiting = store.clues_waiting().await?;
    let room = u64::from(CLUES_SEEN_MAX).saturating_sub(waiting);
    if let Ok(room) = u32::try_from(room)
        && room > 0
    {
        let seen = store.without_clue(now_ms.saturating_sub(DEFAULT.lifetime_ms), room).await?;
        let known_good = |one: &Observed| sharer.is_some_and(|s| s.is_known_good(&one.kind, &one.value));
        let new: Vec<ClueRow> =
            seen.into_iter().filter(|one| !known_good(one)).map(|one| of_observed(one, now_ms)).collect();
        if !new.is_empty() {
            store.add_clues(&new).await?;
        }
    }
    look(store, since_ms, now_ms).await
}

fn of_observed(one: Observed, now_ms: u64) -> ClueRow {
    let Observed { kind, value, typology, members, hits, last_ms, .. } = one;
    let (source, origin) = (Source::Seen, String::new());
    let new = NewClue { kind, value, typology, source, origin, confidence: 0 };
    let mut row = ClueRow { members, hits, last_ms, ..row(&new, now_ms) };
    row.harm = harm(&row, now_ms);
    row
}

async fn look(store: &Store, since_ms: u64, now_ms: u64) -> Result<(), StoreError> {
    // A commit that is under way may carry a time of a moment ago.
    let mut clues = store.clues_now(since_ms.saturating_sub(60_000)).await?;
    for clue in &mut clues {
        clue.harm = harm(clue, now_ms);
    }
    if clues.is_empty() { Ok(()) } else { store.refresh_clues(&clues).await }
}
