//! Signing packs, and the key files for it.

pub use ed25519_dalek::SigningKey;
use ed25519_dalek::{SECRET_KEY_LENGTH, Signer};
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

/// Signs something beside a pack: the first 8 bytes of the public key and the signature, both in hexadecimal. What is signed
/// must begin with what it is for, so that no signature serves two purposes.
#[must_use]
pub fn vouch(key: &SigningKey, signed: &[u8]) -> (String, String) {
    let public = key.verifying_key();
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    (hex(public.as_bytes().get(..8).unwrap_or_default()), hex(&key.sign(signed).to_bytes()))
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

#[cfg(test)]
mod tests {
    use yumen_matcher::{EngineChoice, Keyring, LoadOptions, LoadedPack, parse_key};
    use yumen_rules::pack::FORMAT_VERSION;

    use super::*;
    use crate::draft::PackDraft;
    use crate::emit::emit;

    fn key(seed: u8) -> SigningKey {
        signing_key(&[seed; SECRET_KEY_LENGTH])
    }

    fn pack(serial: u64, expires_s: u64) -> Vec<u8> {
        let name = "refusals".to_owned();
        emit(&PackDraft { name, channel: "stable".to_owned(), serial, expires_s, ..PackDraft::default() })
            .unwrap()
    }

    fn signed(mut bytes: Vec<u8>, seed: u8) -> Vec<u8> {
        sign(&mut bytes, &key(seed)).unwrap();
        bytes
    }

    fn with(mut bytes: Vec<u8>, at: usize, value: &[u8]) -> Vec<u8> {
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    }

    /// The same change before and after signing: what is refused for its signature, and what would be refused with a right one.
    fn resigned(bytes: Vec<u8>, at: usize, value: &[u8]) -> Vec<u8> {
        let mut bytes = with(bytes, at, value);
        let key = key(1);
        let (body, signature) = bytes.split_last_chunk_mut::<SIGNATURE_LEN>().unwrap();
        *signature = key.sign(body).to_bytes();
        bytes
    }

    #[test]
    fn each_defect_is_refused_with_its_own_reason() {
        let good = signed(pack(5, 2_000), 1);
        let end = good.len();
        let fixtures: [(&str, Vec<u8>, &str); 14] = [
            ("empty", Vec::new(), "damaged"),
            ("not-a-pack", b"[[rule]]\nid = \"fraud/x\"\n".to_vec(), "damaged"),
            ("cut-in-header", good[..100].to_vec(), "damaged"),
            ("cut-in-signature", good[..end - 1].to_vec(), "damaged"),
            ("longer-than-it-says", [good.clone(), vec![0]].concat(), "damaged"),
            ("changed-after-signing", with(good.clone(), 440, &[0xFF]), "bad-signature"),
            ("serial-raised-after-signing", with(good.clone(), 16, &9u64.to_le_bytes()), "bad-signature"),
            (
                "signature-of-another-pack",
                with(good.clone(), end - 64, &signed(pack(6, 2_000), 1)[end - 64..]),
                "bad-signature",
            ),
            ("not-signed", pack(5, 2_000), "unsigned"),
            ("foreign-signed", signed(pack(5, 2_000), 2), "foreign-key"),
            ("expired", signed(pack(5, 1_000), 1), "expired"),
            ("older", signed(pack(4, 2_000), 1), "older"),
            ("newer-format", resigned(good.clone(), 8, &(FORMAT_VERSION + 1).to_le_bytes()), "incompatible"),
            ("offsets-beyond-the-end", resigned(good.clone(), 128 + 4, &u32::MAX.to_le_bytes()), "damaged"),
        ];
        let keyring = Keyring::new([key(1).verifying_key()]);
        let options = LoadOptions {
            last_serial: Some(5),
            engine: EngineChoice::Rust,
            ..LoadOptions::trusting(&keyring, 1_000)
        };
        assert_eq!(LoadedPack::load(&good, &options).unwrap().header().serial, 5);
        for (name, bytes, code) in fixtures {
            let refused = LoadedPack::load(&bytes, &options).err().map(|refusal| refusal.code());
            assert_eq!(refused, Some(code), "{name}");
        }
        let newer_engine = resigned(good.clone(), 40, &u16::MAX.to_le_bytes());
        let other_folding = resigned(good, 42, &u16::MAX.to_le_bytes());
        for bytes in [newer_engine, other_folding] {
            assert_eq!(LoadedPack::load(&bytes, &options).unwrap_err().code(), "incompatible");
        }
    }

    #[test]
    fn key_files_come_back() {
        let key = key(3);
        assert_eq!(parse_signing_key(&emit_signing_key(&key)).unwrap().to_bytes(), key.to_bytes());
        assert_eq!(parse_key(&emit_public_key(&key)), Some(key.verifying_key()));
        assert_eq!(parse_signing_key("# nothing\nabc"), Err(KeyFileError));
    }

    #[test]
    fn a_cached_database_is_used_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = emit(&crate::bench::draft(40, 8)).unwrap();
        let options = LoadOptions { cache: Some(folder.path()), ..LoadOptions::ANYTHING };
        let files = || -> Vec<_> {
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        let first = LoadedPack::load(&bytes, &options).unwrap();
        if first.engine().name() == "rust" {
            assert!(files().is_empty(), "nothing to cache without Hyperscan");
            return;
        }
        let [file] = files().try_into().unwrap();
        let written = std::fs::read(&file).unwrap();
        for damage in [0, 20, written.len() / 2, written.len() - 1] {
            let mut damaged = written.clone();
            damaged[damage] ^= 1;
            std::fs::write(&file, &damaged).unwrap();
            LoadedPack::load(&bytes, &options).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), written, "compiled again and written again");
        }
        let modified = || std::fs::metadata(&file).unwrap().modified().unwrap();
        let before = modified();
        LoadedPack::load(&bytes, &options).unwrap();
        assert_eq!(modified(), before, "a good one is only read");
        assert_eq!(files().len(), 1, "nothing else is left behind");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        LoadedPack::load(&bytes, &options).unwrap();
        assert!(modified() > before, "one that others could have written is made again");
    }
}
