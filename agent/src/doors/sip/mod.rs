//! Calls: a SIP redirect server (RFC 3261 §8.3), or a proxy (§16), that judges every INVITE.
//!
//! ```text
//! UDP datagrams, TCP and TLS streams ─► driver (tokio) ─► Redirect or Proxy (sans-IO) ─► wire::sip ─► Event ─► Screen
//!                                  │  passes: 302 to the next hops, or sent on to the first of them that answers
//!                                  └  blocked: 608, 607 or 603, with Call-Info to the redress
//! ```
//! A redirect server remembers a transaction until its ACK, so that an INVITE sent again gets the same answer and is
//! neither judged nor counted twice; dialogs never come there. A proxy stays in the way of the dialog, and so learns how a
//! call went on. Media never comes here.

mod answer;
mod driver;
mod key;
mod overload;
pub mod proxy;
mod redirect;
mod screen;
mod transactions;
mod transport;
mod waiting;

pub use driver::SipListener;
pub use redirect::{Answers, Peer, Redirect};
pub use transport::{Flow, Place, Transport};

use super::config::ServerTls;
use crate::enforce::Policy;
use std::net::SocketAddr;
use std::time::Duration;
use yumen_rules::policy::Policy as Thresholds;
use yumen_wire::event::Trunk;

/// A SIP door.
#[derive(Clone, Debug)]
pub struct SipConfig {
    /// Name in logs, metrics and sightings.
    pub name: String,
    /// Where requests come in; UDP and TCP on the same port. Port 0 takes any free one.
    pub bind: SocketAddr,
    /// Take datagrams.
    pub udp: bool,
    /// Take TCP connections.
    pub tcp: bool,
    /// Take TLS connections on an address of their own.
    pub tls: Option<(SocketAddr, ServerTls)>,
    /// Stand in the way as a proxy; `None` redirects.
    pub proxy: Option<proxy::ProxyConfig>,
    /// Verify callers' signatures; `None` leaves them alone.
    pub stir: Option<crate::stir::Settings>,
    /// `host:port` or `host:port;transport=tcp` of those that a call is sent on to, the preferred first.
    pub next_hops: Vec<String>,
    /// Status of a blocked call: 603, 607 (RFC 8197) or 608 (RFC 8688).
    pub block_status: u16,
    /// URI behind which a caller finds whom to turn to (RFC 8688 §3.2).
    pub redress: Option<String>,
    /// Where its calls come from.
    pub trunk: Trunk,
    /// Whether what the peer asserts about callers counts.
    pub trusted: bool,
    /// Most transactions remembered.
    pub transactions_max: usize,
    /// Most stream connections at a time.
    pub connections_max: usize,
    /// How long a drain waits for ACKs.
    pub drain_timeout: Duration,
    /// How far each typology may go, and from which score.
    pub thresholds: Thresholds,
    /// How verdicts are enforced, and what happens without one.
    pub policy: Policy,
}
