//! Sections while they grow.

use std::collections::HashMap;

use yumen_rules::limits::STRING_BYTES_MAX;
use yumen_rules::pack::SectionKind;

use super::EmitError;

/// The tables of a pack, each as its bytes so far, and its strings, each once.
#[derive(Default)]
pub(super) struct Sections {
    tables: HashMap<u16, Table>,
    strings: HashMap<String, u32>,
    offsets: Vec<u32>,
    blob: Vec<u8>,
}

#[derive(Clone, Default)]
struct Table {
    bytes: Vec<u8>,
    count: u32,
}

impl Sections {
    /// The index of a string.
    pub(super) fn string(&mut self, text: &str) -> Result<u32, EmitError> {
        if let Some(&index) = self.strings.get(text) {
            return Ok(index);
        }
        if text.len() > STRING_BYTES_MAX {
            return Err(EmitError::TooLarge("a string"));
        }
        let index = wire(self.strings.len())?;
        self.strings.insert(text.to_owned(), index);
        self.blob.extend_from_slice(text.as_bytes());
        self.offsets.push(wire(self.blob.len())?);
        Ok(index)
    }

    /// Adds a record, given as its parts.
    pub(super) fn record(&mut self, kind: SectionKind, parts: &[&[u8]]) {
        let table = self.tables.entry(kind as u16).or_default();
        parts.iter().for_each(|part| table.bytes.extend_from_slice(part));
        table.count += 1;
    }

    /// Sets a table that is made elsewhere.
    pub(super) fn table(&mut self, kind: SectionKind, bytes: Vec<u8>, count: u32) {
        self.tables.insert(kind as u16, Table { bytes, count });
    }

    /// How many records a table has.
    pub(super) fn count(&self, kind: SectionKind) -> Result<u32, EmitError> {
        Ok(self.tables.get(&(kind as u16)).map_or(0, |table| table.count))
    }

    /// Sets a table of `key → values`: offsets, then the values of all keys one after another.
    pub(super) fn csr(&mut self, kind: SectionKind, values_of: &[Vec<u32>]) -> Result<(), EmitError> {
        let (mut bytes, mut end) = (0u32.to_le_bytes().to_vec(), 0);
        for values in values_of {
            end += values.len();
            bytes.extend_from_slice(&wire(end)?.to_le_bytes());
        }
        values_of.iter().flatten().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        self.tables.insert(kind as u16, Table { bytes, count: wire(end)? });
        Ok(())
    }

    /// The bytes of a section and its number of records.
    pub(super) fn finished(&self, kind: SectionKind) -> Result<(Vec<u8>, u32), EmitError> {
        if kind != SectionKind::Strings {
            let table = self.tables.get(&(kind as u16)).cloned().unwrap_or_default();
            return Ok((table.bytes, table.count));
        }
        let mut bytes = 0u32.to_le_bytes().to_vec();
        self.offsets.iter().for_each(|offset| bytes.extend_from_slice(&offset.to_le_bytes()));
        bytes.extend_from_slice(&self.blob);
        Ok((bytes, wire(self.offsets.len())?))
    }
}

/// A count or an offset as packs have them.
pub(super) fn wire(value: usize) -> Result<u32, EmitError> {
    u32::try_from(value).map_err(|_| EmitError::TooLarge("offsets of 32 bits"))
}
