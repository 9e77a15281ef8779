//! The OpenAPI 3.1 description of the hub's HTTP side, served at `/api/v1/openapi.json`; the AsyncAPI 3 one of its MQTT side
//! beside it. `hub/tests/access.rs` holds the table below against the routes: one that isn't in it fails.

use crate::accounts::Access;
use axum::Json;
use serde_json::{Map, Value, json};

/// One operation. Fields are written as `name`, `name:type` or `name:type?` (may be null or absent), types being `string`
/// where none is said, `integer`, `number`, `boolean`, `object`, `time`, the name of a schema, or one of these in brackets.
struct Operation {
    method: &'static str,
    path: &'static str,
    access: Access,
    id: &'static str,
    summary: &'static str,
    query: &'static str,
    /// Fields of the JSON that is posted; a media type where it is something else.
    body: &'static str,
    /// Fields of the JSON that is answered; a media type where it is something else.
    answer: &'static str,
}

macro_rules! operations {
    ($($method:literal $path:literal $access:ident $id:literal $summary:literal ? $query:literal < $body:literal > $answer:literal;)*) => {
        &[$(Operation {
            method: $method, path: $path, access: Access::$access, id: $id, summary: $summary, query: $query,
            body: $body, answer: $answer,
        }),*]
    };
}

const TAXII: &str = "application/taxii+json;version=2.1";

