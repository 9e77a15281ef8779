//! Every route × every role, sessions, and what a page from elsewhere can't do.

#![expect(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::sync::watch;
use tower::ServiceExt as _;
use yumen_exchange::check;
use yumen_exchange::enrol::ENROL_PATH;
use yumen_hub::accounts::{Accounts, Attempt, Limiter, Role, new_person};
use yumen_hub::api::{Declared, Hub, Streams, description, router};
use yumen_hub::ca::Authority;
use yumen_hub::enrol::{Enrolment, Told};
use yumen_hub::metrics::Metrics;
use yumen_hub::platforms::Platforms;
use yumen_hub::rulebook::Rulebook;
use yumen_hub::store::{Address, Store, TokenRow};
use yumen_hub::titles::Titles;
use yumen_hub::trust::Trust;
use yumen_hub::{clock, config, secret};

const NOW: u64 = 1_764_000_000_000;
const PASSWORD: &str = "correct horse battery";

struct Bench {
    router: Router,
    declared: Vec<Declared>,
    hub: Arc<Hub>,
    _dir: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// Whether the gate itself refused.
    fn is_refused(&self) -> bool {
        self.body.contains("your role may not do this") || self.headers.contains_key(header::WWW_AUTHENTICATE)
    }

    fn location(&self) -> Option<&str> {
        self.headers.get(header::LOCATION)?.to_str().ok()
    }

    fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok()).collect()
    }
}

impl Bench {
    async fn new(second_factor: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Address::file(&dir.path().join("hub.sqlite")).unwrap()).await.unwrap();
        let authority = Authority::open(&config::Ca::default(), dir.path(), NOW).unwrap();
        let (told, arrived) = watch::channel(0);
        let (_, stop) = watch::channel(false);
        let hub = Arc::new(Hub {
            store: store.clone(),
            titles: Titles::load(&[]),
            metrics: Arc::new(Metrics::default()),
            registry: Registry::default(),
            sharer: None,
            leads: Arc::default(),
            accounts: Accounts::new(store.clone()),
            limiter: Limiter::default(),
            enrolment: Enrolment::new(store.clone(), authority, Told::default(), dir.path()),
            trust: Arc::new(Trust::load(store.clone(), None).await.unwrap()),
            rulebook: Arc::new(Rulebook::default()),
            corpus: Vec::new(),
            appeals: config::Appeals::default(),
            told,
            platforms: Platforms::new(&config::Platforms::default()),
            second_factor,
            secure: true,
            demonstration: false,
            set_up: std::sync::Mutex::new(Some("the link of the first start".to_owned())),
            streams: Streams::new(arrived, stop),
            subscribed: Box::new(|| true),
        });
        for role in Role::ALL {
            let member = if role == Role::MemberAnalyst { "bank-a" } else { "" };
            let token = TokenRow {
                name: role.id().to_owned(),
                role: role.id().to_owned(),
                member: member.to_owned(),
                added_ms: NOW,
            };
            store.add_token(&secret::digest(role.id()), &token).await.unwrap();
            let person = new_person(&format!("p-{}", role.id()), role, member, NOW);
            hub.accounts.add("test", person, PASSWORD).await.unwrap();
        }
        let bind = "127.0.0.1:8470".parse().unwrap();
        let (router, declared) = router(Arc::clone(&hub), bind, &[]);
        Self { router, declared, hub, _dir: dir }
    }

    async fn send(&self, request: axum::http::request::Builder, body: &str) -> Answer {
        let request =
            request.header(header::HOST, "localhost:8470").body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // A live stream has no end.
        let is_stream =
            parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Vec::new() } else { to_bytes(body, 1 << 20).await.unwrap().to_vec() };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    async fn log_in(&self, name: &str) -> String {
        let attempt = Attempt { name: name.into(), password: PASSWORD.into(), code: String::new() };
        self.hub.accounts.log_in(attempt, clock::now_ms()).await.unwrap()
    }

    async fn post_form(&self, path: &str, session: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, format!("yumen_session={session}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body).await
    }
}

