//! Any PDU's body, between octets and meaning.

use super::{Bind, CommandId, Deliver, Header, Pdu, Report, Response, Submit, Trace, UserRpt};
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};

/// What follows the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Bind.
    Bind(Bind),
    /// Submit.
    Submit(Submit<'a>),
    /// Deliver.
    Deliver(Deliver<'a>),
    /// Report.
    Report(Report),
    /// `UserRpt`.
    UserRpt(UserRpt),
    /// Trace.
    Trace(Trace),
    /// `Bind_Resp`, `Submit_Resp`, `Deliver_Resp`, `Report_Resp`, `UserRpt_Resp`.
    Response(Response),
    /// Everything else: Unbind and its response, `Trace_Resp`, routes, `CheckUser`, what isn't defined (G-15).
    Opaque(&'a [u8]),
}

impl<'a> Body<'a> {
    /// The body of a PDU that ends with its header.
    pub const EMPTY: Self = Self::Opaque(&[]);

    /// Parses the body as its command says.
    ///
    /// # Errors
    /// [`ParseError`] where a known command's body isn't laid out as the specification says.
    pub fn parse(pdu: &Pdu<'a>) -> Result<Self, ParseError> {
        let octets = pdu.body_octets();
        Ok(match pdu.command_id() {
            CommandId::BIND => Self::Bind(Bind::parse(octets)?),
            CommandId::SUBMIT => Self::Submit(Submit::parse(octets)?),
            CommandId::DELIVER => Self::Deliver(Deliver::parse(octets)?),
            CommandId::REPORT => Self::Report(Report::parse(octets)?),
            CommandId::USER_RPT => Self::UserRpt(UserRpt::parse(octets)?),
            CommandId::TRACE => Self::Trace(Trace::parse(octets)?),
            CommandId::BIND_RESP
            | CommandId::SUBMIT_RESP
            | CommandId::DELIVER_RESP
            | CommandId::REPORT_RESP
            | CommandId::USER_RPT_RESP => Self::Response(Response::parse(octets)?),
            _ => Self::Opaque(octets),
        })
    }

    fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        match self {
            Self::Bind(body) => body.emit(out),
            Self::Submit(body) => body.emit(out),
            Self::Deliver(body) => body.emit(out),
            Self::Report(body) => body.emit(out),
            Self::UserRpt(body) => body.emit(out),
            Self::Trace(body) => body.emit(out),
            Self::Response(body) => body.emit(out),
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

/// Writes the answer to `request` that a gateway gives in its peer's place, and returns its length. Unbind is answered
/// with a header, everything else with a result.
///
/// # Errors
/// [`EmitError::BufferFull`].
pub fn emit_response(request: &Header, result: u8, out: &mut [u8]) -> Result<usize, EmitError> {
    let body = match request.command_id {
        CommandId::UNBIND => Body::EMPTY,
        _ => Body::Response(Response::new(result)),
    };
    emit(&request.response(), &body, out)
}
