//! Capture files: pcap (micro- and nanoseconds, either byte order) and pcapng, read as they come.

use crate::limits::{READ_BYTES, READ_BYTES_MAX};
use pcap_parser::traits::{PcapNGPacketBlock as _, PcapReaderIterator};
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use std::io::Read;

/// One captured packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// From 1, as Wireshark numbers them.
    pub number: u64,
    /// When it was captured, microseconds since the Unix epoch.
    pub time_us: u64,
    /// Link type (`LINKTYPE_…` of tcpdump).
    pub link: i32,
    /// The packet from its link header on.
    pub data: &'a [u8],
}

/// Why a file can't be read any further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no capture.
    #[error("this is neither a pcap nor a pcapng file")]
    NotACapture,
    /// A block is damaged, or longer than is taken.
    #[error("after packet {packets} the file is damaged")]
    Damaged {
        /// Packets that could be read.
        packets: u64,
    },
    /// The file ends within a block: what was written until then was read.
    #[error("the file ends within packet {0}")]
    Cut(u64),
    /// The system's own error.
    #[error("the file can't be read")]
    Io,
}

/// Reads a file from its start to its end in bounded memory.
pub struct Reader {
    inner: Box<dyn PcapReaderIterator + Send>,
    interfaces: Vec<Interface>,
    packets: u64,
    room: usize,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: i32,
    /// Time units a second.
    resolution: u64,
    offset_s: i64,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ReadError::NotACapture`], [`ReadError::Io`].
    pub fn new(file: impl Read + Send + 'static) -> Result<Self, ReadError> {
        let inner = create_reader(READ_BYTES, file).map_err(|error| match error {
            PcapError::ReadError => ReadError::Io,
            _ => ReadError::NotACapture,
        })?;
        Ok(Self { inner, interfaces: Vec::new(), packets: 0, room: READ_BYTES })
    }

    /// Hands the next packet to `take`; `false` at the end of the file.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn next(&mut self, mut take: impl FnMut(Packet<'_>)) -> Result<bool, ReadError> {
        loop {
            match self.inner.next() {
                Ok((bytes, block)) => {
                    let packet = packet(&block, &mut self.interfaces, self.packets + 1);
                    let found = packet.is_some();
                    if let Some(packet) = packet {
                        self.packets = packet.number;
                        take(packet);
                    }
                    self.inner.consume(bytes);
                    if found {
                        return Ok(true);
                    }
                }
                Err(PcapError::Eof) => return Ok(false),
                Err(PcapError::UnexpectedEof) => return Err(ReadError::Cut(self.packets + 1)),
                Err(PcapError::Incomplete(_)) => self.refill()?,
                Err(PcapError::ReadError) => return Err(ReadError::Io),
                Err(_) => return Err(ReadError::Damaged { packets: self.packets }),
            }
        }
    }

    /// Bytes of the file that were read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.inner.position() as u64
    }

    fn refill(&mut self) -> Result<(), ReadError> {
        if self.inner.data().len() >= self.room {
            self.room *= 2;
            if self.room > READ_BYTES_MAX || !self.inner.grow(self.room) {
                return Err(ReadError::Damaged { packets: self.packets });
            }
        }
        match self.inner.refill() {
            Ok(()) => Ok(()),
            Err(PcapError::ReadError) => Err(ReadError::Io),
            Err(_) => Err(ReadError::Damaged { packets: self.packets }),
        }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("packets", &self.packets).finish_non_exhaustive()
    }
}

/// The packet of a block, where it holds one.
fn packet<'a>(
    block: &'a PcapBlockOwned<'a>,
    interfaces: &mut Vec<Interface>,
    number: u64,
) -> Option<Packet<'a>> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            let resolution = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
            interfaces.clear();
            interfaces.push(Interface { link: header.network.0, resolution, offset_s: 0 });
            None
        }
        PcapBlockOwned::Legacy(block) => {
            let interface = interfaces.first()?;
            let parts = u64::from(block.ts_usec) * 1_000_000 / interface.resolution;
            let time_us = u64::from(block.ts_sec) * 1_000_000 + parts;
            Some(Packet { number, time_us, link: interface.link, data: block.data })
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
            interfaces.push(Interface {
                link: description.linktype.0,
                resolution: description.ts_resolution().unwrap_or(1_000_000).max(1),
                offset_s: description.if_tsoffset,
            });
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
            let interface = interfaces.get(usize::try_from(block.if_id).ok()?)?;
            let units = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
            let us = u128::from(units) * 1_000_000 / u128::from(interface.resolution);
            let us = u64::try_from(us).ok()?;
            let time_us = us.saturating_add_signed(interface.offset_s.saturating_mul(1_000_000));
            Some(Packet { number, time_us, link: interface.link, data: block.packet_data() })
        }
        PcapBlockOwned::NG(Block::SimplePacket(block)) => {
            let interface = interfaces.first()?;
            Some(Packet { number, time_us: 0, link: interface.link, data: block.packet_data() })
        }
        PcapBlockOwned::NG(_) => None,
    }
}
