//! Appeals: the queue, one of them, and freeing what was blocked by mistake.

use super::view::{DetailView, Pager};
use super::words::{Lang, Words};
use super::{Me, Parameters, parameter, problem_page, remembered, render, to, with_status};
use crate::accounts::{Access, Caller};
use crate::api::access::Form;
use crate::api::people::{asked, next_page};
use crate::api::{Hub, failed};
use crate::appeals::{self, Answer, AppealError};
use crate::clock::now_ms;
use crate::limits::REMARK_CHARS_MAX;
use crate::share::ShareError;
use crate::store::{AppealRow, Row, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use yumen_exchange::time;
use yumen_exchange::topic::Name;

/// An appeal in the queue.
struct AppealView {
    row: AppealRow,
    typology: String,
    side: String,
    state: String,
    due: String,
    opened: String,
    is_late: bool,
}

impl AppealView {
    fn new(row: AppealRow, now_ms: u64, t: &Words) -> Self {
        Self {
            typology: t.term(&row.typology).to_owned(),
            side: t.term(&row.side).to_owned(),
            state: t.term(&row.state).to_owned(),
            due: time::format(row.due_ms),
            opened: time::format(row.opened_ms),
            is_late: row.escalated_ms > 0 || (row.state == "open" && row.due_ms < now_ms),
            row,
        }
    }
}

#[derive(Template)]
#[template(path = "appeals.html")]
struct AppealsPage {
    t: &'static Words,
    me: Option<Me>,
    is_closed: bool,
    appeals: Vec<AppealView>,
    pager: Pager,
}

/// What can be taken back: the form's value, the word for its kind, what it is called, and whether it is in force for all.
struct Basis {
    name: String,
    kind: String,
    value: String,
    is_shared: bool,
}

#[derive(Template)]
#[template(path = "appeal.html")]
struct AppealPage<'a> {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    appeal: Option<AppealView>,
    chars: usize,
    indicators: Vec<Basis>,
    rules: Vec<Basis>,
    shares: bool,
    /// The sighting, for the address of its forms.
    sighting: String,
    is_blocked: bool,
    /// Whether nobody has answered yet.
    is_open: bool,
    detail: DetailView<'a>,
}

pub(super) async fn list(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let t = lang.words();
    let asked = asked(&parameters).unwrap_or_default();
    let member = caller.member.as_ref().map(Name::as_str);
    let mut rows = match hub.store.appeals(member, !asked.closed, asked.page).await {
        Ok(rows) => rows,
        Err(error) => return failed(&error),
    };
    let next = next_page(&mut rows, asked.page);
    let state = if asked.closed { "closed" } else { "" };
    let now_ms = now_ms();
    let page = AppealsPage {
        t,
        me: Some(Me::at(&caller, t, "/appeals")),
        is_closed: asked.closed,
        appeals: rows.into_iter().map(|row| AppealView::new(row, now_ms, t)).collect(),
        pager: Pager::new("/appeals", &[("state", state)], asked.page, next),
    };
    remembered(lang, &parameters, render(&page))
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
    let appeal = hub.store.appeal(id).await?.filter(|appeal| caller.sees(&appeal.member));
    let Some(appeal) = appeal else {
        return Ok(problem_page(t, caller, StatusCode::NOT_FOUND, &AppealError::Unknown.to_string()));
    };
    let row = Row {
        arrival: 0,
        id: appeal.sighting.parse()?,
        member: appeal.member.clone(),
        agent: appeal.agent.clone(),
        time_ms: appeal.judged_ms,
        received_ms: appeal.judged_ms,
        data: appeal.data.clone(),
    };
    page(hub, caller, t, (&row, Some(appeal)), problem).await
}

/// Freeing something is an appeal that is upheld at once.
pub(super) async fn free_page(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let row = match super::find(&hub, &caller, &id).await {
        Ok(row) => row,
        Err(missing) => return missing,
    };
    match page(&hub, &caller, lang.words(), (&row, None), String::new()).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => failed(&error),
    }
}

