//! `submit_sm` and `deliver_sm` (SMPP 3.4 §4.4.1, §4.6.1): one layout.

use super::Tlvs;
use crate::address::RawAddress;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{Step, c_string, counted, u8};

/// `esm_class` (§5.2.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EsmClass(pub u8);

/// What kind of message `esm_class` says it is (bits 5 to 2; direction decides which of them can occur).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// An ordinary message.
    Default,
    /// A delivery receipt of the centre (ESME-bound), 0001.
    DeliveryReceipt,
    /// A delivery acknowledgement of the receiver, 0010.
    DeliveryAcknowledgement,
    /// A manual or user acknowledgement, 0100.
    UserAcknowledgement,
    /// Conversation abort (Korean CDMA), 0110.
    ConversationAbort,
    /// An intermediate delivery notification, 1000.
    IntermediateNotification,
    /// Not defined.
    Reserved(u8),
}

impl EsmClass {
    /// Bit 6: the message starts with a user data header.
    pub const UDHI: u8 = 0x40;
    /// Bit 7: a reply path is set.
    pub const REPLY_PATH: u8 = 0x80;
    /// The message type "delivery receipt".
    pub const DELIVERY_RECEIPT: u8 = 0x04;

    /// The message starts with a user data header.
    #[must_use]
    pub const fn has_udh(self) -> bool {
        self.0 & Self::UDHI != 0
    }

    /// What kind of message it is.
    #[must_use]
    pub const fn message_type(self) -> MessageType {
        match (self.0 >> 2) & 0x0F {
            0b0000 => MessageType::Default,
            0b0001 => MessageType::DeliveryReceipt,
            0b0010 => MessageType::DeliveryAcknowledgement,
            0b0100 => MessageType::UserAcknowledgement,
            0b0110 => MessageType::ConversationAbort,
            0b1000 => MessageType::IntermediateNotification,
            other => MessageType::Reserved(other),
        }
    }

    /// A report of the centre about another message: a receipt or an intermediate notification.
    #[must_use]
    pub const fn is_report(self) -> bool {
        matches!(self.message_type(), MessageType::DeliveryReceipt | MessageType::IntermediateNotification)
    }
}

/// `submit_sm` or `deliver_sm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sm<'a> {
    /// Which SMS application service (§5.2.11).
    pub service_type: &'a [u8],
    /// Who sends.
    pub source: RawAddress<'a>,
    /// Who receives.
    pub destination: RawAddress<'a>,
    /// Mode, type, UDHI.
    pub esm_class: EsmClass,
    /// TP-PID on GSM.
    pub protocol_id: u8,
    /// Priority.
    pub priority_flag: u8,
    /// §7.1 time, or empty.
    pub schedule_delivery_time: &'a [u8],
    /// §7.1 time, or empty.
    pub validity_period: &'a [u8],
    /// Which receipts are asked for (§5.2.17).
    pub registered_delivery: u8,
    /// Replaces a queued message of the same source, destination and service.
    pub replace_if_present_flag: u8,
    /// How the text is coded (§5.2.19).
    pub data_coding: u8,
    /// A message stored at the centre, sent instead of the text.
    pub sm_default_msg_id: u8,
    /// Up to 255 octets; empty where `message_payload` has the text.
    pub short_message: &'a [u8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Sm<'a> {
    /// Parses what follows the header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], [`ParseError::Unterminated`].
    #[inline]
    pub fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let (rest, service_type) = c_string(body)?;
        let (rest, source) = address(rest)?;
        let (rest, destination) = address(rest)?;
        let (rest, tail) = tail(rest)?;
        Ok(Self { service_type, source, destination, tlvs: Tlvs::new(rest), ..tail })
    }

    /// Writes what follows the header.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`], [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.c_string("service_type", self.service_type)?;
        emit_address(out, "source_addr", self.source)?;
        emit_address(out, "destination_addr", self.destination)?;
        self.emit_tail(out)
    }

    /// Writes from `esm_class` on, as `submit_multi` has it too.
    pub(super) fn emit_tail(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.octets(&[self.esm_class.0, self.protocol_id, self.priority_flag])?;
        out.c_string("schedule_delivery_time", self.schedule_delivery_time)?;
        out.c_string("validity_period", self.validity_period)?;
        out.octets(&[
            self.registered_delivery,
            self.replace_if_present_flag,
            self.data_coding,
            self.sm_default_msg_id,
        ])?;
        out.counted("short_message", self.short_message)?;
        out.octets(self.tlvs.octets())
    }
}

/// TON, NPI and a C-octet string.
#[inline]
pub(super) fn address(input: &[u8]) -> Step<'_, RawAddress<'_>> {
    let (rest, ton) = u8(input)?;
    let (rest, npi) = u8(rest)?;
    let (rest, octets) = c_string(rest)?;
    Ok((rest, RawAddress { ton, npi, octets }))
}

pub(super) fn emit_address(
    out: &mut Writer<'_>,
    field: &'static str,
    address: RawAddress<'_>,
) -> Result<(), EmitError> {
    out.octets(&[address.ton, address.npi])?;
    out.c_string(field, address.octets)
}

/// The fields from `esm_class` to `short_message`, which `submit_sm`, `deliver_sm` and `submit_multi` share. What is
/// left are the optional parameters.
#[inline]
pub(super) fn tail(input: &[u8]) -> Step<'_, Sm<'_>> {
    let (rest, esm_class) = u8(input)?;
    let (rest, protocol_id) = u8(rest)?;
    let (rest, priority_flag) = u8(rest)?;
    let (rest, schedule_delivery_time) = c_string(rest)?;
    let (rest, validity_period) = c_string(rest)?;
    let (rest, registered_delivery) = u8(rest)?;
    let (rest, replace_if_present_flag) = u8(rest)?;
    let (rest, data_coding) = u8(rest)?;
    let (rest, sm_default_msg_id) = u8(rest)?;
    let (rest, short_message) = counted(rest)?;
    let sm = Sm {
        esm_class: EsmClass(esm_class),
        protocol_id,
        priority_flag,
        schedule_delivery_time,
        validity_period,
        registered_delivery,
        replace_if_present_flag,
        data_coding,
        sm_default_msg_id,
        short_message,
        ..Sm::default()
    };
    Ok((rest, sm))
}
