//! Every limit of this crate.

/// Bytes of a message as postcard writes it.
pub const MESSAGE_BYTES_MAX: usize = 640;
/// Bytes of an update that go in one message: whole words of any flash.
pub const PIECE_BYTES: usize = 512;
/// Rules of one sighting, the strongest first.
pub const RULES_MAX: usize = 4;
/// Contacts of one sighting.
pub const CONTACTS_MAX: usize = 6;
/// Bytes of a contact; a longer one is left out, as a part of it would be another's.
pub const CONTACT_BYTES_MAX: usize = 64;
/// Bytes of a sighting as postcard writes it: what a record of the ring holds.
pub const SIGHTING_BYTES_MAX: usize = 512;
/// Bytes of what a fault says of itself.
pub const FAULT_BYTES_MAX: usize = 120;

/// How long the other side has to acknowledge a message before it is sent again, in milliseconds.
pub const RESEND_MS: u64 = 1_000;
/// The longest pause between two sendings: it doubles up to this.
pub const RESEND_MS_MAX: u64 = 8_000;

const _: () = assert!(PIECE_BYTES + 16 <= MESSAGE_BYTES_MAX, "a piece fits a message");
const _: () = assert!(SIGHTING_BYTES_MAX + 8 <= MESSAGE_BYTES_MAX, "a sighting fits a message");
