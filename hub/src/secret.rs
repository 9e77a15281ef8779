//! Random secrets, and how they are kept: by their SHA-256, so that the database gives nobody a way in.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The system gives no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

/// Random bytes.
///
/// # Errors
/// [`NoRandomness`].
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// 256 random bits in hexadecimal.
///
/// # Errors
/// [`NoRandomness`].
pub fn token() -> Result<String, NoRandomness> {
    Ok(HEXLOWER.encode(&bytes::<32>()?))
}

/// 80 random bits, to be read and typed: `abcd-efgh-ijkl-mnop`.
///
/// # Errors
/// [`NoRandomness`].
pub fn typed() -> Result<String, NoRandomness> {
    let text = BASE32_NOPAD.encode(&bytes::<10>()?).to_ascii_lowercase();
    let groups: Vec<&str> =
        text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    Ok(groups.join("-"))
}

/// What is kept of a secret that was drawn here: SHA-256 in hexadecimal. Enough for 80 random bits and more, and not for
/// a password.
#[must_use]
pub fn digest(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// Something else that whoever has the secret can make, and nobody can make the secret of.
#[must_use]
pub fn derived(secret: &str, purpose: &str) -> String {
    digest(&format!("{purpose}\0{secret}"))
}

/// Whether two texts are the same, in a time that doesn't tell where they differ.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_have_their_form() {
        let (one, two) = (token().unwrap(), token().unwrap());
        assert!(one.len() == 64 && one != two && !same(&one, &two) && same(&one, &one));
        let typed = typed().unwrap();
        assert!(typed.len() == 19 && typed.split('-').all(|group| group.len() == 4), "{typed}");
        assert_ne!(derived(&one, "a"), derived(&one, "b"));
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
