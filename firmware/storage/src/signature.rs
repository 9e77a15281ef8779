//! Ed25519, as packs and images carry it: 64 bytes behind all that they sign.

use salty::{PublicKey, Signature};

/// Length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// What was signed, where the signature behind it is the key's.
#[must_use]
pub fn verified<'b>(bytes: &'b [u8], key: &[u8; 32]) -> Option<&'b [u8]> {
    let (signed, signature) = bytes.split_last_chunk::<SIGNATURE_LEN>()?;
    let key = PublicKey::try_from(key).ok()?;
    key.verify(signed, &Signature::from(signature)).ok()?;
    Some(signed)
}
