//! Who may ask, and how often. Tokens are kept as digests and compared in constant time.

use super::problem::Problem;
use crate::limits::{API_BATCH_MAX, API_CERTIFICATES_MAX, API_TOKEN_BYTES_MIN, API_TOKENS_MAX};
use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use subtle::ConstantTimeEq as _;

/// Why a file with tokens isn't taken; never with a token in it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It can't be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line isn't `name token`.
    #[error("{}:{line}: a line has a name and a token of {API_TOKEN_BYTES_MIN} bytes or more", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// None, or too many.
    #[error("{}: 1 to {API_TOKENS_MAX} tokens are taken", path.display())]
    Count {
        /// The file.
        path: PathBuf,
    },
}

/// Who may ask.
#[derive(Debug)]
pub(super) struct Access {
    file: Option<PathBuf>,
    tokens: ArcSwap<Vec<Token>>,
    rate_max: u32,
    /// By the certificate's digest; `None` is everybody on this machine, where nobody needs to be known.
    others: Mutex<HashMap<Option<[u8; 32]>, Bucket>>,
}

#[derive(Debug)]
struct Token {
    name: String,
    digest: [u8; 32],
    bucket: Mutex<Bucket>,
}

impl Access {
    pub(super) fn new(file: Option<PathBuf>, rate_max: u32) -> Result<Self, TokenError> {
        let tokens = file.as_deref().map(|file| load(file, rate_max)).transpose()?.unwrap_or_default();
        Ok(Self { file, tokens: ArcSwap::from_pointee(tokens), rate_max, others: Mutex::default() })
    }

    /// Reads the tokens again; the old ones stay where the file can't be taken.
    pub(super) fn reload(&self) -> Result<(), TokenError> {
        if let Some(file) = &self.file {
            self.tokens.store(std::sync::Arc::new(load(file, self.rate_max)?));
        }
        Ok(())
    }

    /// Whoever shows this header and certificate may ask, or not.
    pub(super) fn identify(
        &self,
        authorization: Option<&[u8]>,
        certificate: Option<[u8; 32]>,
    ) -> Result<Caller, Problem> {
        if self.file.is_none() {
            return Ok(Caller { token: None, certificate });
        }
        let shown = authorization.and_then(bearer).ok_or_else(Problem::unauthorized)?;
        let digest: [u8; 32] = Sha256::digest(shown).into();
        // Every token is looked at, and every octet of each: the time tells nothing.
        let tokens = self.tokens.load();
        let found = tokens.iter().enumerate().fold(None, |found, (at, token)| {
            if token.digest.ct_eq(&digest).into() { Some(at) } else { found }
        });
        let token = found.and_then(|at| tokens.get(at)).ok_or_else(Problem::unauthorized)?;
        Ok(Caller { token: Some(token.name.clone()), certificate })
    }

    /// Takes so many decisions from the caller's rate.
    pub(super) fn charge(&self, caller: &Caller, decisions: usize, now: Instant) -> Result<(), Problem> {
        let taken = match &caller.token {
            Some(name) => {
                let tokens = self.tokens.load();
                let Some(token) = tokens.iter().find(|token| token.name == *name) else {
                    return Err(Problem::unauthorized());
                };
                lock(&token.bucket).take(decisions, self.rate_max, now)
            }
            None => {
                let mut others = lock(&self.others);
                if others.len() >= API_CERTIFICATES_MAX && !others.contains_key(&caller.certificate) {
                    let oldest = others.iter().min_by_key(|(_, bucket)| bucket.at).map(|(key, _)| *key);
                    oldest.and_then(|key| others.remove(&key));
                }
                let bucket =
                    others.entry(caller.certificate).or_insert_with(|| Bucket::full(self.rate_max, now));
                bucket.take(decisions, self.rate_max, now)
            }
        };
        if taken { Ok(()) } else { Err(Problem::rate_limited()) }
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    token: Option<String>,
    certificate: Option<[u8; 32]>,
}

/// Fills up at the rate, to what a second brings.
#[derive(Debug)]
struct Bucket {
    /// Millionths of a decision.
    level: u64,
    at: Instant,
}

const WHOLE: u64 = 1_000_000;

impl Bucket {
    fn full(rate: u32, now: Instant) -> Self {
        Self { level: burst(rate), at: now }
    }

