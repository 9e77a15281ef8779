//! `yumen replay`.

use super::fail;
use super::rows::Output;
use crate::replay::Replay;
use clap::Args;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use yumen_capture::{Counters, Dissector, Item, Reader, fields};

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
    /// Judge nothing: one JSON object a field of SIP, SMPP, TCAP and MAP, named as Wireshark names it
    /// 不作判定，逐行输出各协议字段（JSON），字段名同 Wireshark
    #[arg(long, conflicts_with_all = ["pack", "json"])]
    fields: bool,
}

pub(super) fn run(args: &ReplayArgs) -> ExitCode {
    let outcome = if args.fields { list_fields(args) } else { replay(args) };
    outcome.map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn replay(args: &ReplayArgs) -> Result<(), String> {
    let (reader, total) = open(args)?;
    let pack = yumen_compiler::cli::load_pack(args.pack.as_deref())?;
    let mut replay = Replay::new(pack).map_err(|error| error.to_string())?;
    let mut output = Output::new(args.json);
    let mut progress = Progress::new(total);
    let (counters, ended) = read(args, reader, &mut progress, |item| {
        replay.item(item, &mut |row| output.row(row));
        !output.has_failed()
    });
    replay.end(&mut |row| output.row(row));
    let seconds = progress.started.elapsed().as_secs_f64().max(1e-9);
    let counted = output.finish()?;
    #[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
    let rate = counters.bytes as f64 / seconds / 1e6;
    eprintln!("{} packets, {counted}; {seconds:.1} s, {rate:.0} MB a second", counters.packets);
    ended
}

fn list_fields(args: &ReplayArgs) -> Result<(), String> {
    let (reader, total) = open(args)?;
    let mut output = BufWriter::new(io::stdout());
    let mut failed = None;
    let (_, ended) = read(args, reader, &mut Progress::new(total), |item| {
        fields(&item.payload, &mut |name, value| {
            let protocol = name.split('.').next();
            let row =
                serde_json::json!({"frame": item.frame, "protocol": protocol, "field": name, "value": value});
            if let Err(error) = writeln!(output, "{row}") {
                failed.get_or_insert(error);
            }
        });
        failed.is_none()
    });
    match failed.map_or_else(|| output.flush(), Err) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| error.to_string()).and(ended),
    }
}

fn open(args: &ReplayArgs) -> Result<(Reader, u64), String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", args.file.display());
    let file = File::open(&args.file).map_err(|error| named(&error))?;
    let total = file.metadata().map_or(0, |metadata| metadata.len());
    Ok((Reader::new(file).map_err(|error| named(&error))?, total))
}

/// Hands every item of the file to `take`, as long as that wants more; what was met, and how it ended.
fn read(
    args: &ReplayArgs,
    mut reader: Reader,
    progress: &mut Progress,
    mut take: impl FnMut(&Item<'_>) -> bool,
) -> (Counters, Result<(), String>) {
    let mut dissector = Dissector::new();
    let mut wanted = true;
    let ended = loop {
        let next = reader.next(|packet| {
            progress.packet(packet.data.len(), packet.number);
            dissector.packet(&packet, |item| wanted &= take(&item));
        });
        match next {
            Ok(true) if wanted => {}
            Ok(_) => break Ok(()),
            Err(error) => break Err(format!("{}: {error}", args.file.display())),
        }
    };
    progress.end();
    (dissector.counters(), ended)
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
