//! By which names the hub may be called: a page from elsewhere must not reach it through a name that resolves to this machine
//! (DNS rebinding). Who may ask for what is decided behind this, in `access`.

use super::problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Everything from here, nothing from elsewhere, nothing inline; never in a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Names the hub answers to.
#[derive(Debug)]
pub(super) struct Hosts {
    bind: IpAddr,
    names: Vec<String>,
}

impl Hosts {
    pub(super) fn new(bind: SocketAddr, allowed: &[String]) -> Self {
        let names = allowed.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { bind: bind.ip(), names }
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
            return false;
        };
        let host = without_port(host).to_ascii_lowercase();
        if host == "localhost" || self.names.contains(&host) {
            return true;
        }
        // An address can't be made to point elsewhere.
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address
            .is_ok_and(|address| address.is_loopback() || address == self.bind || self.bind.is_unspecified())
    }
}

pub(super) async fn check(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    if !hosts.allows(request.headers()) {
        return problem(StatusCode::MISDIRECTED_REQUEST, "this name isn't in http.allowed_hosts");
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // With none at all a browser says `Origin: null` on forms of our own, and the gate couldn't tell them from others'.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // Sightings don't stay in a browser's cache; assets say for themselves how long they may.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(host: &str) -> bool {
        let hosts = Hosts::new("10.0.0.5:8470".parse().unwrap(), &["Hub.example.com".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        hosts.allows(&headers)
    }

    #[test]
    fn only_own_names_are_answered() {
        for host in
            ["localhost:8470", "127.0.0.1:8470", "[::1]:8470", "::1", "10.0.0.5", "hub.EXAMPLE.com:443"]
        {
            assert!(allows(host), "{host}");
        }
        for host in
            ["evil.example.net", "localhost.evil.example.net", "10.0.0.6:8470", "", "127.0.0.1.example.net"]
        {
            assert!(!allows(host), "{host}");
        }
        assert!(!Hosts::new("127.0.0.1:1".parse().unwrap(), &[]).allows(&HeaderMap::new()));
    }
}
