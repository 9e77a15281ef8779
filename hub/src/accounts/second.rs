//! The second factor: time-based codes (RFC 6238: SHA-1, 6 digits, 30 s, as every authenticator takes them), and recovery
//! codes for who lost the device. No code is taken twice.

use crate::secret::{self, NoRandomness};
use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, TOTP};

/// Seconds of a step.
const STEP_S: u64 = 30;
/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// A new secret in Base32: 160 bits, as RFC 4226 §4 advises.
pub(super) fn secret() -> Result<String, NoRandomness> {
    Ok(BASE32_NOPAD.encode(&secret::bytes::<20>()?))
}

/// The step whose code this is: the present one, or the one before or after it.
pub(super) fn step(secret: &str, code: &str, now_ms: u64) -> Option<u64> {
    let totp = totp(secret)?;
    let code: String = code.chars().filter(|char| !char.is_whitespace()).collect();
    let now = now_ms / 1000 / STEP_S;
    [now, now.saturating_sub(1), now.saturating_add(1)]
        .into_iter()
        .find(|step| secret::same(&totp.generate(step.saturating_mul(STEP_S)), &code))
}

/// What an authenticator reads from a picture.
pub(super) fn address(name: &str, secret: &str) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |escaped, byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => escaped + &char::from(byte).to_string(),
            _ => format!("{escaped}%{byte:02X}"),
        })
    };
    format!("otpauth://totp/Yumen:{}?secret={secret}&issuer=Yumen", escape(name))
}

/// New recovery codes, and what is kept of them.
pub(super) fn recovery() -> Result<(Vec<String>, String), NoRandomness> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| secret::typed()).collect::<Result<_, _>>()?;
    let kept: Vec<String> = codes.iter().map(|code| secret::digest(code)).collect();
    Ok((codes, kept.join(" ")))
}

/// What is left after a recovery code was used; none where it is no such code.
pub(super) fn without(kept: &str, code: &str) -> Option<String> {
    let digest = secret::digest(&code.trim().to_lowercase());
    let left: Vec<&str> = kept.split(' ').filter(|one| !secret::same(one, &digest)).collect();
    let left = left.join(" ");
    (left.len() < kept.len()).then_some(left)
}

fn totp(secret: &str) -> Option<TOTP> {
    let bytes = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    TOTP::new(Algorithm::SHA1, 6, 0, STEP_S, bytes).ok()
}

/// The code of a moment: what a person's device shows.
#[cfg(test)]
pub(super) fn code(secret: &str, now_ms: u64) -> String {
    totp(secret).map(|totp| totp.generate(now_ms / 1000)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of its eight digits; the secret is "12345678901234567890".
        let secret = BASE32_NOPAD.encode(b"12345678901234567890");
        for (at_s, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(step(&secret, code, at_s * 1000), Some(at_s / 30), "{at_s}");
            assert_eq!(
                step(&secret, &format!("{} {}", &code[..3], &code[3..]), at_s * 1000),
                Some(at_s / 30)
            );
        }
        assert_eq!(step(&secret, "287082", 89_000), Some(1), "the one before");
        assert_eq!(step(&secret, "287082", 120_000), None);
        assert_eq!(step(&secret, "", 59_000), None);
        assert_eq!(step("", "287082", 59_000), None);
    }

    #[test]
    fn a_recovery_code_goes_when_it_is_used() {
        let (codes, kept) = recovery().unwrap();
        let left = without(&kept, &codes[3].to_uppercase()).unwrap();
        assert_eq!(without(&left, &codes[3]), None);
        assert!(without(&left, &codes[4]).is_some());
        assert_eq!(without("", "abcd-efgh-ijkl-mnop"), None);
        assert!(!kept.contains(&codes[0]));
    }

    #[test]
    fn the_address_is_one_that_authenticators_read() {
        assert_eq!(address("li wei", "ABC"), "otpauth://totp/Yumen:li%20wei?secret=ABC&issuer=Yumen");
    }
}
