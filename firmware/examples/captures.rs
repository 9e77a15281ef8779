//! Modem dumps and TPDU vectors through the device, as a table: `cargo run -p yumen-firmware --example captures -- FOLDER…`.
//!
//! A `.dump` file is what a modem said, a line a line. Of any other file every run of hexadecimal digits that is long enough is tried as
//! a PDU: with a centre's address before it, and without. Everything found is handed to the whole device too, as a modem would.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yumen_firmware::at::{Line, octets, tpdu};
use yumen_firmware::storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash,
};
use yumen_firmware::storage::{Flash, Slot};
use yumen_firmware::{Board, Device, Guard, Listed, Start, Storage, Trust, Wires};
use yumen_rules::pack::{Layout, Pack};
use yumen_rules::policy::Policy;
use yumen_wire::text::blank;
use yumen_wire::tpdu::{ToCentre, ToMobile, parse_to_centre, parse_to_mobile};

/// Shortest run of digits that is tried.
const DIGITS_MIN: usize = 20;

#[derive(Default)]
struct Counts {
    lines: usize,
    known: usize,
    pdus: usize,
    deliver: usize,
    report: usize,
    submit: usize,
    texts: usize,
    refused: usize,
    passed: bool,
}

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        eprintln!("captures FOLDER…");
        return ExitCode::from(2);
    }
    println!(
        "| file | lines | known | PDUs | DELIVER | report | SUBMIT | text read | refused | device goes on |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for file in folders.iter().flat_map(|folder| files(folder)) {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let counts = if file.extension().is_some_and(|extension| extension == "dump") {
            of_dump(&bytes)
        } else {
            of_vectors(&bytes)
        };
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Counts { lines, known, pdus, deliver, report, submit, texts, refused, passed } = counts;
        println!(
            "| {name} | {lines} | {known} | {pdus} | {deliver} | {report} | {submit} | {texts} | {refused} | {passed} |"
        );
    }
    ExitCode::SUCCESS
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn of_dump(bytes: &[u8]) -> Counts {
    let mut counts = Counts::default();
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        counts.lines += 1;
        let mut buffer = [0; 512];
        if let Some(octets) = octets(line, &mut buffer).filter(|octets| octets.len() > 8) {
            counts.pdu(octets);
        }
        counts.known += usize::from(!matches!(Line::parse(line), Line::Other));
    }
    counts.passed = goes_on(bytes);
    counts
}

fn of_vectors(bytes: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let mut said = Vec::new();
    for run in bytes.split(|byte| !byte.is_ascii_hexdigit()) {
        if run.len() < DIGITS_MIN || !run.len().is_multiple_of(2) {
            continue;
        }
        counts.lines += 1;
        let mut buffer = [0; 512];
        if let Some(octets) = octets(run, &mut buffer) {
            counts.pdu(octets);
            said.extend_from_slice(b"\r\n+CMT: ,1\r\n");
            said.extend_from_slice(run);
            said.extend_from_slice(b"\r\n");
        }
    }
    counts.passed = goes_on(&said);
    counts
}

impl Counts {
    /// A PDU with a centre's address before it, or without.
    fn pdu(&mut self, octets: &[u8]) {
        self.pdus += 1;
        let mut text = [0; 2048];
        let mut read = |user_data: &yumen_wire::tpdu::TpUserData<'_>| {
            let out = blank(&mut text);
            usize::from(user_data.decode(out).written > 0)
        };
        for bytes in [tpdu(octets), Some(octets)].into_iter().flatten() {
            match (parse_to_mobile(bytes), parse_to_centre(bytes)) {
                (Ok(ToMobile::Deliver(deliver)), _) => {
                    self.deliver += 1;
                    self.texts += read(&deliver.user_data);
                }
                (Ok(_), _) => self.report += 1,
                (_, Ok(ToCentre::Submit(submit))) => {
                    self.submit += 1;
                    self.texts += read(&submit.user_data);
                }
                _ => continue,
            }
            return;
        }
        self.refused += 1;
    }
}

/// Whether a device that hears this takes the next message.
fn goes_on(bytes: &[u8]) -> bool {
    let storage: &'static mut Storage = Box::leak(Box::default());
    let guard = Guard::new(None, Policy::enforcing(), Listed::new(), storage);
    let trust = Trust { key: &[0; 32], board: "host", version: 1 };
    let mut device = Device::new(guard, None, Nowhere, trust, &Start::default());
    let mut heard = Heard::default();
    for pieces in bytes.chunks(7) {
        device.on_modem(pieces, 0, &mut heard);
        device.poll(0, &mut heard);
    }
    heard.0.clear();
    let mut honest = String::from("\r\n+CMT: ,23\r\n");
    for octet in [0_u8, 4, 5, 0x81, 0x01, 0, 0xF0, 0, 0, 0x62, 0x10, 0x20, 0x30, 0x40, 0x50, 0x23, 1, 0x41] {
        let _ = write!(honest, "{octet:02X}");
    }
    honest.push_str("\r\n");
    device.on_modem(b"\r\n", 0, &mut heard);
    device.on_modem(honest.as_bytes(), 0, &mut heard);
    heard.0.ends_with(honest.as_bytes())
}

#[derive(Default)]
struct Heard(Vec<u8>);

impl Wires for Heard {
    fn modem(&mut self, _bytes: &[u8]) {}
    fn telephone(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    fn link(&mut self, _bytes: &[u8]) {}
}

/// No flash.
#[derive(Debug)]
struct Nowhere;

impl Board<'static> for Nowhere {
    type Flash = NoFlash;
    fn hold(&mut self, _slot: Slot, _bytes: &[u8], _layout: Layout) -> Option<Pack<'static>> {
        None
    }
}

#[derive(Debug)]
struct NoFlash;

impl ErrorType for NoFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for NoFlash {
    const READ_SIZE: usize = 1;
    fn read(&mut self, _offset: u32, _bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }
    fn capacity(&self) -> usize {
        0
    }
}

impl NorFlash for NoFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;
    fn erase(&mut self, _from: u32, _to: u32) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }
    fn write(&mut self, _offset: u32, _bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }
}

impl MultiwriteNorFlash for NoFlash {}

impl Flash for NoFlash {
    fn bytes(&self, _range: std::ops::Range<u32>) -> &[u8] {
        &[]
    }
}
