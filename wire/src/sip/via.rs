//! Via (RFC 3261 §20.42, RFC 3581).

use super::lex::{self, Params, Step};
use super::uri;
use nom::Parser;
use nom::bytes::complete::take_while1;

/// One hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS`, …: compare it without case.
    pub transport: &'a [u8],
    /// Host of `sent-by`.
    pub host: &'a [u8],
    /// Port of `sent-by`.
    pub port: Option<u16>,
    /// Its parameters.
    pub params: Params<'a>,
    /// Octets of this value, from where it was read to the comma or the end.
    pub length: usize,
}

impl<'a> Via<'a> {
    /// Reads the first value of a header.
    #[must_use]
    pub fn parse_first(value: &'a [u8]) -> Option<Self> {
        let (rest, via) = via(value).ok()?;
        let rest = rest.trim_ascii_start();
        let length = value.len().saturating_sub(rest.len());
        matches!(rest, [] | [b',', ..]).then_some(Self { length, ..via })
    }

    /// The `branch` parameter.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.value(b"branch")
    }

    /// Whether the sender asks for answers where it sent from (RFC 3581).
    #[must_use]
    pub fn asks_rport(&self) -> bool {
        self.params.named(b"rport").is_some_and(|param| param.value.is_none())
    }
}

fn via(input: &[u8]) -> Step<'_, Via<'_>> {
    let (input, _) = lex::lws(input)?;
    let (input, _) = lex::token(input)?;
    let (input, ()) = lex::separator(b"/", input)?;
    let (input, _) = lex::token(input)?;
    let (input, ()) = lex::separator(b"/", input)?;
    let (input, transport) = lex::token(input)?;
    let (input, _) = take_while1(lex::is_lws).parse(input)?;
    let is_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet);
    let (input, hostport) = take_while1(is_host).parse(input)?;
    let (host, port) = uri::host_port(hostport).ok_or(nom::Err::Error(()))?;
    let (input, params) = Params::take(input);
    Ok((input, Via { transport, host, port, params, length: 0 }))
}
