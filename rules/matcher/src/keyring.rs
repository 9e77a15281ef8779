//! The keys whose packs are taken.

use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature, VerifyingKey};
use yumen_rules::pack::{Header, SIGNATURE_LEN};

use crate::limits::KEYS_MAX;
use crate::refusal::Refusal;

/// Public keys. The file has one a line, in hexadecimal or base64, and may say after it whose it is; `#` begins a comment.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<VerifyingKey>,
}

/// What is wrong with a keyring file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Not a key.
    #[error("line {0}: not a public key (32 bytes in hexadecimal or base64)")]
    NotAKey(usize),
    /// A key that would take any signature.
    #[error("line {0}: a weak key, which must not be trusted")]
    WeakKey(usize),
    /// Too many keys.
    #[error("more than {KEYS_MAX} keys")]
    TooMany,
    /// No key at all.
    #[error("no key in it: no pack could be taken")]
    Empty,
}

impl Keyring {
    /// Reads a keyring file's text.
    ///
    /// # Errors
    /// [`KeyringError`], with the line.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.split('#').next().unwrap_or_default();
            let Some(word) = line.split_whitespace().next() else { continue };
            let key = parse_key(word).ok_or(KeyringError::NotAKey(number))?;
            if key.is_weak() {
                return Err(KeyringError::WeakKey(number));
            }
            if keys.len() == KEYS_MAX {
                return Err(KeyringError::TooMany);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self { keys }) }
    }

    /// A keyring of these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        Self { keys: keys.into_iter().take(KEYS_MAX).collect() }
    }

    /// Checks a pack's signature; nothing of the pack but its header was looked at.
    ///
    /// # Errors
    /// [`Refusal::Unsigned`], [`Refusal::ForeignKey`], [`Refusal::BadSignature`].
    pub fn verify(&self, bytes: &[u8], header: &Header) -> Result<(), Refusal> {
        self.verify_signed(bytes, header.key_id)
    }

    /// Checks the signature at the end of `bytes`, by the key that they say they are signed with.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub(crate) fn verify_signed(&self, bytes: &[u8], key_id: [u8; 8]) -> Result<(), Refusal> {
        let Some((signed, signature)) = bytes.split_last_chunk::<SIGNATURE_LEN>() else {
            return Err(Refusal::Unsigned);
        };
        if key_id == [0; 8] && *signature == [0; SIGNATURE_LEN] {
            return Err(Refusal::Unsigned);
        }
        let signature = Signature::from_bytes(signature);
        let mut named = self.keys.iter().filter(|key| key.as_bytes().starts_with(&key_id)).peekable();
        if named.peek().is_none() {
            return Err(Refusal::ForeignKey(key_id));
        }
        if named.any(|key| key.verify_strict(signed, &signature).is_ok()) {
            Ok(())
        } else {
            Err(Refusal::BadSignature)
        }
    }
}

impl Keyring {
    /// Whether one of its keys, which `key` (hexadecimal) is the beginning of, made `signature` (hexadecimal) over `signed`.
    #[must_use]
    pub fn vouches(&self, key: &str, signed: &[u8], signature: &str) -> bool {
        let decode = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).ok();
        let Some(id) = decode(key).filter(|id| id.len() == 8) else { return false };
        let Some(signature) = decode(signature).and_then(|bytes| Signature::from_slice(&bytes).ok()) else {
            return false;
        };
        let mut named = self.keys.iter().filter(|key| key.as_bytes().starts_with(&id));
        named.any(|key| key.verify_strict(signed, &signature).is_ok())
    }
}

/// A public key from hexadecimal or base64 (standard or URL-safe, padded or not).
#[must_use]
pub fn parse_key(word: &str) -> Option<VerifyingKey> {
    use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
    let encodings = [HEXLOWER_PERMISSIVE, BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD];
    let decoded = encodings.iter().filter_map(|encoding| encoding.decode(word.as_bytes()).ok());
    let key = decoded.filter_map(|bytes| <[u8; PUBLIC_KEY_LENGTH]>::try_from(bytes).ok()).next()?;
    VerifyingKey::from_bytes(&key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn keys_are_read_in_hexadecimal_and_base64_with_comments() {
        let [a, b] = [[1; 32], [2; 32]].map(|seed| SigningKey::from_bytes(&seed).verifying_key());
        let hex = data_encoding::HEXUPPER.encode(a.as_bytes());
        let base64 = data_encoding::BASE64.encode(b.as_bytes());
        let keyring =
            Keyring::parse(&format!("# ours\n\n{hex} release key\n  {base64}  # theirs\n")).unwrap();
        assert_eq!(keyring.keys, [a, b]);
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line() {
        assert_eq!(Keyring::parse("# nothing\n").unwrap_err(), KeyringError::Empty);
        assert_eq!(Keyring::parse("# a\nabc def").unwrap_err(), KeyringError::NotAKey(2));
        // The neutral element: every message verifies under it.
        let weak = format!("01{}", "00".repeat(31));
        assert_eq!(Keyring::parse(&weak).unwrap_err(), KeyringError::WeakKey(1));
    }
}
