//! Requests over real connections, to an API whose judge looks for words.

use super::*;
use crate::doors::tests::{BAD, GREY, NoPack, Reports, SHADE, WordJudge};
use crate::enforce::{Failures, OnFailure, Policy};
use crate::pipeline::Judge;
use crate::reassembly::{Table, TableLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TOKEN: &str = "0123456789abcdef0123";

struct World {
    api: Api,
    reports: Arc<Reports>,
    _dir: tempfile::TempDir,
}

impl World {
    async fn new(judge: Arc<dyn Judge>, change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tokens = dir.path().join("tokens");
        std::fs::write(&tokens, format!("pbx {TOKEN}\n")).unwrap();
        let mut options = Options {
            bind: ([127, 0, 0, 1], 0).into(),
            tls: None,
            tokens: Some(tokens),
            rate_max: 10_000,
            connections_max: 16,
            answer_ttl: Duration::from_secs(300),
            head_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(20),
            data_dir: dir.path().to_owned(),
            thresholds: Thresholds::default(),
            policy: Policy { deadline: Duration::from_secs(60), ..Policy::default() },
        };
        change(&mut options);
        let reports = Arc::new(Reports::default());
        let pipeline = Pipeline::new(judge, reports.clone(), Table::new(TableLimits::default()));
        let api = Api::start(options, 0, &Arc::new(pipeline)).await.unwrap();
        Self { api, reports, _dir: dir }
    }

    async fn words() -> Self {
        Self::new(Arc::new(WordJudge::new()), |_| {}).await
    }

    /// Sends raw octets, and reads until the other side closes.
    async fn raw(&self, octets: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.api.local_addr()).await.unwrap();
        // A server that refuses a body closes before it is all written.
        let _refused = stream.write_all(octets).await;
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn request(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let answer = self.raw(request.as_bytes()).await;
        let status = answer.get(9..12).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.request("POST", path, TOKEN, &body.to_string()).await
    }

    async fn decide(&self, text: &str) -> Value {
        let question = json!({ "sms": { "from": "106900000001", "to": "13900000001", "text": text } });
        let (status, answer) = self.post("/v1/decisions", &question).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn count(&self, counter: impl Fn(&Counters) -> &std::sync::atomic::AtomicU64) -> u64 {
        counter(&self.api.shared.counters).load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[tokio::test]
async fn each_verdict_says_what_to_do_and_why() {
    let world = World::words().await;
    let cases =
        [("好消息", "allow", false), (GREY, "flag", false), (SHADE, "allow", false), (BAD, "reject", true)];
    for (text, verdict, block) in cases {
        let answer = world.decide(text).await;
        assert_eq!((&answer["verdict"], &answer["block"]), (&json!(verdict), &json!(block)), "{answer}");
        assert_eq!(answer["decided"], true);
        assert_eq!(answer["appeal_id"].is_null(), verdict == "allow");
        assert!(answer["reason"]["zh"].as_str().unwrap().ends_with('。'));
        assert!(answer["expires_ms"].as_u64().unwrap() > crate::clock::now_ms());
        // Who is blocked is told in the language of the message, without the word that was found.
        assert_eq!(answer["redress"].is_null(), !block, "{answer}");
        if block {
            assert_eq!(answer["redress"]["language"], "zh");
            let sentence = answer["redress"]["sentence"].as_str().unwrap();
            assert!(sentence.contains("申诉"), "{sentence}");
            assert!(!sentence.contains(BAD), "{sentence}");
        }
    }
    // Flagged, in shadow, and rejected: reported like at any other door.
    assert_eq!(world.reports.actions().len(), 3);
}

#[tokio::test]
async fn a_decision_can_be_looked_up_by_its_appeal_id() {
    let world = World::words().await;
    let first = world.decide(BAD).await;
    let id = first["appeal_id"].as_str().unwrap();
    assert_eq!(world.decide(BAD).await["appeal_id"], id, "the same question, the same id");
    assert_eq!(world.reports.appeals(), [id, id], "the hub is told the id too");
    assert_ne!(world.decide(&format!("{BAD}!")).await["appeal_id"], id);
    let (status, appeal) = world.request("GET", &format!("/v1/appeals/{id}"), TOKEN, "").await;
    assert_eq!((status, &appeal["verdict"], &appeal["score"]), (200, &json!("reject"), &first["score"]));
    assert!(!appeal.to_string().contains("13900000001") && !appeal.to_string().contains(BAD));
    assert_eq!(world.request("GET", "/v1/appeals/ffff", TOKEN, "").await.0, 404);
}

#[tokio::test]
async fn a_call_and_a_batch_are_answered_in_order() {
    let world = World::words().await;
    let call = json!({ "call": { "from": "+8613800000001", "to": "95500", "verstat": "failed", "attestation": "C",
        "private": true, "trunk": "international", "user_agent": "x", "display_name": "y", "direction": "deliver" } });
    assert_eq!(world.post("/v1/decisions", &call).await.1["verdict"], "allow");
    let sms = |text: &str| json!({ "sms": { "from": "1069", "to": "139", "text": text } });
    let (status, answer) =
        world.post("/v1/decisions/batch", &json!({ "items": [sms("好"), sms(BAD), call] })).await;
    assert_eq!(status, 200);
    let verdicts: Vec<_> =
        answer["answers"].as_array().unwrap().iter().map(|a| a["verdict"].clone()).collect();
    assert_eq!(verdicts, ["allow", "reject", "allow"]);
}

#[tokio::test]
async fn without_a_pack_the_policy_decides() {
    let open = World::new(Arc::new(NoPack), |_| {}).await;
    let answer = open.decide("好").await;
    assert_eq!(
        (&answer["verdict"], &answer["decided"], &answer["cause"]),
        (&json!("allow"), &json!(false), &json!("no-pack"))
    );
    let closed =
        World::new(Arc::new(NoPack), |options| options.policy.failures = Failures::all(OnFailure::Closed));
    let answer = closed.await.decide("好").await;
    assert_eq!((&answer["verdict"], &answer["block"]), (&json!("defer"), &json!(true)));
}

#[tokio::test]
async fn an_error_names_the_field() {
    let world = World::words().await;
    let long = "长".repeat(4_097);
    let cases = [
        ("/v1/decisions", "{", 400, ""),
        ("/v1/decisions", "\u{feff}", 400, ""),
        ("/v1/decisions", r#"{"sms":{"from":"1","to":"2"}}"#, 422, "sms.text"),
        ("/v1/decisions", r#"{"sms":{"from":"1","to":"2","text":"x","txt":"y"}}"#, 422, "sms.txt"),
        ("/v1/decisions", r#"{"sms":{"from":1,"to":"2","text":"x"}}"#, 422, "sms.from"),
        ("/v1/decisions", r#"{"sms":["1","2","x",null,null]}"#, 422, "sms"),
        ("/v1/decisions", r#"{"call":{"from":"1","to":"2","verstat":"maybe"}}"#, 422, "call.verstat"),
        ("/v1/decisions", r#"{"call":{"from":"1","to":"2","time_ms":-1}}"#, 422, "call.time_ms"),
        ("/v1/decisions/batch", r#"{"items":[]}"#, 422, "items"),
        (
            "/v1/decisions/batch",
            r#"{"items":[{"sms":{"from":"1","to":"2","text":"x"}},{"sms":{"from":"1","to":3}}]}"#,
            422,
            "items[1].sms.to",
        ),
        ("/v1/outcomes", r#"{"from":"1","to":"2","outcome":"won"}"#, 422, "outcome"),
        ("/v1/outcomes", r#"["1","2","failed",null,null,null]"#, 422, "."),
    ];
    for (path, body, expected, field) in cases {
        let (status, problem) = world.request("POST", path, TOKEN, body).await;
        assert_eq!((status, problem["field"].as_str()), (expected, Some(field)), "{body}: {problem}");
    }
    let question = json!({ "sms": { "from": "1", "to": "2", "text": long } });
    let (status, problem) = world.post("/v1/decisions", &question).await;
    assert_eq!((status, &problem["field"]), (422, &json!("sms.text")));
    let (status, _) = world.request("POST", "/v1/decisions", TOKEN, &"[".repeat(100_000)).await;
    assert_eq!(status, 400, "deep nesting");
    assert_eq!(world.request("POST", "/v1/decisions", TOKEN, &" ".repeat(300_000)).await.0, 413);
    assert_eq!(world.request("GET", "/v1/decisions", TOKEN, "").await.0, 405);
    assert_eq!(world.request("GET", "/nothing", TOKEN, "").await.0, 404);
    assert!(world.count(|counters| &counters.malformed) > 10);
}

#[tokio::test]
async fn nobody_asks_without_a_token_or_above_its_rate() {
    let world = World::new(Arc::new(WordJudge::new()), |options| options.rate_max = 1).await;
    let body = json!({ "sms": { "from": "1", "to": "2", "text": "x" } }).to_string();
    for token in ["", "0123456789abcdef0124", "pbx"] {
        assert_eq!(world.request("POST", "/v1/decisions", token, &body).await.0, 401);
    }
    assert_eq!(world.request("GET", "/v1/openapi.json", "", "").await.0, 200, "the description is open");
    let items: Vec<_> = (0..100).map(|_| json!({ "sms": { "from": "1", "to": "2", "text": "x" } })).collect();
    assert_eq!(world.post("/v1/decisions/batch", &json!({ "items": items })).await.0, 200);
    assert_eq!(world.request("POST", "/v1/decisions", TOKEN, &body).await.0, 429);
    assert_eq!(world.count(|counters| &counters.unauthorized), 3);
    assert_eq!(world.count(|counters| &counters.rate_limited), 1);
}

#[tokio::test]
async fn outcomes_are_learned() {
    let world = World::words().await;
    for outcome in ["answered", "ended", "cancelled", "failed", "complaint"] {
        let report = json!({ "from": "13800000001", "to": "95500", "outcome": outcome, "ring_ms": 5, "duration_ms": 9 });
        assert_eq!(world.post("/v1/outcomes", &report).await.0, 204);
    }
    assert_eq!(world.count(|counters| &counters.outcomes), 5);
    assert_eq!(world.count(|counters| &counters.complaints), 1);
}

#[tokio::test]
async fn a_slow_head_and_a_slow_body_are_cut() {
    let world = World::new(Arc::new(WordJudge::new()), |options| {
        options.head_timeout = Duration::from_millis(200);
        options.body_timeout = Duration::from_millis(200);
    })
    .await;
    let mut head = TcpStream::connect(world.api.local_addr()).await.unwrap();
    head.write_all(b"POST /v1/decisions HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _reset = head.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    let slow = format!(
        "POST /v1/decisions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: 50\r\n\r\n{{"
    );
    let mut body = TcpStream::connect(world.api.local_addr()).await.unwrap();
    body.write_all(slow.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _reset = body.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn the_description_is_that_of_the_types_and_routes() {
    let world = World::words().await;
    let (status, all) = world.request("GET", "/v1/openapi.json", TOKEN, "").await;
    assert_eq!((status, &all["openapi"]), (200, &json!("3.1.0")));
    for (path, method) in openapi::ROUTES {
        let operation = &all["paths"][path][method];
        assert!(operation["operationId"].is_string(), "{path}");
        // What is described is routed: nothing but 404 for a path, 405 for a method would say that it isn't.
        let (status, _) =
            world.request(&method.to_uppercase(), &path.replace("{appeal_id}", "0"), TOKEN, "{}").await;
        assert_ne!(status, 405, "{path}");
    }
    assert_eq!(all["paths"].as_object().unwrap().len(), openapi::ROUTES.len());
    let schemas = all["components"]["schemas"].as_object().unwrap();
    let answer = world.decide(BAD).await;
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let described = |name: &str| {
        let mut names = fields(&schemas[name]["properties"]);
        names.sort();
        names
    };
    let mut answered = fields(&answer);
    answered.sort();
    assert_eq!(answered, described("Answer"));
    let limits = [
        (&schemas["Sms"]["properties"]["text"]["maxLength"], crate::limits::API_TEXT_CHARS_MAX as u64),
        (&schemas["Sms"]["properties"]["from"]["maxLength"], crate::limits::API_FIELD_CHARS_MAX as u64),
        (&schemas["Batch"]["properties"]["items"]["maxItems"], crate::limits::API_BATCH_MAX as u64),
        (&schemas["Sms"]["properties"]["time_ms"]["maximum"], model::TIME_MS_MAX),
        (&schemas["Outcome"]["properties"]["ring_ms"]["maximum"], model::DURATION_MS_MAX),
    ];
    for (described, limit) in limits {
        assert_eq!(described.as_u64(), Some(limit));
    }
    assert_eq!(schemas["Sms"]["additionalProperties"], false);
    assert_eq!(schemas["Sms"]["required"], json!(["from", "to", "text"]));
}

#[tokio::test]
async fn a_stop_lets_requests_be_answered_and_closes() {
    let world = World::words().await;
    let idle = TcpStream::connect(world.api.local_addr()).await.unwrap();
    world.decide("好").await;
    tokio::time::timeout(Duration::from_secs(5), world.api.stop()).await.unwrap();
    drop(idle);
    assert!(TcpStream::connect(world.api.local_addr()).await.is_err());
}