/// Everything but the console's pages.
const OPERATIONS: &[Operation] = operations![
    "get" "/api/v1/sightings" Member "listSightings" "Sightings, newest first 线索列表"
        ? "typology? verdict? member? agent? indicator? since:time? until:time? before? limit:integer?" < "" > "sightings:[SightingRow] next?";
    "get" "/api/v1/sightings/stream" Member "followSightings" "Sightings as they come in, as server-sent events 实时线索"
        ? "typology? verdict? member? agent? indicator? since:time? until:time?" < "" > "text/event-stream";
    "get" "/api/v1/sightings/{id}" Member "getSighting" "One sighting 单条线索" ? "" < "" > "id arrival:integer member agent time:time received:time data:Sighting";
    "get" "/api/v1/agents" Member "listAgents" "Agents and how they are 网关状态" ? "" < "" > "agents:[AgentRow]";
    "get" "/api/v1/indicators" Reader "listIndicators" "What members saw lately, most members first 近期指标" ? "" < "" > "indicators:[IndicatorRow]";
    "get" "/api/v1/refusals" Reader "listRefusals" "Messages that were refused, added up 被拒消息" ? "" < "" > "";
    "post" "/api/v1/promote" Analyst "promote" "Enforce an indicator at every member 提升指标" ? "" < "kind:Kind value typology:Typology" > "done:boolean";
    "post" "/api/v1/retract" Analyst "retract" "Take back a rule, or an indicator 撤回规则或指标" ? "" < "rule? kind? value?" > "done:boolean";
    "get" "/api/v1/packs" Reader "listPacks" "Every channel: its packs, who runs which, who lags 规则包" ? "" < "" > "channels:[ChannelRow]";
    "get" "/api/v1/packs/{channel}" Public "getPack" "A channel's newest signed pack 最新规则包" ? "" < "" > "application/octet-stream";
    "post" "/api/v1/rollout" Analyst "rollOut" "Let more agents have a pack, or hold it up 灰度" ? "" < "channel percent:integer" > "done:boolean";
    "post" "/api/v1/rollback" Analyst "rollBack" "Go back to the rules before 回退" ? "" < "channel" > "done:boolean serial:integer";
    "get" "/api/v1/clues" Reader "listClues" "The queue of clues, the most harmful first 线索队列"
        ? "state? typology? source? assignee? value? page:integer?" < "" > "clues:[ClueRow] next:integer?";
    "post" "/api/v1/clues" Analyst "openClues" "Bring clues 新建线索" ? "" < "source origin? clues:[NewClue]" > "new:integer known:integer refused:integer";
    "post" "/api/v1/clues/change" Analyst "changeClue" "Assign, reject, merge, reopen, comment 处理线索" ? "" < "id change value?" > "done:boolean";
    "post" "/api/v1/clues/accept" Analyst "acceptClue" "Make an indicator of a clue 采纳线索" ? "" < "id" > "done:boolean";
    "get" "/api/v1/appeals" Member "listAppeals" "Appeals that wait, or were answered 申诉" ? "state? page:integer?" < "" > "appeals:[AppealRow] next:integer?";
    "post" "/api/v1/appeals" Reporter "openAppeal" "Enter an appeal for somebody 登记申诉" ? "" < "id statement?" > "id due:time";
    "post" "/api/v1/appeals/answer" Analyst "answerAppeal" "Answer an appeal 答复申诉"
        ? "" < "id upheld:boolean answer bad_faith:boolean? indicators:[string]? rules:[string]?" > "done:boolean";
    "post" "/api/v1/complaints" Reporter "complain" "Enter a subscriber's report 登记用户举报"
        ? "" < "member:string? channel from:string? own:string? text:string? typology:string?" > "id";
    "get" "/api/v1/export/{file}" Member "export" "enforced.json, enforced.csv, observed.json, observed.csv: a STIX 2.1 bundle or a table 导出"
        ? "" < "" > "application/stix+json;version=2.1 text/csv";
    "post" "/api/v1/import" Analyst "import" "A STIX bundle, a MISP event or a table becomes clues 导入"
        ? "format? typology? origin?" < "application/json application/stix+json text/csv" > "new:integer known:integer refused:integer skipped:[Skipped]";
    "get" "/api/v1/openapi.json" Public "openapi" "This description 本描述" ? "" < "" > "";
    "get" "/api/v1/asyncapi.json" Public "asyncapi" "AsyncAPI 3 of the MQTT side MQTT 接口描述" ? "" < "" > "";
    "get" "/feeds/misp/{file}" Member "mispFeed" "manifest.json, hashes.csv, or an event MISP 源" ? "" < "" > "application/json text/csv";
    "get" "/taxii2/" Member "taxiiDiscovery" "TAXII 2.1 §4.1" ? "" < "" > "taxii title description? default? api_roots:[string]";
    "get" "/taxii2/hub/" Member "taxiiRoot" "TAXII 2.1 §4.2" ? "" < "" > "taxii title versions:[string] max_content_length:integer";
    "get" "/taxii2/hub/status/{id}/" Member "taxiiStatus" "TAXII 2.1 §4.3" ? "" < "" > "taxii id status total_count:integer success_count:integer failure_count:integer pending_count:integer";
    "get" "/taxii2/hub/collections/" Member "taxiiCollections" "TAXII 2.1 §5.1" ? "" < "" > "taxii collections:[Collection]";
    "get" "/taxii2/hub/collections/{id}/" Member "taxiiCollection" "TAXII 2.1 §5.2" ? "" < "" > "taxii id title can_read:boolean can_write:boolean";
    "get" "/taxii2/hub/collections/{id}/manifest/" Member "taxiiManifest" "TAXII 2.1 §5.3"
        ? "added_after:time? limit:integer? next? match[id]? match[type]? match[version]? match[spec_version]?" < "" > "taxii more:boolean? next? objects:[ManifestRecord]?";
    "get" "/taxii2/hub/collections/{id}/objects/" Member "taxiiObjects" "TAXII 2.1 §5.4"
        ? "added_after:time? limit:integer? next? match[id]? match[type]? match[version]? match[spec_version]?" < "" > "taxii more:boolean? next? objects:[object]?";
    "post" "/taxii2/hub/collections/{id}/objects/" Member "taxiiAdd" "TAXII 2.1 §5.5: what is added becomes clues"
        ? "" < "application/taxii+json;version=2.1" > "taxii id status total_count:integer success_count:integer failure_count:integer pending_count:integer";
    "get" "/taxii2/hub/collections/{id}/objects/{object}/" Member "taxiiObject" "TAXII 2.1 §5.6"
        ? "added_after:time? limit:integer? next? match[version]? match[spec_version]?" < "" > "taxii more:boolean? next? objects:[object]?";
    "get" "/taxii2/hub/collections/{id}/objects/{object}/versions/" Member "taxiiVersions" "TAXII 2.1 §5.8"
        ? "added_after:time? limit:integer? next? match[spec_version]?" < "" > "taxii more:boolean? next? versions:[time]";
    "get" "/enrol/v1/ca" Public "authority" "The authority of the members' certificates 证书机构" ? "" < "" > "application/x-pem-file";
    "get" "/enrol/v1/crl" Public "revocations" "Its list of revocations 吊销列表" ? "" < "" > "application/x-pem-file";
    "post" "/enrol/v1/enrol" Public "enrol" "Take up an invitation 登记网关" ? "" < "secret csr signing_key proof" > "member agent certificate ca not_after_ms:integer";
    "post" "/enrol/v1/renew" Public "renew" "Renew a certificate that was shown in TLS 证书续期" ? "" < "csr" > "member agent certificate ca not_after_ms:integer";
];

const SCHEMAS: &[(&str, &str)] = &[
    ("SightingRow", "id arrival:integer member agent time:time received:time data:Sighting"),
    ("AgentRow", "member agent health heard:time status:object"),
    (
        "IndicatorRow",
        "kind:Kind value typology:Typology members:integer hits:integer last:time state? score:number",
    ),
    ("ChannelRow", "channel packs:[object] agents:object lagging:[object]"),
    (
        "ClueRow",
        "id kind:Kind value typology:Typology state source origin assignee merged outcome confidence:integer \
         members:integer hits:integer last:time? harm:integer opened:time changed:time",
    ),
    ("NewClue", "kind:Kind value typology:Typology confidence:integer?"),
    ("AppealRow", "id sighting member typology state side opened:time due:time"),
    ("Skipped", "what why"),
    ("Collection", "id title can_read:boolean can_write:boolean media_types:[string]"),
    ("ManifestRecord", "id date_added:time version:time media_type"),
];

pub(super) async fn openapi() -> Json<Value> {
    Json(description())
}

