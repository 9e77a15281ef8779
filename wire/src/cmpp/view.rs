//! What a gateway needs of a PDU that carries a message, in one pass.

use super::{CommandId, Deliver, Fwd, MsgId, Pdu, Report, Submit, Version, until_nul};
use crate::address::RawAddress;
use crate::error::ParseError;
use crate::udh::{Concatenation, Reference, UserData};

/// A message as it stands in SUBMIT, DELIVER or FWD.
#[derive(Clone, Copy, Debug)]
pub struct MessageView<'a> {
    /// Which of them.
    pub command_id: CommandId,
    /// Pairs the response.
    pub sequence_id: u32,
    /// 0 in a SUBMIT; the id of the DELIVER or FWD.
    pub msg_id: MsgId,
    /// Pieces of the message, as the PDU says; 1 in a DELIVER.
    pub pk_total: u8,
    /// This piece, as the PDU says; 1 in a DELIVER.
    pub pk_number: u8,
    /// `Service_Id`, unpadded.
    pub service_id: &'a [u8],
    /// `SP_Id` of SUBMIT and FWD, unpadded; empty in a DELIVER.
    pub msg_src: &'a [u8],
    /// Who sends: `Src_Id` or `Src_terminal_Id`, unpadded.
    pub source: RawAddress<'a>,
    /// How many receive.
    pub destination_count: u8,
    /// Their padded numbers, `destination_bytes` each.
    destinations: &'a [u8],
    destination_bytes: usize,
    /// SUBMIT and FWD: a report is wanted. DELIVER: this is a report; see [`is_report`](Self::is_report).
    pub registered_delivery: u8,
    /// TP-UDHI as on the wire.
    pub tp_udhi: u8,
    /// How the text is coded.
    pub msg_fmt: u8,
    /// Header and text, or a report.
    pub msg_content: &'a [u8],
    is_report: bool,
}

impl<'a> MessageView<'a> {
    /// Views a PDU that [`carries_message`](CommandId::carries_message).
    ///
    /// # Errors
    /// [`ParseError::WrongCommand`] for any other; [`ParseError::Truncated`] where the layout is broken.
    #[inline]
    pub fn parse(pdu: &Pdu<'a>, version: Version) -> Result<Self, ParseError> {
        let body = pdu.body_octets();
        let view = match pdu.command_id() {
            CommandId::SUBMIT => Self::of_submit(&Submit::parse(body, version)?, version),
            CommandId::DELIVER => Self::of_deliver(&Deliver::parse(body, version)?),
            CommandId::FWD => Self::of_fwd(&Fwd::parse(body, version)?),
            other => return Err(ParseError::WrongCommand(other.0)),
        };
        Ok(Self { command_id: pdu.command_id(), sequence_id: pdu.sequence_id(), ..view })
    }

    /// The content starts with a user data header. The specification sets bit 0; gateways also pass SMPP's `esm_class`
    /// through, with bit 6 (C-6).
    #[must_use]
    pub const fn has_udh(&self) -> bool {
        self.tp_udhi & 0x41 != 0
    }

    /// A status report, whose content isn't text.
    #[must_use]
    pub const fn is_report(&self) -> bool {
        self.is_report
    }

    /// The report, where its length is one that is known (C-3).
    #[must_use]
    pub fn report(&self) -> Option<Report<'a>> {
        if self.is_report { Report::parse(self.msg_content) } else { None }
    }

    /// The text of a message; empty for a report.
    #[must_use]
    pub const fn user_data(&self) -> UserData<'a> {
        if self.is_report {
            return UserData::plain(&[]);
        }
        UserData { octets: self.msg_content, has_udh: self.has_udh() }
    }

    /// Which part of which message this is: by its user data header, else by `Pk_total` and `Pk_number`. `None` for a
    /// message of one part.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.user_data()
            .parts()
            .concatenation()
            .or_else(|| Concatenation::new(Reference::Unnumbered, self.pk_total, self.pk_number))
    }

    /// Every destination, unpadded.
    pub fn destinations(&self) -> impl Iterator<Item = RawAddress<'a>> + use<'a> {
        self.destinations.chunks(self.destination_bytes.max(1)).map(|number| plain(until_nul(number)))
    }

    /// The first destination, and how many there are.
    #[must_use]
    pub fn destination(&self) -> (RawAddress<'a>, u16) {
        (self.destinations().next().unwrap_or_default(), u16::from(self.destination_count))
    }

    const NONE: Self = Self {
        command_id: CommandId(0),
        sequence_id: 0,
        msg_id: MsgId(0),
        pk_total: 1,
        pk_number: 1,
        service_id: &[],
        msg_src: &[],
        source: RawAddress::new(0, 0, &[]),
        destination_count: 1,
        destinations: &[],
        destination_bytes: 21,
        registered_delivery: 0,
        tp_udhi: 0,
        msg_fmt: 0,
        msg_content: &[],
        is_report: false,
    };

    fn of_submit(submit: &Submit<'a>, version: Version) -> Self {
        Self {
            msg_id: submit.msg_id,
            pk_total: submit.pk_total,
            pk_number: submit.pk_number,
            service_id: until_nul(submit.service_id),
            msg_src: until_nul(submit.msg_src),
            source: plain(until_nul(submit.src_id)),
            destination_count: submit.destination_count,
            destinations: submit.destinations,
            destination_bytes: version.terminal_id_bytes(),
            registered_delivery: submit.registered_delivery,
            tp_udhi: submit.tp_udhi,
            msg_fmt: submit.msg_fmt,
            msg_content: submit.msg_content,
            ..Self::NONE
        }
    }

    fn of_deliver(deliver: &Deliver<'a>) -> Self {
        Self {
            msg_id: deliver.msg_id,
            service_id: until_nul(deliver.service_id),
            source: plain(until_nul(deliver.src_terminal_id)),
            destinations: deliver.dest_id,
            registered_delivery: deliver.registered_delivery,
            tp_udhi: deliver.tp_udhi,
            msg_fmt: deliver.msg_fmt,
            msg_content: deliver.msg_content,
            is_report: deliver.registered_delivery == 1,
            ..Self::NONE
        }
    }

    fn of_fwd(fwd: &Fwd<'a>) -> Self {
        Self {
            msg_id: fwd.msg_id,
            pk_total: fwd.pk_total,
            pk_number: fwd.pk_number,
            service_id: until_nul(fwd.service_id),
            msg_src: until_nul(fwd.msg_src),
            source: plain(until_nul(fwd.src_id)),
            destination_count: fwd.destination_count,
            destinations: fwd.destinations,
            registered_delivery: fwd.registered_delivery,
            tp_udhi: fwd.tp_udhi,
            msg_fmt: fwd.msg_fmt,
            msg_content: fwd.msg_content,
            is_report: matches!(fwd.msg_fwd_type, 2 | 3),
            ..Self::NONE
        }
    }
}

/// CMPP says nothing of number types.
const fn plain(octets: &[u8]) -> RawAddress<'_> {
    RawAddress::new(0, 0, octets)
}
