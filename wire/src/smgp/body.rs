//! Any PDU's body, between octets and meaning.

use super::{
    CommandId, Deliver, Forward, ForwardResp, Header, Login, LoginResp, MessageResp, MessageView, MsgId, Pdu,
    Query, QueryResp, Submit, Tlvs, Version,
};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};

/// What follows the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Login.
    Login(Login),
    /// `Login_Resp`.
    LoginResp(LoginResp),
    /// Submit.
    Submit(Submit<'a>),
    /// Deliver.
    Deliver(Deliver<'a>),
    /// `Submit_Resp`, `Deliver_Resp`.
    MessageResp(MessageResp),
    /// Query.
    Query(Query),
    /// `Query_Resp`.
    QueryResp(QueryResp),
    /// Forward.
    Forward(Forward<'a>),
    /// `Forward_Resp`.
    ForwardResp(ForwardResp<'a>),
    /// Everything else: `Active_Test`, Exit and their responses, routes, prepaid, what isn't defined. Mostly empty.
    Opaque(&'a [u8]),
}

impl<'a> Body<'a> {
    /// The body of a PDU that ends with its header.
    pub const EMPTY: Self = Self::Opaque(&[]);

    /// Parses the body as its command and the connection's version say.
    ///
    /// # Errors
    /// [`ParseError`] where a known command's body isn't laid out so.
    pub fn parse(pdu: &Pdu<'a>, version: Version) -> Result<Self, ParseError> {
        let octets = pdu.body_octets();
        Ok(match pdu.command_id() {
            CommandId::LOGIN => Self::Login(Login::parse(octets)?),
            CommandId::LOGIN_RESP => Self::LoginResp(LoginResp::parse(octets)?),
            CommandId::SUBMIT => Self::Submit(Submit::parse(octets, version)?),
            CommandId::DELIVER => Self::Deliver(Deliver::parse(octets)?),
            CommandId::SUBMIT_RESP | CommandId::DELIVER_RESP => {
                Self::MessageResp(MessageResp::parse(octets)?)
            }
            CommandId::QUERY => Self::Query(Query::parse(octets)?),
            CommandId::QUERY_RESP => Self::QueryResp(QueryResp::parse(octets)?),
            CommandId::FORWARD => Self::Forward(Forward::parse(octets)?),
            CommandId::FORWARD_RESP => Self::ForwardResp(ForwardResp::parse(octets)?),
            _ => Self::Opaque(octets),
        })
    }

    fn emit(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        match self {
            Self::Login(body) => body.emit(out),
            Self::LoginResp(body) => body.emit(out),
            Self::Submit(body) => body.emit(out, version),
            Self::Deliver(body) => body.emit(out),
            Self::MessageResp(body) => body.emit(out),
            Self::Query(body) => body.emit(out),
            Self::QueryResp(body) => body.emit(out),
            Self::Forward(body) => body.emit(out),
            Self::ForwardResp(body) => body.emit(out),
            Self::Opaque(octets) => out.octets(octets),
        }
    }
}

/// Writes one PDU into `out` and returns its length in octets. That the body suits the command is the caller's part.
///
/// # Errors
/// [`EmitError`] where a field doesn't fit the wire or the PDU doesn't fit `out`.
pub fn emit(header: &Header, body: &Body<'_>, version: Version, out: &mut [u8]) -> Result<usize, EmitError> {
    let mut writer = Writer::new(out);
    header.emit(&mut writer)?;
    body.emit(&mut writer, version)?;
    writer.finish()
}

/// Writes the answer to `request` that a gateway gives in the SMGW's (or the SP's) place, and returns its length.
///
/// `msg_id` goes into a `Submit_Resp`; `Deliver_Resp` and `Forward_Resp` repeat the request's own.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn emit_response(
    request: &Pdu<'_>,
    version: Version,
    status: u32,
    msg_id: MsgId,
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let own = || MessageView::parse(request, version).map_or(msg_id, |view| view.msg_id);
    let body = match request.command_id() {
        CommandId::SUBMIT => Body::MessageResp(MessageResp { msg_id, status }),
        CommandId::DELIVER => Body::MessageResp(MessageResp { msg_id: own(), status }),
        CommandId::FORWARD => Body::ForwardResp(ForwardResp { msg_id: own(), status, tlvs: Tlvs::NONE }),
        _ => Body::EMPTY,
    };
    emit(&request.header().response(), &body, version, out)
}
