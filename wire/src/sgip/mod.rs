//! SGIP 1.2, between SP and SMG.
//!
//! - a session's hot path: [`Pdu::new_checked`] → [`Pdu::command_id`] → [`MessageView::parse`]
//! - a peer that reads and makes PDUs: [`Pdu::parse`] → [`Body`] → [`emit`]
//! - the gateway's own answers: [`emit_response`]
//!
//! A connection carries commands of the side that opened it alone, so messages and their reports come on different ones.
//! A message's id is the [`Sequence`] of its Submit; a relay never makes it anew.
//!
//! "G-1" to "G-16" name the places where the specification and its implementations disagree.

mod bind;
mod body;
mod command;
mod deliver;
mod pdu;
mod report;
mod response;
mod submit;
mod view;

pub use bind::Bind;
pub use body::{Body, emit, emit_response};
pub use command::CommandId;
pub use deliver::Deliver;
pub use pdu::{Header, Pdu, Sequence};
pub use report::{Report, Trace, UserRpt};
pub use response::{Response, result};
pub use submit::Submit;
pub use view::MessageView;
