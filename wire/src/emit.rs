//! A cursor over a caller's buffer that PDUs are written with.

use crate::error::EmitError;

/// Writes fields one after the other into a borrowed buffer. A failed write leaves the cursor where it was.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut [u8],
    written: usize,
}

impl<'o> Writer<'o> {
    /// A cursor at the start of `out`.
    pub const fn new(out: &'o mut [u8]) -> Self {
        Self { out, written: 0 }
    }

    /// Octets written so far.
    #[must_use]
    pub const fn written(&self) -> usize {
        self.written
    }

    /// Appends `octets` as they are.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`] where they don't fit.
    pub fn octets(&mut self, octets: &[u8]) -> Result<(), EmitError> {
        let end = self.written.checked_add(octets.len()).ok_or(EmitError::BufferFull)?;
        self.out.get_mut(self.written..end).ok_or(EmitError::BufferFull)?.copy_from_slice(octets);
        self.written = end;
        Ok(())
    }

    /// Appends one octet.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn u8(&mut self, value: u8) -> Result<(), EmitError> {
        self.octets(&[value])
    }

    /// Appends a big-endian `u16`.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn u16(&mut self, value: u16) -> Result<(), EmitError> {
        self.octets(&value.to_be_bytes())
    }

    /// Appends a big-endian `u32`.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn u32(&mut self, value: u32) -> Result<(), EmitError> {
        self.octets(&value.to_be_bytes())
    }

    /// Appends a big-endian `u64`.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn u64(&mut self, value: u64) -> Result<(), EmitError> {
        self.octets(&value.to_be_bytes())
    }

    /// Appends a C-octet string and its NUL.
    ///
    /// # Errors
    /// [`EmitError::HoldsNul`] where the string has one inside; [`EmitError::BufferFull`].
    pub fn c_string(&mut self, field: &'static str, octets: &[u8]) -> Result<(), EmitError> {
        if octets.contains(&0) {
            return Err(EmitError::HoldsNul(field));
        }
        self.octets(octets)?;
        self.u8(0)
    }

    /// Appends an octet string of `size` octets: left-aligned, filled with NUL on the right (C-10).
    ///
    /// # Errors
    /// [`EmitError::TooLong`] where it is longer than `size`; [`EmitError::BufferFull`].
    pub fn fixed(&mut self, field: &'static str, octets: &[u8], size: usize) -> Result<(), EmitError> {
        let padding = size.checked_sub(octets.len()).ok_or(EmitError::TooLong(field))?;
        self.octets(octets)?;
        let end = self.written.checked_add(padding).ok_or(EmitError::BufferFull)?;
        self.out.get_mut(self.written..end).ok_or(EmitError::BufferFull)?.fill(0);
        self.written = end;
        Ok(())
    }

    /// Appends `octets` behind their length in one octet.
    ///
    /// # Errors
    /// [`EmitError::TooLong`] above 255 octets; [`EmitError::BufferFull`].
    pub fn counted(&mut self, field: &'static str, octets: &[u8]) -> Result<(), EmitError> {
        self.u8(u8::try_from(octets.len()).map_err(|_| EmitError::TooLong(field))?)?;
        self.octets(octets)
    }

    /// Appends `value` as `N` ASCII digits with leading zeros; digits that don't fit are lost.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`].
    pub fn decimal<const N: usize>(&mut self, value: u32) -> Result<(), EmitError> {
        let mut digits = [b'0'; N];
        let mut rest = value;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10).to_le_bytes()[0];
            rest /= 10;
        }
        self.octets(&digits)
    }

    /// Writes the count of octets so far into the first four, where every protocol of this crate has its length,
    /// and returns it.
    ///
    /// # Errors
    /// [`EmitError::BufferFull`] where fewer than four octets were written; [`EmitError::TooLong`] above 4 GiB.
    pub fn finish(self) -> Result<usize, EmitError> {
        let length = u32::try_from(self.written).map_err(|_| EmitError::TooLong("length"))?;
        let field = self.out.first_chunk_mut::<4>().ok_or(EmitError::BufferFull)?;
        *field = length.to_be_bytes();
        Ok(self.written)
    }
}
