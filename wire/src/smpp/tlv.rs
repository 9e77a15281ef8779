//! Optional parameters (SMPP 3.4 §3.2.4, §5.3; 5.0 §4.8).

use crate::emit::Writer;
use crate::error::EmitError;

/// A tag as on the wire, defined or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub u16);

macro_rules! tags {
    ($($constant:ident = $value:literal;)*) => {
        #[allow(missing_docs, reason = "each is named as the standard names it")]
        impl Tag {
            $(pub const $constant: Self = Self($value);)*

            /// All that are defined.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
        }
    };
}

tags! {
    DEST_ADDR_SUBUNIT = 0x0005;
    DEST_NETWORK_TYPE = 0x0006;
    DEST_BEARER_TYPE = 0x0007;
    DEST_TELEMATICS_ID = 0x0008;
    SOURCE_ADDR_SUBUNIT = 0x000D;
    SOURCE_NETWORK_TYPE = 0x000E;
    SOURCE_BEARER_TYPE = 0x000F;
    SOURCE_TELEMATICS_ID = 0x0010;
    QOS_TIME_TO_LIVE = 0x0017;
    PAYLOAD_TYPE = 0x0019;
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D;
    RECEIPTED_MESSAGE_ID = 0x001E;
    MS_MSG_WAIT_FACILITIES = 0x0030;
    PRIVACY_INDICATOR = 0x0201;
    SOURCE_SUBADDRESS = 0x0202;
    DEST_SUBADDRESS = 0x0203;
    USER_MESSAGE_REFERENCE = 0x0204;
    USER_RESPONSE_CODE = 0x0205;
    SOURCE_PORT = 0x020A;
    DESTINATION_PORT = 0x020B;
    SAR_MSG_REF_NUM = 0x020C;
    LANGUAGE_INDICATOR = 0x020D;
    SAR_TOTAL_SEGMENTS = 0x020E;
    SAR_SEGMENT_SEQNUM = 0x020F;
    SC_INTERFACE_VERSION = 0x0210;
    CALLBACK_NUM_PRES_IND = 0x0302;
    CALLBACK_NUM_ATAG = 0x0303;
    NUMBER_OF_MESSAGES = 0x0304;
    CALLBACK_NUM = 0x0381;
    DPF_RESULT = 0x0420;
    SET_DPF = 0x0421;
    MS_AVAILABILITY_STATUS = 0x0422;
    NETWORK_ERROR_CODE = 0x0423;
    MESSAGE_PAYLOAD = 0x0424;
    DELIVERY_FAILURE_REASON = 0x0425;
    MORE_MESSAGES_TO_SEND = 0x0426;
    MESSAGE_STATE = 0x0427;
    CONGESTION_STATE = 0x0428;
    USSD_SERVICE_OP = 0x0501;
    BROADCAST_CHANNEL_INDICATOR = 0x0600;
    BROADCAST_CONTENT_TYPE = 0x0601;
    BROADCAST_CONTENT_TYPE_INFO = 0x0602;
    BROADCAST_MESSAGE_CLASS = 0x0603;
    BROADCAST_REP_NUM = 0x0604;
    BROADCAST_FREQUENCY_INTERVAL = 0x0605;
    BROADCAST_AREA_IDENTIFIER = 0x0606;
    BROADCAST_ERROR_STATUS = 0x0607;
    BROADCAST_AREA_SUCCESS = 0x0608;
    BROADCAST_END_TIME = 0x0609;
    BROADCAST_SERVICE_GROUP = 0x060A;
    BILLING_IDENTIFICATION = 0x060B;
    SOURCE_NETWORK_ID = 0x060D;
    DEST_NETWORK_ID = 0x060E;
    SOURCE_NODE_ID = 0x060F;
    DEST_NODE_ID = 0x0610;
    DEST_ADDR_NP_RESOLUTION = 0x0611;
    DEST_ADDR_NP_INFORMATION = 0x0612;
    DEST_ADDR_NP_COUNTRY = 0x0613;
    DISPLAY_TIME = 0x1201;
    SMS_SIGNAL = 0x1203;
    MS_VALIDITY = 0x1204;
    ALERT_ON_MESSAGE_DELIVERY = 0x130C;
    ITS_REPLY_TYPE = 0x1380;
    ITS_SESSION_INFO = 0x1383;
}

