//! Reports to an agent over a serial line, and its acknowledgements.
//!
//! ```text
//! frame = COBS(record | CRC-16/X-25 of the record, little endian) | 0
//! ```
//!
//! | report | size | field |
//! |---|---|---|
//! | 0 | 1 | 1 |
//! | 1 | 2 | sequence number, little endian; rises by 1, and comes round |
//! | 3 | 1 | 0 message, 1 call |
//! | 4 | 1 | action: 0 allowed, 1 flagged, 2 held, 3 rejected, 4 dropped |
//! | 5 | 1 | typology by its wire value, 255 for none |
//! | 6 | 1 | score, 0 to 100 |
//! | 7 | 4 | reports that were lost before this one, for want of room |
//! | 11 | 8 | serial of the pack |
//! | 19 | | id of the strongest rule, UTF-8, to the end of the record; may be empty |
//!
//! | acknowledgement | size | field |
//! |---|---|---|
//! | 0 | 1 | 2 |
//! | 1 | 2 | the sequence number up to which all reports have arrived |
//!
//! A report holds no text and no number. It is sent again until it is acknowledged.

use crate::limits::{ACKNOWLEDGE_MS, REPORT_BYTES_MAX, REPORTS_MAX};
use crc::{CRC_16_IBM_SDLC, Crc};
use heapless::{Deque, Vec};
use yumen_rules::verdict::{Action, Typology};

const CHECK: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_SDLC);
const REPORT: u8 = 1;
const ACKNOWLEDGEMENT: u8 = 2;
const NO_TYPOLOGY: u8 = 255;
const HEAD_BYTES: usize = 19;
/// Bytes of a frame: COBS adds one in 254, and the end.
pub const FRAME_BYTES_MAX: usize = REPORT_BYTES_MAX + 2 + 2 + 1;

/// A record with its check.
type Record = Vec<u8, { REPORT_BYTES_MAX + 2 }>;
/// A frame as it goes over the line.
pub type Frame = Vec<u8, FRAME_BYTES_MAX>;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'r> {
    /// Sequence number.
    pub sequence: u16,
    /// A call rather than a message.
    pub is_call: bool,
    /// What was done.
    pub action: Action,
    /// For which practice.
    pub typology: Option<Typology>,
    /// With which score.
    pub score: u8,
    /// Reports lost before this one.
    pub lost: u32,
    /// By which pack.
    pub serial: u64,
    /// By which rule.
    pub rule: &'r str,
}

impl<'r> Report<'r> {
    fn record(&self) -> Record {
        let mut record = Record::new();
        let typology = self.typology.map_or(NO_TYPOLOGY, |typology| typology as u8);
        let [s0, s1] = self.sequence.to_le_bytes();
        let head = [REPORT, s0, s1, u8::from(self.is_call), self.action as u8, typology, self.score];
        // A rule's id has at most 64 bytes (the compiler holds that); a longer one is cut at a character.
        let mut end = self.rule.len().min(REPORT_BYTES_MAX - HEAD_BYTES);
        while !self.rule.is_char_boundary(end) {
            end -= 1;
        }
        let rule = self.rule.as_bytes().get(..end).unwrap_or_default();
        for part in [&head[..], &self.lost.to_le_bytes(), &self.serial.to_le_bytes(), rule] {
            // The sizes above leave room for all of it.
            let _ = record.extend_from_slice(part);
        }
        record
    }

    /// From a record without its check; `None` where it isn't a report.
    #[must_use]
    pub fn parse(record: &'r [u8]) -> Option<Self> {
        let (head, rule) = record.split_first_chunk::<HEAD_BYTES>()?;
        let [REPORT, s0, s1, is_call @ 0..=1, action, typology, score, l0, l1, l2, l3, serial @ ..] = *head
        else {
            return None;
        };
        Some(Self {
            sequence: u16::from_le_bytes([s0, s1]),
            is_call: is_call == 1,
            action: match action {
                0 => Action::Allow,
                1 => Action::Flag,
                2 => Action::Hold,
                3 => Action::Reject,
                4 => Action::Drop,
                _ => return None,
            },
            typology: match typology {
                NO_TYPOLOGY => None,
                other => Some(Typology::from_wire(other)?),
            },
            score,
            lost: u32::from_le_bytes([l0, l1, l2, l3]),
            serial: u64::from_le_bytes(serial),
            rule: core::str::from_utf8(rule).ok()?,
        })
    }
}

/// A frame of a record.
fn framed(mut record: Record) -> Frame {
    let mut frame = Frame::new();
    let check = CHECK.checksum(&record);
    if record.extend_from_slice(&check.to_le_bytes()).is_ok() && frame.resize_default(FRAME_BYTES_MAX).is_ok()
    {
        let written = cobs::try_encode(&record, &mut frame).unwrap_or(0);
        frame.truncate(written);
        let _ = frame.push(0);
    }
    frame
}

/// The acknowledgement of all reports up to `sequence`.
#[must_use]
pub fn acknowledgement(sequence: u16) -> Frame {
    let [low, high] = sequence.to_le_bytes();
    framed(Record::from_slice(&[ACKNOWLEDGEMENT, low, high]).unwrap_or_default())
}

/// Takes the bytes of a line apart into records. What has a wrong check is dropped: it comes again.
#[derive(Debug, Default)]
pub struct Frames {
    frame: Frame,
    is_too_long: bool,
}

