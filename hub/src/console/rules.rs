//! Rules that are written in the console: the list, the editor, publishing.

use super::words::{Lang, Words};
use super::{Me, Parameters, parameter, problem_page, remembered, render, to, with_status};
use crate::accounts::Caller;
use crate::api::access::Form;
use crate::api::{Hub, failed};
use crate::audit::{self, Action};
use crate::clock::now_ms;
use crate::clues::{self, ClueError};
use crate::drafting::{self, Checked, Work};
use crate::limits::RULE_BYTES_MAX;
use crate::share::ShareError;
use crate::store::{RuleDraftRow, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;
use tokio::sync::Semaphore;
use yumen_exchange::time;

/// Checks at a time: each compiles all rules three times.
static CHECKS: Semaphore = Semaphore::const_new(1);

struct DraftView {
    name: String,
    state: &'static str,
    is_published: bool,
    channel: String,
    author: String,
    changed: String,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    drafts: Vec<DraftView>,
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    draft: RuleDraftRow,
    /// What the text had to be for what is shown beside it.
    checked: Option<Checked>,
    lines: Vec<Numbered>,
    ham: usize,
    may_publish: bool,
    is_published: bool,
    shares: bool,
    channels: Vec<String>,
    clue: Option<String>,
}

/// A line of the text, with whether something is wrong there.
struct Numbered {
    number: usize,
    text: String,
    is_wrong: bool,
}

fn state(draft: &RuleDraftRow, t: &Words) -> &'static str {
    match (draft.published.is_empty(), draft.published == draft.text) {
        (true, _) => t.w.rule_is_draft,
        (false, true) => t.w.rule_is_published,
        (false, false) => t.w.rule_is_changed,
    }
}

pub(super) async fn list(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    match list_page(&hub, &caller, lang.words(), String::new()).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => failed(&error),
    }
}

async fn list_page(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    problem: String,
) -> Result<Response, StoreError> {
    let drafts = hub.store.rule_drafts().await?.into_iter().map(|draft| DraftView {
        state: state(&draft, t),
        is_published: !draft.published.is_empty(),
        channel: draft.channel,
        author: draft.author,
        changed: time::format(draft.changed_ms),
        name: draft.name,
    });
    Ok(render(&RulesPage { t, me: Some(Me::at(caller, t, "/rules")), problem, drafts: drafts.collect() }))
}

/// The editor with a template: of a name, or from a clue.
pub(super) async fn new(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    let clue = match parameter(&parameters, "clue") {
        Some(id) => match hub.store.clue(id).await {
            Ok(clue) => clue,
            Err(error) => return failed(&error),
        },
        None => None,
    };
    // The end of a UUIDv7 is random.
    let tail = clue.as_ref().map(|clue| clue.id.get(28..).unwrap_or_default());
    let name = tail.map_or_else(
        || parameter(&parameters, "name").unwrap_or_default().trim().to_owned(),
        |tail| format!("clue-{tail}"),
    );
    if !drafting::is_name(&name) {
        let page = list_page(&hub, &caller, t, t.w.rule_name.to_owned()).await;
        return page
            .map_or_else(|error| failed(&error), |page| with_status(StatusCode::UNPROCESSABLE_ENTITY, page));
    }
    match hub.store.rule_draft(&name).await {
        Ok(Some(_)) => return to(&format!("/rules/{name}")),
        Ok(None) => {}
        Err(error) => return failed(&error),
    }
    let draft = RuleDraftRow {
        text: drafting::template(&name, clue.as_ref()),
        clue: clue.map(|clue| clue.id).unwrap_or_default(),
        name,
        ..RuleDraftRow::default()
    };
    editor(&hub, &caller, t, draft, None, String::new())
}

pub(super) async fn show(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let t = lang.words();
    match hub.store.rule_draft(&name).await {
        Ok(Some(draft)) => {
            let page = editor(&hub, &caller, t, draft, None, String::new());
            remembered(lang, &parameters, page)
        }
        Ok(None) => problem_page(t, &caller, StatusCode::NOT_FOUND, t.w.nothing),
        Err(error) => failed(&error),
    }
}

fn editor(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    draft: RuleDraftRow,
    checked: Option<Checked>,
    problem: String,
) -> Response {
    let wrong = |number| {
        checked
            .as_ref()
            .is_some_and(|checked| checked.findings.iter().any(|one| one.line == number && one.is_error))
    };
    let lines = draft.text.lines().zip(1..).map(|(text, number)| Numbered {
        number,
        text: text.to_owned(),
        is_wrong: wrong(number),
    });
    let is_bad = checked.as_ref().is_some_and(|checked| checked.errors > 0) || !problem.is_empty();
    let page = RulePage {
        t,
        me: Some(Me::at(caller, t, "/rules")),
        problem,
        lines: if is_bad && checked.is_some() { lines.collect() } else { Vec::new() },
        ham: drafting::ham_shown(&draft.shown),
        may_publish: !draft.shown.is_empty() && draft.published != draft.text,
        is_published: !draft.published.is_empty(),
        shares: hub.sharer.is_some(),
        channels: hub.sharer.as_ref().map(|sharer| sharer.channels()).unwrap_or_default(),
        clue: Some(draft.clue.clone()).filter(|clue| !clue.is_empty()),
        draft,
        checked,
    };
    with_status(if is_bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, render(&page))
}

