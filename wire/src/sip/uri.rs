//! SIP, SIPS (RFC 3261 §19.1) and tel URIs (RFC 3966).

use super::lex;

/// What stands before the first colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel`.
    Tel,
    /// Any other; only the whole is known.
    Other,
}

/// A URI in its parts; escapes are still in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// As it stands.
    pub whole: &'a [u8],
    /// Its scheme.
    pub scheme: Scheme,
    /// Behind the scheme and before `@`, without password; the number of a tel URI. Empty where there is none.
    pub user: &'a [u8],
    /// Host name, IPv4 address, or IPv6 address in brackets; empty for tel.
    pub host: &'a [u8],
    /// The port, where one is given.
    pub port: Option<u16>,
    /// `a=b;c`, without the first `;`.
    pub params: &'a [u8],
    /// `a=b&c=d`, without the `?`.
    pub headers: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Reads a URI; `None` where it isn't one of its scheme.
    #[must_use]
    pub fn parse(whole: &'a [u8]) -> Option<Self> {
        let (name, rest) = split(whole, b':')?;
        let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
            && name.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'));
        if !is_name || rest.is_empty() || whole.iter().any(|&octet| lex::is_lws(octet) || octet < b' ') {
            return None;
        }
        let scheme = match name {
            _ if name.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
            _ if name.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
            _ if name.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
            _ => Scheme::Other,
        };
        let empty = Self { whole, scheme, user: &[], host: &[], port: None, params: &[], headers: &[] };
        match scheme {
            Scheme::Other => Some(empty),
            Scheme::Tel => {
                let (user, params) = split(rest, b';').unwrap_or((rest, &[]));
                let is_number = user.iter().all(|octet| {
                    octet.is_ascii_hexdigit()
                        || matches!(octet, b'+' | b'-' | b'.' | b'(' | b')' | b'*' | b'#')
                });
                (is_number && !user.is_empty()).then_some(Self { user, params, ..empty })
            }
            Scheme::Sip | Scheme::Sips => empty.with_host(rest),
        }
    }

    fn with_host(self, rest: &'a [u8]) -> Option<Self> {
        let (userinfo, rest) = split(rest, b'@').unwrap_or((&[], rest));
        let user = split(userinfo, b':').map_or(userinfo, |(user, _)| user);
        let (rest, headers) = split(rest, b'?').unwrap_or((rest, &[]));
        let (hostport, params) = split(rest, b';').unwrap_or((rest, &[]));
        let (host, port) = host_port(hostport)?;
        Some(Self { user, host, port, params, headers, ..self })
    }

    /// The value of a URI parameter; empty where it has none. Of a user part that holds parameters (`user=phone`,
    /// RFC 3261 §19.1.6), those count too.
    #[must_use]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        let within_user = split(self.user, b';').map_or(&[][..], |(_, params)| params);
        [self.params, within_user].into_iter().find_map(|params| {
            params.split(|&octet| octet == b';').find_map(|param| {
                let (found, value) = split(param, b'=').unwrap_or((param, &[]));
                found.eq_ignore_ascii_case(name).then_some(value)
            })
        })
    }

    /// The user part without parameters: a number, most often; escapes are still in it.
    #[must_use]
    pub fn subscriber(&self) -> &'a [u8] {
        split(self.user, b';').map_or(self.user, |(user, _)| user)
    }
}

/// `host`, `host:port`, `[v6]:port`.
pub(super) fn host_port(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let host_length = match text.first()? {
        b'[' => text.iter().position(|&octet| octet == b']')? + 1,
        _ => text.iter().position(|&octet| octet == b':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(host_length)?;
    let is_host = match host.strip_prefix(b"[") {
        Some(address) => address
            .strip_suffix(b"]")
            .is_some_and(|address| address.iter().all(|o| o.is_ascii_hexdigit() || matches!(o, b':' | b'.'))),
        None => host.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_')),
    };
    if host.is_empty() || !is_host {
        return None;
    }
    match rest.strip_prefix(b":") {
        None => rest.is_empty().then_some((host, None)),
        Some(port) => Some((host, Some(u16::try_from(lex::number(port, 65_535)?).ok()?))),
    }
}

/// Before and behind the first `mark`.
pub(super) fn split(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&octet| octet == mark)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
