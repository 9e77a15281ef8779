//! Members and their agents, people, the audit log, and what was refused.

use super::words::{Lang, Words};
use super::{Me, Parameters, notice, parameter, render, to};
use crate::accounts::{Caller, PASSWORD_CHARS_MIN, PersonError, Role, new_person};
use crate::api::access::Form;
use crate::api::{Hub, failed};
use crate::clock::now_ms;
use crate::enrol::{EnrolError, INVITATION_MS};
use crate::limits::AUDIT_PAGE;
use crate::store::{AuditRow, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use yumen_exchange::time;
use yumen_exchange::topic::Name;

/// An agent with its key and its certificate.
struct EnrolledView {
    member: String,
    agent: String,
    key: String,
    enrolled: String,
    until: String,
    is_revoked: bool,
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    /// An invitation just made: for whom, and the token, shown once.
    invited: Option<(String, String)>,
    members: Vec<String>,
    agents: Vec<EnrolledView>,
    is_required: bool,
}

struct PersonView {
    name: String,
    role: &'static str,
    member: String,
    has_second: bool,
    is_disabled: bool,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    t: &'static Words,
    me: Option<Me>,
    problem: String,
    chars: usize,
    people: Vec<PersonView>,
    tokens: Vec<(String, &'static str, String)>,
    roles: Vec<(&'static str, &'static str)>,
}

struct AuditView {
    row: AuditRow,
    at: String,
    hash: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    t: &'static Words,
    me: Option<Me>,
    rows: Vec<AuditView>,
    older: Option<u64>,
}

/// Something that was refused, at the hub or at an agent.
struct RefusedView {
    sender: String,
    what: &'static str,
    reason: String,
    count: u64,
    last: String,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    t: &'static Words,
    me: Option<Me>,
    messages: Vec<RefusedView>,
    packs: Vec<RefusedView>,
}

pub(super) async fn members(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    members_page(&hub, &caller, t, String::new(), None).await.unwrap_or_else(|error| failed(&error))
}

async fn members_page(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    problem: String,
    invited: Option<(String, String)>,
) -> Result<Response, StoreError> {
    let certificates = hub.store.certificates(now_ms()).await?;
    let agents = hub.store.enrolled().await?.into_iter().map(|row| {
        let certificate = certificates
            .iter()
            .find(|one| (&one.member, &one.agent) == (&row.member, &row.agent) && one.revoked_ms == 0);
        EnrolledView {
            key: row.public_key.get(..16).unwrap_or_default().to_owned(),
            enrolled: time::format(row.enrolled_ms),
            until: certificate.map_or_else(|| "—".to_owned(), |one| time::format(one.not_after_ms)),
            is_revoked: row.revoked_ms > 0,
            member: row.member,
            agent: row.agent,
        }
    });
    let agents: Vec<EnrolledView> = agents.collect();
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = MembersPage {
        t,
        me: Some(Me::new(caller, t)),
        problem,
        invited,
        members: hub.store.members().await?,
        is_required: hub.trust.known().is_required(),
        agents,
    };
    Ok((status, render(&page)).into_response())
}

pub(super) async fn add_member(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let done = match form.field("member").parse::<Name>() {
        Ok(member) => hub.enrolment.add_member(&caller.name, &member, now_ms()).await.map_err(Refused::from),
        Err(error) => Err(Refused::Said(error.to_string())),
    };
    answer(&hub, &caller, &headers, done.map(|()| None)).await
}

pub(super) async fn invite(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let done = match names(&form) {
        Ok((member, agent)) => {
            let token = hub.enrolment.invite(&caller.name, &member, &agent, (now_ms(), INVITATION_MS)).await;
            token.map(|token| Some((format!("{member}/{agent}"), token.to_string()))).map_err(Refused::from)
        }
        Err(refused) => Err(refused),
    };
    answer(&hub, &caller, &headers, done).await
}

pub(super) async fn revoke(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let done = match names(&form) {
        Ok((member, agent)) => {
            hub.enrolment.revoke(&caller.name, &member, &agent, now_ms()).await.map_err(Refused::from)
        }
        Err(refused) => Err(refused),
    };
    answer(&hub, &caller, &headers, done.map(|()| None)).await
}

/// What is told to who asked, or only to the log.
enum Refused {
    Said(String),
    Store(StoreError),
}

impl From<EnrolError> for Refused {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Store(error) => Self::Store(error),
            error => Self::Said(error.to_string()),
        }
    }
}

fn names(form: &Form) -> Result<(Name, Name), Refused> {
    let name = |field| form.field(field).parse::<Name>().map_err(|error| Refused::Said(error.to_string()));
    Ok((name("member")?, name("agent")?))
}

