//! Any PDU's body, between octets and meaning.

use super::{
    Cancel, CancelResp, Code, CommandId, Connect, ConnectResp, Deliver, Fwd, FwdResp, Header, MessageResp,
    MessageView, MsgId, Pdu, Query, QueryResp, Submit, Version,
};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};

/// What follows the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// CONNECT.
    Connect(Connect),
    /// CONNECT_RESP.
    ConnectResp(ConnectResp),
    /// SUBMIT.
    Submit(Submit<'a>),
    /// DELIVER.
    Deliver(Deliver<'a>),
    /// SUBMIT_RESP, DELIVER_RESP.
    MessageResp(MessageResp),
    /// QUERY.
    Query(Query),
    /// QUERY_RESP.
    QueryResp(QueryResp),
    /// CANCEL.
    Cancel(Cancel),
    /// CANCEL_RESP.
    CancelResp(CancelResp),
    /// FWD.
    Fwd(Fwd<'a>),
    /// FWD_RESP.
    FwdResp(FwdResp),
    /// Everything else: TERMINATE, ACTIVE_TEST and their responses, the routes between ISMG and GNS, what isn't defined.
    /// Mostly empty; ACTIVE_TEST_RESP has one reserved octet, or none (C-8).
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
            CommandId::CONNECT => Self::Connect(Connect::parse(octets)?),
            CommandId::CONNECT_RESP => Self::ConnectResp(ConnectResp::parse(octets)?),
            CommandId::SUBMIT => Self::Submit(Submit::parse(octets, version)?),
            CommandId::DELIVER => Self::Deliver(Deliver::parse(octets, version)?),
            CommandId::SUBMIT_RESP | CommandId::DELIVER_RESP => {
                Self::MessageResp(MessageResp::parse(octets)?)
            }
            CommandId::QUERY => Self::Query(Query::parse(octets)?),
            CommandId::QUERY_RESP => Self::QueryResp(QueryResp::parse(octets)?),
            CommandId::CANCEL => Self::Cancel(Cancel::parse(octets)?),
            CommandId::CANCEL_RESP => Self::CancelResp(CancelResp::parse(octets)?),
            CommandId::FWD => Self::Fwd(Fwd::parse(octets, version)?),
            CommandId::FWD_RESP => Self::FwdResp(FwdResp::parse(octets)?),
            _ => Self::Opaque(octets),
        })
    }

    fn emit(&self, out: &mut Writer<'_>, version: Version) -> Result<(), EmitError> {
        match self {
            Self::Connect(body) => body.emit(out),
            Self::ConnectResp(body) => body.emit(out),
            Self::Submit(body) => body.emit(out, version),
            Self::Deliver(body) => body.emit(out, version),
            Self::MessageResp(body) => body.emit(out),
            Self::Query(body) => body.emit(out),
            Self::QueryResp(body) => body.emit(out),
            Self::Cancel(body) => body.emit(out),
            Self::CancelResp(body) => body.emit(out),
            Self::Fwd(body) => body.emit(out, version),
            Self::FwdResp(body) => body.emit(out),
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

/// Writes the answer to `request` that a gateway gives in the ISMG's (or the SP's) place, and returns its length.
///
/// `msg_id` goes into a SUBMIT_RESP; DELIVER_RESP and FWD_RESP repeat the request's own. `result` goes wherever the
/// response has a place for one. A request whose own body can't be read is answered with what its header tells.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn emit_response(
    request: &Pdu<'_>,
    version: Version,
    result: u32,
    msg_id: MsgId,
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let code = Code::new(version, result);
    let body = match request.command_id() {
        CommandId::SUBMIT => Body::MessageResp(MessageResp { msg_id, result: code }),
        CommandId::DELIVER => {
            let msg_id = MessageView::parse(request, version).map_or(msg_id, |view| view.msg_id);
            Body::MessageResp(MessageResp { msg_id, result: code })
        }
        CommandId::FWD => match MessageView::parse(request, version) {
            Ok(view) => Body::FwdResp(FwdResp {
                msg_id: view.msg_id,
                pk_total: view.pk_total,
                pk_number: view.pk_number,
                result: code,
            }),
            Err(_) => Body::FwdResp(FwdResp { msg_id, pk_total: 1, pk_number: 1, result: code }),
        },
        CommandId::CANCEL => Body::CancelResp(CancelResp { success_id: code }),
        CommandId::ACTIVE_TEST => Body::Opaque(&[0]),
        _ => Body::EMPTY,
    };
    emit(&request.header().response(), &body, version, out)
}
