//! The version of a connection, and message ids.

/// Which layout a connection's PDUs have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// 2.0 and 2.1.
    V2,
    /// 3.0.
    V3,
}

impl Version {
    /// From CONNECT's `Version`: high nibble major, low nibble minor. 0x7F is a private extension of 3.0 (C-13).
    /// `None` for a major version that isn't known.
    #[must_use]
    pub const fn from_wire(version: u8) -> Option<Self> {
        match version >> 4 {
            1 | 2 => Some(Self::V2),
            3 | 7 => Some(Self::V3),
            _ => None,
        }
    }

    /// From the length of a whole CONNECT_RESP: 30 octets in 2.x, 33 in 3.x. The server's layout counts for the rest of
    /// the connection, whatever CONNECT asked for (C-13).
    #[must_use]
    pub const fn of_connect_resp(pdu_bytes: usize) -> Option<Self> {
        match pdu_bytes {
            30 => Some(Self::V2),
            33 => Some(Self::V3),
            _ => None,
        }
    }

    /// What CONNECT says: 0x20, 0x30.
    #[must_use]
    pub const fn wire(self) -> u8 {
        match self {
            Self::V2 => 0x20,
            Self::V3 => 0x30,
        }
    }

    /// 3.0.
    #[must_use]
    pub const fn is_v3(self) -> bool {
        matches!(self, Self::V3)
    }

    /// Octets of `Fee_terminal_Id`, `Dest_terminal_Id`, `Src_terminal_Id`.
    #[must_use]
    pub const fn terminal_id_bytes(self) -> usize {
        match self {
            Self::V2 => 21,
            Self::V3 => 32,
        }
    }

    /// Octets of the trailer as it should be: `Reserve` in 2.0, `LinkID` in 3.0 (C-4: it may be shorter).
    #[must_use]
    pub const fn trailer_bytes(self) -> usize {
        match self {
            Self::V2 => 8,
            Self::V3 => 20,
        }
    }
}

/// A `Msg_Id`: opaque for a relay, since nothing enforces a valid date.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MsgId(pub u64);

impl MsgId {
    /// Packs the fields; what is too large for its bits is cut.
    #[must_use]
    pub const fn new(time: MsgIdTime, ismg: u32, sequence: u16) -> Self {
        let bits = (time.month as u64 & 0x0F) << 60
            | (time.day as u64 & 0x1F) << 55
            | (time.hour as u64 & 0x1F) << 50
            | (time.minute as u64 & 0x3F) << 44
            | (time.second as u64 & 0x3F) << 38
            | (ismg as u64 & 0x3F_FFFF) << 16
            | sequence as u64;
        Self(bits)
    }

    /// When the ISMG made it, as the bits say.
    #[must_use]
    pub const fn time(self) -> MsgIdTime {
        MsgIdTime {
            month: (self.0 >> 60 & 0x0F) as u8,
            day: (self.0 >> 55 & 0x1F) as u8,
            hour: (self.0 >> 50 & 0x1F) as u8,
            minute: (self.0 >> 44 & 0x3F) as u8,
            second: (self.0 >> 38 & 0x3F) as u8,
        }
    }

    /// The ISMG's code, 22 bits.
    #[must_use]
    pub const fn ismg(self) -> u32 {
        (self.0 >> 16 & 0x3F_FFFF) as u32
    }

    /// The sequence within the second, wrapping.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the low 16 bits are meant")]
    pub const fn sequence(self) -> u16 {
        self.0 as u16
    }
}

impl core::fmt::Debug for MsgId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The time in a [`MsgId`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MsgIdTime {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn message_id_has_the_bits_of_the_specification() {
        let time = MsgIdTime { month: 3, day: 9, hour: 7, minute: 5, second: 1 };
        let id = MsgId::new(time, 1001, 42);
        assert_eq!(id.0, 0x3 << 60 | 9 << 55 | 7 << 50 | 5 << 44 | 1 << 38 | 1001 << 16 | 42);
        assert_eq!((id.time(), id.ismg(), id.sequence()), (time, 1001, 42));
    }

    #[test]
    fn versions_by_number_and_by_response_length() {
        for (wire, version) in
            [(0x20, Version::V2), (0x21, Version::V2), (0x30, Version::V3), (0x7F, Version::V3)]
        {
            assert_eq!(Version::from_wire(wire), Some(version));
        }
        assert_eq!(Version::from_wire(0x40), None);
        assert_eq!(Version::of_connect_resp(30), Some(Version::V2));
        assert_eq!(Version::of_connect_resp(33), Some(Version::V3));
        assert_eq!(Version::of_connect_resp(31), None);
    }

    proptest! {
        #[test]
        fn any_message_id_repacks_to_itself(bits: u64) {
            let id = MsgId(bits);
            prop_assert_eq!(MsgId::new(id.time(), id.ismg(), id.sequence()), id);
        }
    }
}
