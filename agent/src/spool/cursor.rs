//! How far the log is acknowledged, on disk: two slots written in turn, so that a torn write leaves the other one.
//!
//! ```text
//! slot  acknowledged u64 · generation u64 · CRC-32C of both u32 · zero u32   (24 bytes, twice)
//! ```
//!
//! A cursor that is older than what was acknowledged costs only sending some sightings again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const SLOT_BYTES: usize = 24;

/// The cursor file, open.
#[derive(Debug)]
pub(super) struct Cursor {
    file: File,
    generation: u64,
}

impl Cursor {
    /// Opens or creates the file; gives the last sequence known to be acknowledged, 0 for none.
    pub(super) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = [0; 2 * SLOT_BYTES];
        let length = read_up_to(&file, &mut bytes)?;
        let slots = bytes.get(..length).unwrap_or_default().chunks_exact(SLOT_BYTES);
        let newest = slots.filter_map(parse).max_by_key(|&(generation, _)| generation);
        let (generation, acknowledged) = newest.unwrap_or((0, 0));
        Ok((Self { file, generation }, acknowledged))
    }

    /// Writes the other slot. Not synced: [`Cursor::file`] is, with the next group.
    pub(super) fn write(&mut self, acknowledged: u64) -> io::Result<()> {
        self.generation += 1;
        let mut slot = [0; SLOT_BYTES];
        slot[..8].copy_from_slice(&acknowledged.to_le_bytes());
        slot[8..16].copy_from_slice(&self.generation.to_le_bytes());
        let crc = crc32c::crc32c(&slot[..16]);
        slot[16..20].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all_at(&slot, (self.generation % 2) * SLOT_BYTES as u64)
    }

    /// The open file, for syncing.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }
}

/// Generation and acknowledged sequence of a slot that is whole.
fn parse(slot: &[u8]) -> Option<(u64, u64)> {
    let acknowledged = u64::from_le_bytes(*slot.first_chunk()?);
    let generation = u64::from_le_bytes(*slot.get(8..)?.first_chunk()?);
    let crc = u32::from_le_bytes(*slot.get(16..)?.first_chunk()?);
    // A file of zeros isn't a cursor: the first generation is 1.
    (generation > 0 && crc == crc32c::crc32c(slot.get(..16)?)).then_some((generation, acknowledged))
}

/// Reads from the start until the buffer is full or the file ends; gives how many bytes that were.
pub(super) fn read_up_to(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_write_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acknowledged");
        let (mut cursor, start) = Cursor::open(&path).unwrap();
        assert_eq!(start, 0);
        cursor.write(5).unwrap();
        cursor.write(9).unwrap();
        assert_eq!(Cursor::open(&path).unwrap().1, 9);
        let newest = (cursor.generation % 2) * SLOT_BYTES as u64;
        for byte in 0..20 {
            let whole = std::fs::read(&path).unwrap();
            cursor.file.write_all_at(&[0xA5], newest + byte).unwrap();
            assert_eq!(Cursor::open(&path).unwrap().1, 5, "byte {byte} of the newest slot is garbled");
            std::fs::write(&path, whole).unwrap();
        }
    }

    #[test]
    fn a_file_cut_anywhere_gives_an_older_cursor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acknowledged");
        let (mut cursor, _) = Cursor::open(&path).unwrap();
        for acknowledged in [3, 4] {
            cursor.write(acknowledged).unwrap();
        }
        for length in (0..=48).rev() {
            cursor.file.set_len(length).unwrap();
            let acknowledged = Cursor::open(&path).unwrap().1;
            assert!([0, 3, 4].contains(&acknowledged), "{length}: {acknowledged}");
        }
    }
}
