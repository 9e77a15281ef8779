//! The content of a status report: labelled text around a binary id (6.2.63).

use super::MsgId;
use crate::emit::Writer;
use crate::error::EmitError;

/// A status report. Labels differ between peers in case, blanks and spelling, so each is looked for; a value that isn't
/// there is empty (M-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report<'a> {
    /// Of the Submit: the ten octets behind `id:`.
    pub msg_id: MsgId,
    /// YYMMDDhhmm, some send seconds (M-3).
    pub submit_date: &'a [u8],
    /// YYMMDDhhmm, some send seconds (M-3).
    pub done_date: &'a [u8],
    /// `DELIVRD`, `EXPIRED`, …
    pub stat: &'a [u8],
    /// Three digits.
    pub err: &'a [u8],
}

impl<'a> Report<'a> {
    /// Reads a content that starts with `id:` and ten octets; `None` for any other.
    #[must_use]
    pub fn parse(content: &'a [u8]) -> Option<Self> {
        let (label, rest) = content.split_at_checked(3)?;
        if !label.eq_ignore_ascii_case(b"id:") {
            return None;
        }
        let (msg_id, labels) = rest.split_first_chunk::<10>()?;
        Some(Self {
            msg_id: MsgId(*msg_id),
            submit_date: value(labels, b"submit date:"),
            done_date: value(labels, b"done date:"),
            stat: value(labels, b"stat:"),
            err: value(labels, b"err:"),
        })
    }

    /// Writes the content with the labels and sizes of the practice, 122 octets, and returns its length.
    ///
    /// # Errors
    /// [`EmitError::TooLong`], [`EmitError::BufferFull`].
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, EmitError> {
        let mut writer = Writer::new(out);
        writer.octets(b"id:")?;
        writer.octets(&self.msg_id.0)?;
        writer.octets(b" sub:001 dlvrd:001 submit date:")?;
        writer.fixed("Submit_date", self.submit_date, 10)?;
        writer.octets(b" done date:")?;
        writer.fixed("done_date", self.done_date, 10)?;
        writer.octets(b" stat:")?;
        writer.fixed("Stat", self.stat, 7)?;
        writer.octets(b" err:")?;
        writer.fixed("Err", self.err, 3)?;
        writer.octets(b" text:")?;
        writer.fixed("Txt", b"000", 20)?;
        Ok(writer.written())
    }
}

/// What stands behind `label`, to the next blank or NUL. A blank in the label is a blank or an underline; one blank may
/// follow it.
fn value<'a>(labels: &'a [u8], label: &[u8]) -> &'a [u8] {
    let is_label = |window: &[u8]| {
        window.iter().zip(label).all(|(have, want)| match want {
            b' ' => matches!(have, b' ' | b'_'),
            _ => have.eq_ignore_ascii_case(want),
        })
    };
    let Some(at) = labels.windows(label.len()).position(is_label) else { return &[] };
    let behind = labels.get(at + label.len()..).unwrap_or_default();
    let behind = behind.strip_prefix(b" ").unwrap_or(behind);
    behind.split(|octet| matches!(octet, b' ' | 0)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const ID: MsgId = MsgId([0x01, 0x00, 0x61, 0x03, 0x09, 0x07, 0x05, 0x00, 0x00, 0x42]);

    #[test]
    fn a_report_comes_back() {
        let report = Report {
            msg_id: ID,
            submit_date: b"2603090705",
            done_date: b"2603090706",
            stat: b"DELIVRD",
            err: b"000",
        };
        let mut out = [0; 128];
        let length = report.emit(&mut out).unwrap();
        assert_eq!(length, 122);
        assert_eq!(Report::parse(&out[..length]), Some(report));
    }

    #[test]
    fn labels_as_peers_spell_them() {
        for spelling in [
            &b"sub:001 dlvrd:001 submit_date:2603090705 done_date:2603090706 stat:UNDELIV err:006 txt:"[..],
            b" sub:001 dlvrd:001 Submit date: 2603090705 done date: 2603090706 Stat:UNDELIV Err:006 Text:",
        ] {
            let content: Vec<u8> = [b"id:", &ID.0[..], spelling].concat();
            let report = Report::parse(&content).unwrap();
            assert_eq!((report.submit_date, report.done_date), (&b"2603090705"[..], &b"2603090706"[..]));
            assert_eq!((report.stat, report.err, report.msg_id), (&b"UNDELIV"[..], &b"006"[..], ID));
        }
        assert_eq!(Report::parse(b"id:short"), None);
        assert_eq!(Report::parse(b"hello, this is a message"), None);
    }

    proptest! {
        #[test]
        fn any_content_is_read_without_panic(content: Vec<u8>) {
            let _ = Report::parse(&content);
            let _ = Report::parse(&[b"id:", &content[..]].concat());
        }
    }
}
