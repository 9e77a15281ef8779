//! Relations between fields that types can't hold.

use super::place::{Report, Step, at};
use super::{ClientTls, Config, Listener, Mqtt, OnFailure, Policy, Problem, Protocol};
use std::collections::HashSet;
use yumen_rules::verdict::Typology;

/// Everything wrong with a configuration that parsed, in the order of the file.
pub(super) fn problems(config: &Config, text: &str) -> Vec<Problem> {
    let mut report = Report::new(text);
    let mut names = HashSet::new();
    let mut binds = HashSet::new();
    for (at, spanned) in config.listeners.iter().enumerate() {
        let listener = spanned.get_ref();
        if !names.insert(listener.name.as_str()) {
            report.add(
                &at!["listener", at, "name"],
                format!("a listener's name must be unique: '{}' is taken", listener.name),
                "give each listener a name of its own",
            );
        }
        let bind = *listener.bind.get_ref();
        if bind.port() != 0 && !binds.insert(bind) {
            report.add(
                &at!["listener", at, "bind"],
                format!("{bind} is taken by another listener"),
                "give each listener an address of its own",
            );
        }
        check_listener(listener, at, &mut report);
    }
    if let Some(api) = &config.api {
        super::api::check(api, &mut report);
        check_thresholds("api", &api.policy, &at!["api", "policy"], &mut report);
    }
    super::numbers::check(&config.number_lists, &mut report);
    super::behaviour::check(&config.behaviour, &mut report);
    super::sip::problems(config, &mut report);
    super::device::check(config, &mut report);
    if let Some(mqtt) = &config.mqtt {
        check_mqtt(mqtt, &mut report);
    }
    if !(-14 * 60..=14 * 60).contains(&config.utc_offset_min) {
        report.add(&at!["utc_offset_min"], "utc_offset_min lies outside a day", "minutes, 480 for Beijing");
    }
    if config.spool.bytes_max < SPOOL_BYTES_MIN {
        report.add(
            &at!["spool", "bytes_max"],
            format!("spool.bytes_max is below {SPOOL_BYTES_MIN}"),
            "two segments must fit: 16 MiB or more",
        );
    }
    report.into_problems()
}

/// Two segments of the spool.
const SPOOL_BYTES_MIN: u64 = 16 << 20;

fn check_listener(listener: &Listener, at: usize, report: &mut Report<'_>) {
    let name = &listener.name;
    let place = |field: &'static str| at!["listener", at, field];
    if name.is_empty() || name.len() > 64 {
        report.add(&place("name"), "a listener's name has 1 to 64 bytes", "name it for what connects to it");
    }
    if listener.upstreams.is_empty() {
        report.add(
            &place("upstream"),
            format!("listener '{name}' has no upstream"),
            "add [[listener.upstream]] with address = \"host:port\"",
        );
    }
    for (number, upstream) in listener.upstreams.iter().enumerate() {
        let port = upstream.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none() {
            report.add(
                &at!["listener", at, "upstream", number, "address"],
                format!("listener '{name}': '{}' isn't host:port", upstream.address),
                "for example \"10.0.0.5:2775\" or \"[::1]:7890\"",
            );
        }
        if let Some(message) = upstream.tls.as_ref().and_then(half_identity) {
            report.add(
                &at!["listener", at, "upstream", number, "tls"],
                format!("listener '{name}': {message}"),
                "give both cert and key, or neither",
            );
        }
    }
    if listener.connections_max == 0 {
        report.add(
            &place("connections_max"),
            format!("listener '{name}': connections_max is 0"),
            "1 or more",
        );
    }
    if !(512..=1 << 20).contains(&listener.pdu_bytes_max) {
        report.add(
            &place("pdu_bytes_max"),
            format!("listener '{name}': pdu_bytes_max lies outside 512 to 1048576"),
            "65536 fits every PDU that is in use",
        );
    }
    let who = format!("listener '{name}'");
    check_deadline(&who, &listener.on_failure, &at!["listener", at, "on_failure"], report);
    check_thresholds(&who, &listener.policy, &at!["listener", at, "policy"], report);
    let status_max = match listener.protocol {
        Protocol::Smpp => u32::MAX,
        Protocol::Cmpp | Protocol::Smgp | Protocol::Sgip => 255,
    };
    if listener.policy.block_status.is_some_and(|status| status == 0 || status > status_max) {
        report.add(
            &at!["listener", at, "policy", "block_status"],
            format!("listener '{name}': block_status must be 1 to {status_max}"),
            "0 would say that the message was taken",
        );
    }
}

/// Checks a door's `on_failure`, which stands at `table`.
pub(super) fn check_deadline(who: &str, on_failure: &OnFailure, table: &[Step<'_>], report: &mut Report<'_>) {
    if on_failure.deadline_ms == 0 {
        report.add(&[table, &at!["deadline_ms"]].concat(), format!("{who}: deadline_ms is 0"), "1 or more");
    }
}

/// Checks a door's `policy`, which stands at `table`.
pub(super) fn check_thresholds(who: &str, policy: &Policy, table: &[Step<'_>], report: &mut Report<'_>) {
    let is_wrong_by_reject = policy.reject_at > 100;
    if policy.flag_at == 0 || is_wrong_by_reject || policy.flag_at > policy.reject_at {
        let field = if is_wrong_by_reject { "reject_at" } else { "flag_at" };
        report.add(
            &[table, &at![field]].concat(),
            format!("{who}: flag_at and reject_at must satisfy 1 <= flag_at <= reject_at <= 100"),
            "the defaults are 50 and 70",
        );
    }
    for id in policy.typology.keys() {
        if Typology::from_id(id).is_none() {
            report.add(
                &[table, &at!["typology", id.as_str()]].concat(),
                format!("{who}: there is no typology '{id}'"),
                Typology::ALL.map(Typology::id).join(", "),
            );
        }
    }
}

fn check_mqtt(mqtt: &Mqtt, report: &mut Report<'_>) {
    let loopback = mqtt.host == "localhost"
        || mqtt.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if mqtt.tls.is_none() && !loopback {
        report.add(
            &at!["mqtt", "host"],
            format!("mqtt: '{}' isn't this machine, and there is no TLS", mqtt.host),
            "add [mqtt.tls] with ca, cert and key",
        );
    }
    if let Some(message) = mqtt.tls.as_ref().and_then(half_identity) {
        report.add(&at!["mqtt", "tls"], format!("mqtt: {message}"), "give both cert and key, or neither");
    }
    for (field, value) in [("rate_max", mqtt.rate_max), ("inflight_max", u32::from(mqtt.inflight_max))] {
        if value == 0 {
            report.add(
                &at!["mqtt", field],
                format!("mqtt: {field} is 0"),
                "1 or more: the defaults are 2000 and 100",
            );
        }
    }
}

fn half_identity(tls: &ClientTls) -> Option<String> {
    (tls.cert.is_some() != tls.key.is_some())
        .then(|| "tls has a certificate or a key, but not both".to_owned())
}