async fn page(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    (row, appeal): (&Row, Option<AppealRow>),
    problem: String,
) -> Result<Response, StoreError> {
    let mut indicators = Vec::new();
    for one in &row.data.indicators {
        let shared = hub.store.shared_state(&one.kind, &one.value).await?;
        indicators.push(Basis {
            name: format!("{}:{}", one.kind, one.value),
            kind: t.term(&one.kind).to_owned(),
            value: one.value.clone(),
            is_shared: shared.is_some_and(|(_, state, _)| state == "enforced"),
        });
    }
    let rules = row.data.rules.iter().map(|rule| Basis {
        name: rule.id.clone(),
        kind: t.w.rule_retracted.to_owned(),
        value: super::view::title(rule, &hub.titles, t),
        is_shared: false,
    });
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let is_open = appeal.as_ref().is_none_or(|appeal| appeal.state == "open");
    let here = if appeal.is_some() { "/appeals" } else { "/" };
    let page = AppealPage {
        t,
        me: Some(Me::at(caller, t, here)),
        problem,
        appeal: appeal.map(|appeal| AppealView::new(appeal, now_ms(), t)),
        chars: REMARK_CHARS_MAX,
        indicators,
        rules: rules.collect(),
        shares: hub.sharer.is_some(),
        sighting: row.id.to_string(),
        is_blocked: appeals::is_blocked(row),
        is_open,
        detail: DetailView::new(row, &hub.titles, t),
    };
    Ok(with_status(status, render(&page)))
}

fn answer_of(form: &Form) -> Answer {
    let named = |prefix: &str| form.named(prefix);
    Answer {
        upheld: form.field("act") == "uphold",
        text: form.field("answer").to_owned(),
        bad_faith: form.field("bad_faith") == "1",
        indicators: named("indicator "),
        rules: named("rule "),
    }
}

pub(super) async fn answer(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let id = form.field("id");
    match answered(&hub, &caller, id, &answer_of(&form)).await {
        Ok(()) => to(&format!("/appeals/{}", super::view::escaped(id))),
        Err(AppealError::Store(error) | AppealError::Share(ShareError::Store(error))) => failed(&error),
        Err(error) => {
            let page = one(&hub, &caller, t, id, error.to_string()).await;
            page.unwrap_or_else(|error| failed(&error))
        }
    }
}

async fn answered(hub: &Hub, caller: &Caller, id: &str, answer: &Answer) -> Result<(), AppealError> {
    let sharer = hub.sharer.as_deref();
    appeals::answer(&hub.store, sharer, &caller.name, id, answer, now_ms()).await?;
    hub.metrics.appeal(if answer.upheld { "upheld" } else { "rejected" });
    Ok(())
}

/// An institution appeals for somebody; who decides may uphold it in the same step.
pub(super) async fn free(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let row = match super::find(&hub, &caller, &id).await {
        Ok(row) => row,
        Err(missing) => return missing,
    };
    let answer = Answer { upheld: true, ..answer_of(&form) };
    match freed(&hub, &caller, &row, &form, &answer).await {
        Ok(appeal) => to(&format!("/appeals/{appeal}")),
        Err(AppealError::Store(error) | AppealError::Share(ShareError::Store(error))) => failed(&error),
        Err(error) => {
            let page = page(&hub, &caller, t, (&row, None), error.to_string()).await;
            page.unwrap_or_else(|error| failed(&error))
        }
    }
}

async fn freed(
    hub: &Hub,
    caller: &Caller,
    row: &Row,
    form: &Form,
    answer: &Answer,
) -> Result<String, AppealError> {
    let decides = form.field("act") == "uphold" && caller.may(Access::Analyst);
    if !appeals::is_blocked(row) {
        return Err(AppealError::Unknown);
    }
    if decides && answer.text.trim().is_empty() {
        return Err(AppealError::Text);
    }
    // One that is open already is the one that is answered.
    let known = hub.store.appeals_of(&row.id.to_string()).await?;
    let open = known.into_iter().find(|appeal| appeal.state == "open");
    let appeal = match open {
        Some(appeal) if decides => appeal,
        _ => {
            let clock = (hub.appeals.answer_hours, now_ms());
            let said = ("member", form.field("statement"));
            let opened = appeals::open(&hub.store, &caller.name, row, said, clock).await?;
            hub.metrics.appeal("opened");
            opened
        }
    };
    if decides {
        answered(hub, caller, &appeal.id, answer).await?;
    }
    Ok(appeal.id)
}

/// Where somebody looks for an appeal id, or a sighting's.
pub(super) async fn found(hub: &Hub, caller: &Caller, parameters: &Parameters) -> Option<Response> {
    let id = parameter(parameters, "indicator")?.trim().parse().ok()?;
    let row = hub.store.appealed(id).await.ok()??;
    caller.sees(&row.member).then(|| to(&format!("/sightings/{}", row.id)).into_response())
}
