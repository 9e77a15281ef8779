//! The content of a status report.

use super::MsgId;
use crate::emit::Writer;
use crate::error::{EmitError, ParseError};
use crate::octets::{Step, be_u32, be_u64, octets};

/// A status report: 60 octets in 2.0, 71 in 3.0, where peers send 60 as well, so its length decides (C-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report<'a> {
    /// From the SUBMIT_RESP.
    pub msg_id: MsgId,
    /// `DELIVRD`, `EXPIRED`, …, or a code like `MA:0001`; 7 octets, NUL padded.
    pub stat: &'a [u8],
    /// YYMMDDHHMM, 10 octets.
    pub submit_time: &'a [u8],
    /// YYMMDDHHMM, 10 octets.
    pub done_time: &'a [u8],
    /// Destination of the SUBMIT; 21 or 32 octets.
    pub dest_terminal_id: &'a [u8],
    /// From the centre.
    pub smsc_sequence: u32,
}

impl<'a> Report<'a> {
    /// Reads a content of 60 or 71 octets; `None` for any other length.
    #[must_use]
    pub fn parse(content: &'a [u8]) -> Option<Self> {
        let terminal_id_bytes = match content.len() {
            60 => 21,
            71 => 32,
            _ => return None,
        };
        fields(content, terminal_id_bytes).ok().map(|(_, report)| report)
    }

    /// Writes the content. `dest_terminal_id` above 21 octets makes it 71 octets long, else 60.
    ///
    /// # Errors
    /// [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, EmitError> {
        let terminal_id_bytes = if self.dest_terminal_id.len() > 21 { 32 } else { 21 };
        let mut writer = Writer::new(out);
        writer.u64(self.msg_id.0)?;
        writer.fixed("Stat", self.stat, 7)?;
        writer.fixed("Submit_time", self.submit_time, 10)?;
        writer.fixed("Done_time", self.done_time, 10)?;
        writer.fixed("Dest_terminal_Id", self.dest_terminal_id, terminal_id_bytes)?;
        writer.u32(self.smsc_sequence)?;
        Ok(writer.written())
    }
}

fn fields(content: &[u8], terminal_id_bytes: usize) -> Step<'_, Report<'_>> {
    let (rest, msg_id) = be_u64(content)?;
    let (rest, stat) = octets(rest, 7)?;
    let (rest, submit_time) = octets(rest, 10)?;
    let (rest, done_time) = octets(rest, 10)?;
    let (rest, dest_terminal_id) = octets(rest, terminal_id_bytes)?;
    let (rest, smsc_sequence) = be_u32(rest)?;
    let report =
        Report { msg_id: MsgId(msg_id), stat, submit_time, done_time, dest_terminal_id, smsc_sequence };
    if rest.is_empty() {
        Ok((rest, report))
    } else {
        Err(nom::Err::Error(ParseError::TrailingOctets(rest.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_report_of_either_length_is_emitted_as_it_came(content in prop_oneof![
            prop::collection::vec(any::<u8>(), 60),
            prop::collection::vec(any::<u8>(), 71),
        ]) {
            let mut out = [0; 80];
            let length = Report::parse(&content).unwrap().emit(&mut out).unwrap();
            prop_assert_eq!(&out[..length], &content[..]);
        }

        #[test]
        fn other_lengths_are_no_report(content: Vec<u8>) {
            prop_assume!(content.len() != 60 && content.len() != 71);
            prop_assert_eq!(Report::parse(&content), None);
        }
    }
}
