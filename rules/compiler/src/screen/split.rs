//! Input → batches of whole records.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};
use std::ops::Range;

use super::Format;
use crate::limits::{SCREEN_BATCH_BYTES, SCREEN_BATCH_RECORDS, SCREEN_RECORD_BYTES_MAX};

/// A record's place in its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line it starts on, from 1.
    pub(super) line: u64,
    /// Its bytes without the line end.
    pub(super) range: Range<usize>,
    /// What is wrong with it already.
    pub(super) defect: Option<Cow<'static, str>>,
}

/// Some records, in order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Rises by one from batch to batch.
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Record>,
}

/// What is wrong with a record above [`SCREEN_RECORD_BYTES_MAX`].
pub(super) const TOO_LONG: &str = "record too long";
/// What is wrong with a CSV record whose quotes never close.
pub(super) const OPEN_QUOTE: &str = "quoted field is never closed";

/// Where records come from, one after the other.
pub(super) trait Records {
    /// Appends one record, or several where one turns out to be none; `false` at the end of the input.
    fn record(&mut self, batch: &mut Batch) -> io::Result<bool>;

    /// The next batch; `None` at the end. Whoever hands it on numbers it.
    fn batch(&mut self) -> io::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while batch.bytes.len() < SCREEN_BATCH_BYTES && batch.records.len() < SCREEN_BATCH_RECORDS {
            if !self.record(&mut batch)? {
                break;
            }
        }
        Ok((!batch.records.is_empty()).then_some(batch))
    }
}

/// Splits an input.
pub(super) struct Splitter<R> {
    input: R,
    format: Format,
    line: u64,
}

impl<R: BufRead> Splitter<R> {
    pub(super) const fn new(input: R, format: Format) -> Self {
        Self { input, format, line: 0 }
    }

    /// Reads one line into the batch; whether it was too long, in which case only its beginning is kept.
    fn line(&mut self, batch: &mut Batch) -> io::Result<Option<(Record, bool)>> {
        let start = batch.bytes.len();
        let limit = SCREEN_RECORD_BYTES_MAX as u64;
        let taken = self.input.by_ref().take(limit).read_until(b'\n', &mut batch.bytes)?;
        if taken == 0 {
            return Ok(None);
        }
        self.line = self.line.saturating_add(1);
        if self.line == 1 && batch.bytes.starts_with(b"\xEF\xBB\xBF") {
            batch.bytes.drain(..3);
        }
        let complete = batch.bytes.ends_with(b"\n");
        let too_long = !complete && taken as u64 == limit;
        if too_long {
            skip_line(&mut self.input)?;
        }
        let mut end = batch.bytes.len().saturating_sub(usize::from(complete));
        if end > start && batch.bytes.get(end.saturating_sub(1)) == Some(&b'\r') {
            end = end.saturating_sub(1);
        }
        Ok(Some((Record { line: self.line, range: start..end, defect: None }, too_long)))
    }
}

impl<R: BufRead> Records for Splitter<R> {
    fn record(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let Some((first, too_long)) = self.line(batch)? else { return Ok(false) };
        let mut open =
            self.format == Format::Csv && !too_long && quote_open(slice(batch, &first.range), false);
        let mut lines = vec![first];
        while open {
            let start = lines.first().map_or(0, |line| line.range.start);
            let next = self.line(batch)?;
            let bytes = batch.bytes.len().saturating_sub(start);
            let (Some((next, false)), true) = (next, bytes <= SCREEN_RECORD_BYTES_MAX) else {
                // The quote was no quote: every line is answered for itself.
                lines.iter_mut().for_each(|line| line.defect = Some(Cow::Borrowed(OPEN_QUOTE)));
                batch.records.append(&mut lines);
                return Ok(true);
            };
            open = quote_open(slice(batch, &next.range), true);
            lines.push(next);
        }
        if let (Some(first), Some(last)) = (lines.first(), lines.last()) {
            batch.records.push(Record {
                line: first.line,
                range: first.range.start..last.range.end,
                defect: too_long.then_some(Cow::Borrowed(TOO_LONG)),
            });
        }
        Ok(true)
    }
}

fn slice<'a>(batch: &'a Batch, range: &Range<usize>) -> &'a [u8] {
    batch.bytes.get(range.clone()).unwrap_or_default()
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(buffer.len(), |end| end.saturating_add(1));
        input.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// Whether a quoted field is still open at the end of a CSV line, when it was (`open`) or wasn't at its start.
fn quote_open(line: &[u8], mut open: bool) -> bool {
    let mut field_start = !open;
    let mut bytes = line.iter().peekable();
    while let Some(&byte) = bytes.next() {
        if open {
            if byte == b'"' && bytes.next_if_eq(&&b'"').is_none() {
                open = false;
            }
        } else {
            open = field_start && byte == b'"';
            field_start = byte == b',';
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(input: &[u8], format: Format) -> Vec<(u64, String, Option<Cow<'static, str>>)> {
        let mut splitter = Splitter::new(input, format);
        let mut found = Vec::new();
        while let Some(batch) = splitter.batch().expect("memory") {
            for record in &batch.records {
                let text = String::from_utf8_lossy(slice(&batch, &record.range)).into_owned();
                found.push((record.line, text, record.defect.clone()));
            }
        }
        found
    }

    #[test]
    fn every_line_of_a_tsv_is_a_record() {
        let found = records(b"\xEF\xBB\xBFa\tb\r\n\nc", Format::Tsv);
        assert_eq!(found, [(1, "a\tb".into(), None), (2, String::new(), None), (3, "c".into(), None)]);
    }

    #[test]
    fn quoted_fields_span_lines() {
        let found = records(b"1,\"a\nb \"\"c\"\"\"\n2,d \"e\" f\n", Format::Csv);
        assert_eq!(found, [(1, "1,\"a\nb \"\"c\"\"\"".into(), None), (3, "2,d \"e\" f".into(), None)]);
    }

    #[test]
    fn an_open_quote_leaves_no_line_unanswered() {
        let found = records(b"1,\"a\n2,b\n", Format::Csv);
        assert_eq!(
            found,
            [(1, "1,\"a".into(), Some(OPEN_QUOTE.into())), (2, "2,b".into(), Some(OPEN_QUOTE.into()))]
        );
    }

    #[test]
    fn a_line_above_the_limit_is_cut_and_said() {
        let mut input = vec![b'x'; SCREEN_RECORD_BYTES_MAX * 2];
        input.extend_from_slice(b"\nnext\n");
        let found = records(&input, Format::Tsv);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].2.as_deref(), found[1].1.as_str(), found[1].0), (Some(TOO_LONG), "next", 2));
    }
}
