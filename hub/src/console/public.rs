//! The page for whoever was blocked: what they may know of the decision, and their appeal.

use super::words::{Lang, Words};
use super::{Me, Parameters, remembered, render, with_status};
use crate::accounts::Caller;
use crate::api::access::{Form, FormToken, limited};
use crate::api::{Hub, Peer, failed};
use crate::appeals::{self, AppealError};
use crate::clock::now_ms;
use crate::limits::REMARK_CHARS_MAX;
use crate::store::{Row, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use yumen_exchange::time;
use yumen_rules::language::Language;

type From = Option<Extension<ConnectInfo<Peer>>>;

/// What the one who appeals sees of the decision.
struct PublicView {
    id: String,
    channel: String,
    day: String,
    practice: Option<String>,
    sentence: String,
    state: &'static str,
    due: String,
    answer: String,
    may_appeal: bool,
}

#[derive(Template)]
#[template(path = "public.html")]
struct PublicPage {
    t: &'static Words,
    me: Option<Me>,
    csrf: String,
    problem: String,
    is_on: bool,
    chars: usize,
    found: Option<PublicView>,
}

pub(super) async fn show(
    State(hub): State<Arc<Hub>>,
    caller: Option<Extension<Caller>>,
    token: Option<Extension<FormToken>>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let token = token.map(|token| token.0.0).unwrap_or_default();
    let csrf = csrf(caller.as_deref(), &token);
    remembered(lang, &parameters, page(&hub, lang.words(), csrf, String::new(), None))
}

/// A session's forms carry its own token.
fn csrf(caller: Option<&Caller>, token: &str) -> String {
    match caller.map(Caller::csrf) {
        Some(own) if !own.is_empty() => own.to_owned(),
        _ => token.to_owned(),
    }
}

fn page(hub: &Hub, t: &'static Words, csrf: String, problem: String, found: Option<PublicView>) -> Response {
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (me, is_on, chars) = (None, hub.appeals.public, REMARK_CHARS_MAX);
    with_status(status, render(&PublicPage { t, me, csrf, problem, is_on, chars, found }))
}

/// Looks a decision up, and opens an appeal of it.
pub(super) async fn look(
    State(hub): State<Arc<Hub>>,
    from: From,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    if let Err(refused) = limited(&hub, from.as_deref()) {
        return refused;
    }
    let t = Lang::of(&[], &headers).words();
    let csrf = form.verbatim("csrf").to_owned();
    if !hub.appeals.public {
        return page(&hub, t, csrf, t.w.public_off.to_owned(), None);
    }
    let row = match appeals::find(&hub.store, form.field("id")).await {
        Ok(row) => row,
        Err(AppealError::Store(error)) => return failed(&error),
        Err(error) => return page(&hub, t, csrf, error.to_string(), None),
    };
    let mut problem = String::new();
    if form.field("step") == "appeal" {
        let side = form.field("side");
        // What an institution enters comes by another way.
        let side = if side == "recipient" { side } else { "sender" };
        let clock = (hub.appeals.answer_hours, now_ms());
        match appeals::open(&hub.store, "public", &row, (side, form.field("statement")), clock).await {
            Ok(_) => hub.metrics.appeal("opened"),
            Err(AppealError::Store(error)) => return failed(&error),
            Err(error) => problem = error.to_string(),
        }
    }
    match view(&hub, t, form.field("id"), &row).await {
        Ok(found) => page(&hub, t, csrf, problem, Some(found)),
        Err(error) => failed(&error),
    }
}

async fn view(hub: &Arc<Hub>, t: &'static Words, id: &str, row: &Row) -> Result<PublicView, StoreError> {
    let before = hub.store.appeals_of(&row.id.to_string()).await?;
    let last = before.first();
    let (state, answer) = match last {
        None => ("", String::new()),
        Some(last) if last.state == "open" && last.due_ms < now_ms() => (t.w.public_late, String::new()),
        Some(last) if last.state == "open" => (t.w.public_open, String::new()),
        Some(last) if last.state == "upheld" => (t.w.public_upheld, last.answer.clone()),
        Some(last) => (t.w.public_rejected, last.answer.clone()),
    };
    let rule = row.data.rules.first().map(|rule| rule.id.clone());
    let (typology, rulebook) = (row.data.typology.clone(), Arc::clone(&hub.rulebook));
    let language = match t.lang {
        Lang::Zh => Language::Chinese,
        Lang::En => Language::English,
    };
    // The rules are read for the first one who asks.
    let sentence =
        tokio::task::spawn_blocking(move || rulebook.redress(rule.as_deref(), &typology, language)).await;
    let most = usize::try_from(crate::limits::APPEALS_MAX).unwrap_or(usize::MAX);
    Ok(PublicView {
        id: id.to_owned(),
        channel: t.term(&row.data.channel).to_owned(),
        day: time::format(row.time_ms).get(..10).unwrap_or_default().to_owned(),
        practice: hub.appeals.show_practice.then(|| t.term(&row.data.typology).to_owned()),
        sentence: sentence.unwrap_or_else(|_| language.redress().to_owned()),
        state,
        due: last
            .filter(|last| last.state == "open")
            .map(|last| time::format(last.due_ms))
            .unwrap_or_default(),
        answer,
        may_appeal: last.is_none_or(|last| last.state == "rejected") && before.len() < most,
    })
}
