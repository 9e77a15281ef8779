//! The page: sightings live, one opened to show why, and how the agents are. Rendered here, so that there is one place
//! that escapes; the script only puts finished rows in. It works without the script too, but not live.
//!
//! Everything shown came from strangers: askama escapes it, and the content security policy (`api::guard`) lets nothing
//! run that isn't served from here.

mod account;
mod admin;
mod chart;
mod clues;
mod complaint;
mod indicators;
mod me;
mod overview;
mod public;
mod redress;
mod rollout;
mod rules;
mod view;
mod words;

use crate::accounts::{Access, Caller};
use crate::agents;
use crate::api::access::Routes;
use crate::api::people::Asked;
use crate::api::{self, Hub};
use crate::limits::PAGE_DEFAULT;
use crate::sightings::{Query, QueryError};
use crate::store::StoreError;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{Html, IntoResponse, Redirect, Response};
use me::Me;
use std::sync::Arc;
use uuid::Uuid;
use view::{AgentView, DetailView, FilterView, RowView, Share};
use words::{Lang, Words};

/// The parameters of a URL, in order.
type Parameters = axum::extract::Query<Vec<(String, String)>>;

/// Ranges offered, by name and in milliseconds.
const RANGES: [(&str, u64); 4] =
    [("1h", 3_600_000), ("24h", 86_400_000), ("7d", 604_800_000), ("30d", 2_592_000_000)];

/// The console's routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let css = || asset("text/css; charset=utf-8", include_str!("../../assets/console.css"));
    let script = || asset("text/javascript; charset=utf-8", include_str!("../../assets/console.js"));
    let mark = || asset("image/svg+xml", include_str!("../../assets/mark.svg"));
    routes
        .get("/", Access::Member, list)
        .get("/sightings/{id}", Access::Member, detail)
        .get("/console/rows", Access::Member, rows)
        .get("/console/agents", Access::Member, agents_strip)
        .get("/console/sightings/{id}", Access::Member, panel)
        .get("/overview", Access::Member, overview::overview)
        .get("/indicators", Access::Reader, indicators::list)
        .get("/indicator", Access::Reader, indicators::show)
        .post("/indicator", Access::Analyst, indicators::act)
        .get("/clues", Access::Reader, clues::list)
        .get("/clues/{id}", Access::Reader, clues::show)
        .post("/clues/add", Access::Analyst, clues::add)
        .post("/clues/act", Access::Analyst, clues::act)
        .get("/appeal", Access::Public, public::show)
        .post("/appeal", Access::Public, public::look)
        .get("/appeals", Access::Member, redress::list)
        .get("/appeals/{id}", Access::Member, redress::show)
        .post("/appeals/answer", Access::Analyst, redress::answer)
        .get("/sightings/{id}/free", Access::Reporter, redress::free_page)
        .post("/sightings/{id}/free", Access::Reporter, redress::free)
        .get("/complaints", Access::Reporter, complaint::show)
        .post("/complaints", Access::Reporter, complaint::complain)
        .get("/rules", Access::Reader, rules::list)
        .get("/rules/new", Access::Analyst, rules::new)
        .get("/rules/{name}", Access::Reader, rules::show)
        .post("/rules/save", Access::Analyst, rules::save)
        .post("/rules/publish", Access::Analyst, rules::publish)
        .post("/rules/withdraw", Access::Analyst, rules::withdraw)
        .get("/rollout", Access::Reader, rollout::show)
        .post("/rollout", Access::Analyst, rollout::act)
        .get("/statistics", Access::Member, overview::statistics)
        .get("/statistics.csv", Access::Member, overview::csv)
        .get("/login", Access::Public, account::login_page)
        .post("/login", Access::Public, account::login)
        .post("/logout", Access::Account, account::logout)
        .get("/setup", Access::Public, account::set_up_page)
        .post("/setup", Access::Public, account::set_up)
        .get("/account", Access::Account, account::account)
        .post("/account/password", Access::Account, account::change_password)
        .post("/account/second", Access::Account, account::set_second)
        .post("/account/second/remove", Access::Account, account::remove_second)
        .get("/members", Access::Reader, admin::members)
        .post("/members/add", Access::Administrator, admin::add_member)
        .post("/members/invite", Access::Administrator, admin::invite)
        .post("/members/revoke", Access::Administrator, admin::revoke)
        .get("/people", Access::Administrator, admin::people)
        .post("/people/add", Access::Administrator, admin::add_person)
        .post("/people/reset", Access::Administrator, admin::reset_person)
        .post("/people/disable", Access::Administrator, admin::disable_person)
        .get("/audit", Access::Administrator, admin::audit)
        .get("/refused", Access::Reader, admin::refused)
        .get("/assets/console.css", Access::Public, css)
        .get("/assets/console.js", Access::Public, script)
        .get("/assets/mark.svg", Access::Public, mark)
        .get("/favicon.ico", Access::Public, mark)
}

