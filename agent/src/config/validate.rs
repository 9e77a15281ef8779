//! Relations between fields that types can't hold.

use super::{ClientTls, Config, Listener, Mqtt, Problem, Protocol};
use std::collections::HashSet;
use std::ops::Range;
use yumen_rules::verdict::Typology;

/// Everything wrong with a configuration that parsed.
pub(super) fn problems(config: &Config, text: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut names = HashSet::new();
    let mut binds = HashSet::new();
    for spanned in &config.listeners {
        let listener = spanned.get_ref();
        let mut report = |span: Range<usize>, message: String, help: &str| {
            found.push(Problem::at(text, &span, message, help));
        };
        if !names.insert(listener.name.as_str()) {
            report(
                spanned.span(),
                format!("a listener's name must be unique: '{}' is taken", listener.name),
                "give each listener a name of its own",
            );
        }
        let bind = *listener.bind.get_ref();
        if bind.port() != 0 && !binds.insert(bind) {
            report(
                listener.bind.span(),
                format!("{bind} is taken by another listener"),
                "give each listener an address of its own",
            );
        }
        check_listener(listener, &spanned.span(), &mut report);
    }
    if let Some(api) = &config.api {
        found.extend(super::api::problems(api, text));
        check_thresholds("[api]", &api.policy, &place(text, "[api]"), &mut |span, message, help| {
            found.push(Problem::at(text, &span, message, help));
        });
    }
    super::sip::problems(config, text, &mut found);
    if let Some(mqtt) = &config.mqtt {
        check_mqtt(mqtt, text, &mut found);
    }
    if !(-14 * 60..=14 * 60).contains(&config.utc_offset_min) {
        let span = place(text, "utc_offset_min");
        found.push(Problem::at(text, &span, "utc_offset_min lies outside a day", "minutes, 480 for Beijing"));
    }
    if config.spool.bytes_max < SPOOL_BYTES_MIN {
        let span = place(text, "bytes_max");
        let message = format!("spool.bytes_max is below {SPOOL_BYTES_MIN}");
        found.push(Problem::at(text, &span, message, "two segments must fit: 16 MiB or more"));
    }
    found
}

/// Two segments of the spool.
const SPOOL_BYTES_MIN: u64 = 16 << 20;

fn check_listener(
    listener: &Listener,
    span: &Range<usize>,
    report: &mut impl FnMut(Range<usize>, String, &str),
) {
    let name = &listener.name;
    if listener.name.is_empty() || listener.name.len() > 64 {
        report(
            span.clone(),
            "a listener's name has 1 to 64 bytes".to_owned(),
            "name it for what connects to it",
        );
    }
    if listener.upstreams.is_empty() {
        let help = "add [[listener.upstream]] with address = \"host:port\"";
        report(span.clone(), format!("listener '{name}' has no upstream"), help);
    }
    for upstream in &listener.upstreams {
        let port = upstream.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none() {
            let message = format!("listener '{name}': '{}' isn't host:port", upstream.address);
            report(span.clone(), message, "for example \"10.0.0.5:2775\" or \"[::1]:7890\"");
        }
        if let Some(message) = upstream.tls.as_ref().and_then(half_identity) {
            report(
                span.clone(),
                format!("listener '{name}': {message}"),
                "give both cert and key, or neither",
            );
        }
    }
    if listener.connections_max == 0 {
        report(span.clone(), format!("listener '{name}': connections_max is 0"), "1 or more");
    }
    if !(512..=1 << 20).contains(&listener.pdu_bytes_max) {
        let message = format!("listener '{name}': pdu_bytes_max lies outside 512 to 1048576");
        report(span.clone(), message, "65536 fits every PDU that is in use");
    }
    if listener.on_failure.deadline_ms == 0 {
        report(span.clone(), format!("listener '{name}': deadline_ms is 0"), "1 or more");
    }
    check_policy(listener, span, report);
}

fn check_policy(
    listener: &Listener,
    span: &Range<usize>,
    report: &mut impl FnMut(Range<usize>, String, &str),
) {
    let (name, policy) = (&listener.name, &listener.policy);
    check_thresholds(&format!("listener '{name}'"), policy, span, report);
    let status_max = match listener.protocol {
        Protocol::Smpp => u32::MAX,
        Protocol::Cmpp | Protocol::Smgp | Protocol::Sgip => 255,
    };
    if policy.block_status.is_some_and(|status| status == 0 || status > status_max) {
        let message = format!("listener '{name}': block_status must be 1 to {status_max}");
        report(span.clone(), message, "0 would say that the message was taken");
    }
}

fn check_thresholds(
    name: &str,
    policy: &super::Policy,
    span: &Range<usize>,
    report: &mut impl FnMut(Range<usize>, String, &str),
) {
    if policy.flag_at == 0 || policy.reject_at > 100 || policy.flag_at > policy.reject_at {
        let message = format!("{name}: flag_at and reject_at must satisfy 1 <= flag_at <= reject_at <= 100");
        report(span.clone(), message, "the defaults are 50 and 70");
    }
    for id in policy.typology.keys() {
        if Typology::from_id(id).is_none() {
            let known = Typology::ALL.map(Typology::id).join(", ");
            report(span.clone(), format!("{name}: there is no typology '{id}'"), &known);
        }
    }
}

fn check_mqtt(mqtt: &Mqtt, text: &str, found: &mut Vec<Problem>) {
    let loopback = mqtt.host == "localhost"
        || mqtt.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let span = place(text, "[mqtt]");
    if mqtt.tls.is_none() && !loopback {
        let message = format!("mqtt: '{}' isn't this machine, and there is no TLS", mqtt.host);
        found.push(Problem::at(text, &span, message, "add [mqtt.tls] with ca, cert and key"));
    }
    if let Some(message) = mqtt.tls.as_ref().and_then(half_identity) {
        found.push(Problem::at(
            text,
            &span,
            format!("mqtt: {message}"),
            "give both cert and key, or neither",
        ));
    }
    if mqtt.rate_max == 0 || mqtt.inflight_max == 0 {
        let message = "mqtt: rate_max and inflight_max must be 1 or more";
        found.push(Problem::at(text, &span, message, "the defaults are 2000 and 100"));
    }
}

fn half_identity(tls: &ClientTls) -> Option<String> {
    (tls.cert.is_some() != tls.key.is_some())
        .then(|| "tls has a certificate or a key, but not both".to_owned())
}

/// Where a word first stands, for fields without a span of their own.
fn place(text: &str, word: &str) -> Range<usize> {
    let start = text.find(word).unwrap_or(0);
    start..start + word.len()
}
