//! Passwords: Argon2id, version 0x13, 19 MiB, 2 passes, 1 lane (the crate's defaults, and OWASP's advice).

use crate::secret::{self, NoRandomness};
use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

/// Shortest password in characters (NIST SP 800-63B asks for 8, and 15 where it stands alone).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest in bytes.
const PASSWORD_BYTES_MAX: usize = 256;

/// Why a password was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error(
        "a password has {PASSWORD_CHARS_MIN} characters or more, and at most {PASSWORD_BYTES_MAX} bytes 口令至少 {PASSWORD_CHARS_MIN} 个字符"
    )]
    Length,
    /// The person's own name, or one character over and over.
    #[error("this password is too easy to guess 口令过于简单")]
    Guessable,
    /// No randomness for its salt.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The crate's own.
    #[error("the password can't be hashed: {0}")]
    Hash(String),
}

/// What is kept of a password. Takes some 20 ms and 19 MiB: call it off the runtime.
///
/// # Errors
/// [`PasswordError`].
pub(super) fn hash(name: &str, password: &str) -> Result<String, PasswordError> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::Length);
    }
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 || password.to_lowercase().contains(&name.to_lowercase()) {
        return Err(PasswordError::Guessable);
    }
    let failed = |error: argon2::password_hash::Error| PasswordError::Hash(error.to_string());
    let salt = SaltString::encode_b64(&secret::bytes::<16>()?).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether it is the password. As slow as [`hash`], also where there is nobody of the name (`kept` is none): how long it
/// takes tells nothing.
pub(super) fn is_right(password: &str, kept: Option<&str>) -> bool {
    let parsed = kept.and_then(|kept| PasswordHash::new(kept).ok());
    match parsed {
        Some(kept) if password.len() <= PASSWORD_BYTES_MAX => {
            Argon2::default().verify_password(password.as_bytes(), &kept).is_ok()
        }
        _ => {
            let mut ignored = [0; 32];
            let _ = Argon2::default().hash_password_into(b"nobody", b"a salt of nobody", &mut ignored);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_is_right_and_bad_ones_are_not_taken() {
        let kept = hash("li", "correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right("correct horse battery", Some(&kept)));
        assert!(!is_right("correct horse batterx", Some(&kept)) && !is_right("", Some(&kept)));
        assert!(!is_right("correct horse battery", None) && !is_right("nobody", Some("not a hash")));
        assert_ne!(kept, hash("li", "correct horse battery").unwrap(), "each has a salt of its own");
        assert_eq!(hash("li", "short"), Err(PasswordError::Length));
        assert_eq!(hash("li", &"ab".repeat(200)), Err(PasswordError::Length));
        assert_eq!(hash("li", "aaaaaaaaaaaaaaa"), Err(PasswordError::Guessable));
        assert_eq!(hash("zhangwei", "Zhangwei-2026!"), Err(PasswordError::Guessable));
        assert!(hash("li", "一二三四五六七八九十甲乙").is_ok(), "characters are counted, not bytes");
    }
}
