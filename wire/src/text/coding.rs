//! Which coding a message has, as the protocols say it.

/// How octets stand for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// GSM 7-bit default alphabet, one septet an octet (3GPP TS 23.038 §6.2.1).
    Gsm7,
    /// GSM 7-bit default alphabet, eight septets in seven octets (3GPP TS 23.038 §6.1.2.1).
    Gsm7Packed,
    /// ASCII; an octet above 0x7F is none.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8, which no standard has, but some centres take as their default alphabet.
    Utf8,
    /// UCS-2, read as UTF-16. Big-endian unless a byte order mark or the text itself says otherwise: see
    /// [`Decoded::little_endian`](super::Decoded::little_endian).
    Ucs2,
    /// UCS-2, read as UTF-16, big-endian whatever it looks like.
    Ucs2BigEndian,
    /// GB 18030, with GBK, GB 2312 and ASCII in it.
    Gb18030,
    /// ISO 8859-5.
    Cyrillic,
    /// ISO 8859-8.
    Hebrew,
    /// JIS as Shift_JIS.
    ShiftJis,
    /// ISO-2022-JP.
    Iso2022Jp,
    /// KS C 5601.
    KsC5601,
    /// Not text: decodes to nothing.
    Binary,
}

impl Coding {
    /// SMPP's `data_coding` (3.4 §5.2.19). `default` is what the centre takes 0 for: [`Coding::Gsm7`] or
    /// [`Coding::Latin1`], mostly.
    ///
    /// Values the standard leaves open from 0x10 on are what centres take them for, the TP-DCS of TS 23.038; 0x0F is
    /// GB 18030, as centres in China pass CMPP's through.
    #[must_use]
    pub const fn from_smpp(data_coding: u8, default: Self) -> Self {
        match data_coding {
            0x00 => default,
            0x01 => Self::Ascii,
            0x02 | 0x04 => Self::Binary,
            0x03 => Self::Latin1,
            0x05 | 0x0D => Self::ShiftJis,
            0x06 => Self::Cyrillic,
            0x07 => Self::Hebrew,
            0x08 => Self::Ucs2,
            0x09 => Self::ShiftJis,
            0x0A => Self::Iso2022Jp,
            0x0E => Self::KsC5601,
            0x0F => Self::Gb18030,
            dcs => Self::from_dcs(dcs, default),
        }
    }

    /// CMPP's `Msg_Fmt`: 0 ASCII, 3 card, 4 binary, 8 UCS-2, 15 GB 18030.
    ///
    /// 0 is read as GB 18030, which contains ASCII: peers send Chinese under it, and it arrives. Values that aren't
    /// defined pass an ISMG as they are, so they are what the handset takes them for, the TP-DCS of TS 23.038.
    #[must_use]
    pub const fn from_cmpp(msg_fmt: u8) -> Self {
        match msg_fmt {
            0 | 15 => Self::Gb18030,
            3 | 4 => Self::Binary,
            8 => Self::Ucs2,
            dcs => Self::from_dcs(dcs, Self::Gb18030),
        }
    }

    /// TP-DCS (3GPP TS 23.038 §4), for user data whose septets aren't packed. `default` stands for the default alphabet.
    #[must_use]
    pub const fn from_dcs(dcs: u8, default: Self) -> Self {
        const COMPRESSED: u8 = 0x20;
        match dcs {
            0x00..=0x7F if dcs & COMPRESSED != 0 => Self::Binary,
            0x00..=0x7F => match dcs >> 2 & 0x03 {
                1 => Self::Binary,
                2 => Self::Ucs2,
                _ => default,
            },
            0x80..=0xBF => default,
            0xC0..=0xDF => default,
            0xE0..=0xEF => Self::Ucs2,
            0xF0..=0xFF if dcs & 0x04 != 0 => Self::Binary,
            0xF0..=0xFF => default,
        }
    }

    /// Carries no text that people read.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Binary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smpp_values_of_the_standard_and_of_the_practice() {
        let coding = |data_coding| Coding::from_smpp(data_coding, Coding::Gsm7);
        assert_eq!(Coding::from_smpp(0, Coding::Latin1), Coding::Latin1);
        assert_eq!((coding(1), coding(3), coding(8)), (Coding::Ascii, Coding::Latin1, Coding::Ucs2));
        assert_eq!((coding(2), coding(4), coding(0xF5)), (Coding::Binary, Coding::Binary, Coding::Binary));
        assert_eq!((coding(0xF0), coding(0x10), coding(0xD0)), (Coding::Gsm7, Coding::Gsm7, Coding::Gsm7));
        assert_eq!((coding(0x18), coding(0xE0)), (Coding::Ucs2, Coding::Ucs2));
        assert_eq!(coding(0x0F), Coding::Gb18030);
    }

    #[test]
    fn cmpp_values_defined_and_passed_through() {
        assert_eq!(Coding::from_cmpp(15), Coding::Gb18030);
        assert_eq!((Coding::from_cmpp(3), Coding::from_cmpp(4)), (Coding::Binary, Coding::Binary));
        assert_eq!((Coding::from_cmpp(8), Coding::from_cmpp(25)), (Coding::Ucs2, Coding::Ucs2));
        assert_eq!(Coding::from_cmpp(0), Coding::Gb18030);
    }
}
