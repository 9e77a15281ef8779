//! Logging in and out, the first administrator, and the own account.

use super::words::{Lang, Words};
use super::{Me, Parameters, notice, parameter, render, to};
use crate::accounts::{Attempt, Caller, LoginError, PASSWORD_CHARS_MIN, PersonError, Role, new_person};
use crate::api::access::{Form, FormToken, begin_session, end_session, limited};
use crate::api::{Hub, Peer, failed};
use crate::clock::now_ms;
use crate::secret;
use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use std::sync::{Arc, PoisonError};

type From = Option<Extension<ConnectInfo<Peer>>>;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    t: &'static Words,
    me: Option<Me>,
    csrf: String,
    problem: &'static str,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetUpPage {
    t: &'static Words,
    me: Option<Me>,
    csrf: String,
    token: String,
    chars: usize,
    problem: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    t: &'static Words,
    me: Option<Me>,
    chars: usize,
    problem: String,
    needed: bool,
    has_second: bool,
    /// Of a second factor that is offered.
    secret: String,
    picture: String,
    /// Shown once.
    recovery: Vec<String>,
}

pub(super) async fn login_page(
    headers: HeaderMap,
    parameters: Parameters,
    token: Extension<FormToken>,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    render(&LoginPage { t, me: None, csrf: token.0.0, problem: "" })
}

pub(super) async fn login(
    State(hub): State<Arc<Hub>>,
    from: From,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    if let Err(refused) = limited(&hub, from.as_deref()) {
        return refused;
    }
    let t = Lang::of(&[], &headers).words();
    let attempt = Attempt {
        name: form.field("name").to_owned(),
        password: form.verbatim("password").to_owned(),
        code: form.field("code").to_owned(),
    };
    let problem = match hub.accounts.log_in(attempt, now_ms()).await {
        Ok(token) => {
            let mut response = Redirect::to("/").into_response();
            begin_session(&mut response, &hub, &token);
            return response;
        }
        Err(LoginError::Store(error)) => return failed(&error),
        Err(LoginError::Locked) => t.login_locked,
        Err(LoginError::Wrong | LoginError::Random(_) | LoginError::Task) => t.login_wrong,
    };
    let page = LoginPage { t, me: None, csrf: form.verbatim("csrf").to_owned(), problem };
    (StatusCode::FORBIDDEN, render(&page)).into_response()
}

pub(super) async fn logout(State(hub): State<Arc<Hub>>, Extension(caller): Extension<Caller>) -> Response {
    if let Err(error) = hub.accounts.log_out(&caller).await {
        return failed(&error);
    }
    let mut response = Redirect::to("/login").into_response();
    end_session(&mut response, &hub);
    response
}

/// Whether this is the link of the first start, and nobody has used it.
fn is_set_up(hub: &Hub, token: &str) -> bool {
    let kept = hub.set_up.lock().unwrap_or_else(PoisonError::into_inner);
    kept.as_ref().is_some_and(|kept| secret::same(kept, token))
}

pub(super) async fn set_up_page(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    parameters: Parameters,
    csrf: Extension<FormToken>,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    let token = parameter(&parameters, "token").unwrap_or_default();
    if !is_set_up(&hub, token) {
        return notice(t, None, StatusCode::NOT_FOUND, t.setup_gone);
    }
    let (token, problem) = (token.to_owned(), String::new());
    render(&SetUpPage { t, me: None, csrf: csrf.0.0, token, chars: PASSWORD_CHARS_MIN, problem })
}

pub(super) async fn set_up(
    State(hub): State<Arc<Hub>>,
    from: From,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    if let Err(refused) = limited(&hub, from.as_deref()) {
        return refused;
    }
    let t = Lang::of(&[], &headers).words();
    let token = form.verbatim("token");
    if !is_set_up(&hub, token) {
        return notice(t, None, StatusCode::NOT_FOUND, t.setup_gone);
    }
    let person = new_person(form.field("name"), Role::Administrator, "", now_ms());
    match hub.accounts.add("setup", person, form.verbatim("password")).await {
        Ok(()) => {
            hub.set_up.lock().unwrap_or_else(PoisonError::into_inner).take();
            Redirect::to("/login").into_response()
        }
        Err(PersonError::Store(error)) => failed(&error),
        Err(error) => {
            let page = SetUpPage {
                t,
                me: None,
                csrf: form.verbatim("csrf").to_owned(),
                token: token.to_owned(),
                chars: PASSWORD_CHARS_MIN,
                problem: error.to_string(),
            };
            (StatusCode::UNPROCESSABLE_ENTITY, render(&page)).into_response()
        }
    }
}

pub(super) async fn account(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    let t = Lang::of(&parameters, &headers).words();
    page(&hub, &caller, t, String::new(), Vec::new())
}

fn page(hub: &Hub, caller: &Caller, t: &'static Words, problem: String, recovery: Vec<String>) -> Response {
    let has_second = caller.has_second || !recovery.is_empty();
    let (mut secret, mut picture) = (String::new(), String::new());
    if !has_second {
        match hub.accounts.offer_second(caller) {
            Ok(offer) => {
                let code = QrCode::new(offer.address.as_bytes());
                picture = code.map(|code| drawn(&code)).unwrap_or_default();
                secret = offer.secret;
            }
            Err(error) => tracing::error!(%error, "no second factor can be offered"),
        }
    }
    let page = AccountPage {
        t,
        me: Some(Me::new(caller, t)),
        chars: PASSWORD_CHARS_MIN,
        problem,
        needed: hub.second_factor && !has_second,
        has_second,
        secret,
        picture,
        recovery,
    };
    render(&page)
}

/// Without the XML declaration, which has no place inside a page.
fn drawn(code: &QrCode) -> String {
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    drawn.find("<svg").and_then(|at| drawn.get(at..)).unwrap_or_default().to_owned()
}

pub(super) async fn change_password(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    from: From,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    if let Err(refused) = limited(&hub, from.as_deref()) {
        return refused;
    }
    let changed = hub.accounts.change(&caller, form.verbatim("present"), form.verbatim("new")).await;
    answer(&hub, &caller, &headers, changed)
}

pub(super) async fn set_second(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    from: From,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    if let Err(refused) = limited(&hub, from.as_deref()) {
        return refused;
    }
    let set = hub.accounts.set_second(&caller, form.field("secret"), form.field("code"), now_ms()).await;
    match set {
        Ok(codes) => page(&hub, &caller, Lang::of(&[], &headers).words(), String::new(), codes),
        Err(error) => answer(&hub, &caller, &headers, Err(error)),
    }
}

pub(super) async fn remove_second(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    from: From,
    headers: HeaderMap,
    Extension(form): Extension<Form>,
) -> Response {
    if let Err(refused) = limited(&hub, from.as_deref()) {
        return refused;
    }
    let removed = hub.accounts.remove_second(&caller, form.verbatim("present")).await;
    answer(&hub, &caller, &headers, removed)
}

fn answer(hub: &Hub, caller: &Caller, headers: &HeaderMap, done: Result<(), PersonError>) -> Response {
    match done {
        Ok(()) => to("/account"),
        Err(PersonError::Store(error)) => failed(&error),
        Err(error) => {
            let t = Lang::of(&[], headers).words();
            let page = page(hub, caller, t, error.to_string(), Vec::new());
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}