impl Frames {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { frame: Frame::new(), is_too_long: false }
    }

    /// Takes a byte; a record where it ends one that is whole.
    pub fn push<'o>(&mut self, byte: u8, out: &'o mut [u8; FRAME_BYTES_MAX]) -> Option<&'o [u8]> {
        if byte != 0 {
            self.is_too_long |= self.frame.push(byte).is_err();
            return None;
        }
        let frame = core::mem::take(&mut self.frame);
        if core::mem::take(&mut self.is_too_long) {
            return None;
        }
        let length = cobs::decode(&frame, out).ok()?.frame_size();
        let (record, check) = out.get(..length)?.split_last_chunk::<2>()?;
        (CHECK.checksum(record) == u16::from_le_bytes(*check)).then_some(record)
    }
}

/// Reports until they are acknowledged.
#[derive(Debug)]
pub struct Link {
    waiting: Deque<(u16, Frame), REPORTS_MAX>,
    frames: Frames,
    next: u16,
    lost: u32,
    sent_ms: u64,
}

impl Link {
    /// Nothing to report.
    #[must_use]
    pub const fn new() -> Self {
        Self { waiting: Deque::new(), frames: Frames::new(), next: 0, lost: 0, sent_ms: 0 }
    }

    /// Keeps a report, and returns its frame to be sent. `report.sequence` and `report.lost` are set here.
    pub fn report(&mut self, report: Report<'_>, now_ms: u64) -> Frame {
        if self.waiting.is_full() {
            let _ = self.waiting.pop_front();
            self.lost = self.lost.saturating_add(1);
        }
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        let frame = framed(Report { sequence, lost: self.lost, ..report }.record());
        let _ = self.waiting.push_back((sequence, frame.clone()));
        self.sent_ms = now_ms;
        frame
    }

    /// Takes a byte from the agent.
    pub fn push(&mut self, byte: u8) {
        let mut out = [0; FRAME_BYTES_MAX];
        if let Some(&[ACKNOWLEDGEMENT, low, high]) = self.frames.push(byte, &mut out) {
            let arrived = u16::from_le_bytes([low, high]);
            // The number may have come round: what lies less than half a turn behind has arrived.
            let has_arrived = |sequence: u16| arrived.wrapping_sub(sequence) < 1 << 15;
            while self.waiting.front().is_some_and(|(sequence, _)| has_arrived(*sequence)) {
                let _ = self.waiting.pop_front();
            }
        }
    }

    /// What is to be sent again by now.
    pub fn due(&mut self, now_ms: u64) -> impl Iterator<Item = &Frame> {
        let is_due = !self.waiting.is_empty() && now_ms.saturating_sub(self.sent_ms) >= ACKNOWLEDGE_MS;
        if is_due {
            self.sent_ms = now_ms;
        }
        self.waiting.iter().filter(move |_| is_due).map(|(_, frame)| frame)
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: Report<'static> = Report {
        sequence: 0,
        is_call: false,
        action: Action::Reject,
        typology: Some(Typology::CreditRepair),
        score: 85,
        lost: 0,
        serial: 0x0102_0304_0506_0708,
        rule: "credit-repair/offer",
    };

    fn records(bytes: &[u8]) -> std::vec::Vec<std::vec::Vec<u8>> {
        let mut frames = Frames::new();
        let mut out = [0; FRAME_BYTES_MAX];
        bytes.iter().filter_map(|&byte| frames.push(byte, &mut out).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn a_report_comes_again_until_it_is_acknowledged() {
        let mut link = Link::new();
        let first = link.report(SAMPLE, 0);
        link.report(SAMPLE, 0);
        let read = records(&first);
        assert_eq!(Report::parse(&read[0]), Some(SAMPLE));
        assert_eq!(link.due(ACKNOWLEDGE_MS - 1).count(), 0);
        assert_eq!(link.due(ACKNOWLEDGE_MS).count(), 2);
        acknowledgement(0).iter().for_each(|&byte| link.push(byte));
        assert_eq!(link.due(2 * ACKNOWLEDGE_MS).count(), 1);
        acknowledgement(1).iter().for_each(|&byte| link.push(byte));
        assert_eq!(link.due(3 * ACKNOWLEDGE_MS).count(), 0);
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let mut link = Link::new();
        for _ in 0..REPORTS_MAX {
            link.report(SAMPLE, 0);
        }
        let frame = link.report(SAMPLE, 0);
        let read = records(&frame);
        let report = Report::parse(&read[0]).unwrap();
        assert_eq!((usize::from(report.sequence), report.lost), (REPORTS_MAX, 1));
    }

    proptest! {
        #[test]
        fn a_changed_frame_is_dropped_and_the_next_one_read(at in 0..20_usize, value: u8) {
            let mut link = Link::new();
            let (mut first, second) = (link.report(SAMPLE, 0), link.report(SAMPLE, 0));
            prop_assume!(first[at] != value);
            first[at] = value;
            let mut bytes = first.to_vec();
            bytes.push(0);
            bytes.extend_from_slice(&second);
            let read = records(&bytes);
            let sequences: std::vec::Vec<_> =
                read.iter().filter_map(|record| Report::parse(record)).map(|report| report.sequence).collect();
            prop_assert_eq!(sequences, [1]);
        }

        #[test]
        fn any_bytes_are_read_or_dropped(bytes: std::vec::Vec<u8>) {
            let mut link = Link::new();
            bytes.iter().for_each(|&byte| link.push(byte));
            for record in records(&bytes) {
                let _ = Report::parse(&record);
            }
        }
    }
}