/// Who may enter what: nobody, a member's analyst, a regulator, a hub's analyst, an administrator.
const TABLE: &[(&str, &str, [bool; 5])] = &[
    ("GET", "/api/v1/sightings", MEMBER),
    ("GET", "/api/v1/sightings/stream", MEMBER),
    ("GET", "/api/v1/sightings/{id}", MEMBER),
    ("GET", "/api/v1/agents", MEMBER),
    ("GET", "/api/v1/indicators", READER),
    ("GET", "/api/v1/refusals", READER),
    ("POST", "/api/v1/promote", ANALYST),
    ("POST", "/api/v1/retract", ANALYST),
    ("GET", "/api/v1/packs", READER),
    ("GET", "/api/v1/packs/{channel}", ANYBODY),
    ("POST", "/api/v1/rollout", ANALYST),
    ("POST", "/api/v1/rollback", ANALYST),
    ("GET", "/api/v1/clues", READER),
    ("POST", "/api/v1/clues", ANALYST),
    ("POST", "/api/v1/clues/change", ANALYST),
    ("POST", "/api/v1/clues/accept", ANALYST),
    ("GET", "/api/v1/appeals", MEMBER),
    ("POST", "/api/v1/appeals", REPORTER),
    ("POST", "/api/v1/appeals/answer", ANALYST),
    ("POST", "/api/v1/complaints", REPORTER),
    ("GET", "/api/v1/openapi.json", ANYBODY),
    ("GET", "/api/v1/asyncapi.json", ANYBODY),
    ("GET", "/api/v1/export/{file}", MEMBER),
    ("POST", "/api/v1/import", ANALYST),
    ("GET", "/feeds/misp/{file}", MEMBER),
    ("GET", "/taxii2/", MEMBER),
    ("GET", "/taxii2/hub/", MEMBER),
    ("GET", "/taxii2/hub/status/{id}/", MEMBER),
    ("GET", "/taxii2/hub/collections/", MEMBER),
    ("GET", "/taxii2/hub/collections/{id}/", MEMBER),
    ("GET", "/taxii2/hub/collections/{id}/manifest/", MEMBER),
    ("GET", "/taxii2/hub/collections/{id}/objects/", MEMBER),
    ("POST", "/taxii2/hub/collections/{id}/objects/", MEMBER),
    ("GET", "/taxii2/hub/collections/{id}/objects/{object}/", MEMBER),
    ("GET", "/taxii2/hub/collections/{id}/objects/{object}/versions/", MEMBER),
    ("GET", "/enrol/v1/ca", ANYBODY),
    ("GET", "/enrol/v1/crl", ANYBODY),
    ("POST", "/enrol/v1/enrol", ANYBODY),
    ("POST", "/enrol/v1/renew", ANYBODY),
    ("GET", "/", MEMBER),
    ("GET", "/sightings/{id}", MEMBER),
    ("GET", "/console/rows", MEMBER),
    ("GET", "/console/agents", MEMBER),
    ("GET", "/console/sightings/{id}", MEMBER),
    ("GET", "/overview", MEMBER),
    ("GET", "/indicators", READER),
    ("GET", "/indicator", READER),
    ("POST", "/indicator", ANALYST),
    ("GET", "/clues", READER),
    ("GET", "/clues/{id}", READER),
    ("POST", "/clues/add", ANALYST),
    ("POST", "/clues/act", ANALYST),
    ("GET", "/appeal", ANYBODY),
    ("POST", "/appeal", ANYBODY),
    ("GET", "/appeals", MEMBER),
    ("GET", "/appeals/{id}", MEMBER),
    ("POST", "/appeals/answer", ANALYST),
    ("GET", "/sightings/{id}/free", REPORTER),
    ("POST", "/sightings/{id}/free", REPORTER),
    ("GET", "/complaints", REPORTER),
    ("POST", "/complaints", REPORTER),
    ("GET", "/rules", READER),
    ("GET", "/rules/new", ANALYST),
    ("GET", "/rules/{name}", READER),
    ("POST", "/rules/save", ANALYST),
    ("POST", "/rules/publish", ANALYST),
    ("POST", "/rules/withdraw", ANALYST),
    ("GET", "/rollout", READER),
    ("POST", "/rollout", ANALYST),
    ("GET", "/statistics", MEMBER),
    ("GET", "/statistics.csv", MEMBER),
    ("GET", "/login", ANYBODY),
    ("POST", "/login", ANYBODY),
    ("POST", "/logout", MEMBER),
    ("GET", "/setup", ANYBODY),
    ("POST", "/setup", ANYBODY),
    ("GET", "/account", MEMBER),
    ("POST", "/account/password", MEMBER),
    ("POST", "/account/second", MEMBER),
    ("POST", "/account/second/remove", MEMBER),
    ("GET", "/members", READER),
    ("POST", "/members/add", ADMINISTRATOR),
    ("POST", "/members/invite", ADMINISTRATOR),
    ("POST", "/members/revoke", ADMINISTRATOR),
    ("GET", "/people", ADMINISTRATOR),
    ("POST", "/people/add", ADMINISTRATOR),
    ("POST", "/people/reset", ADMINISTRATOR),
    ("POST", "/people/disable", ADMINISTRATOR),
    ("GET", "/audit", ADMINISTRATOR),
    ("GET", "/refused", READER),
    ("GET", "/assets/console.css", ANYBODY),
    ("GET", "/assets/console.js", ANYBODY),
    ("GET", "/assets/mark.svg", ANYBODY),
    ("GET", "/favicon.ico", ANYBODY),
];

