//! Fetches a certificate over HTTPS, within bounds: of time, of size, and of where it may lie.

use crate::doors::TlsError;
use crate::limits::{STIR_CERTIFICATE_BYTES_MAX, STIR_FETCH_TIMEOUT};
use hyper::body::Body;
use hyper::header::{ACCEPT, CACHE_CONTROL, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What came.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) octets: Vec<u8>,
    pub(super) max_age: Option<Duration>,
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("not an https URL")]
    Url,
    #[error("its host isn't one to fetch from")]
    Host,
    #[error("took too long")]
    Timeout,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("answered {0}")]
    Status(hyper::StatusCode),
    #[error("too long")]
    Size,
}

/// For servers that those authorities know.
pub(super) fn connector(ca: &Path) -> Result<TlsConnector, TlsError> {
    crate::doors::tls::client(ca)
}

/// Fetches. No redirects are followed.
pub(super) async fn get(
    url: &str,
    repositories: &[String],
    connector: &TlsConnector,
) -> Result<Fetched, FetchError> {
    let fetched = tokio::time::timeout(STIR_FETCH_TIMEOUT, get_unbounded(url, repositories, connector)).await;
    fetched.map_err(|_| FetchError::Timeout)?
}

async fn get_unbounded(
    url: &str,
    repositories: &[String],
    connector: &TlsConnector,
) -> Result<Fetched, FetchError> {
    let uri: Uri = url.parse().map_err(|_| FetchError::Url)?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or(FetchError::Url)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let listed = repositories.iter().any(|known| known.eq_ignore_ascii_case(bare));
    if !repositories.is_empty() && !listed {
        return Err(FetchError::Host);
    }
    let port = uri.port_u16().unwrap_or(443);
    // Who signs a call must not make us knock at our own doors.
    let found = tokio::net::lookup_host((bare, port)).await?;
    let addresses: Vec<_> = found.filter(|address| listed || is_public(address.ip())).collect();
    if addresses.is_empty() {
        return Err(FetchError::Host);
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| FetchError::Url)?;
    let stream = connector.connect(name, TcpStream::connect(&addresses[..]).await?).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender.
    let driving = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let request = Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, "application/pem-certificate-chain, application/pkix-cert, */*")
        .body(String::new())
        .map_err(|_| FetchError::Url)?;
    let response = sender.send_request(request).await?;
    if response.status() != hyper::StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let max_age =
        response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).and_then(max_age);
    let mut body = response.into_body();
    let mut octets = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            if octets.len() + data.len() > STIR_CERTIFICATE_BYTES_MAX {
                return Err(FetchError::Size);
            }
            octets.extend_from_slice(&data);
        }
    }
    driving.abort();
    Ok(Fetched { octets, max_age })
}

/// `max-age=300`.
fn max_age(value: &str) -> Option<Duration> {
    let seconds = value.split(',').find_map(|part| part.trim().strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// Neither this machine nor a network of its own.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
                || address.octets()[0] == 0
                // Shared between operator and customers (RFC 6598).
                || (address.octets()[0] == 100 && address.octets()[1] & 0xC0 == 64))
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public(IpAddr::V4(mapped)),
            None => {
                !(address.is_loopback()
                    || address.is_unspecified()
                    || address.is_multicast()
                    || address.segments()[0] & 0xFE00 == 0xFC00
                    || address.segments()[0] & 0xFFC0 == 0xFE80)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_knocked_at() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["198.51.100.7", "2001:db8::1", "8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        assert_eq!(max_age("public, max-age=300"), Some(Duration::from_secs(300)));
        assert_eq!(max_age("no-store"), None);
    }
}
