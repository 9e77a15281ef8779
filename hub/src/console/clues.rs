//! The queue of clues, and one of them.

use super::view::{Choice, Pager, choices, escaped, typologies};
use super::words::{Lang, Words};
use super::{Me, Parameters, problem_page, remembered, render, to};
use crate::accounts::Caller;
use crate::api::access::Form;
use crate::api::people::{asked, change_of, next_page};
use crate::api::{Hub, failed};
use crate::clock::now_ms;
use crate::clues::{self, Change, ClueError, NewClue, STATES, Source};
use crate::share::ShareError;
use crate::store::{ClueFilter, ClueRow, Remark, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use yumen_exchange::check::INDICATOR_KINDS;
use yumen_exchange::time;

/// A clue in the list.
pub(super) struct ClueView {
    pub(super) row: ClueRow,
    pub(super) kind: String,
    pub(super) typology: String,
    pub(super) state: String,
    pub(super) source: String,
    pub(super) last: String,
    pub(super) opened: String,
    pub(super) indicator: String,
}

impl ClueView {
    pub(super) fn new(row: ClueRow, t: &Words) -> Self {
        let when = |ms: u64| if ms == 0 { "—".to_owned() } else { time::format(ms) };
        Self {
            kind: t.term(&row.kind).to_owned(),
            typology: t.term(&row.typology).to_owned(),
            state: t.term(&row.state).to_owned(),
            source: t.term(&row.source).to_owned(),
            last: when(row.last_ms),
            opened: when(row.opened_ms),
            indicator: super::indicators::address(&row.kind, &row.value),
            row,
        }
    }
}

#[derive(Template)]
#[template(path = "clues.html")]
struct CluesPage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    states: Vec<Choice>,
    typologies: Vec<Choice>,
    sources: Vec<Choice>,
    kinds: Vec<Choice>,
    mine: String,
    is_mine: bool,
    value: String,
    clues: Vec<ClueView>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "clue.html")]
struct CluePage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    clue: ClueView,
    waits: bool,
    shares: bool,
    typologies: Vec<Choice>,
    merged: Vec<ClueView>,
    into: Option<ClueView>,
    remarks: Vec<(Remark, String)>,
}

pub(super) async fn list(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let (asked, problem) = match asked(&parameters) {
        Ok(asked) => (asked, String::new()),
        Err(error) => (super::Asked::default(), error),
    };
    match page(&hub, &caller, lang.words(), (asked.filter, asked.page), problem).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => failed(&error),
    }
}

async fn page(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    (filter, page): (ClueFilter, u32),
    problem: String,
) -> Result<Response, StoreError> {
    let mut rows = hub.store.clues(&filter, page).await?;
    let next = next_page(&mut rows, page);
    let own = [
        ("state", &filter.state),
        ("typology", &filter.typology),
        ("source", &filter.source),
        ("assignee", &filter.assignee),
        ("value", &filter.value),
    ];
    let own = own.map(|(key, value)| (key, value.as_deref().unwrap_or_default()));
    let page = CluesPage {
        t,
        me: Some(Me::at(caller, t, "/clues")),
        problem,
        states: choices(&STATES, filter.state.as_deref(), t),
        typologies: typologies(filter.typology.as_deref(), t),
        sources: choices(&Source::ALL.map(Source::id), filter.source.as_deref(), t),
        kinds: choices(&INDICATOR_KINDS, None, t),
        mine: caller.name.clone(),
        is_mine: filter.assignee.as_deref() == Some(&caller.name),
        value: filter.value.clone().unwrap_or_default(),
        pager: Pager::new("/clues", &own, page, next),
        clues: rows.into_iter().map(|row| ClueView::new(row, t)).collect(),
    };
    Ok(render(&page))
}

pub(super) async fn show(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    match one(&hub, &caller, lang.words(), &id, String::new()).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => failed(&error),
    }
}

async fn one(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    id: &str,
    problem: String,
) -> Result<Response, StoreError> {
    let Some(row) = hub.store.clue(id).await? else {
        return Ok(problem_page(t, caller, StatusCode::NOT_FOUND, &ClueError::Unknown.to_string()));
    };
    let merged = hub.store.merged_into(id).await?;
    let into = if row.merged.is_empty() { None } else { hub.store.clue(&row.merged).await? };
    let remarks = hub.store.remarks(id).await?;
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = CluePage {
        t,
        me: Some(Me::at(caller, t, "/clues")),
        problem,
        waits: matches!(&row.state[..], "open" | "assigned"),
        shares: hub.sharer.is_some(),
        typologies: typologies(Some(&row.typology), t),
        clue: ClueView::new(row, t),
        merged: merged.into_iter().map(|row| ClueView::new(row, t)).collect(),
        into: into.map(|row| ClueView::new(row, t)),
        remarks: remarks.into_iter().map(|remark| (remark.clone(), time::format(remark.at_ms))).collect(),
    };
    Ok(super::with_status(status, render(&page)))
}

pub(super) async fn add(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let new = NewClue {
        kind: form.field("kind").to_owned(),
        value: form.field("value").to_owned(),
        typology: form.field("typology").to_owned(),
        source: Source::Manual,
        origin: caller.name.clone(),
        confidence: form.field("confidence").parse().unwrap_or(50),
    };
    let subject = format!("{}:{}", new.kind, new.value);
    let opened =
        match clues::open(&hub.store, &caller.name, &subject, std::slice::from_ref(&new), now_ms()).await {
            Ok(opened) => opened,
            Err(error) => return failed(&error),
        };
    if opened.refused > 0 {
        let problem = ClueError::Indicator.to_string();
        let page = page(&hub, &caller, t, (ClueFilter::default(), 0), problem).await;
        return page.map_or_else(
            |error| failed(&error),
            |page| super::with_status(StatusCode::UNPROCESSABLE_ENTITY, page),
        );
    }
    match hub.store.clue_of(&new.kind, &new.value).await {
        Ok(Some(clue)) => to(&format!("/clues/{}", clue.id)),
        Ok(None) => to("/clues"),
        Err(error) => failed(&error),
    }
}

pub(super) async fn act(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let (id, act, value) = (form.field("id"), form.field("act"), form.field("value"));
    let done = match act {
        "accept" => clues::accept(&hub.store, hub.sharer.as_deref(), &caller.name, id, now_ms()).await,
        "take" => {
            let change = Change::Assign(caller.name.clone());
            clues::change(&hub.store, &caller.name, id, &change, now_ms()).await
        }
        "merge" => merge(&hub, &caller, id, value).await,
        act => match change_of(act, value) {
            Some(change) => clues::change(&hub.store, &caller.name, id, &change, now_ms()).await,
            None => Err(ClueError::Unknown),
        },
    };
    match done {
        Ok(()) => to(&format!("/clues/{}", escaped(id))),
        Err(ClueError::Store(error) | ClueError::Share(ShareError::Store(error))) => failed(&error),
        Err(error) => {
            let page = one(&hub, &caller, t, id, error.to_string()).await;
            page.unwrap_or_else(|error| failed(&error))
        }
    }
}

/// Into the clue of a value, whatever its kind, or of an id.
async fn merge(hub: &Hub, caller: &Caller, id: &str, value: &str) -> Result<(), ClueError> {
    let filter = ClueFilter { value: Some(value.to_owned()), ..ClueFilter::default() };
    let found = hub.store.clues(&filter, 0).await?;
    let into = found.first().map_or(value, |clue| &clue.id).to_owned();
    clues::change(&hub.store, &caller.name, id, &Change::Merge(into), now_ms()).await
}
