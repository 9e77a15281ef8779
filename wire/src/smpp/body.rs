//! Any PDU's body, between octets and meaning.

use super::{
    Bind, BindResp, CommandId, CommandStatus, DataSm, Header, MessageResp, Pdu, Sm, SubmitMulti,
    SubmitMultiResp,
};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};

/// What follows the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// `bind_transmitter`, `bind_receiver`, `bind_transceiver`.
    Bind(Bind<'a>),
    /// Their responses.
    BindResp(BindResp<'a>),
    /// `submit_sm`, `deliver_sm`.
    Sm(Sm<'a>),
    /// `submit_multi`.
    SubmitMulti(SubmitMulti<'a>),
    /// `submit_multi_resp`.
    SubmitMultiResp(SubmitMultiResp<'a>),
    /// `data_sm`.
    DataSm(DataSm<'a>),
    /// `submit_sm_resp`, `deliver_sm_resp`, `data_sm_resp`, `broadcast_sm_resp`.
    MessageResp(MessageResp<'a>),
    /// Everything else, `enquire_link`, `unbind`, `generic_nack` and unknown commands among it: any octets, mostly
    /// none.
    Opaque(&'a [u8]),
}

impl<'a> Body<'a> {
    /// The body of a PDU that ends with its header.
    pub const EMPTY: Self = Self::Opaque(&[]);

    /// Parses the body as its command says.
    ///
    /// # Errors
    /// [`ParseError`] where a known command's body isn't laid out as §4 says.
    pub fn parse(pdu: &Pdu<'a>) -> Result<Self, ParseError> {
        let octets = pdu.body_octets();
        Ok(match pdu.command_id() {
            CommandId::SUBMIT_SM | CommandId::DELIVER_SM => Self::Sm(Sm::parse(octets)?),
            CommandId::SUBMIT_SM_RESP
            | CommandId::DELIVER_SM_RESP
            | CommandId::DATA_SM_RESP
            | CommandId::BROADCAST_SM_RESP => Self::MessageResp(MessageResp::parse(octets)?),
            CommandId::SUBMIT_MULTI => Self::SubmitMulti(SubmitMulti::parse(octets)?),
            CommandId::SUBMIT_MULTI_RESP => Self::SubmitMultiResp(SubmitMultiResp::parse(octets)?),
            CommandId::DATA_SM => Self::DataSm(DataSm::parse(octets)?),
            id if id.is_bind() => Self::Bind(Bind::parse(octets)?),
            id if id.is_bind_resp() => Self::BindResp(BindResp::parse(octets)?),
            _ => Self::Opaque(octets),
        })
    }

    fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        match self {
            Self::Bind(body) => body.emit(out),
            Self::BindResp(body) => body.emit(out),
            Self::Sm(body) => body.emit(out),
            Self::SubmitMulti(body) => body.emit(out),
            Self::SubmitMultiResp(body) => body.emit(out),
            Self::DataSm(body) => body.emit(out),
            Self::MessageResp(body) => body.emit(out),
            Self::Opaque(octets) => out.octets(octets),
        }
    }
}

/// Writes one PDU into `out` and returns its length in octets. That the body suits the command is the caller's part.
///
/// # Errors
/// [`EmitError`] where a field doesn't fit the wire or the PDU doesn't fit `out`.
pub fn emit(header: &Header, body: &Body<'_>, out: &mut [u8]) -> Result<usize, EmitError> {
    let mut writer = Writer::new(out);
    header.emit(&mut writer)?;
    body.emit(&mut writer)?;
    writer.finish()
}

/// Writes the answer to `request` that a gateway gives in the centre's (or the ESME's) place, and returns its length.
///
/// With [`CommandStatus::ESME_ROK`] a `submit_sm`, `data_sm` or `submit_multi` gets `message_id`; a `deliver_sm` gets an
/// empty one (§4.6.2). With any other status the response ends with its header (§4.4.2). A command that has no response
/// gets a `generic_nack`.
///
/// # Errors
/// [`EmitError::BufferFull`]; [`EmitError::HoldsNul`] for the id.
pub fn emit_response(
    request: &Header,
    status: CommandStatus,
    message_id: &[u8],
    out: &mut [u8],
) -> Result<usize, EmitError> {
    let header = request.response(status);
    if header.command_id.name().is_none() {
        let nack = Header { command_id: CommandId::GENERIC_NACK, ..header };
        return emit(&nack, &Body::EMPTY, out);
    }
    let body = match (status.is_ok(), request.command_id) {
        (true, CommandId::SUBMIT_SM | CommandId::DATA_SM) => Body::MessageResp(MessageResp::new(message_id)),
        (true, CommandId::DELIVER_SM) => Body::MessageResp(MessageResp::new(b"")),
        (true, CommandId::SUBMIT_MULTI) => Body::SubmitMultiResp(SubmitMultiResp {
            message_id: Some(message_id),
            ..SubmitMultiResp::default()
        }),
        (true, CommandId::BROADCAST_SM) => Body::MessageResp(MessageResp::new(message_id)),
        _ => Body::EMPTY,
    };
    emit(&header, &body, out)
}
