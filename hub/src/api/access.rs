//! Who may enter which route. A route can't be made without saying so: [`Routes`] takes the access with the handler, puts
//! the gate before it, and keeps the list that the tests go through.
//!
//! ```text
//! request → same origin? → session or token → role? → second factor? → form's token? → handler
//! ```

use super::problem;
use super::{Hub, Peer};
use crate::accounts::{Access, Caller, Via};
use crate::limits::{BODY_BYTES_MAX, IMPORT_BODY_BYTES_MAX};
use crate::platforms::TAXII_BASE;
use crate::secret;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use data_encoding::BASE64;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The session's cookie.
const SESSION: &str = "yumen_session";
/// The cookie of forms that are filled in before there is a session.
const FORM: &str = "yumen_form";
/// Where those forms are.
const FORMS: [&str; 3] = ["/login", "/setup", "/appeal"];
/// The field of every form that has a session's, or that cookie's, token.
pub(crate) const CSRF_FIELD: &str = "csrf";
/// The same as a header, for scripts.
const CSRF_HEADER: &str = "x-csrf-token";

/// What scripts and programs send.
const DATA: [&str; 4] = ["application/json", "application/taxii+json", "application/stix+json", "text/csv"];

/// A route, and who may enter it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// GET or POST.
    pub method: Method,
    /// With its parameters in braces.
    pub path: &'static str,
    /// Who may enter.
    pub access: Access,
}

/// Routes under construction.
pub(crate) struct Routes {
    hub: Arc<Hub>,
    router: Router<Arc<Hub>>,
    declared: Vec<Declared>,
}

impl Routes {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, router: Router::new(), declared: Vec::new() }
    }

    /// A route that changes nothing.
    pub(crate) fn get<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<Hub>>,
        T: 'static,
    {
        self.add(Method::GET, path, access, get(handler))
    }

    /// A route that changes something.
    pub(crate) fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<Hub>>,
        T: 'static,
    {
        self.add(Method::POST, path, access, post(handler))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        handler: MethodRouter<Arc<Hub>>,
    ) -> Self {
        let gate = Gate { hub: Arc::clone(&self.hub), access };
        self.router = self.router.route(path, handler.route_layer(from_fn_with_state(gate, admit)));
        self.declared.push(Declared { method, path, access });
        self
    }

    pub(crate) fn into_parts(self) -> (Router<Arc<Hub>>, Vec<Declared>) {
        (self.router, self.declared)
    }
}

#[derive(Clone)]
struct Gate {
    hub: Arc<Hub>,
    access: Access,
}

/// The fields of a form, read and checked by the gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Arc<HashMap<String, String>>);

impl Form {
    /// A field, without blanks around it; empty where it isn't there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// The names of fields that begin with `prefix`, without it: boxes that are checked.
    pub(crate) fn named(&self, prefix: &str) -> Vec<String> {
        self.0.keys().filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect()
    }

    /// A field as it was typed.
    pub(crate) fn verbatim(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| &value[..])
    }
}

/// What a form before the log-in carries beside its cookie.
#[derive(Clone, Debug)]
pub(crate) struct FormToken(pub(crate) String);

async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let Gate { hub, access } = gate;
    let changes = !request.method().is_safe();
    if changes && !is_same_origin(request.headers()) {
        return problem(StatusCode::FORBIDDEN, "a page from elsewhere can't do this");
    }
    let takes_basic = request.uri().path().starts_with(TAXII_BASE);
    let caller = match caller(&hub, request.headers(), takes_basic).await {
        Ok(caller) => caller,
        Err(error) => return super::failed(&error),
    };
    if let Err(refused) = may_enter(&hub, access, caller.as_ref(), &request) {
        return refused;
    }
    if changes {
        request = match checked(request, caller.as_ref()).await {
            Ok(request) => request,
            Err(refused) => return refused,
        };
    }
    // A form before the log-in gets a token; its cookie is sent back with it.
    let is_form = access == Access::Public && !changes && FORMS.contains(&request.uri().path());
    let form_token = if is_form { form_token(request.headers()) } else { None };
    if let Some((token, _)) = &form_token {
        request.extensions_mut().insert(FormToken(token.clone()));
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    let mut response = next.run(request).await;
    if let Some((token, true)) = form_token {
        set_cookie(&mut response, FORM, &token, hub.secure, 3600);
    }
    response
}