const ANYBODY: [bool; 5] = [true, true, true, true, true];
const MEMBER: [bool; 5] = [false, true, true, true, true];
const REPORTER: [bool; 5] = [false, true, false, true, true];
const READER: [bool; 5] = [false, false, true, true, true];
const ANALYST: [bool; 5] = [false, false, false, true, true];
const ADMINISTRATOR: [bool; 5] = [false, false, false, false, true];

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says_and_no_route_is_missing_from_it() {
    let bench = Bench::new(false).await;
    let declared: Vec<(&str, &str)> =
        bench.declared.iter().map(|route| (route.method.as_str(), route.path)).collect();
    let table: Vec<(&str, &str)> = TABLE.iter().map(|(method, path, _)| (*method, *path)).collect();
    let missing: Vec<_> = declared.iter().filter(|route| !table.contains(route)).collect();
    assert!(missing.is_empty(), "routes without a line here: {missing:?}");
    assert_eq!(declared.len(), table.len(), "lines here without a route");
    for (method, path, expected) in TABLE {
        let callers = [None].into_iter().chain(Role::ALL.map(Some));
        for (caller, allowed) in callers.zip(expected) {
            let path = path
                .replace("{id}", "019a8c6e-7f00-7a11-8b22-c0ffee000001")
                .replace("{channel}", "stable")
                .replace("{file}", "manifest.json")
                .replace("{object}", "x")
                .replace("{name}", "a");
            let method: Method = method.parse().unwrap();
            let body = if method == Method::POST { "{}" } else { "" };
            let mut request = Request::builder().method(method.clone()).uri(&path);
            if method == Method::POST {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            if let Some(role) = caller {
                request = request.header(header::AUTHORIZATION, format!("Bearer {}", role.id()));
            }
            let answer = bench.send(request, body).await;
            let at = format!("{method} {path} as {caller:?}: {} {}", answer.status, answer.body);
            assert_eq!(answer.is_refused(), !allowed, "{at}");
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{at}");
        }
    }
}

/// The console's pages are for people; everything else is in the description, with who may, and nothing else is.
#[tokio::test]
async fn the_description_has_every_route_of_programs() {
    let bench = Bench::new(false).await;
    let described = description();
    let mut left = described["paths"].as_object().unwrap().clone();
    let programs = ["/api/", "/enrol/", "/taxii2/", "/feeds/"];
    for route in
        bench.declared.iter().filter(|route| programs.iter().any(|root| route.path.starts_with(root)))
    {
        let method = route.method.as_str().to_lowercase();
        let operation = left.get_mut(route.path).and_then(|path| path.as_object_mut()?.remove(&method));
        let operation = operation.unwrap_or_else(|| panic!("{method} {} isn't described", route.path));
        let access = format!("{:?}", route.access).to_lowercase();
        assert_eq!(operation["x-access"], access, "{method} {}", route.path);
    }
    let left: Vec<_> = left.iter().filter(|(_, methods)| **methods != serde_json::json!({})).collect();
    assert!(left.is_empty(), "described, and not there: {left:?}");
}

#[tokio::test]
async fn a_member_sees_its_own_rows_only() {
    let bench = Bench::new(false).await;
    let golden = include_str!("../../exchange/tests/golden/sighting_of_a_rejected_message.json");
    let of = |member: &str, last: u8| {
        let text =
            golden.replace("/bank-a/", &format!("/{member}/")).replace("0001\"", &format!("{last:04}\""));
        check::sighting(&format!("yumen/v1/{member}/gw1/sighting"), text.as_bytes()).unwrap()
    };
    bench.hub.store.commit(&[of("bank-a", 1), of("bank-b", 2)], &[], NOW).await.unwrap();
    for (role, seen) in [(Role::MemberAnalyst, 1), (Role::Regulator, 2)] {
        for query in ["", "?member=bank-b"] {
            let request = Request::get(format!("/api/v1/sightings{query}"))
                .header(header::AUTHORIZATION, format!("Bearer {}", role.id()));
            let answer = bench.send(request, "").await;
            let others = answer.body.matches("\"member\":\"bank-b\"").count();
            let own = answer.body.matches("\"member\":\"bank-a\"").count();
            if role == Role::MemberAnalyst {
                assert_eq!((own, others), (1, 0), "{query}");
            } else {
                assert_eq!(own + others, if query.is_empty() { seen } else { 1 });
            }
        }
        for path in ["/api/v1/sightings/", "/sightings/", "/console/sightings/"] {
            let request = Request::get(format!("{path}019a8c6e-7f00-7a11-8b22-c0ffee000002"))
                .header(header::AUTHORIZATION, format!("Bearer {}", role.id()));
            let found = bench.send(request, "").await.status == StatusCode::OK;
            assert_eq!(found, role == Role::Regulator, "{path}");
        }
    }
}

#[tokio::test]
async fn the_log_in_gives_a_session_whose_forms_carry_its_token() {
    let bench = Bench::new(false).await;
    let page = bench.send(Request::get("/").header(header::ACCEPT, "text/html"), "").await;
    assert_eq!(page.location(), Some("/login"));
    let page = bench.send(Request::get("/login"), "").await;
    let cookie = page.cookies()[0].split(';').next().unwrap().to_owned();
    let token = cookie.strip_prefix("yumen_form=").unwrap();
    assert!(page.body.contains(token));
    let log_in = |cookie: &str, token: &str, password: &str| {
        let request = Request::post("/login")
            .header(header::COOKIE, cookie.to_owned())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = format!("csrf={token}&name=p-administrator&password={}", password.replace(' ', "+"));
        (request, body)
    };
    for (cookie, token, password) in [
        ("", token, PASSWORD),
        (&cookie[..], "", PASSWORD),
        (&cookie, &token[1..], PASSWORD),
        (&cookie, token, "wrong"),
    ] {
        let (request, body) = log_in(cookie, token, password);
        let answer = bench.send(request, &body).await;
        assert!(answer.status == StatusCode::FORBIDDEN && answer.cookies().is_empty(), "{cookie} {token}");
    }
    let (request, body) = log_in(&cookie, token, PASSWORD);
    let answer = bench.send(request, &body).await;
    assert_eq!(answer.location(), Some("/"));
    let set = answer.cookies()[0].to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    let session = set.split(';').next().unwrap().strip_prefix("yumen_session=").unwrap();

    let csrf = secret::derived(session, "csrf");
    let page = bench
        .send(Request::get("/members").header(header::COOKIE, format!("yumen_session={session}")), "")
        .await;
    assert!(page.status == StatusCode::OK && page.body.contains(&csrf));
    let answer = bench.post_form("/members/add", session, "member=bank-a").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "without the form's token");
    let other = secret::derived("another", "csrf");
    let answer = bench.post_form("/members/add", session, &format!("member=bank-a&csrf={other}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "with another's");
    assert!(bench.hub.store.members().await.unwrap().is_empty());
    let answer = bench.post_form("/members/add", session, &format!("member=bank-a&csrf={csrf}")).await;
    assert_eq!(answer.location(), Some("/members"), "{}", answer.body);
    assert_eq!(bench.hub.store.members().await.unwrap(), ["bank-a"]);
    let answer = bench.post_form("/members/add", session, &format!("member=pack&csrf={csrf}")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "a word of the topics");

    // From a page elsewhere, whatever it knows.
    let request = Request::post("/members/add")
        .header(header::COOKIE, format!("yumen_session={session}"))
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = bench.send(request, &format!("member=bank-c&csrf={csrf}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // A script of a page from here says the token in a header; as a text it isn't read at all.
    let json = |kind: &'static str| {
        Request::post("/api/v1/promote")
            .header(header::COOKIE, format!("yumen_session={session}"))
            .header(header::CONTENT_TYPE, kind)
    };
    let body = r#"{"kind":"qq","value":"700001","typology":"fraud"}"#;
    assert_eq!(bench.send(json("application/json"), body).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.send(json("text/plain"), body).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let request = json("application/json").header("x-csrf-token", csrf.clone());
    assert_eq!(bench.send(request, body).await.status, StatusCode::CONFLICT, "only [share] is missing");

    let answer = bench.post_form("/logout", session, &format!("csrf={csrf}")).await;
    assert!(answer.cookies()[0].contains("Max-Age=0"));
    let page = bench
        .send(Request::get("/members").header(header::COOKIE, format!("yumen_session={session}")), "")
        .await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_second_factor_only_the_own_account_is_open() {
    let bench = Bench::new(true).await;
    let session = bench.log_in("p-hub-analyst").await;
    let get = async |path: &str| {
        let request = Request::get(path)
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, format!("yumen_session={session}"));
        bench.send(request, "").await
    };
    assert_eq!(get("/").await.location(), Some("/account"));
    let page = get("/account").await;
    assert!(page.status == StatusCode::OK && page.body.contains("<svg"), "{}", page.body);
    let request =
        Request::get("/api/v1/sightings").header(header::COOKIE, format!("yumen_session={session}"));
    assert_eq!(bench.send(request, "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_first_administrators_link_works_once() {
    let bench = Bench::new(false).await;
    let link = "/setup?token=the+link+of+the+first+start";
    assert_eq!(bench.send(Request::get("/setup?token=guess"), "").await.status, StatusCode::NOT_FOUND);
    let page = bench.send(Request::get(link), "").await;
    let cookie = page.cookies()[0].split(';').next().unwrap().to_owned();
    let csrf = cookie.strip_prefix("yumen_form=").unwrap();
    let send = async |name: &str, password: &str| {
        let request = Request::post("/setup")
            .header(header::COOKIE, cookie.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = format!(
            "csrf={csrf}&token=the+link+of+the+first+start&name={name}&password={}",
            password.replace(' ', "+")
        );
        bench.send(request, &body).await
    };
    assert_eq!(send("first", "short").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send("first", PASSWORD).await.location(), Some("/login"));
    assert_eq!(send("second", PASSWORD).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.send(Request::get(link), "").await.status, StatusCode::NOT_FOUND);
    let first = bench.hub.store.person("first").await.unwrap().unwrap();
    assert_eq!(first.role, "administrator");
}

#[tokio::test]
async fn an_address_may_guess_so_often() {
    let bench = Bench::new(false).await;
    let mut refused = 0;
    for _ in 0..40 {
        let request = Request::post(ENROL_PATH).header(header::CONTENT_TYPE, "application/json");
        let body = r#"{"secret":"x","csr":"","signing_key":"","proof":""}"#;
        refused += usize::from(bench.send(request, body).await.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 10);
}
