//! Capture files that a test writes: Ethernet and IPv4, with numbers and texts of the test's own.

/// A pcap file (draft-ietf-opsawg-pcap): little-endian, microseconds, Ethernet. A packet a second.
#[derive(Clone, Debug)]
pub struct Pcap {
    bytes: Vec<u8>,
    packets: u32,
}

/// TCP's flags.
pub mod flag {
    /// A connection begins.
    pub const SYN: u8 = 0x02;
    /// Data.
    pub const DATA: u8 = 0x18;
    /// It answers SYN.
    pub const SYN_ACK: u8 = 0x12;
}

/// When the first packet was captured, seconds since the Unix epoch.
pub const START_S: u32 = 1_700_000_000;

impl Default for Pcap {
    fn default() -> Self {
        let mut bytes = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
        bytes.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(65_535_u32.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        Self { bytes, packets: 0 }
    }
}

impl Pcap {
    /// The file so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file since it was last drained, so that a long one needn't be held.
    pub fn drain(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// An IPv4 packet from 192.0.2.1 to 192.0.2.2, or back.
    pub fn ipv4(&mut self, back: bool, protocol: u8, payload: &[u8]) {
        let ends = if back { [2, 1] } else { [1, 2] };
        let mut packet = [[2, 0, 0, 0, 0, ends[1]], [2, 0, 0, 0, 0, ends[0]]].concat();
        packet.extend(0x0800_u16.to_be_bytes());
        packet.extend([0x45, 0]);
        packet.extend(length(20 + payload.len()).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
        packet.extend([192, 0, 2, ends[0], 192, 0, 2, ends[1]]);
        packet.extend(payload);
        let bytes = u32::from(length(packet.len()));
        for field in [START_S + self.packets, 0, bytes, bytes] {
            self.bytes.extend(field.to_le_bytes());
        }
        self.bytes.extend(packet);
        self.packets += 1;
    }

    /// A TCP segment between a client's port 40000 and a server's `port`.
    pub fn tcp(&mut self, back: bool, port: u16, sequence: u32, flags: u8, payload: &[u8]) {
        let ports = if back { [port, 40_000] } else { [40_000, port] };
        let mut segment = ports.map(u16::to_be_bytes).concat();
        segment.extend(sequence.to_be_bytes());
        segment.extend([0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        segment.extend(payload);
        self.ipv4(back, 6, &segment);
    }

    /// A UDP datagram between two ports of that number.
    pub fn udp(&mut self, back: bool, port: u16, payload: &[u8]) {
        let mut datagram = [port.to_be_bytes(), port.to_be_bytes()].concat();
        datagram.extend(length(8 + payload.len()).to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(payload);
        self.ipv4(back, 17, &datagram);
    }

    /// One user message of M3UA in an SCTP packet (RFC 9260 §3.3.1, RFC 4666).
    pub fn m3ua(&mut self, back: bool, number: u32, message: &[u8]) {
        let mut packet = [2905_u16.to_be_bytes(), 2905_u16.to_be_bytes()].concat();
        packet.extend([0, 0, 0, 7, 0, 0, 0, 0]);
        packet.extend([0, 3]);
        packet.extend(length(16 + message.len()).to_be_bytes());
        packet.extend(number.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        packet.extend(message);
        packet.resize(packet.len().next_multiple_of(4), 0);
        self.ipv4(back, 132, &packet);
    }
}

fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}
