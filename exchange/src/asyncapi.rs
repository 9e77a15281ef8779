//! The AsyncAPI 3.0 description of what goes over MQTT, made of the types that are read and written.
//!
//! It speaks from an agent's side: an agent *sends* sightings and *receives* packs.

use crate::ack::Ack;
use crate::retract::{Retractions, SignedRetractions};
use crate::rollout::{Rollout, SignedRollout};
use crate::seal;
use crate::sighting::{EVENT_CONTENT_TYPE, Envelope};
use crate::status::Status;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// A topic, and what goes over it.
struct Channel {
    id: &'static str,
    address: &'static str,
    /// `send` or `receive`, of an agent.
    action: &'static str,
    retained: bool,
    /// Whether the agent's signature goes beside it.
    sealed: bool,
    content_type: &'static str,
    summary: &'static str,
}

const CHANNELS: [Channel; 6] = [
    Channel {
        id: "sighting",
        address: "yumen/v1/{member}/{agent}/sighting",
        action: "send",
        retained: false,
        sealed: true,
        content_type: EVENT_CONTENT_TYPE,
        summary: "One hit, a CloudEvents 1.0 event; never a text, nor a subscriber's number in clear 一次命中",
    },
    Channel {
        id: "status",
        address: "yumen/v1/{member}/{agent}/status",
        action: "send",
        retained: true,
        sealed: true,
        content_type: "application/json",
        summary: "How the agent is; also its last will 网关状态",
    },
    Channel {
        id: "ack",
        address: "yumen/v1/{member}/{agent}/ack",
        action: "receive",
        retained: false,
        sealed: false,
        content_type: "application/json",
        summary: "Which sightings stand in the hub's database, or never will 入库确认",
    },
    Channel {
        id: "retract",
        address: "yumen/v1/retract",
        action: "receive",
        retained: true,
        sealed: false,
        content_type: "application/json",
        summary: "What is taken back, the whole list each time, signed by the key of packs 撤回清单",
    },
    Channel {
        id: "rollout",
        address: "yumen/v1/pack/{channel}/rollout",
        action: "receive",
        retained: true,
        sealed: false,
        content_type: "application/json",
        summary: "Which agents take the newest pack already, signed by the key of packs 灰度范围",
    },
    Channel {
        id: "pack",
        address: "yumen/v1/pack/{channel}",
        action: "receive",
        retained: true,
        sealed: false,
        content_type: "application/octet-stream",
        summary: "The newest signed pack; its format is specified in rules/src/pack/mod.rs 规则包",
    },
];

/// The schemas of all payloads by their types' names, with references below `#/components/schemas`.
#[must_use]
pub fn schemas(settings: SchemaSettings) -> Map<String, Value> {
    let mut types = SchemaGenerator::new(settings.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    }));
    fn add<T: JsonSchema>(types: &mut SchemaGenerator) {
        let _reference = types.subschema_for::<T>();
    }
    add::<Envelope>(&mut types);
    add::<Status>(&mut types);
    add::<Ack>(&mut types);
    add::<SignedRetractions>(&mut types);
    add::<Retractions>(&mut types);
    add::<SignedRollout>(&mut types);
    add::<Rollout>(&mut types);
    types.take_definitions(true)
}

/// The description.
#[must_use]
pub fn description() -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for channel in &CHANNELS {
        let id = channel.id;
        let mut described = json!({
            "address": channel.address, "description": channel.summary,
            "messages": { id: { "$ref": format!("#/components/messages/{id}") } },
        });
        let parameters: Map<String, Value> = ["member", "agent", "channel"]
            .into_iter()
            .filter(|name| channel.address.contains(&format!("{{{name}}}")))
            .map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/parameters/{name}") })))
            .collect();
        set(&mut described, "parameters", Value::Object(parameters));
        channels.insert(id.to_owned(), described);
        operations.insert(
            format!("{}{}{}", channel.action, id[..1].to_uppercase(), &id[1..]),
            json!({
                "action": channel.action, "channel": { "$ref": format!("#/channels/{id}") },
                "messages": [{ "$ref": format!("#/channels/{id}/messages/{id}") }],
                "bindings": { "mqtt": { "qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0" } },
            }),
        );
        messages.insert(id.to_owned(), message(channel));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Yumen: agents and hub over MQTT 5", "version": env!("CARGO_PKG_VERSION"),
            "description": "What an agent sends to the hub and receives from it. See exchange/README.md and docs/trust.md.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "hub": {
            "host": "hub.example.com:8883", "protocol": "secure-mqtt", "protocolVersion": "5.0",
            "description": "The hub's own door, or a broker with client certificates",
            "security": [{ "$ref": "#/components/securitySchemes/certificate" }],
        } },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": schemas(SchemaSettings::draft07()),
            "parameters": {
                "member": { "description": "The institution: 1 to 64 of a-z, 0-9 and inner '-'" },
                "agent": { "description": "Its agent, of the same form" },
                "channel": { "description": "The channel of packs, of the same form", "default": "stable" },
            },
            "securitySchemes": { "certificate": {
                "type": "X509", "description": "The agent's certificate, which names member and agent (docs/trust.md)",
            } },
        },
    })
}

fn message(channel: &Channel) -> Value {
    let payload = match channel.id {
        "sighting" => "Envelope",
        "status" => "Status",
        "ack" => "Ack",
        "retract" => "SignedRetractions",
        "rollout" => "SignedRollout",
        _ => "",
    };
    let mut message = json!({
        "name": channel.id, "title": channel.id, "summary": channel.summary, "contentType": channel.content_type,
    });
    let payload = if payload.is_empty() {
        json!({ "type": "string", "format": "binary" })
    } else {
        json!({ "$ref": format!("#/components/schemas/{payload}") })
    };
    set(&mut message, "payload", payload);
    if channel.sealed {
        let hex = |digits: u8| json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{digits}}}$") });
        let properties = json!({ seal::KEY: hex(16), seal::SIGNATURE: hex(128) });
        let headers = json!({
            "type": "object", "description": "MQTT 5 user properties (exchange/src/seal.rs); both, or neither from an agent \
             that isn't enrolled", "properties": properties,
        });
        set(&mut message, "headers", headers);
    }
    message
}

fn set(value: &mut Value, field: &str, to: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(field.to_owned(), to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::{self, Name};

    #[test]
    fn addresses_are_those_of_the_topics() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let (member, agent, channel) = (name("member"), name("agent"), name("channel"));
        let expected = [
            topic::sighting(&member, &agent),
            topic::status(&member, &agent),
            topic::ack(&member, &agent),
            topic::RETRACT.to_owned(),
            topic::rollout(&channel),
            topic::pack(&channel),
        ];
        let found = CHANNELS.each_ref().map(|one| one.address.replace(['{', '}'], ""));
        assert_eq!(found, expected);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, all: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(to)) = fields.get("$ref") {
                        assert!(all.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                    }
                    fields.values().for_each(|value| walk(value, all));
                }
                Value::Array(values) => values.iter().for_each(|value| walk(value, all)),
                _ => {}
            }
        }
        let all = description();
        walk(&all, &all);
        assert!(all["components"]["schemas"]["Sighting"]["properties"].get("text").is_none());
    }
}
