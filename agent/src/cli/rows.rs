//! Messages and attempts as `replay` and `tap` print them.

use crate::replay::Row;
use std::fmt;
use std::io::{self, BufWriter, Write};
use yumen_rules::verdict::Action;

/// Standard output, and what went there.
pub(super) struct Output {
    json: bool,
    to: BufWriter<io::Stdout>,
    failed: Option<io::Error>,
    counted: Counted,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    rows: u64,
    blocked: u64,
    flagged: u64,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, blocked, flagged } = self;
        write!(f, "{rows} messages and attempts, {blocked} blocked, {flagged} flagged")
    }
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json, to: BufWriter::new(io::stdout()), failed: None, counted: Counted::default() }
    }

    pub(super) fn row(&mut self, row: &Row) {
        self.counted.rows += 1;
        if let Some(action) = row.action {
            self.counted.blocked += u64::from(action.blocks());
            self.counted.flagged += u64::from(action == Action::Flag);
        }
        let written =
            if self.json { writeln!(self.to, "{}", row.json()) } else { writeln!(self.to, "{row}") };
        self.keep(written);
    }

    /// Nobody reads any more.
    pub(super) const fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Shows what was written, to whoever watches.
    pub(super) fn flush(&mut self) {
        let flushed = self.to.flush();
        self.keep(flushed);
    }

    pub(super) fn finish(mut self) -> Result<Counted, String> {
        match self.failed.take().map_or_else(|| self.to.flush(), Err) {
            // Whoever reads the output has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(self.counted),
            written => written.map(|()| self.counted).map_err(|error| error.to_string()),
        }
    }

    fn keep(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }
}
