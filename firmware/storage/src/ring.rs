//! Unsent sightings, the oldest first, until the agent has them.

use crate::journal::{self, Journal};
use crate::{Flash, StoreError};
use core::ops::Range;

/// Bytes of a record.
pub const RECORD_BYTES_MAX: usize = journal::BYTES_MAX;

/// How a record was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Behind the others.
    Appended,
    /// The ring was full: a sector of the oldest went for it.
    Displaced,
}

/// The ring in its part of the flash. It has no state in memory.
#[derive(Clone, Debug)]
pub struct Ring {
    region: Range<u32>,
}

impl Ring {
    /// In these sectors.
    #[must_use]
    pub const fn new(region: Range<u32>) -> Self {
        Self { region }
    }

    /// Keeps a record: when this returns, no power cut loses it.
    ///
    /// # Errors
    /// The flash failed, or the record is longer than [`RECORD_BYTES_MAX`].
    pub fn push<F: Flash>(&self, flash: &mut F, record: &[u8]) -> Result<Pushed, StoreError> {
        let displaced = self.journal(flash)?.append(record, |_| true)?;
        Ok(if displaced { Pushed::Displaced } else { Pushed::Appended })
    }

    /// The oldest record, written to `buffer`.
    ///
    /// # Errors
    /// The region doesn't fit the flash.
    pub fn oldest<'b, F: Flash>(
        &self,
        flash: &mut F,
        buffer: &'b mut [u8; RECORD_BYTES_MAX],
    ) -> Result<Option<&'b [u8]>, StoreError> {
        let journal = self.journal(flash)?;
        let Some(place) = journal.oldest() else { return Ok(None) };
        let bytes = journal.bytes(place);
        let out = buffer.get_mut(..bytes.len()).ok_or(StoreError::TooLong)?;
        out.copy_from_slice(bytes);
        Ok(Some(out))
    }

    /// Drops the oldest record: the agent has it.
    ///
    /// # Errors
    /// The flash failed.
    pub fn pop<F: Flash>(&self, flash: &mut F) -> Result<(), StoreError> {
        let mut journal = self.journal(flash)?;
        match journal.oldest() {
            Some(place) => journal.drop(place),
            None => Ok(()),
        }
    }

    /// Shows all records, the oldest first.
    ///
    /// # Errors
    /// The region doesn't fit the flash.
    pub fn each<F: Flash>(&self, flash: &mut F, mut see: impl FnMut(&[u8])) -> Result<(), StoreError> {
        let journal = self.journal(flash)?;
        journal.live().for_each(|place| see(journal.bytes(place)));
        Ok(())
    }

    fn journal<'f, F: Flash>(&self, flash: &'f mut F) -> Result<Journal<'f, F>, StoreError> {
        Journal::new(flash, self.region.clone())
    }
}
