//! The bytes of a segment. All numbers are little-endian.
//!
//! ```text
//! segment  magic "YUMENSP1" · first sequence u64 · CRC-32C of both u32 · zero u32   (24 bytes)
//!          record …
//!          zeros up to the preallocated size
//! record   payload length u32 (0: no record here) · CRC-32C u32 · sequence u64      (16 bytes)
//!          payload
//! ```
//!
//! The CRC of a record covers length, sequence and payload. Sequences rise by one, across segments too, so a record
//! that belongs elsewhere is never taken for the next one. Bytes here come from a disk that may have lost any of
//! them: every read is checked, and the first thing that isn't the next record ends the segment.

/// Bytes of a segment's header.
pub const SEGMENT_HEADER_BYTES: usize = 24;

/// Bytes of a record's header.
pub const RECORD_HEADER_BYTES: usize = 16;

/// What a segment starts with; the digit is the format's version.
const MAGIC: [u8; 8] = *b"YUMENSP1";

/// The header of a segment whose first record will have the sequence `first`.
#[must_use]
pub fn segment_header(first: u64) -> [u8; SEGMENT_HEADER_BYTES] {
    let mut header = [0; SEGMENT_HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&first.to_le_bytes());
    let crc = crc32c::crc32c(&header[..16]);
    header[16..20].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Replaces `buffer` by the bytes of a record.
pub fn encode(buffer: &mut Vec<u8>, sequence: u64, payload: &[u8], length: u32) {
    buffer.clear();
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&crc(length, sequence, payload).to_le_bytes());
    buffer.extend_from_slice(&sequence.to_le_bytes());
    buffer.extend_from_slice(payload);
}

/// A record in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its sequence.
    pub sequence: u64,
    /// Where its header starts in the segment, in bytes.
    pub offset: usize,
    /// What was appended.
    pub payload: &'a [u8],
}

/// Why a segment's records end where they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the zeros behind the last record, or exactly at the end of the bytes.
    Clean,
    /// At bytes that aren't the next record: a torn write, lost pages, or rot.
    Torn,
}

/// The records of a segment, in order, up to the first bytes that aren't the next record.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    offset: usize,
    next: u64,
    bytes_max: usize,
    end: Option<End>,
}

impl<'a> Records<'a> {
    /// Reads a segment; `None` where the header isn't one. A payload longer than `bytes_max` is no record.
    #[must_use]
    pub fn new(bytes: &'a [u8], bytes_max: usize) -> Option<Self> {
        let header = bytes.first_chunk::<SEGMENT_HEADER_BYTES>()?;
        let first = u64::from_le_bytes(*header[8..].first_chunk()?);
        (*header == segment_header(first)).then_some(Self {
            bytes,
            offset: SEGMENT_HEADER_BYTES,
            next: first,
            bytes_max,
            end: None,
        })
    }

    /// The sequence that the next record has or would have.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Where the next record starts or would start, in bytes.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Why it ended; `None` while there are more.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        self.end
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.end.is_some() {
            return None;
        }
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        match decode(rest, self.next, self.bytes_max) {
            Ok(payload) => {
                let record = Record { sequence: self.next, offset: self.offset, payload };
                self.offset += RECORD_HEADER_BYTES + payload.len();
                self.next = self.next.saturating_add(1);
                Some(record)
            }
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

/// The payload of the record that `bytes` start with, if it is a whole one with this sequence.
///
/// # Errors
/// Why there is none.
pub fn decode(bytes: &[u8], sequence: u64, bytes_max: usize) -> Result<&[u8], End> {
    let Some((header, rest)) = bytes.split_first_chunk::<RECORD_HEADER_BYTES>() else {
        return Err(if bytes.iter().all(|&byte| byte == 0) { End::Clean } else { End::Torn });
    };
    if header.iter().all(|&byte| byte == 0) {
        return Err(End::Clean);
    }
    let field =
        |at: usize| header.get(at..).and_then(|bytes| bytes.first_chunk()).map(|&b| u32::from_le_bytes(b));
    let (length, sum) = (field(0).ok_or(End::Torn)?, field(4).ok_or(End::Torn)?);
    let found = header.last_chunk().map(|&bytes| u64::from_le_bytes(bytes));
    let size = usize::try_from(length).ok().filter(|size| (1..=bytes_max).contains(size)).ok_or(End::Torn)?;
    let payload = rest.get(..size).ok_or(End::Torn)?;
    let whole = found == Some(sequence) && sum == crc(length, sequence, payload);
    if whole { Ok(payload) } else { Err(End::Torn) }
}

fn crc(length: u32, sequence: u64, payload: &[u8]) -> u32 {
    let head = crc32c::crc32c(&length.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(head, &sequence.to_le_bytes()), payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BYTES_MAX: usize = 64;

    fn segment(first: u64, payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = segment_header(first).to_vec();
        let mut buffer = Vec::new();
        for (sequence, payload) in (first..).zip(payloads) {
            encode(&mut buffer, sequence, payload, u32::try_from(payload.len()).unwrap());
            bytes.extend_from_slice(&buffer);
        }
        bytes.resize(bytes.len() + 40, 0);
        bytes
    }

    #[test]
    fn the_format_is_frozen() {
        let bytes = segment(7, &[b"ab".to_vec()]);
        let hex: String = bytes.iter().take(42).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            concat!(
                "59554d454e535031",
                "0700000000000000",
                "0e50f29e",
                "00000000",
                "02000000",
                "004cddb6",
                "0700000000000000",
                "6162",
            )
        );
    }

    proptest! {
        #[test]
        fn records_read_back(
            first in 1..u64::MAX / 2,
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=BYTES_MAX), 0..20),
        ) {
            let bytes = segment(first, &payloads);
            let mut records = Records::new(&bytes, BYTES_MAX).unwrap();
            let read: Vec<_> = records.by_ref().map(|record| record.payload.to_vec()).collect();
            prop_assert_eq!(read, payloads);
            prop_assert_eq!(records.end(), Some(End::Clean));
        }

        #[test]
        fn any_damage_leaves_a_prefix(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=BYTES_MAX), 1..20),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let mut bytes = segment(1, &payloads);
            let at = SEGMENT_HEADER_BYTES + at.index(bytes.len() - SEGMENT_HEADER_BYTES);
            bytes[at] = byte;
            let records: Vec<_> = Records::new(&bytes, BYTES_MAX).unwrap().collect();
            for (record, payload) in records.iter().zip(&payloads) {
                prop_assert_eq!(record.payload, &payload[..]);
            }
            let whole = records.iter().filter(|record| record.offset + RECORD_HEADER_BYTES <= at).count();
            prop_assert!(records.len() <= payloads.len() && whole <= records.len());
        }

        #[test]
        fn any_bytes_at_all_are_read_without_a_panic(bytes: Vec<u8>, sequence: u64) {
            let _ = decode(&bytes, sequence, BYTES_MAX);
            if let Some(records) = Records::new(&bytes, BYTES_MAX) {
                let _ = records.count();
            }
        }
    }
}