/// One optional parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Which one.
    pub tag: Tag,
    /// Its value, of any length.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// One optional parameter.
    #[must_use]
    pub const fn new(tag: Tag, value: &'a [u8]) -> Self {
        Self { tag, value }
    }

    /// The value as an unsigned integer of 1 to 4 octets, big-endian; `None` for other lengths. Peers send
    /// `sar_msg_ref_num` in one octet where the standard has two.
    #[must_use]
    pub fn unsigned(&self) -> Option<u32> {
        match *self.value {
            [a] => Some(u32::from(a)),
            [a, b] => Some(u32::from_be_bytes([0, 0, a, b])),
            [a, b, c] => Some(u32::from_be_bytes([0, a, b, c])),
            [a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d])),
            _ => None,
        }
    }

    /// Writes the parameter.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] above 65,535 octets; [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), EmitError> {
        out.u16(self.tag.0)?;
        out.u16(u16::try_from(self.value.len()).map_err(|_| EmitError::TooLong("TLV value"))?)?;
        out.octets(self.value)
    }
}

/// The optional parameters at a PDU's end. Iterating ends at the first one that is cut off; [`Tlvs::octets`] keeps
/// it, so that what was parsed is emitted as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tlvs<'a> {
    octets: &'a [u8],
}

impl<'a> Tlvs<'a> {
    /// None.
    pub const NONE: Self = Self { octets: &[] };

    /// The parameters in `octets`, which may end in anything.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// Writes `tlvs` into `out`, so that a PDU can be made with them.
    ///
    /// # Errors
    /// As [`Tlv::emit`].
    pub fn build(tlvs: &[Tlv<'_>], out: &'a mut [u8]) -> Result<Self, EmitError> {
        let mut writer = Writer::new(out);
        for tlv in tlvs {
            tlv.emit(&mut writer)?;
        }
        let written = writer.written();
        Ok(Self { octets: out.get(..written).unwrap_or_default() })
    }

    /// All octets, a broken end included.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The first parameter with that tag.
    #[must_use]
    pub fn find(&self, tag: Tag) -> Option<Tlv<'a>> {
        self.into_iter().find(|tlv| tlv.tag == tag)
    }
}

impl<'a> IntoIterator for Tlvs<'a> {
    type Item = Tlv<'a>;
    type IntoIter = TlvIter<'a>;

    fn into_iter(self) -> TlvIter<'a> {
        TlvIter { rest: self.octets }
    }
}

/// Iterates over optional parameters.
#[derive(Clone, Debug)]
pub struct TlvIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = Tlv<'a>;

    #[inline]
    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[t0, t1, l0, l1], rest) = self.rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        self.rest = rest;
        Some(Tlv { tag: Tag(u16::from_be_bytes([t0, t1])), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn a_broken_last_parameter_ends_the_walk_and_stays_in_the_octets() {
        let octets = [0x02, 0x0C, 0, 1, 7, 0x14, 0x01, 0, 9, 1];
        let tlvs = Tlvs::new(&octets);
        let walked: Vec<_> = tlvs.into_iter().collect();
        assert_eq!(walked, [Tlv::new(Tag::SAR_MSG_REF_NUM, &[7])]);
        assert_eq!(tlvs.octets(), octets);
        assert_eq!(walked[0].unsigned(), Some(7));
    }

    #[test]
    fn built_parameters_are_found_again() {
        let mut out = [0; 32];
        let sent = [Tlv::new(Tag::USER_MESSAGE_REFERENCE, &[1, 2]), Tlv::new(Tag(0x1400), &[])];
        let tlvs = Tlvs::build(&sent, &mut out).unwrap();
        assert_eq!(tlvs.find(Tag::USER_MESSAGE_REFERENCE).and_then(|tlv| tlv.unsigned()), Some(0x102));
        assert_eq!(tlvs.find(Tag(0x1400)), Some(sent[1]));
        assert_eq!(tlvs.find(Tag::MESSAGE_PAYLOAD), None);
        assert_eq!(Tlvs::build(&sent, &mut [0; 9]), Err(EmitError::BufferFull));
    }
}
