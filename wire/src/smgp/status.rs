//! `Status` of responses.

/// Taken.
pub const OK: u32 = 0;
/// Busy: the sender tries again.
pub const BUSY: u32 = 1;
/// The structure is wrong.
pub const BAD_STRUCTURE: u32 = 10;
/// Unknown command.
pub const BAD_COMMAND: u32 = 11;
/// Authentication failed.
pub const BAD_LOGIN: u32 = 21;
/// The first of the values left to vendors, 128 to 255.
pub const VENDOR_FIRST: u32 = 128;