/// The first value of a parameter.
fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| &value[..])
}

/// A page that says what is wrong.
fn problem_page(t: &'static Words, caller: &Caller, status: StatusCode, text: &str) -> Response {
    notice(t, Some(caller), status, text)
}

fn with_status(status: StatusCode, response: Response) -> Response {
    (status, response).into_response()
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    t: &'static Words,
    me: Option<Me>,
    text: &'a str,
}

/// A page that says one thing.
fn notice(t: &'static Words, caller: Option<&Caller>, status: StatusCode, text: &str) -> Response {
    let me = caller.map(|caller| Me::new(caller, t));
    (status, render(&NoticePage { t, me, text })).into_response()
}

/// Sends the browser on after something was done.
fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage<'a> {
    t: &'static Words,
    me: Option<Me>,
    filter: FilterView,
    rows: Vec<RowView<'a>>,
    agents: Vec<AgentView<'a>>,
    shares: Vec<Share>,
    older: Option<String>,
    live: Option<String>,
    problem: Option<String>,
    after: i64,
}

#[derive(Template)]
#[template(path = "row.html")]
struct RowFragment<'a> {
    row: RowView<'a>,
}

#[derive(Template)]
#[template(path = "agents.html")]
struct AgentsFragment<'a> {
    t: &'static Words,
    agents: Vec<AgentView<'a>>,
}

#[derive(Template)]
#[template(path = "detail.html")]
struct DetailPage<'a> {
    t: &'static Words,
    me: Option<Me>,
    detail: DetailView<'a>,
}

#[derive(Template)]
#[template(path = "panel.html")]
struct PanelFragment<'a> {
    t: &'static Words,
    detail: DetailView<'a>,
}

async fn list(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    if let Some(found) = redress::found(&hub, &caller, &parameters).await {
        return found;
    }
    let (mut query, range, problem) = match read(&parameters) {
        Ok((query, range)) => (query, range, None),
        // A page shows what it can, and says what it couldn't understand.
        Err(error) => (Query::default(), None, Some(error.to_string())),
    };
    api::scoped(&mut query.filter, &caller);
    match page(&hub, &caller, lang, &query, range, problem).await {
        Ok(html) => remembered(lang, &parameters, html),
        Err(error) => api::failed(&error),
    }
}

