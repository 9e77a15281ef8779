//! Sorting more numbers than memory has room for: sorted runs in files of no name, then merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::Raw;
use crate::limits::NUMBERS_RUNS_MAX;

/// A number with what it stands for and the line that said so. They are ordered by key, then by line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) key: u64,
    /// The line in the upper 48 bits, what it said in the lower 16.
    rest: u64,
}

impl Item {
    pub(super) const fn new(key: u64, line: u64, raw: Raw) -> Self {
        Self { key, rest: line << Raw::BITS | raw as u64 }
    }

    pub(super) const fn line(self) -> u64 {
        self.rest >> Raw::BITS
    }

    pub(super) fn raw(self) -> Raw {
        let [low, high, ..] = self.rest.to_le_bytes();
        Raw::from_le_bytes([low, high])
    }
}

const ITEM_LEN: usize = 16;

/// Takes items in any order.
pub(super) struct Sorter<'p> {
    items: Vec<Item>,
    room: usize,
    runs: Vec<File>,
    folder: &'p Path,
}

impl<'p> Sorter<'p> {
    /// With so many bytes of memory; runs are written into `folder`.
    pub(super) fn new(memory_bytes: usize, folder: &'p Path) -> Self {
        Self { items: Vec::new(), room: (memory_bytes / ITEM_LEN).max(1), runs: Vec::new(), folder }
    }

    pub(super) fn push(&mut self, item: Item) -> io::Result<()> {
        if self.items.len() == self.room {
            self.spill()?;
        }
        self.items.push(item);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.runs.len() == NUMBERS_RUNS_MAX {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "too many numbers for the memory: give it more",
            ));
        }
        self.items.sort_unstable();
        let mut out = BufWriter::new(tempfile::tempfile_in(self.folder)?);
        for item in self.items.drain(..) {
            out.write_all(&item.key.to_le_bytes())?;
            out.write_all(&item.rest.to_le_bytes())?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// All of them in order.
    pub(super) fn sorted(mut self) -> io::Result<Merge> {
        if !self.runs.is_empty() {
            self.spill()?;
            self.items = Vec::new();
        }
        self.items.sort_unstable();
        let mut runs: Vec<BufReader<File>> =
            self.runs.into_iter().map(|file| BufReader::with_capacity(RUN_BUFFER_BYTES, file)).collect();
        let mut heads = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            if let Some(item) = read(run)? {
                heads.push(Reverse((item, index)));
            }
        }
        Ok(Merge { memory: self.items.into_iter(), runs, heads })
    }
}

const RUN_BUFFER_BYTES: usize = 256 << 10;

/// Items in order.
pub(super) struct Merge {
    memory: std::vec::IntoIter<Item>,
    runs: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(Item, usize)>>,
}

impl Iterator for Merge {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<io::Result<Item>> {
        let Some(Reverse((item, index))) = self.heads.pop() else { return self.memory.next().map(Ok) };
        match self.runs.get_mut(index).map(read) {
            Some(Ok(Some(next))) => self.heads.push(Reverse((next, index))),
            Some(Ok(None)) | None => {}
            Some(Err(error)) => return Some(Err(error)),
        }
        Some(Ok(item))
    }
}

fn read(run: &mut BufReader<File>) -> io::Result<Option<Item>> {
    let mut bytes = [[0; 8]; 2];
    match run.read_exact(bytes.as_flattened_mut()) {
        Ok(()) => Ok(Some(Item { key: u64::from_le_bytes(bytes[0]), rest: u64::from_le_bytes(bytes[1]) })),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_disk_come_out_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let items: Vec<Item> = (0..10_000u64)
            .map(|nth| Item::new(nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40, nth + 1, 7))
            .collect();
        let mut expected = items.clone();
        expected.sort_unstable();
        for memory in [16, 16 * 999, 16 * 10_000, 16 * 20_000] {
            if items.len() / (memory / 16) > NUMBERS_RUNS_MAX {
                continue;
            }
            let mut sorter = Sorter::new(memory, folder.path());
            items.iter().try_for_each(|item| sorter.push(*item)).unwrap();
            let sorted: Vec<Item> = sorter.sorted().unwrap().map(Result::unwrap).collect();
            assert_eq!(sorted, expected);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "runs have no names");
    }
}
