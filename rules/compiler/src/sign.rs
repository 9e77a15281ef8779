//! Signing packs, and the key files for it.

use ed25519_dalek::{SECRET_KEY_LENGTH, Signer, SigningKey};
use yumen_rules::pack::{Header, PackError, SIGNATURE_LEN};

/// Signs a pack in place: puts the key's id into the header and the signature at the end. A pack that was signed before is signed
/// anew.
///
/// # Errors
/// [`PackError`] where the bytes don't begin with a pack's header or aren't as long as it says.
pub fn sign(pack: &mut [u8], key: &SigningKey) -> Result<(), PackError> {
    Header::new_checked(pack)?;
    let public = key.verifying_key();
    let id = public.as_bytes().first_chunk::<8>().ok_or(PackError::Header)?;
    let at = Header::KEY_ID_AT;
    pack.get_mut(at..at + id.len()).ok_or(PackError::Length)?.copy_from_slice(id);
    let (signed, signature) = pack.split_last_chunk_mut::<SIGNATURE_LEN>().ok_or(PackError::Length)?;
    *signature = key.sign(signed).to_bytes();
    Ok(())
}

/// What is wrong with a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signing key: 32 bytes in hexadecimal are expected")]
pub struct KeyFileError;

/// Reads a signing key file's text: the 32 secret bytes in hexadecimal, on its first line that isn't a comment.
///
/// # Errors
/// [`KeyFileError`].
pub fn parse_signing_key(text: &str) -> Result<SigningKey, KeyFileError> {
    let mut words = text.lines().filter_map(|line| line.split('#').next()?.split_whitespace().next());
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(words.next().ok_or(KeyFileError)?.as_bytes());
    let secret: [u8; SECRET_KEY_LENGTH] =
        bytes.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(KeyFileError)?;
    Ok(SigningKey::from_bytes(&secret))
}

/// The text of a signing key file. Whoever reads it can make packs: it is for one owner's eyes (mode 0600).
#[must_use]
pub fn emit_signing_key(key: &SigningKey) -> String {
    let hex = data_encoding::HEXLOWER.encode(key.as_bytes());
    format!("# Yumen pack signing key. Keep it secret; the keyring line is {}\n{hex}\n", emit_public_key(key))
}

/// A keyring line.
#[must_use]
pub fn emit_public_key(key: &SigningKey) -> String {
    data_encoding::HEXLOWER.encode(key.verifying_key().as_bytes())
}

/// A signing key from 32 bytes of randomness that the caller drew from the system.
#[must_use]
pub fn signing_key(randomness: &[u8; SECRET_KEY_LENGTH]) -> SigningKey {
    SigningKey::from_bytes(randomness)
}
