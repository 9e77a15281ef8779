//! What a gateway needs of a PDU that carries a message, in one pass.

use super::submit::NUMBER_BYTES;
use super::{CommandId, Deliver, Forward, MsgId, Pdu, Report, Submit, Tlvs, Version, tag};
use crate::address::RawAddress;
use crate::error::ParseError;
use crate::octets::until_nul;
use crate::udh::{Concatenation, Reference, UserData};

/// A message as it stands in Submit, Deliver or Forward.
#[derive(Clone, Copy, Debug)]
pub struct MessageView<'a> {
    /// Which of them.
    pub command_id: CommandId,
    /// Pairs the response.
    pub sequence_id: u32,
    /// The id of the Deliver or Forward; zeros in a Submit.
    pub msg_id: MsgId,
    /// `ServiceID`, unpadded; empty in a Deliver.
    pub service_id: &'a [u8],
    /// Who sends, unpadded.
    pub source: RawAddress<'a>,
    /// How many receive.
    pub destination_count: u8,
    destinations: &'a [u8],
    /// How the text is coded.
    pub msg_format: u8,
    /// Header and text, or a report.
    pub msg_content: &'a [u8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
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
            CommandId::SUBMIT => Self::of_submit(&Submit::parse(body, version)?),
            CommandId::DELIVER => Self::of_deliver(&Deliver::parse(body)?),
            CommandId::FORWARD => Self::of_forward(&Forward::parse(body)?),
            other => return Err(ParseError::WrongCommand(other.0)),
        };
        Ok(Self { command_id: pdu.command_id(), sequence_id: pdu.sequence_id(), ..view })
    }

    /// The content starts with a user data header: 1 in the parameter, or SMPP's `esm_class` passed through (M-13).
    #[must_use]
    pub fn has_udh(&self) -> bool {
        self.octet(tag::TP_UDHI).is_some_and(|udhi| udhi & 0x41 != 0)
    }

    /// A status report, whose content isn't a message.
    #[must_use]
    pub const fn is_report(&self) -> bool {
        self.is_report
    }

    /// The report, where it can be read.
    #[must_use]
    pub fn report(&self) -> Option<Report<'a>> {
        if self.is_report { Report::parse(self.msg_content) } else { None }
    }

    /// The text of a message; empty for a report.
    #[must_use]
    pub fn user_data(&self) -> UserData<'a> {
        if self.is_report {
            return UserData::plain(&[]);
        }
        UserData { octets: self.msg_content, has_udh: self.has_udh() }
    }

    /// Which part of which message this is: by its user data header, else by `PkTotal` and `PkNumber`. `None` for a
    /// message of one part.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.user_data().parts().concatenation().or_else(|| {
            let (total, number) = (self.octet(tag::PK_TOTAL)?, self.octet(tag::PK_NUMBER)?);
            Concatenation::new(Reference::Unnumbered, total, number)
        })
    }

    /// Every destination, unpadded.
    pub fn destinations(&self) -> impl Iterator<Item = RawAddress<'a>> + use<'a> {
        self.destinations.chunks(NUMBER_BYTES).map(|number| plain(until_nul(number)))
    }

    /// The first destination, and how many there are.
    #[must_use]
    pub fn destination(&self) -> (RawAddress<'a>, u16) {
        (self.destinations().next().unwrap_or_default(), u16::from(self.destination_count))
    }

    fn octet(&self, tag: super::Tag) -> Option<u8> {
        self.tlvs.find(tag)?.value.first().copied()
    }

    const NONE: Self = Self {
        command_id: CommandId(0),
        sequence_id: 0,
        msg_id: MsgId([0; 10]),
        service_id: &[],
        source: RawAddress::new(0, 0, &[]),
        destination_count: 1,
        destinations: &[],
        msg_format: 0,
        msg_content: &[],
        tlvs: Tlvs::NONE,
        is_report: false,
    };

    fn of_submit(submit: &Submit<'a>) -> Self {
        Self {
            service_id: until_nul(submit.service_id),
            source: plain(until_nul(submit.src_term_id)),
            destination_count: submit.destination_count,
            destinations: submit.destinations,
            msg_format: submit.msg_format,
            msg_content: submit.msg_content,
            tlvs: submit.tlvs,
            ..Self::NONE
        }
    }

    fn of_deliver(deliver: &Deliver<'a>) -> Self {
        Self {
            msg_id: deliver.msg_id,
            source: plain(until_nul(deliver.src_term_id)),
            destinations: deliver.dest_term_id,
            msg_format: deliver.msg_format,
            msg_content: deliver.msg_content,
            tlvs: deliver.tlvs,
            is_report: deliver.is_report == 1,
            ..Self::NONE
        }
    }

    fn of_forward(forward: &Forward<'a>) -> Self {
        Self {
            msg_id: forward.msg_id,
            service_id: until_nul(forward.service_id),
            source: plain(until_nul(forward.src_term_id)),
            destinations: forward.dest_term_id,
            msg_format: forward.msg_format,
            msg_content: forward.msg_content,
            tlvs: forward.tlvs,
            is_report: forward.report_flag == 0,
            ..Self::NONE
        }
    }
}

/// SMGP says nothing of number types.
const fn plain(octets: &[u8]) -> RawAddress<'_> {
    RawAddress::new(0, 0, octets)
}