/// Saves, checks, tests and replays; what comes of it is shown.
pub(super) async fn save(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let name = form.field("name").to_owned();
    let text = form.verbatim("text").replace("\r\n", "\n");
    if !drafting::is_name(&name) || text.trim().is_empty() || text.len() > RULE_BYTES_MAX {
        return problem_page(t, &caller, StatusCode::UNPROCESSABLE_ENTITY, t.w.rule_name);
    }
    match saved(&hub, &caller, t, &form, (name, text)).await {
        Ok(page) => page,
        Err(error) => failed(&error),
    }
}

async fn saved(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    form: &Form,
    (name, text): (String, String),
) -> Result<Response, StoreError> {
    audit::add(&hub.store, &caller.name, Action::RuleSaved, &name, "").await?;
    let before = hub.store.rule_draft(&name).await?.unwrap_or_default();
    let published = hub.store.published_rules().await?;
    let work = Work {
        published: published.iter().map(|row| (row.name.clone(), row.published.clone())).collect(),
        name: name.clone(),
        text: text.clone(),
        corpus: hub.corpus.clone(),
        lang: match t.lang {
            Lang::Zh => yumen_compiler::diagnostic::Lang::Zh,
            Lang::En => yumen_compiler::diagnostic::Lang::En,
        },
    };
    let rulebook = Arc::clone(&hub.rulebook);
    let turn = CHECKS.acquire().await;
    let checked = tokio::task::spawn_blocking(move || drafting::check(&rulebook, &work)).await;
    drop(turn);
    let (checked, problem) = match checked {
        Ok(checked) => (Some(checked), String::new()),
        Err(error) => (None, error.to_string()),
    };
    let difference = checked.as_ref().and_then(|checked| checked.difference.as_ref());
    let shown = difference
        .map(|difference| drafting::shown(&published, &name, &text, difference.ham_blocked))
        .unwrap_or_default();
    let draft = RuleDraftRow {
        channel: form.field("channel").to_owned(),
        author: caller.name.clone(),
        clue: if before.clue.is_empty() { form.field("clue").to_owned() } else { before.clue },
        changed_ms: now_ms(),
        published: before.published,
        published_by: before.published_by,
        published_ms: before.published_ms,
        name,
        text,
        shown,
    };
    if !hub.store.save_rule(&draft).await? {
        return Ok(problem_page(t, caller, StatusCode::CONFLICT, t.w.rules_hint));
    }
    Ok(editor(hub, caller, t, draft, checked, problem))
}

/// Puts a rule into the packs: as it was shown, or not at all.
pub(super) async fn publish(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    match published(&hub, &caller, t, &form).await {
        Ok(page) => page,
        Err(error) => failed(&error),
    }
}

async fn published(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    form: &Form,
) -> Result<Response, StoreError> {
    let Some(sharer) = &hub.sharer else {
        return Ok(problem_page(t, caller, StatusCode::CONFLICT, t.w.no_share));
    };
    let Some(draft) = hub.store.rule_draft(form.field("name")).await? else {
        return Ok(problem_page(t, caller, StatusCode::NOT_FOUND, t.w.nothing));
    };
    let others = hub.store.published_rules().await?;
    let ham = drafting::ham_shown(&draft.shown);
    let good = !draft.shown.is_empty()
        && draft.shown == drafting::shown(&others, &draft.name, &draft.text, ham)
        && draft.shown == form.field("shown");
    if !good || (ham > 0 && form.field("confirmed") != "1") {
        let problem = if good { t.w.honest_blocked } else { t.w.shown_needed };
        return Ok(editor(hub, caller, t, draft, None, problem.to_owned()));
    }
    audit::add(&hub.store, &caller.name, Action::RulePublished, &draft.name, &draft.shown).await?;
    if !hub.store.publish_rule(&draft, &caller.name, now_ms()).await? {
        return Ok(editor(hub, caller, t, draft, None, t.w.shown_needed.to_owned()));
    }
    if let Err(error) = sharer.rules_changed(now_ms()).await {
        return Ok(not_shared(t, caller, error));
    }
    if let Some(clue) = hub.store.clue(&draft.clue).await?
        && matches!(&clue.state[..], "open" | "assigned")
    {
        match clues::accepted(&hub.store, &caller.name, &clue, "rule", now_ms()).await {
            Ok(()) | Err(ClueError::Changed) => {}
            Err(ClueError::Store(error)) => return Err(error),
            Err(error) => tracing::warn!(%error, "a clue stays open"),
        }
    }
    Ok(to(&format!("/rules/{}", draft.name)))
}

fn not_shared(t: &'static Words, caller: &Caller, error: ShareError) -> Response {
    match error {
        ShareError::Store(error) => failed(&error),
        error => problem_page(t, caller, StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

pub(super) async fn withdraw(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let name = form.field("name");
    let Some(sharer) = &hub.sharer else {
        return problem_page(t, &caller, StatusCode::CONFLICT, t.w.no_share);
    };
    if let Err(error) = audit::add(&hub.store, &caller.name, Action::RuleWithdrawn, name, "").await {
        return failed(&error);
    }
    if let Err(error) = hub.store.withdraw_rule(name).await {
        return failed(&error);
    }
    match sharer.rules_changed(now_ms()).await {
        Ok(()) => to("/rules"),
        Err(error) => not_shared(t, &caller, error),
    }
}