/// Who asks, if anybody that is known.
/// A browser keeps a password of HTTP Basic and sends it by itself, so that only TAXII's clients, which know nothing
/// else, may show a token that way; the user's name is the token's.
async fn caller(
    hub: &Hub,
    headers: &HeaderMap,
    takes_basic: bool,
) -> Result<Option<Caller>, crate::store::StoreError> {
    if hub.demonstration {
        return Ok(Some(Caller::demonstration()));
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(token) = authorization.and_then(|value| value.strip_prefix("Bearer ")) {
        return hub.accounts.by_token(token.trim()).await;
    }
    if let Some(basic) = authorization.and_then(|value| value.strip_prefix("Basic ")).filter(|_| takes_basic)
    {
        let Some((name, token)) = basic_pair(basic) else { return Ok(None) };
        let caller = hub.accounts.by_token(&token).await?;
        return Ok(caller.filter(|caller| caller.name == name));
    }
    match cookie(headers, SESSION) {
        Some(token) => hub.accounts.by_cookie(token, crate::clock::now_ms()).await,
        None => Ok(None),
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer")]
fn may_enter(hub: &Hub, access: Access, caller: Option<&Caller>, request: &Request) -> Result<(), Response> {
    if access == Access::Public {
        return Ok(());
    }
    let is_page = request.method() == Method::GET
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    let Some(caller) = caller else {
        return Err(if is_page {
            Redirect::to("/login").into_response()
        } else {
            let mut refused = problem(StatusCode::UNAUTHORIZED, "log in, or send a token");
            let ways =
                if request.uri().path().starts_with(TAXII_BASE) { "Basic realm=\"taxii\"" } else { "Bearer" };
            refused.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(ways));
            refused
        });
    };
    if !caller.may(access) {
        return Err(problem(StatusCode::FORBIDDEN, "your role may not do this 您的角色无权进行此操作"));
    }
    if hub.second_factor && !caller.has_second && access != Access::Account {
        return Err(if is_page {
            Redirect::to("/account").into_response()
        } else {
            problem(StatusCode::FORBIDDEN, "set up your second factor first, at /account")
        });
    }
    Ok(())
}

/// Reads a form, and checks the token that it, or a script's request, must carry.
async fn checked(request: Request, caller: Option<&Caller>) -> Result<Request, Response> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    // None of these can be sent by a form of a page from elsewhere.
    let is_json = DATA.iter().any(|data| kind.starts_with(data));
    if !is_form && !is_json {
        return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a form or JSON is expected"));
    }
    let refused =
        || problem(StatusCode::FORBIDDEN, "the form is too old or isn't from here: load the page again");
    let shown = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let before = cookie(request.headers(), FORM).map(str::to_owned);
    let needed = match caller.map(|caller| &caller.via) {
        Some(Via::Session { csrf, .. }) => Some(csrf.clone()),
        // No browser sends a token by itself, and the demonstration takes what comes from its own pages.
        Some(Via::Token | Via::Demonstration) => None,
        // What comes before the log-in in JSON carries its own secret.
        None if is_json => None,
        None => Some(before.filter(|token| token.len() == 64).ok_or_else(refused)?),
    };
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path();
    let is_list = caller.is_some() && (path.starts_with(TAXII_BASE) || path == "/api/v1/import");
    let bytes = to_bytes(body, if is_list { IMPORT_BODY_BYTES_MAX } else { BODY_BYTES_MAX })
        .await
        .map_err(|_| problem(StatusCode::PAYLOAD_TOO_LARGE, "that is too large"))?;
    let mut form = Form::default();
    if is_form {
        let fields = url::form_urlencoded::parse(&bytes).into_owned().collect();
        form = Form(Arc::new(fields));
    }
    if let Some(needed) = needed {
        let shown = shown.as_deref().unwrap_or_else(|| form.verbatim(CSRF_FIELD));
        if !secret::same(&needed, shown) {
            return Err(refused());
        }
    }
    parts.extensions.insert(form);
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Name and password of RFC 7617.
fn basic_pair(basic: &str) -> Option<(String, String)> {
    let bytes = BASE64.decode(basic.trim().as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(|(name, token)| (name.to_owned(), token.to_owned()))
}

/// Whether a browser says that the request is of a page from here; programs say nothing.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = text("origin").is_none_or(|origin| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == text("host")
    });
    site && origin
}

/// A token for a form, and whether its cookie must be set.
fn form_token(headers: &HeaderMap) -> Option<(String, bool)> {
    match cookie(headers, FORM).filter(|token| token.len() == 64) {
        Some(token) => Some((token.to_owned(), false)),
        None => Some((secret::token().ok()?, true)),
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn set_cookie(response: &mut Response, name: &str, value: &str, secure: bool, age_s: u64) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Gives the browser its session.
pub(crate) fn begin_session(response: &mut Response, hub: &Hub, token: &str) {
    set_cookie(response, SESSION, token, hub.secure, crate::accounts::SESSION_MS / 1000);
}

/// Takes the session from the browser.
pub(crate) fn end_session(response: &mut Response, hub: &Hub) {
    set_cookie(response, SESSION, "", hub.secure, 0);
}

/// Whether an address may try a secret once more.
#[expect(clippy::result_large_err, reason = "the error is the answer")]
pub(crate) fn limited(hub: &Hub, peer: Option<&ConnectInfo<Peer>>) -> Result<(), Response> {
    // Without an address (a test without a socket) all share one.
    let address = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.address.ip());
    if hub.limiter.admits(address, crate::clock::now_ms()) {
        Ok(())
    } else {
        Err(problem(StatusCode::TOO_MANY_REQUESTS, "too many attempts: wait a minute 尝试过多，请稍候"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_pages_from_here_change_something() {
        let host = ("host", "hub.example:8470");
        assert!(is_same_origin(&headers(&[host])), "a program");
        assert!(is_same_origin(&headers(&[host, ("origin", "https://hub.example:8470")])));
        assert!(!is_same_origin(&headers(&[host, ("origin", "https://evil.example")])));
        assert!(!is_same_origin(&headers(&[host, ("origin", "null")])));
        assert!(!is_same_origin(&headers(&[host, ("sec-fetch-site", "cross-site")])));
        assert!(!is_same_origin(&headers(&[host, ("sec-fetch-site", "same-site")])));
    }

    #[test]
    fn cookies_are_told_apart() {
        let headers = headers(&[("cookie", "lang=en; yumen_session=abc; xyumen_form=1")]);
        assert_eq!(cookie(&headers, SESSION), Some("abc"));
        assert_eq!(cookie(&headers, FORM), None);
    }
}
