//! How messages travel, and where to.

use std::net::{IpAddr, SocketAddr};
use yumen_wire::sip::{Scheme, Uri};

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Streams.
    Tcp,
    /// Streams within TLS.
    Tls,
}

impl Transport {
    /// As Via writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// Nothing is lost, so nothing is sent again.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// 5060, or 5061 within TLS.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// From the parameter of a URI.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        [(&b"udp"[..], Self::Udp), (b"tcp", Self::Tcp), (b"tls", Self::Tls)]
            .into_iter()
            .find_map(|(name, transport)| text.eq_ignore_ascii_case(name).then_some(transport))
    }
}

/// The way that a message came, and that its answer goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The other side.
    pub address: SocketAddr,
    /// What carries it.
    pub transport: Transport,
    /// Which connection, by the driver's number; 0 for datagrams.
    pub connection: u64,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What carries it.
    pub transport: Transport,
    /// The address, where `host` is one.
    pub literal: Option<SocketAddr>,
}

impl Place {
    /// A place by its parts; `host` may have brackets.
    #[must_use]
    pub fn new(host: &str, port: u16, transport: Transport) -> Self {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let literal = host.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, port));
        Self { host, port, transport, literal }
    }

    /// `host:port`, `host:port;transport=tcp`, `[v6]:port`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hostport, params) = text.split_once(';').unwrap_or((text, ""));
        let transport = match params.strip_prefix("transport=") {
            Some(name) => Transport::parse(name.as_bytes())?,
            None if params.is_empty() => Transport::Udp,
            None => return None,
        };
        let (host, port) = hostport.rsplit_once(':')?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty() && host.bytes().all(|o| o.is_ascii_alphanumeric() || b"-._".contains(&o))
            }
        };
        let port = port.parse().ok().filter(|port| *port != 0)?;
        is_host.then(|| Self::new(host, port, transport))
    }

    /// Where a sip or sips URI points (RFC 3263 §4, without NAPTR and SRV): a name stands for its addresses.
    #[must_use]
    pub fn of_uri(uri: &Uri<'_>) -> Option<Self> {
        let secure = match uri.scheme {
            Scheme::Sip => false,
            Scheme::Sips => true,
            Scheme::Tel | Scheme::Other => return None,
        };
        let transport = match uri.param(b"transport") {
            _ if secure => Transport::Tls,
            Some(name) => Transport::parse(name)?,
            None => Transport::Udp,
        };
        let host = uri.param(b"maddr").filter(|maddr| !maddr.is_empty()).unwrap_or(uri.host);
        let host = std::str::from_utf8(host).ok()?;
        Some(Self::new(host, uri.port.unwrap_or(transport.default_port()), transport))
    }

    /// As it stands in a URI.
    #[must_use]
    pub fn host_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_next_hops_are() {
        let parse = |text| Place::parse(text).map(|place| (place.host_port(), place.transport));
        assert_eq!(parse("10.0.0.5:5060"), Some(("10.0.0.5:5060".into(), Transport::Udp)));
        assert_eq!(parse("pbx.example.com:5061;transport=tls").map(|of| of.1), Some(Transport::Tls));
        assert_eq!(
            parse("[2001:db8::1]:5060;transport=tcp").map(|of| of.0),
            Some("[2001:db8::1]:5060".into())
        );
        for wrong in
            ["10.0.0.5", "10.0.0.5:0", ":5060", "a b:5060", "2001:db8::1:5060", "a:1;x=y", "a:1;transport=x"]
        {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