async fn page(
    hub: &Hub,
    caller: &Caller,
    lang: Lang,
    query: &Query,
    range: Option<String>,
    problem: Option<String>,
) -> Result<Response, StoreError> {
    let now_ms = crate::clock::now_ms();
    // Asked before the rows, so that a live page may show a sighting twice in a row's place, but never miss one.
    let after = hub.store.last_arrival().await?;
    let found = query.page(&hub.store).await?;
    let agents = agents::seen_by(caller, &hub.store, now_ms).await?;
    // The counts are of all members, which isn't for one of them.
    let counts = match &caller.member {
        None => hub.store.typologies_since(now_ms.saturating_sub(86_400_000)).await?,
        Some(_) => Vec::new(),
    };
    let t = lang.words();
    let filter = FilterView::new(query, range.as_deref(), t);
    let page = ListPage {
        t,
        me: Some(Me::at(caller, t, "/")),
        rows: found.rows.iter().map(|row| RowView::new(row, &hub.titles, t)).collect(),
        agents: agents.iter().map(|agent| AgentView::new(agent, now_ms, t)).collect(),
        shares: Share::of(&counts, |id| {
            (t.term(id).to_owned(), format!("/?typology={}&range=24h", view::escaped(id)))
        }),
        older: found.next.map(|next| filter.address(Some(next))),
        live: (query.before.is_none() && problem.is_none()).then(|| filter.live_address()),
        filter,
        problem,
        after,
    };
    Ok(render(&page))
}

async fn rows(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let mut parameters = parameters;
    // The range's beginning doesn't matter to what is new.
    parameters.retain(|(key, _)| !matches!(&key[..], "lang" | "range"));
    let titles = Arc::clone(&hub);
    api::open_stream(&hub, &caller, &headers, parameters, move |row| {
        let t = lang.words();
        let fragment = RowFragment { row: RowView::new(row, &titles.titles, t) };
        Event::default().event("row").data(fragment.render().unwrap_or_default())
    })
    .await
}

async fn agents_strip(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    let now_ms = crate::clock::now_ms();
    match agents::seen_by(&caller, &hub.store, now_ms).await {
        Ok(agents) => {
            let agents = agents.iter().map(|agent| AgentView::new(agent, now_ms, t)).collect();
            render(&AgentsFragment { t, agents })
        }
        Err(error) => api::failed(&error),
    }
}

async fn detail(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let lang = Lang::of(&parameters, &headers);
    let t = lang.words();
    match find(&hub, &caller, &id).await {
        Ok(row) => {
            let html = render(&DetailPage {
                t,
                me: Some(Me::new(&caller, t)),
                detail: DetailView::new(&row, &hub.titles, t),
            });
            remembered(lang, &parameters, html)
        }
        Err(response) => response,
    }
}

async fn panel(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    match find(&hub, &caller, &id).await {
        Ok(row) => render(&PanelFragment { t, detail: DetailView::new(&row, &hub.titles, t) }),
        Err(response) => response,
    }
}

/// Another member's isn't there for a member's analyst.
async fn find(hub: &Hub, caller: &Caller, id: &str) -> Result<crate::store::Row, Response> {
    let missing = || api::problem(StatusCode::NOT_FOUND, "no such sighting");
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let found = hub.store.sighting(id).await.map_err(|error| api::failed(&error))?;
    found.filter(|row| caller.sees(&row.member)).ok_or_else(missing)
}

/// The query of a page: that of the API, and a range of time by name in place of `since`.
fn read(parameters: &Parameters) -> Result<(Query, Option<String>), QueryError> {
    let mut range = None;
    let mut pairs = Vec::new();
    for (key, value) in parameters.iter() {
        match &key[..] {
            "lang" => {}
            "range" => range = RANGES.iter().find(|(name, _)| name == value),
            _ => pairs.push((&key[..], &value[..])),
        }
    }
    let mut query = Query::parse(pairs)?;
    if let Some((_, length_ms)) = range {
        query.filter.since_ms = Some(crate::clock::now_ms().saturating_sub(*length_ms));
    }
    query.limit = if query.limit == 0 { PAGE_DEFAULT } else { query.limit };
    Ok((query, range.map(|(name, _)| (*name).to_owned())))
}

fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Remembers a language that was chosen by a link.
fn remembered(lang: Lang, parameters: &Parameters, mut response: Response) -> Response {
    if parameter(parameters, "lang").is_some() {
        let cookie = format!("lang={}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly", lang.code());
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

async fn asset(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], body).into_response()
}
