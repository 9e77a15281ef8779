//! Lines → the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer, SigningKey};
use memmap2::Mmap;
use yumen_rules::numbers::{Header, SIGNATURE_LEN};

use super::ranges::{self, Written};
use super::sort::{Item, Merge, Sorter};
use super::source::{self, Line, LineDefect, LineError};
use super::write::{WriteError, Writer};
use super::{Raw, listed};
use crate::limits::{NUMBERS_ERRORS_MAX, NUMBERS_LINE_BYTES_MAX};

/// What counts where lines say different things of one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// The highest score.
    #[default]
    Highest,
    /// The last line.
    Last,
    /// None: it is an error.
    Refuse,
}

/// What a list says about itself, and how it is made.
#[derive(Clone, Debug)]
pub struct NumbersOptions<'k> {
    /// Its name, as conditions have it.
    pub name: String,
    /// Rises with every list of a name.
    pub serial: u64,
    /// Seconds since the Unix epoch.
    pub created_s: u64,
    /// Seconds since the Unix epoch; it is refused from then on.
    pub expires_s: u64,
    /// Who signs it; nobody where it is absent.
    pub key: Option<&'k SigningKey>,
    /// Memory for sorting, in bytes; what doesn't fit goes to disk, beside the output.
    pub memory_bytes: usize,
    /// What counts where lines differ.
    pub duplicates: Duplicates,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were read.
    pub lines: u64,
    /// Single numbers in the list.
    pub numbers: u64,
    /// Ranges in the list, laid flat.
    pub ranges: u64,
    /// Lines whose number stands in another line too.
    pub duplicates: u64,
    /// The file's length in bytes.
    pub bytes: u64,
}

impl Summary {
    /// Bytes of the file for each single number.
    #[must_use]
    pub fn bytes_per_number(&self) -> f64 {
        self.bytes as f64 / self.numbers.max(1) as f64
    }
}

/// Why no list was made. The file that was there stays.
#[derive(Debug, thiserror::Error)]
pub enum NumbersBuildError {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Runs can't be written or read.
    #[error("sorting: {0}")]
    Sort(io::Error),
    /// Lines are wrong: the first of them, and how many more there are.
    #[error("{} lines are wrong", .0.len() as u64 + .1)]
    Lines(Vec<LineError>, u64),
    /// The name isn't one.
    #[error("{0:?} is no name of a list: 1 to 48 of a-z, 0-9, - and _")]
    Name(String),
    /// The file's format.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Makes a list of the lines of `inputs`, signs it, and puts it in the place of `output` at once.
///
/// # Errors
/// [`NumbersBuildError`].
pub fn build(
    inputs: &[PathBuf],
    output: &Path,
    options: &NumbersOptions<'_>,
) -> Result<Summary, NumbersBuildError> {
    let mut header =
        Header::new(&options.name).ok_or_else(|| NumbersBuildError::Name(options.name.clone()))?;
    (header.serial, header.created_s, header.expires_s) =
        (options.serial, options.created_s, options.expires_s);
    header.key_id = options.key.map_or([0; 8], key_id);
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let of_output = |source| NumbersBuildError::File { path: output.display().to_string(), source };
    fs::create_dir_all(folder).map_err(of_output)?;
    let mut reader = Reader::new(options, folder);
    for path in inputs {
        reader.read(path)?;
    }
    let mut name = output.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = output.with_file_name(name);
    let made = reader.finish(&new, &header, options).inspect_err(|_| {
        // What is there is half a list at best.
        let _ = fs::remove_file(&new);
    })?;
    fs::rename(&new, output).map_err(of_output)?;
    Ok(made)
}

fn key_id(key: &SigningKey) -> [u8; 8] {
    key.verifying_key().as_bytes().first_chunk().copied().unwrap_or([0; 8])
}

/// What was read so far.
struct Reader<'a> {
    sorter: Sorter<'a>,
    ranges: Vec<Written>,
    seen: Vec<bool>,
    errors: Vec<LineError>,
    errors_more: u64,
    /// Files with the number of lines before them.
    files: Vec<(String, u64)>,
    lines: u64,
}

impl<'a> Reader<'a> {
    fn new(options: &NumbersOptions<'_>, folder: &'a Path) -> Self {
        Self {
            sorter: Sorter::new(options.memory_bytes, folder),
            ranges: Vec::new(),
            seen: vec![false; usize::from(Raw::MAX) + 1],
            errors: Vec::new(),
            errors_more: 0,
            files: Vec::new(),
            lines: 0,
        }
    }

