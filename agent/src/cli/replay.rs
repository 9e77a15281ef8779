//! `yumen replay`.

use super::fail;
use crate::replay::{Replay, Row};
use clap::Args;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use yumen_capture::{Dissector, Reader};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// A pcap or pcapng file 抓包文件
    file: PathBuf,
    /// A pack or a folder of rules; by default the project's own 规则包或规则目录
    #[arg(long)]
    pack: Option<PathBuf>,
    /// One JSON object a message or attempt 以 JSON 逐行输出
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ReplayArgs) -> ExitCode {
    match replay(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

fn replay(args: &ReplayArgs) -> Result<(), String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", args.file.display());
    let file = File::open(&args.file).map_err(|error| named(&error))?;
    let total = file.metadata().map_or(0, |metadata| metadata.len());
    let mut reader = Reader::new(file).map_err(|error| named(&error))?;
    let pack = yumen_compiler::cli::load_pack(args.pack.as_deref())?;
    let mut replay = Replay::new(pack).map_err(|error| error.to_string())?;

    let mut dissector = Dissector::new();
    let mut output = Output::new(args.json);
    let mut progress = Progress::new(total);
    let ended = loop {
        let next = reader.next(|packet| {
            progress.packet(packet.data.len(), packet.number);
            dissector.packet(&packet, |item| replay.item(&item, &mut |row| output.row(row)));
        });
        match next {
            Ok(true) if output.failed.is_none() => {}
            Ok(_) => break Ok(()),
            Err(error) => break Err(named(&error)),
        }
    };
    replay.end(&mut |row| output.row(row));
    progress.end();
    output.finish()?;
    let counters = dissector.counters();
    let seconds = progress.started.elapsed().as_secs_f64().max(1e-9);
    #[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
    let rate = counters.bytes as f64 / seconds / 1e6;
    eprintln!(
        "{} packets, {} messages and attempts, {} blocked, {} flagged; {seconds:.1} s, {rate:.0} MB a second",
        counters.packets, output.rows, output.blocked, output.flagged
    );
    ended
}

struct Output {
    json: bool,
    to: BufWriter<io::Stdout>,
    failed: Option<io::Error>,
    rows: u64,
    blocked: u64,
    flagged: u64,
}

impl Output {
    fn new(json: bool) -> Self {
        Self { json, to: BufWriter::new(io::stdout()), failed: None, rows: 0, blocked: 0, flagged: 0 }
    }

    fn row(&mut self, row: &Row) {
        self.rows += 1;
        if let Some(action) = row.action {
            self.blocked += u64::from(action.blocks());
            self.flagged += u64::from(action == yumen_rules::verdict::Action::Flag);
        }
        let written =
            if self.json { writeln!(self.to, "{}", row.json()) } else { writeln!(self.to, "{row}") };
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        match self.failed.take().map_or_else(|| self.to.flush(), Err) {
            // Whoever reads the output has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| error.to_string()),
        }
    }
}

/// How far it is, on a terminal.
struct Progress {
    started: Instant,
    last: Instant,
    shown: bool,
    total: u64,
    bytes: u64,
}

/// Bytes of a packet's header in a capture file, to tell how far it is.
const RECORD_BYTES: usize = 16;

impl Progress {
    fn new(total: u64) -> Self {
        let started = Instant::now();
        Self { started, last: started, shown: io::stderr().is_terminal(), total, bytes: 0 }
    }

    fn packet(&mut self, bytes: usize, number: u64) {
        self.bytes += (bytes + RECORD_BYTES) as u64;
        // The clock isn't asked for every packet.
        if self.shown && number.is_multiple_of(1024) && self.last.elapsed() >= Duration::from_millis(500) {
            self.last = Instant::now();
            let percent = self.bytes.saturating_mul(100) / self.total.max(1);
            eprint!("\r{number} packets, {} % ", percent.min(100));
        }
    }

    fn end(&self) {
        if self.shown && self.last > self.started {
            eprint!("\r\x1b[K");
        }
    }
}
