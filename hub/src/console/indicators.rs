//! Indicators: what members saw, and one of them with its history.

use super::chart::{HISTORY_DAYS, History, whole};
use super::view::{Pager, escaped, grouped};
use super::words::{Lang, Words};
use super::{Me, Parameters, parameter, problem_page, remembered, render, to};
use crate::accounts::Caller;
use crate::api::access::Form;
use crate::api::people::next_page;
use crate::api::{Hub, failed};
use crate::audit::{self, Action};
use crate::clock::now_ms;
use crate::decay::DEFAULT;
use crate::limits::PAGES_MAX;
use crate::share::ShareError;
use crate::store::{Filter, Observed, SharedRow, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use yumen_exchange::time;

/// The newest sightings on an indicator's page.
const SIGHTINGS: u32 = 20;
const DAY_MS: u64 = 86_400_000;

/// Where an indicator's page is.
pub(super) fn address(kind: &str, value: &str) -> String {
    format!("/indicator?kind={}&value={}", escaped(kind), escaped(value))
}

struct ObservedView {
    address: String,
    kind: String,
    value: String,
    typology: String,
    members: u64,
    hits: String,
    last: String,
    score: u64,
    state: String,
}

impl ObservedView {
    fn new(row: Observed, now_ms: u64, t: &Words) -> Self {
        Self {
            address: address(&row.kind, &row.value),
            kind: t.term(&row.kind).to_owned(),
            typology: t.term(&row.typology).to_owned(),
            members: row.members,
            hits: grouped(row.hits),
            last: time::format(row.last_ms),
            score: whole(DEFAULT.disputed(row.last_ms, now_ms, row.disputes)),
            state: row.state.as_deref().map_or("—", |state| t.term(state)).to_owned(),
            value: row.value,
        }
    }
}

#[derive(Template)]
#[template(path = "indicators.html")]
struct IndicatorsPage {
    t: &'static Words,
    me: Option<Me>,
    value: String,
    rows: Vec<ObservedView>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "indicator.html")]
struct IndicatorPage<'a> {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    kind: String,
    kind_word: String,
    value: String,
    typology: String,
    typology_word: String,
    state: String,
    changed: String,
    score: u64,
    hits: String,
    members: u64,
    disputes: u64,
    is_enforced: bool,
    shares: bool,
    clue: Option<String>,
    history: History,
    rows: Vec<super::view::RowView<'a>>,
    all: String,
}

pub(super) async fn list(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let t = lang.words();
    let value = parameter(&parameters, "value").unwrap_or_default().trim().to_owned();
    let page = parameter(&parameters, "page").and_then(|page| page.parse().ok()).unwrap_or(0).min(PAGES_MAX);
    let now_ms = now_ms();
    let found = if value.is_empty() {
        hub.store.observed_page(now_ms.saturating_sub(DEFAULT.lifetime_ms), page).await
    } else {
        hub.store.known_values(&value).await
    };
    let mut rows = match found {
        Ok(rows) => rows,
        Err(error) => return failed(&error),
    };
    let next = next_page(&mut rows, page);
    let page = IndicatorsPage {
        t,
        me: Some(Me::at(&caller, t, "/indicators")),
        pager: Pager::new("/indicators", &[("value", &value)], page, next),
        value,
        rows: rows.into_iter().map(|row| ObservedView::new(row, now_ms, t)).collect(),
    };
    remembered(lang, &parameters, render(&page))
}

pub(super) async fn show(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let named = (
        parameter(&parameters, "kind").unwrap_or_default(),
        parameter(&parameters, "value").unwrap_or_default(),
    );
    match one(&hub, &caller, lang.words(), named, String::new()).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => failed(&error),
    }
}

async fn one(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    (kind, value): (&str, &str),
    problem: String,
) -> Result<Response, StoreError> {
    if !crate::share::is_indicator(kind, value) {
        let text = ShareError::Unknown.to_string();
        return Ok(problem_page(t, caller, StatusCode::NOT_FOUND, &text));
    }
    let now_ms = now_ms();
    let known = hub.store.known(kind, value).await?;
    let shared = hub.store.shared_state(kind, value).await?;
    let since_day = (now_ms / DAY_MS).saturating_sub(HISTORY_DAYS + 9);
    let days = hub.store.indicator_days(kind, value, since_day).await?;
    let disputes = hub.store.disputes(kind, value, 0).await?;
    let filter = Filter { indicator: Some(value.to_owned()), ..Filter::default() };
    let rows = hub.store.page(&filter, None, SIGHTINGS).await?;
    let clue = hub.store.clue_of(kind, value).await?;
    let last_ms = known.iter().map(|one| one.last_ms).max().unwrap_or(0);
    let typology = shared.as_ref().map(|(typology, ..)| typology.clone()).filter(|id| !id.is_empty());
    let typology = typology.or_else(|| known.first().map(|one| one.typology.clone())).unwrap_or_default();
    let state = shared.as_ref().map(|(_, state, _)| &state[..]);
    let page = IndicatorPage {
        t,
        me: Some(Me::at(caller, t, "/indicators")),
        problem,
        kind: kind.to_owned(),
        kind_word: t.term(kind).to_owned(),
        typology_word: t.term(&typology).to_owned(),
        typology,
        state: state.map_or(t.w.never_shared, |state| t.term(state)).to_owned(),
        changed: shared.as_ref().map(|(.., at)| time::format(*at)).unwrap_or_default(),
        score: whole(if last_ms == 0 { 0.0 } else { DEFAULT.disputed(last_ms, now_ms, disputes) }),
        hits: grouped(known.iter().map(|one| one.hits).sum()),
        members: known.iter().map(|one| one.members).max().unwrap_or(0),
        disputes,
        is_enforced: state == Some("enforced"),
        shares: hub.sharer.is_some(),
        clue: clue.map(|clue| clue.id),
        history: History::new(&days, disputes, now_ms),
        rows: rows.iter().map(|row| super::view::RowView::new(row, &hub.titles, t)).collect(),
        all: format!("/?indicator={}", escaped(value)),
        value: value.to_owned(),
    };
    Ok(render(&page))
}

/// Shares it, or takes it back.
pub(super) async fn act(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let (kind, value) = (form.field("kind"), form.field("value"));
    let Some(sharer) = &hub.sharer else {
        return problem_page(t, &caller, StatusCode::CONFLICT, t.w.no_share);
    };
    let retracts = form.field("act") == "retract";
    let (action, detail) =
        if retracts { (Action::Retract, "") } else { (Action::Promote, form.field("typology")) };
    let subject = format!("{kind}:{value}");
    if let Err(error) = audit::add(&hub.store, &caller.name, action, &subject, detail).await {
        return failed(&error);
    }
    let done = if retracts {
        sharer.retract(kind, value, now_ms()).await
    } else {
        let (kind, value, typology) = (kind.to_owned(), value.to_owned(), detail.to_owned());
        sharer.promote(SharedRow { kind, value, typology }, now_ms()).await
    };
    match done {
        Ok(()) => to(&address(kind, value)),
        Err(ShareError::Store(error)) => failed(&error),
        Err(error) => {
            let page = one(&hub, &caller, t, (kind, value), error.to_string()).await;
            page.unwrap_or_else(|error| failed(&error))
        }
    }
}
