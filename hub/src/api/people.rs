//! Clues, appeals and reports, for programs. What is done stands in the audit log before it is done.

use super::json::Parameters;
use super::{Hub, failed, problem};
use crate::accounts::Caller;
use crate::appeals::{self, Answer, AppealError};
use crate::clock::now_ms;
use crate::clues::{self, Change, ClueError, NewClue, Source};
use crate::complaints::{self, Complaint, ComplaintError};
use crate::limits::{PAGES_MAX, PEOPLE_PAGE};
use crate::share::ShareError;
use crate::store::{AppealRow, ClueFilter, ClueRow};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use yumen_exchange::time;

/// What is asked of a queue: filters, and the page from 0.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) filter: ClueFilter,
    pub(crate) page: u32,
    /// Whether answered appeals are asked for.
    pub(crate) closed: bool,
}

/// Reads the parameters of a queue. Empty values count as absent.
///
/// # Errors
/// The parameter that isn't known, or isn't a page.
pub(crate) fn asked(parameters: &Parameters) -> Result<Asked, String> {
    let mut asked = Asked::default();
    for (key, value) in parameters.iter().filter(|(_, value)| !value.trim().is_empty()) {
        let text = Some(value.trim().to_owned());
        match &key[..] {
            "state" if value == "closed" => asked.closed = true,
            "state" => asked.filter.state = text,
            "typology" => asked.filter.typology = text,
            "source" => asked.filter.source = text,
            "assignee" => asked.filter.assignee = text,
            "value" => asked.filter.value = text,
            "lang" => {}
            "page" => {
                let page = value.parse().ok().filter(|page| *page <= PAGES_MAX);
                asked.page = page.ok_or_else(|| format!("'page' is 0 to {PAGES_MAX}"))?;
            }
            other => return Err(format!("unknown parameter '{other}'")),
        }
    }
    Ok(asked)
}

/// Takes the row off that only tells that there is another page; gives that page.
pub(crate) fn next_page<T>(rows: &mut Vec<T>, page: u32) -> Option<u32> {
    let most = usize::try_from(PEOPLE_PAGE).unwrap_or(usize::MAX);
    let more = rows.len() > most && page < PAGES_MAX;
    rows.truncate(most);
    more.then_some(page + 1)
}

pub(super) async fn clues(State(hub): State<Arc<Hub>>, parameters: Parameters) -> Response {
    let asked = match asked(&parameters) {
        Ok(asked) => asked,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error),
    };
    match hub.store.clues(&asked.filter, asked.page).await {
        Ok(mut rows) => {
            let next = next_page(&mut rows, asked.page);
            Json(json!({ "clues": rows.iter().map(clue).collect::<Vec<_>>(), "next": next })).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn clue(row: &ClueRow) -> Value {
    json!({
        "id": row.id, "kind": row.kind, "value": row.value, "typology": row.typology, "state": row.state,
        "source": row.source, "origin": row.origin, "assignee": row.assignee, "merged": row.merged,
        "outcome": row.outcome, "confidence": row.confidence, "members": row.members, "hits": row.hits,
        "last": (row.last_ms > 0).then(|| time::format(row.last_ms)), "harm": row.harm,
        "opened": time::format(row.opened_ms), "changed": time::format(row.changed_ms),
    })
}

/// Clues that somebody brings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Brought {
    /// `import` or `manual`.
    source: String,
    /// The feed or list; the caller's name where it is absent.
    #[serde(default)]
    origin: String,
    clues: Vec<BroughtClue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BroughtClue {
    kind: String,
    value: String,
    typology: String,
    #[serde(default = "half")]
    confidence: u8,
}

const fn half() -> u8 {
    50
}

pub(super) async fn open_clues(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Brought>,
) -> Response {
    let source =
        Source::from_id(&body.source).filter(|source| matches!(source, Source::Import | Source::Manual));
    let Some(source) = source else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "'source' is 'import' or 'manual'");
    };
    let origin = if body.origin.is_empty() { caller.name.clone() } else { body.origin };
    let new: Vec<NewClue> = body
        .clues
        .into_iter()
        .map(|one| NewClue {
            kind: one.kind,
            value: one.value,
            typology: one.typology,
            source,
            origin: origin.clone(),
            confidence: one.confidence,
        })
        .collect();
    match clues::open(&hub.store, &caller.name, &origin, &new, now_ms()).await {
        Ok(opened) => Json(json!({ "new": opened.new, "known": opened.known, "refused": opened.refused }))
            .into_response(),
        Err(error) => failed(&error),
    }
}

/// What is done about a clue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeClue {
    id: String,
    /// `assign`, `reject`, `merge`, `reopen`, `comment` or `typology`.
    change: String,
    /// To whom, why, into which, what.
    #[serde(default)]
    value: String,
}

/// The change by its word, with its value.
pub(crate) fn change_of(word: &str, value: &str) -> Option<Change> {
    let value = value.trim().to_owned();
    Some(match word {
        "assign" => Change::Assign(value),
        "reject" => Change::Reject(value),
        "merge" => Change::Merge(value),
        "reopen" => Change::Reopen,
        "comment" => Change::Comment(value),
        "typology" => Change::Typology(value),
        _ => return None,
    })
}

pub(super) async fn change_clue(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<ChangeClue>,
) -> Response {
    let Some(change) = change_of(&body.change, &body.value) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "there is no such change");
    };
    of_clue(clues::change(&hub.store, &caller.name, &body.id, &change, now_ms()).await)
}

/// Which clue becomes an indicator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptClue {
    id: String,
}

