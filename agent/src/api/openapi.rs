//! The OpenAPI 3.1 description, made of the types that are read and written.

use super::model::{Answer, Answers, Appeal, Batch, Outcome, Question};
use super::problem::Problem;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Every path with its method, as the router has them.
pub(super) const ROUTES: [(&str, &str); 5] = [
    ("/v1/decisions", "post"),
    ("/v1/decisions/batch", "post"),
    ("/v1/outcomes", "post"),
    ("/v1/appeals/{appeal_id}", "get"),
    ("/v1/openapi.json", "get"),
];

/// The description; `secured` where a token is asked for.
pub(super) fn description(secured: bool) -> Value {
    let mut types = SchemaGenerator::new(SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    }));
    let decide = operation::<Question, Answer>(
        &mut types,
        "decide",
        "Decide on one message or call 判定一条短信或一次呼叫",
    );
    let batch = operation::<Batch, Answers>(&mut types, "decideBatch", "Decide on several 批量判定");
    let mut outcome = operation::<Outcome, Answer>(
        &mut types,
        "reportOutcome",
        "Tell how a call or message went on 上报呼叫结果或投诉",
    );
    replace_success(&mut outcome, "204", json!({ "description": "Learned" }));
    let mut appeal = json!({
        "operationId": "findAppeal",
        "summary": "Look a decision up for an appeal 按申诉编号查询判定",
        "parameters": [{
            "name": "appeal_id", "in": "path", "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 64 }
        }],
        "responses": {}
    });
    let found = content::<Appeal>(&mut types, "The decision");
    replace_success(&mut appeal, "200", found);
    for (status, what) in [
        ("401", "No valid token"),
        ("404", "No such decision"),
        ("405", "Another method"),
        ("429", "Too many"),
    ] {
        let problem = content::<Problem>(&mut types, what);
        set(&mut appeal, &["responses", status], problem);
    }
    let document = json!({
        "operationId": "openapi",
        "summary": "This description 本描述",
        "security": [],
        "responses": { "200": {
            "description": "OpenAPI 3.1",
            "content": { "application/json": { "schema": { "type": "object" } } }
        } }
    });
    let mut paths = Map::new();
    for ((path, method), operation) in ROUTES.into_iter().zip([decide, batch, outcome, appeal, document]) {
        paths.insert(path.to_owned(), json!({ method: operation }));
    }
    let mut all = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Yumen decision API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Asks the gateway's engine about a message or a call attempt. See docs/api.md."
        },
        "paths": paths,
        "components": { "schemas": types.take_definitions(true) }
    });
    if secured {
        set(
            &mut all,
            &["components", "securitySchemes"],
            json!({ "token": { "type": "http", "scheme": "bearer" } }),
        );
        set(&mut all, &["security"], json!([{ "token": [] }]));
    }
    all
}

fn operation<Q: JsonSchema, A: JsonSchema>(types: &mut SchemaGenerator, id: &str, summary: &str) -> Value {
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": types.subschema_for::<Q>() } }
        },
        "responses": { "200": content::<A>(types, "Decided") }
    });
    for (status, what) in [
        ("400", "Not JSON"),
        ("401", "No valid token"),
        ("405", "Another method"),
        ("408", "The body took too long"),
        ("413", "The body is too large"),
        ("415", "Not application/json"),
        ("422", "A field is wrong"),
        ("429", "Too many"),
    ] {
        let problem = content::<Problem>(types, what);
        set(&mut operation, &["responses", status], problem);
    }
    operation
}

fn content<T: JsonSchema>(types: &mut SchemaGenerator, what: &str) -> Value {
    json!({
        "description": what,
        "content": { "application/json": { "schema": types.subschema_for::<T>() } }
    })
}

fn replace_success(operation: &mut Value, status: &str, response: Value) {
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.remove("200");
        responses.insert(status.to_owned(), response);
    }
}

fn set(value: &mut Value, path: &[&str], to: Value) {
    let mut place = value;
    for step in path {
        let Some(object) = place.as_object_mut() else { return };
        place = object.entry((*step).to_owned()).or_insert(Value::Null);
    }
    *place = to;
}