    fn take(&mut self, decisions: usize, rate: u32, now: Instant) -> bool {
        let elapsed_us =
            u64::try_from(now.saturating_duration_since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        self.level = self.level.saturating_add(elapsed_us.saturating_mul(u64::from(rate))).min(burst(rate));
        let cost = u64::try_from(decisions).unwrap_or(u64::MAX).saturating_mul(WHOLE);
        let enough = self.level >= cost;
        if enough {
            self.level -= cost;
        }
        enough
    }
}

/// A second's worth, and never less than a batch.
fn burst(rate: u32) -> u64 {
    u64::from(rate).max(u64::try_from(API_BATCH_MAX).unwrap_or(u64::MAX)).saturating_mul(WHOLE)
}

fn load(path: &Path, rate_max: u32) -> Result<Vec<Token>, TokenError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| TokenError::File { path: path.to_owned(), source })?;
    let now = Instant::now();
    let mut tokens = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [name, token] = parts[..] else {
            return Err(TokenError::Line { path: path.to_owned(), line: index + 1 });
        };
        if token.len() < API_TOKEN_BYTES_MIN {
            return Err(TokenError::Line { path: path.to_owned(), line: index + 1 });
        }
        let bucket = Mutex::new(Bucket::full(rate_max, now));
        tokens.push(Token { name: name.to_owned(), digest: Sha256::digest(token).into(), bucket });
    }
    if tokens.is_empty() || tokens.len() > API_TOKENS_MAX {
        return Err(TokenError::Count { path: path.to_owned() });
    }
    Ok(tokens)
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_token_is_known_and_nothing_near_it() {
        let file = file("# comment\npbx 0123456789abcdef0123\n\ncrm fedcba98765432100000\n");
        let access = Access::new(Some(file.path().to_owned()), 10).unwrap();
        let name = |header: &str| access.identify(Some(header.as_bytes()), None).map(|caller| caller.token);
        assert_eq!(name("Bearer 0123456789abcdef0123").unwrap().as_deref(), Some("pbx"));
        assert_eq!(name("bearer fedcba98765432100000").unwrap().as_deref(), Some("crm"));
        for wrong in
            ["Bearer 0123456789abcdef0124", "Bearer ", "Basic 0123456789abcdef0123", "", "Bearer pbx"]
        {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        assert!(access.identify(None, None).is_err());
        std::fs::write(file.path(), "crm fedcba98765432100000\n").unwrap();
        access.reload().unwrap();
        assert!(name("Bearer 0123456789abcdef0123").is_err(), "taken back");
        std::fs::write(file.path(), "broken\n").unwrap();
        assert!(access.reload().is_err());
        assert!(name("Bearer fedcba98765432100000").is_ok(), "the old ones stay");
    }

    #[test]
    fn a_refused_file_does_not_show_its_tokens() {
        for text in ["name short\n", "only-secret-secret-secret\n", "", "a secretsecretsecret b\n"] {
            let file = file(text);
            let error = Access::new(Some(file.path().to_owned()), 10).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_rate_is_kept_for_each() {
        let file = file("pbx 0123456789abcdef0123\ncrm fedcba98765432100000\n");
        let access = Access::new(Some(file.path().to_owned()), 200).unwrap();
        let caller = |header: &str| access.identify(Some(header.as_bytes()), None).unwrap();
        let (pbx, crm) = (caller("Bearer 0123456789abcdef0123"), caller("Bearer fedcba98765432100000"));
        let now = Instant::now();
        assert!(access.charge(&pbx, 100, now).is_ok() && access.charge(&pbx, 100, now).is_ok());
        assert!(access.charge(&pbx, 1, now).is_err());
        assert!(access.charge(&crm, 100, now).is_ok());
        assert!(access.charge(&pbx, 100, now + Duration::from_millis(500)).is_ok());
        assert!(access.charge(&pbx, 1, now + Duration::from_millis(500)).is_err());
    }
}