    fn read(&mut self, path: &Path) -> Result<(), NumbersBuildError> {
        let shown = path.display().to_string();
        let failed = |source| NumbersBuildError::File { path: path.display().to_string(), source };
        let mut file: Box<dyn BufRead> = if shown == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?))
        };
        self.files.push((shown, self.lines));
        let before = self.lines;
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = io::Read::take(&mut file, NUMBERS_LINE_BYTES_MAX);
            if limited.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Ok(());
            }
            self.lines += 1;
            let parsed = match std::str::from_utf8(&line) {
                Ok(text) => source::parse(text.trim_end(), self.lines == before + 1),
                Err(_) => Err(LineDefect::Encoding),
            };
            match parsed {
                Ok(Line::Empty) => {}
                Ok(Line::Number(key, raw)) => {
                    self.see(raw);
                    let item = Item::new(key, self.lines, raw);
                    self.sorter.push(item).map_err(NumbersBuildError::Sort)?;
                }
                Ok(Line::Spans(spans, raw)) => {
                    self.see(raw);
                    let line = self.lines;
                    self.ranges.extend(spans.into_iter().map(|span| Written { span, raw, line }));
                }
                Err(defect) => self.wrong(self.lines, defect),
            }
        }
    }

    fn see(&mut self, raw: Raw) {
        if let Some(seen) = self.seen.get_mut(usize::from(raw)) {
            *seen = true;
        }
    }

    fn wrong(&mut self, line: u64, defect: LineDefect) {
        if self.errors.len() == NUMBERS_ERRORS_MAX {
            self.errors_more += 1;
            return;
        }
        let (file, before) =
            self.files.iter().rev().find(|(_, before)| *before < line).cloned().unwrap_or_default();
        self.errors.push(LineError { file, line: line - before, defect });
    }

    /// Numbers the line that a defect names within its own file.
    fn within_file(&self, line: u64) -> u64 {
        self.files.iter().rev().find(|(_, before)| *before < line).map_or(line, |(_, before)| line - before)
    }

    fn finish(
        mut self,
        path: &Path,
        header: &Header,
        options: &NumbersOptions<'_>,
    ) -> Result<Summary, NumbersBuildError> {
        let raws: Vec<Raw> =
            (0..=Raw::MAX).zip(&self.seen).filter(|(_, seen)| **seen).map(|(raw, _)| raw).collect();
        let place =
            |raw: Raw| raws.binary_search(&raw).ok().and_then(|at| u16::try_from(at).ok()).unwrap_or(0);
        let flat = match ranges::flat(std::mem::take(&mut self.ranges), place) {
            Ok(flat) => flat,
            Err(clash) => {
                let other = self.within_file(clash.other);
                let defect =
                    if clash.same_range { LineDefect::Differs(other) } else { LineDefect::Overlaps(other) };
                self.wrong(clash.line, defect);
                Vec::new()
            }
        };
        if !self.errors.is_empty() {
            return Err(NumbersBuildError::Lines(self.errors, self.errors_more));
        }
        let failed = |source| NumbersBuildError::File { path: path.display().to_string(), source };
        // An empty list still has a palette.
        let palette = if raws.is_empty() { vec![1] } else { raws.clone() };
        let out = BufWriter::with_capacity(1 << 20, created(path).map_err(failed)?);
        let mut writer = Writer::new(out, palette.into_iter().filter_map(listed).collect())?;
        let sorter = std::mem::replace(&mut self.sorter, Sorter::new(0, Path::new(".")));
        let mut unique =
            Unique { merge: sorter.sorted().map_err(NumbersBuildError::Sort)?, next: None, duplicates: 0 };
        let mut numbers = 0;
        while let Some(item) = unique.next(options.duplicates, |line, other| {
            let other = self.within_file(other);
            self.wrong(line, LineDefect::Differs(other));
        })? {
            writer.push(item.key, place(item.raw()))?;
            numbers += 1;
        }
        if !self.errors.is_empty() {
            return Err(NumbersBuildError::Lines(self.errors, self.errors_more));
        }
        let file = writer.finish(header, &flat)?.into_inner().map_err(|error| failed(error.into_error()))?;
        let bytes = signed(file, options.key).map_err(failed)?;
        let ranges = flat.len() as u64;
        Ok(Summary { lines: self.lines, numbers, ranges, duplicates: unique.duplicates, bytes })
    }
}

/// A new file that nobody but its owner may write.
fn created(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o644).open(path)
}

/// Signs what is written, and sees it on the disk; gives its length.
fn signed(mut file: File, key: Option<&SigningKey>) -> io::Result<u64> {
    let len = file.metadata()?.len();
    if let Some(key) = key {
        let signature = {
            // SAFETY: the file was made here a moment ago under a name of its own, and nobody else writes it.
            let map = unsafe { Mmap::map(&file)? };
            let (body, _) = map.split_last_chunk::<SIGNATURE_LEN>().ok_or(io::ErrorKind::InvalidData)?;
            key.sign(body).to_bytes()
        };
        file.seek(SeekFrom::Start(len.saturating_sub(SIGNATURE_LEN as u64)))?;
        file.write_all(&signature)?;
    }
    file.sync_all()?;
    Ok(len)
}

/// Items in order, each key once.
struct Unique {
    merge: Merge,
    next: Option<Item>,
    duplicates: u64,
}

impl Unique {
    /// The next key; `differs` is told lines that say different things of a number, where that is an error.
    fn next(
        &mut self,
        duplicates: Duplicates,
        mut differs: impl FnMut(u64, u64),
    ) -> Result<Option<Item>, NumbersBuildError> {
        let taken = match self.next.take() {
            Some(item) => Some(item),
            None => self.merge.next().transpose().map_err(NumbersBuildError::Sort)?,
        };
        let Some(mut item) = taken else { return Ok(None) };
        while let Some(other) = self.merge.next().transpose().map_err(NumbersBuildError::Sort)? {
            if other.key != item.key {
                self.next = Some(other);
                break;
            }
            self.duplicates += 1;
            let score = |item: Item| item.raw().to_le_bytes()[0];
            match duplicates {
                _ if other.raw() == item.raw() => {}
                Duplicates::Highest if score(other) <= score(item) => {}
                Duplicates::Highest | Duplicates::Last => item = other,
                Duplicates::Refuse => differs(other.line(), item.line()),
            }
        }
        Ok(Some(item))
    }
}
