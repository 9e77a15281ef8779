//! CMPP 2.0 and 3.0, every PDU between SP and ISMG and between ISMGs.
//!
//! - a session's hot path: [`Pdu::new_checked`] → [`Pdu::command_id`] → [`MessageView::parse`]
//! - a peer that reads and makes PDUs: [`Pdu::parse`] → [`Body`] → [`emit`]
//! - the gateway's own answers: [`emit_response`]
//!
//! The layout's [`Version`] isn't in the PDUs after CONNECT: the session remembers it, from CONNECT and from the
//! response's length ([`Version::of_connect_resp`]), and hands it in.
//!
//! Octet strings are filled with anything (C-10), so fields keep all their octets, and what parses is emitted byte for
//! byte. [`until_nul`] gives the text of one.
//!
//! "C-1" to "C-16" name the places where the specification and its implementations disagree; each is settled where
//! it occurs.

mod body;
mod code;
mod command;
mod connect;
mod deliver;
mod fwd;
mod pdu;
mod query;
mod report;
mod submit;
mod version;
mod view;

pub use body::{Body, emit, emit_response};
pub use code::{Code, result, status};
pub use command::CommandId;
pub use connect::{Connect, ConnectResp, client_digest_input, server_digest_input};
pub use deliver::Deliver;
pub use fwd::{Fwd, FwdResp};
pub use pdu::{Header, Pdu};
pub use query::{Cancel, CancelResp, Counters, Query, QueryResp};
pub use report::Report;
pub use submit::{MessageResp, Submit};
pub use version::{MsgId, MsgIdTime, Version};
pub use view::MessageView;

/// An octet string without what follows its first NUL.
#[must_use]
pub fn until_nul(octets: &[u8]) -> &[u8] {
    crate::octets::until_nul(octets)
}
