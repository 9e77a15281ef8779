//! Who this agent is: the Ed25519 key that signs what it says to the hub. The hub knows the public half since the agent was
//! enrolled, and takes nothing in the agent's name that isn't signed by it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use yumen_compiler::sign::{SigningKey, emit_public_key, parse_signing_key, signing_key, vouch};
use yumen_exchange::seal;

/// The signing key. Its text form never shows it.
pub struct Identity(SigningKey);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file can't be read or made.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no key.
    #[error("{}: 32 bytes in hexadecimal are expected", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("{}: others than its owner can read it; chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
}

impl Identity {
    /// The key's usual place.
    #[must_use]
    pub fn file(data_dir: &Path) -> PathBuf {
        data_dir.join("agent.key")
    }

    /// Reads the key; where there is none, makes a random one that only the owner can read.
    ///
    /// # Errors
    /// [`IdentityError`], never with the key in it.
    pub fn load_or_make(path: &Path) -> Result<Self, IdentityError> {
        match make(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(IdentityError::File { path: path.to_owned(), source }),
        }
        Self::load(path)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        use std::os::unix::fs::PermissionsExt;
        let failed = |source| IdentityError::File { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(IdentityError::Open { path: path.to_owned() });
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        parse_signing_key(&text).map(Self).map_err(|_| IdentityError::NoKey { path: path.to_owned() })
    }

    /// The public half, in hexadecimal: what the hub is told.
    #[must_use]
    pub fn public(&self) -> String {
        emit_public_key(&self.0)
    }

    /// Signs something beside a message: the key's id and the signature. It must begin with what it is for.
    #[must_use]
    pub fn vouch(&self, signed: &[u8]) -> (String, String) {
        vouch(&self.0, signed)
    }

    /// The user properties of a message on `topic`.
    #[must_use]
    pub fn seal(&self, topic: &str, payload: &[u8]) -> Vec<(String, String)> {
        let (key, signature) = self.vouch(&seal::signed(topic, payload));
        vec![(seal::KEY.to_owned(), key), (seal::SIGNATURE.to_owned(), signature)]
    }
}

/// With the public half only.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.public()).finish()
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut randomness = [0; 32];
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    File::open("/dev/urandom")?.read_exact(&mut randomness)?;
    let key = signing_key(&randomness);
    let hex = randomness.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    writeln!(
        file,
        "# This agent's signing key, made at its first start. Keep it secret; the hub knows it as\n# {}\n{hex}",
        emit_public_key(&key)
    )?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use yumen_matcher::{Keyring, parse_key};

    #[test]
    fn a_key_is_made_once_for_its_owner_and_its_seal_is_for_one_topic() {
        let folder = tempfile::tempdir().unwrap();
        let path = Identity::file(folder.path());
        let identity = Identity::load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Identity::load_or_make(&path).unwrap().public(), identity.public());
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.lines().last().unwrap();
        assert!(secret.len() == 64 && !format!("{identity:?}").contains(secret));

        let keyring = Keyring::new([parse_key(&identity.public()).unwrap()]);
        let properties = identity.seal("yumen/v1/a/b/sighting", b"{}");
        let (key, signature) = seal::find(&properties).unwrap();
        assert!(keyring.vouches(key, &seal::signed("yumen/v1/a/b/sighting", b"{}"), signature));
        assert!(!keyring.vouches(key, &seal::signed("yumen/v1/b/b/sighting", b"{}"), signature));
        assert!(!keyring.vouches(key, &seal::signed("yumen/v1/a/b/sighting", b"{ }"), signature));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Identity::load(&path), Err(IdentityError::Open { .. })));
    }
}
