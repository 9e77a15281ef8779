//! SIP (RFC 3261): views of requests and responses, and the call attempt that an INVITE is.
//!
//! ```text
//! datagram ─────────────► Message::new_checked ──► headers, body
//! stream ──► frame_stream ──┘        └──► Request::check ──► call_event ──► Event
//! ```
//! Everything borrows from the message. Folded lines, compact names and any case are read; [`Request::check`] says what
//! a server must refuse, with the status of RFC 3261 §8.2 and of RFC 4475's torture messages.

mod address;
mod call;
mod credentials;
mod defect;
mod frame;
mod header;
mod identity;
mod lex;
mod message;
mod request;
mod response;
mod uri;
mod via;

pub use address::{NameAddr, NameAddrs};
pub use call::{CallTexts, Source, call_event};
pub use credentials::Credentials;
pub use defect::Defect;
pub use frame::{StreamFrame, frame_stream};
pub use header::{Header, Headers, Name};
pub use identity::Identity;
pub use lex::{Param, Params, Values};
pub use message::{Message, StartLine};
pub use request::Request;
pub use response::Response;
pub use uri::{Scheme, Uri};
pub use via::Via;
