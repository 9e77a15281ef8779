//! How the proxy names itself, and how it knows its name when it reads it.

use super::super::transport::Transport;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::net::SocketAddr;
use yumen_wire::sip::{Message, Name, Uri, Values, Via};

/// Our names, ports, and the key of what we put into Record-Route.
#[derive(Clone)]
pub struct Local {
    /// As it stands in a URI.
    host: String,
    port: u16,
    tls_port: Option<u16>,
    domains: Vec<String>,
    key: Hmac<Sha256>,
}

impl Local {
    /// Where we are: `bind` after it was bound, `advertise` where others reach us by another name, and the names in a
    /// Request-URI that stand for us. `key` makes our Record-Routes known to us alone.
    #[must_use]
    pub fn new(
        bind: SocketAddr,
        tls_port: Option<u16>,
        advertise: Option<&str>,
        domains: &[String],
        key: &[u8; DIALOG_KEY_BYTES],
    ) -> Self {
        let host = match (advertise, bind) {
            (Some(name), _) => name.to_ascii_lowercase(),
            (None, SocketAddr::V4(address)) => address.ip().to_string(),
            (None, SocketAddr::V6(address)) => format!("[{}]", address.ip()),
        };
        let mac = <Hmac<Sha256> as KeyInit>::new(key.into());
        Self { host, port: bind.port(), tls_port, domains: domains.to_vec(), key: mac }
    }

    /// Host and port that answers over that transport come back to.
    pub(super) fn sent_by(&self, transport: Transport) -> (&str, u16) {
        (&self.host, self.port_of(transport))
    }

    fn port_of(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Udp | Transport::Tcp => self.port,
            Transport::Tls => self.tls_port.unwrap_or(self.port),
        }
    }

    /// Whether a URI points here.
    pub(super) fn is_ours(&self, uri: &Uri<'_>) -> bool {
        let is = |name: &str| uri.host.eq_ignore_ascii_case(name.as_bytes());
        if self.domains.iter().any(|domain| is(domain)) {
            return uri.port.is_none_or(|port| self.is_port(port));
        }
        is(&self.host) && self.is_port(uri.port.unwrap_or(5060))
    }

    /// Whether a Via is one of ours.
    fn is_via(&self, via: &Via<'_>) -> bool {
        via.host.eq_ignore_ascii_case(self.host.as_bytes()) && self.is_port(via.port.unwrap_or(5060))
    }

    fn is_port(&self, port: u16) -> bool {
        port == self.port || Some(port) == self.tls_port
    }

    /// The mark of a Record-Route for a dialog.
    pub(super) fn token(&self, call_id: &[u8]) -> String {
        let mut mac = self.key.clone();
        mac.update(call_id);
        let octets = mac.finalize().into_bytes();
        octets.iter().take(TOKEN_BYTES).map(|octet| format!("{octet:02x}")).collect()
    }

    /// Whether that URI is a Record-Route of ours for that dialog: only who was in it can have learnt it.
    pub(super) fn wrote(&self, uri: &Uri<'_>, call_id: &[u8]) -> bool {
        let mut octets = [0; TOKEN_BYTES];
        let digits = uri.user.as_chunks::<2>();
        if uri.user.len() != 2 * TOKEN_BYTES {
            return false;
        }
        for (octet, pair) in octets.iter_mut().zip(digits.0) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return false };
            *octet = high << 4 | low;
        }
        let mut mac = self.key.clone();
        mac.update(call_id);
        mac.verify_truncated_left(&octets).is_ok()
    }

    /// Whether a request was here before, as it is now (RFC 3261 §16.3 step 4).
    pub(super) fn has_looped(&self, message: &Message<'_>, mark: u64) -> bool {
        let vias = message.headers().filter(|header| header.name == Name::Via);
        vias.flat_map(|header| Values::new(header.value)).filter_map(Via::parse_first).any(|via| {
            self.is_via(&via)
                && via.branch().and_then(Branch::parse).is_some_and(|branch| branch.mark == mark)
        })
    }
}

/// Without the key.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// A branch of ours: which attempt, and what its request looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) id: u64,
    pub(super) mark: u64,
}

impl Branch {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text.strip_prefix(super::super::key::MAGIC_COOKIE)?).ok()?;
        let (id, mark) = text.split_once('.')?;
        let number = |text: &str| {
            (text.len() == 16 && !text.starts_with('+')).then(|| u64::from_str_radix(text, 16).ok()).flatten()
        };
        Some(Self { id: number(id)?, mark: number(mark)? })
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "z9hG4bK{:016x}.{:016x}", self.id, self.mark)
    }
}

const TOKEN_BYTES: usize = 8;

/// A block of SHA-256.
pub const DIALOG_KEY_BYTES: usize = 64;
