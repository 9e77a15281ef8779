//! SMGP 3.0.3 (and 1.3), between SP and SMGW and between SMGWs.
//!
//! - a session's hot path: [`Pdu::new_checked`] → [`Pdu::command_id`] → [`MessageView::parse`]
//! - a peer that reads and makes PDUs: [`Pdu::parse`] → [`Body`] → [`emit`]
//! - the gateway's own answers: [`emit_response`]
//!
//! The optional parameters at a PDU's end are laid out like SMPP's, so they are [`Tlvs`]; [`tag`] has their tags. Like
//! there, an area that ends in a broken one keeps its octets (M-5), and values may be of any length (M-6).
//!
//! "M-1" to "M-14" name the places where the specification and its implementations disagree.

mod body;
mod command;
mod deliver;
mod forward;
mod login;
mod pdu;
mod query;
mod report;
pub mod status;
mod submit;
pub mod tag;
mod view;

pub use crate::smpp::{Tag, Tlv, Tlvs};
pub use body::{Body, emit, emit_response};
pub use command::CommandId;
pub use deliver::Deliver;
pub use forward::{Forward, ForwardResp};
pub use login::{Login, LoginResp, Version, client_digest_input, server_digest_input};
pub use pdu::{Header, Pdu};
pub use query::{Query, QueryResp};
pub use report::Report;
pub use submit::{MessageResp, MsgId, Submit};
pub use view::MessageView;
