//! What a run leaves behind when it ends badly, in memory that a restart doesn't clear.
//!
//! A board keeps a [`Crash`] where its start-up code writes nothing. After a restart it is read once, and kept in the ring from then
//! on: a power cut may then come.

use crc::{CRC_32_ISO_HDLC, Crc};
use yumen_link::Cause;
use yumen_link::limits::FAULT_BYTES_MAX;

const CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
const MAGIC: u32 = 0x59_4D_43_52;

/// The record. Whatever its memory holds is a value of it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Crash {
    magic: u32,
    cause: u32,
    at: u32,
    length: u32,
    words: [u8; FAULT_BYTES_MAX],
    check: u32,
}

impl Crash {
    /// None.
    pub const NONE: Self =
        Self { magic: 0, cause: 0, at: 0, length: 0, words: [0; FAULT_BYTES_MAX], check: 0 };

    /// With what there is to say, cut at [`FAULT_BYTES_MAX`].
    #[must_use]
    pub fn new(cause: Cause, at: u32, words: core::fmt::Arguments<'_>) -> Self {
        let mut crash = Self { magic: MAGIC, cause: number(cause), at, ..Self::NONE };
        // What doesn't fit is cut.
        let _ = core::fmt::Write::write_fmt(&mut Words(&mut crash), words);
        crash.check = crash.sum();
        crash
    }

    /// What it says, where it is one.
    #[must_use]
    pub fn read(&self) -> Option<(Cause, u32, &str)> {
        if self.magic != MAGIC || self.check != self.sum() {
            return None;
        }
        let cause = match self.cause {
            1 => Cause::Watchdog,
            2 => Cause::Panic,
            3 => Cause::Fault,
            4 => Cause::Update,
            _ => return None,
        };
        let words = self.words.get(..usize::try_from(self.length).ok()?)?;
        let end = core::str::from_utf8(words).map_or_else(|error| error.valid_up_to(), str::len);
        Some((cause, self.at, core::str::from_utf8(words.get(..end)?).ok()?))
    }

    fn sum(&self) -> u32 {
        let mut digest = CHECK.digest();
        for word in [self.magic, self.cause, self.at, self.length] {
            digest.update(&word.to_le_bytes());
        }
        digest.update(&self.words);
        digest.finalize()
    }
}

const fn number(cause: Cause) -> u32 {
    match cause {
        Cause::Power => 0,
        Cause::Watchdog => 1,
        Cause::Panic => 2,
        Cause::Fault => 3,
        Cause::Update => 4,
    }
}

struct Words<'c>(&'c mut Crash);

impl core::fmt::Write for Words<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let from = usize::try_from(self.0.length).map_err(|_| core::fmt::Error)?;
        let room = self.0.words.get_mut(from..).ok_or(core::fmt::Error)?;
        let mut count = 0;
        for (slot, byte) in room.iter_mut().zip(text.bytes()) {
            *slot = byte;
            count += 1;
        }
        self.0.length = self.0.length.saturating_add(count);
        if usize::try_from(count) == Ok(text.len()) { Ok(()) } else { Err(core::fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn what_is_left_behind_is_read_and_nonsense_is_not() {
        let crash = Crash::new(Cause::Panic, 7, format_args!("at {}:{}", "guard.rs", 12));
        assert_eq!(crash.read(), Some((Cause::Panic, 7, "at guard.rs:12")));
        let long = "很".repeat(100);
        let crash_long = Crash::new(Cause::Fault, 0, format_args!("{long}"));
        let length = crash_long.read().unwrap().2.len();
        assert!(length <= FAULT_BYTES_MAX && length > FAULT_BYTES_MAX - 3);
        assert_eq!(Crash { at: 8, ..crash }.read(), None);
        assert_eq!(Crash::NONE.read(), None);
    }
}
