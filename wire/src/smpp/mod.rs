//! SMPP 3.4, and what 5.0 adds: every command id is framed and passes; the ones that bind or carry messages parse.
//!
//! - a session's hot path: [`Pdu::new_checked`] → [`Pdu::command_id`] → [`MessageView::parse`]
//! - a peer that reads and makes PDUs: [`Pdu::parse`] → [`Body`] → [`emit`]
//! - the gateway's own answers: [`emit_response`]
//!
//! The parsers are more lenient than the standard where a proxy must be: strings may be longer than §5 says and hold
//! any octet but NUL, TLVs may be of any length and order, a TLV area that ends in a broken TLV keeps its octets.

mod bind;
mod body;
mod command;
mod data;
mod multi;
mod pdu;
mod response;
mod sm;
mod status;
mod tlv;
mod view;

pub use bind::{Bind, BindResp};
pub use body::{Body, emit, emit_response};
pub use command::CommandId;
pub use data::DataSm;
pub use multi::{Destination, Destinations, SubmitMulti, SubmitMultiResp, Unsuccessful, UnsuccessfulSmes};
pub use pdu::{Header, Pdu};
pub use response::MessageResp;
pub use sm::{EsmClass, MessageType, Sm};
pub use status::CommandStatus;
pub use tlv::{Tag, Tlv, Tlvs};
pub use view::{MessageView, Sar, Texts, ViewedDestinations};