pub(super) async fn accept_clue(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<AcceptClue>,
) -> Response {
    of_clue(clues::accept(&hub.store, hub.sharer.as_deref(), &caller.name, &body.id, now_ms()).await)
}

fn of_clue(done: Result<(), ClueError>) -> Response {
    let status = match &done {
        Ok(()) => return Json(json!({ "done": true })).into_response(),
        Err(ClueError::Store(error)) => return failed(error),
        Err(ClueError::Unknown) => StatusCode::NOT_FOUND,
        Err(ClueError::Changed | ClueError::NoShare | ClueError::Share(ShareError::KnownGood(_))) => {
            StatusCode::CONFLICT
        }
        Err(ClueError::Share(ShareError::Store(error))) => return failed(error),
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, &done.err().map(|error| error.to_string()).unwrap_or_default())
}

pub(super) async fn appeals(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Response {
    let asked = match asked(&parameters) {
        Ok(asked) => asked,
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error),
    };
    let member = caller.member.as_ref().map(yumen_exchange::topic::Name::as_str);
    match hub.store.appeals(member, !asked.closed, asked.page).await {
        Ok(mut rows) => {
            let next = next_page(&mut rows, asked.page);
            let rows: Vec<Value> = rows.iter().map(appeal).collect();
            Json(json!({ "appeals": rows, "next": next })).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn appeal(row: &AppealRow) -> Value {
    json!({
        "id": row.id, "sighting": row.sighting, "member": row.member, "about": row.about,
        "typology": row.typology, "judged": time::format(row.judged_ms), "side": row.side,
        "statement": row.statement, "state": row.state, "standing": row.standing, "bad_faith": row.bad_faith,
        "answer": row.answer, "opened": time::format(row.opened_ms), "due": time::format(row.due_ms),
        "overdue": row.escalated_ms > 0, "closed": (row.closed_ms > 0).then(|| time::format(row.closed_ms)),
    })
}

/// An appeal that an institution enters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenAppeal {
    /// The appeal id.
    id: String,
    #[serde(default)]
    statement: String,
}

pub(super) async fn open_appeal(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<OpenAppeal>,
) -> Response {
    let found = appeals::find(&hub.store, &body.id).await;
    // Another member's isn't there for them.
    let row = match found {
        Ok(row) if caller.sees(&row.member) => row,
        Ok(_) => return of_appeal(&AppealError::Unknown),
        Err(error) => return of_appeal(&error),
    };
    let clock = (hub.appeals.answer_hours, now_ms());
    match appeals::open(&hub.store, &caller.name, &row, ("member", &body.statement), clock).await {
        Ok(opened) => {
            hub.metrics.appeal("opened");
            Json(json!({ "id": opened.id, "due": time::format(opened.due_ms) })).into_response()
        }
        Err(error) => of_appeal(&error),
    }
}

/// An answer to an appeal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerAppeal {
    id: String,
    upheld: bool,
    answer: String,
    #[serde(default)]
    bad_faith: bool,
    /// As `kind:value`.
    #[serde(default)]
    indicators: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
}

pub(super) async fn answer_appeal(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<AnswerAppeal>,
) -> Response {
    let answer = Answer {
        upheld: body.upheld,
        text: body.answer,
        bad_faith: body.bad_faith,
        indicators: body.indicators,
        rules: body.rules,
    };
    let sharer = hub.sharer.as_deref();
    match appeals::answer(&hub.store, sharer, &caller.name, &body.id, &answer, now_ms()).await {
        Ok(()) => {
            hub.metrics.appeal(if answer.upheld { "upheld" } else { "rejected" });
            Json(json!({ "done": true })).into_response()
        }
        Err(error) => of_appeal(&error),
    }
}

fn of_appeal(error: &AppealError) -> Response {
    let status = match error {
        AppealError::Store(error) | AppealError::Share(ShareError::Store(error)) => return failed(error),
        AppealError::Unknown => StatusCode::NOT_FOUND,
        AppealError::Known | AppealError::Changed => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, &error.to_string())
}

/// A subscriber's report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Complain {
    /// The institution; a member's analyst speaks for the own one.
    #[serde(default)]
    member: String,
    /// `sms` or `call`.
    channel: String,
    #[serde(default)]
    from: String,
    /// The subscriber's number, so that it is left out; kept nowhere.
    #[serde(default)]
    own: String,
    /// Kept nowhere.
    #[serde(default)]
    text: String,
    #[serde(default)]
    typology: String,
}

pub(super) async fn complain(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Complain>,
) -> Response {
    let call = match &body.channel[..] {
        "sms" => false,
        "call" => true,
        _ => return problem(StatusCode::UNPROCESSABLE_ENTITY, "'channel' is 'sms' or 'call'"),
    };
    let member = caller.member.as_ref().map_or(body.member, ToString::to_string);
    match report(
        &hub,
        &caller,
        Complaint { member, call, from: body.from, own: body.own, text: body.text, typology: body.typology },
    )
    .await
    {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(ComplaintError::Store(error)) => failed(&error),
        Err(ComplaintError::Rules) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, &ComplaintError::Rules.to_string())
        }
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

/// Takes a report, and wakes who looks on.
///
/// # Errors
/// [`ComplaintError`].
pub(crate) async fn report(
    hub: &Hub,
    caller: &Caller,
    complaint: Complaint,
) -> Result<uuid::Uuid, ComplaintError> {
    let sharer = hub.sharer.as_deref();
    let taken = complaints::take(&hub.store, &hub.rulebook, sharer, &caller.name, complaint, now_ms()).await;
    hub.told.send_modify(|arrived| *arrived = arrived.wrapping_add(1));
    taken
}