async fn answer(
    hub: &Hub,
    caller: &Caller,
    headers: &HeaderMap,
    done: Result<Option<(String, String)>, Refused>,
) -> Response {
    let t = Lang::of(&[], headers).words();
    let page = match done {
        Ok(None) => return to("/members"),
        Ok(invited) => members_page(hub, caller, t, String::new(), invited).await,
        Err(Refused::Said(problem)) => members_page(hub, caller, t, problem, None).await,
        Err(Refused::Store(error)) => Err(error),
    };
    page.unwrap_or_else(|error| failed(&error))
}

pub(super) async fn people(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    people_page(&hub, &caller, t, String::new()).await.unwrap_or_else(|error| failed(&error))
}

async fn people_page(
    hub: &Hub,
    caller: &Caller,
    t: &'static Words,
    problem: String,
) -> Result<Response, StoreError> {
    let role = |role: &str| role.parse::<Role>().map_or("?", |role| t.term(role.id()));
    let people = hub.store.people().await?.into_iter().map(|row| PersonView {
        role: role(&row.role),
        has_second: !row.totp.is_empty(),
        is_disabled: row.disabled_ms > 0,
        name: row.name,
        member: row.member,
    });
    let tokens = hub.store.tokens().await?.into_iter().map(|row| (row.name, role(&row.role), row.member));
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = PeoplePage {
        t,
        me: Some(Me::new(caller, t)),
        problem,
        chars: PASSWORD_CHARS_MIN,
        people: people.collect(),
        tokens: tokens.collect(),
        roles: Role::ALL.map(|role| (role.id(), t.term(role.id()))).into(),
    };
    Ok((status, render(&page)).into_response())
}

pub(super) async fn add_person(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let Ok(role) = form.field("role").parse::<Role>() else {
        return notice(t, Some(&caller), StatusCode::UNPROCESSABLE_ENTITY, t.no_role);
    };
    let person = new_person(form.field("name"), role, form.field("member"), now_ms());
    let done = hub.accounts.add(&caller.name, person, form.verbatim("password")).await;
    of_person(&hub, &caller, t, done).await
}

pub(super) async fn reset_person(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let done = hub.accounts.reset(&caller.name, form.field("name"), form.verbatim("password")).await;
    of_person(&hub, &caller, t, done).await
}

pub(super) async fn disable_person(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    let t = Lang::of(&[], &headers).words();
    let done = hub.accounts.disable(&caller.name, form.field("name"), now_ms()).await;
    of_person(&hub, &caller, t, done).await
}

async fn of_person(hub: &Hub, caller: &Caller, t: &'static Words, done: Result<(), PersonError>) -> Response {
    let page = match done {
        Ok(()) => return to("/people"),
        Err(PersonError::Store(error)) => Err(error),
        Err(error) => people_page(hub, caller, t, error.to_string()).await,
    };
    page.unwrap_or_else(|error| failed(&error))
}

pub(super) async fn audit(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    let before = parameter(&parameters, "before").and_then(|before| before.parse().ok());
    let rows = match hub.store.audit_before(before.unwrap_or(u64::MAX), AUDIT_PAGE).await {
        Ok(rows) => rows,
        Err(error) => return failed(&error),
    };
    let older = rows.last().map(|row| row.seq).filter(|seq| *seq > 1);
    let rows = rows.into_iter().map(|row| AuditView {
        at: time::format(row.at_ms),
        hash: row.hash.get(..12).unwrap_or_default().to_owned(),
        row,
    });
    render(&AuditPage { t, me: Some(Me::new(&caller, t)), rows: rows.collect(), older })
}

pub(super) async fn refused(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    let (refusals, agents) = match (hub.store.refusals().await, hub.store.agents().await) {
        (Ok(refusals), Ok(agents)) => (refusals, agents),
        (Err(error), _) | (_, Err(error)) => return failed(&error),
    };
    let messages = refusals.into_iter().map(|row| RefusedView {
        sender: if row.member.is_empty() {
            "—".to_owned()
        } else {
            format!("{}/{}", row.member, row.agent)
        },
        what: "",
        reason: t.term(&row.reason).to_owned(),
        count: row.count,
        last: time::format(row.last_ms),
    });
    let packs = agents.iter().flat_map(|agent| {
        agent.status.refused.iter().map(|refused| RefusedView {
            sender: format!("{}/{}", agent.member, agent.agent),
            what: if refused.what == "pack" { t.pack } else { t.retractions },
            reason: t.term(&refused.reason).to_owned(),
            count: refused.count,
            last: time::format(refused.last_ms),
        })
    });
    let page = RefusedPage {
        t,
        me: Some(Me::new(&caller, t)),
        messages: messages.collect(),
        packs: packs.collect(),
    };
    render(&page)
}
