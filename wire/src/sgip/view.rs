//! What a gateway needs of a PDU that carries a message, in one pass.

use super::submit::NUMBER_BYTES;
use super::{CommandId, Deliver, Pdu, Sequence, Submit};
use crate::address::RawAddress;
use crate::error::ParseError;
use crate::octets::until_nul;
use crate::udh::{Concatenation, UserData};

/// A message as it stands in Submit or Deliver. Reports are PDUs of their own.
#[derive(Clone, Copy, Debug)]
pub struct MessageView<'a> {
    /// Which of them.
    pub command_id: CommandId,
    /// The message's id, and pairs the response.
    pub sequence: Sequence,
    /// Who sends, unpadded.
    pub source: RawAddress<'a>,
    /// How many receive.
    pub destination_count: u8,
    destinations: &'a [u8],
    /// TP-UDHI as on the wire.
    pub tp_udhi: u8,
    /// How the text is coded.
    pub message_coding: u8,
    /// Header and text.
    pub message_content: &'a [u8],
}

impl<'a> MessageView<'a> {
    /// Views a PDU that [`carries_message`](CommandId::carries_message).
    ///
    /// # Errors
    /// [`ParseError::WrongCommand`] for any other; [`ParseError::Truncated`] where the layout is broken.
    #[inline]
    pub fn parse(pdu: &Pdu<'a>) -> Result<Self, ParseError> {
        let (command_id, sequence) = (pdu.command_id(), pdu.sequence());
        match command_id {
            CommandId::SUBMIT => {
                let submit = Submit::parse(pdu.body_octets())?;
                Ok(Self {
                    command_id,
                    sequence,
                    source: plain(submit.sp_number),
                    destination_count: submit.user_count,
                    destinations: submit.user_numbers,
                    tp_udhi: submit.tp_udhi,
                    message_coding: submit.message_coding,
                    message_content: submit.message_content,
                })
            }
            CommandId::DELIVER => {
                let deliver = Deliver::parse(pdu.body_octets())?;
                Ok(Self {
                    command_id,
                    sequence,
                    source: plain(deliver.user_number),
                    destination_count: 1,
                    destinations: deliver.sp_number,
                    tp_udhi: deliver.tp_udhi,
                    message_coding: deliver.message_coding,
                    message_content: deliver.message_content,
                })
            }
            other => Err(ParseError::WrongCommand(other.0)),
        }
    }

    /// Header and text. 1 announces a header, or SMPP's `esm_class` passed through (G-13).
    #[must_use]
    pub const fn user_data(&self) -> UserData<'a> {
        UserData { octets: self.message_content, has_udh: self.tp_udhi & 0x41 != 0 }
    }

    /// Which part of which message this is; `None` for a message of one part.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.user_data().parts().concatenation()
    }

    /// Every destination, unpadded.
    pub fn destinations(&self) -> impl Iterator<Item = RawAddress<'a>> + use<'a> {
        self.destinations.chunks(NUMBER_BYTES).map(plain)
    }

    /// The first destination, and how many there are.
    #[must_use]
    pub fn destination(&self) -> (RawAddress<'a>, u16) {
        (self.destinations().next().unwrap_or_default(), u16::from(self.destination_count))
    }
}

/// SGIP says nothing of number types.
fn plain(octets: &[u8]) -> RawAddress<'_> {
    RawAddress::new(0, 0, until_nul(octets))
}