pub(super) async fn asyncapi() -> Json<Value> {
    Json(yumen_exchange::asyncapi::description())
}

/// The description.
#[must_use]
pub fn description() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let place = paths.entry(operation.path).or_insert_with(|| json!({}));
        set(place, operation.method, described(operation));
    }
    let mut schemas = yumen_exchange::asyncapi::schemas(schemars::generate::SchemaSettings::draft2020_12());
    for (name, fields) in SCHEMAS {
        schemas.insert((*name).to_owned(), object(fields));
    }
    let typologies = yumen_rules::verdict::Typology::ALL.map(yumen_rules::verdict::Typology::id);
    schemas.insert("Typology".to_owned(), json!({ "type": "string", "enum": typologies }));
    let kinds = yumen_exchange::check::INDICATOR_KINDS;
    schemas.insert("Kind".to_owned(), json!({ "type": "string", "enum": kinds }));
    schemas.insert("Problem".to_owned(), object("status:integer detail"));
    schemas.insert("TaxiiError".to_owned(), object("title description? http_status?"));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Yumen hub", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "What programs ask of the hub. See docs/platforms.md and docs/trust.md; `x-access` says which roles may.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "`yumen-hub token add`" },
                "session": { "type": "apiKey", "in": "cookie", "name": "yumen_session", "description": "What the console's log-in gives; changes need x-csrf-token too" },
                "taxii": { "type": "http", "scheme": "basic", "description": "A token's name, and the token for a password" },
            },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let Operation { path, access, id, summary, query, body, answer, .. } = operation;
    let is_taxii = path.starts_with("/taxii2/");
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
        .collect();
    for field in query.split_whitespace() {
        let (name, kind, needed) = parts(field);
        parameters.push(json!({ "name": name, "in": "query", "required": needed, "schema": schema(kind) }));
    }
    let problem = if is_taxii { "TaxiiError" } else { "Problem" };
    let refused = json!({
        "description": "Refused: 400 the question, 401 nobody known, 403 the role, 404 no such thing, 409 the state, 415 the media type, 422 a field, 429 too often",
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
            TAXII: { "schema": { "$ref": format!("#/components/schemas/{problem}") } },
            "text/plain": { "schema": { "type": "string" } },
            "text/plain; charset=utf-8": { "schema": { "type": "string" } },
        },
    });
    let success = if *id == "taxiiAdd" { "202" } else { "200" };
    let security = match access {
        Access::Public => json!([]),
        _ if is_taxii => json!([{ "taxii": [] }, { "token": [] }]),
        _ => json!([{ "token": [] }, { "session": [] }]),
    };
    let mut described = json!({
        "operationId": id, "summary": summary, "parameters": parameters, "security": security,
        "x-access": format!("{access:?}").to_lowercase(),
        "responses": { success: { "description": "Done", "content": content(answer) }, "4XX": refused },
    });
    if !body.is_empty() {
        set(&mut described, "requestBody", json!({ "required": true, "content": content(body) }));
    }
    if *id == "getPack"
        && let Some(responses) = described.get_mut("responses")
    {
        set(responses, "304", json!({ "description": "The pack that If-None-Match names" }));
    }
    described
}

/// Media types, or the fields of an object in JSON.
fn content(what: &str) -> Value {
    let mut content = Map::new();
    if what.contains('/') {
        for kind in what.split_whitespace() {
            let schema =
                if kind.contains("json") { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
            content.insert(kind.to_owned(), json!({ "schema": schema }));
        }
    } else {
        let (kind, fields) = match what.strip_prefix("taxii ") {
            Some(fields) => (TAXII, fields),
            None => ("application/json", what),
        };
        content.insert(kind.to_owned(), json!({ "schema": object(fields) }));
    }
    Value::Object(content)
}

/// An object with these fields, and whatever else a later version has.
fn object(fields: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for one in fields.split_whitespace() {
        let (name, schema, needed) = field(one);
        properties.insert(name.to_owned(), schema);
        if needed {
            required.push(name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// `name:type?`: name, type, and whether it is always there.
fn parts(text: &str) -> (&str, &str, bool) {
    let (text, needed) = text.strip_suffix('?').map_or((text, true), |text| (text, false));
    let (name, kind) = text.split_once(':').unwrap_or((text, "string"));
    (name, kind, needed)
}

fn field(text: &str) -> (&str, Value, bool) {
    let (name, kind, needed) = parts(text);
    let schema = schema(kind);
    if needed {
        (name, schema, true)
    } else {
        (name, json!({ "anyOf": [schema, { "type": "null" }] }), false)
    }
}

fn schema(kind: &str) -> Value {
    if let Some(item) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        return json!({ "type": "array", "items": schema(item) });
    }
    match kind {
        "time" => json!({ "type": "string", "format": "date-time" }),
        "string" | "integer" | "number" | "boolean" | "object" => json!({ "type": kind }),
        name => json!({ "$ref": format!("#/components/schemas/{name}") }),
    }
}

fn set(value: &mut Value, field: &str, to: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(field.to_owned(), to);
    }
}
