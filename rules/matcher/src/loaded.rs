//! A pack that was verified, checked, compiled and tried: what a gateway swaps in.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use yumen_rules::engine::MatchError;
use yumen_rules::limits::PACK_BYTES_MAX;
use yumen_rules::pack::{Header, Layout, Pack};

use crate::canary;
use crate::engine::{Engine, EngineChoice, EngineKind, Scanner};
use crate::keyring::Keyring;
use crate::refusal::Refusal;

/// Whose packs are taken.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Those signed with a key of the keyring.
    Keyring(&'a Keyring),
    /// Any, signed or not: for the compiler, which tries what it has just made.
    Anything,
}

/// How to load a pack.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions<'a> {
    /// Whose packs are taken.
    pub trust: Trust<'a>,
    /// Now, seconds since the Unix epoch. `None` takes an expired pack too.
    pub now_s: Option<u64>,
    /// The highest serial that was in use: an older one is refused.
    pub last_serial: Option<u64>,
    /// Which engine to use.
    pub engine: EngineChoice,
    /// Folder for compiled databases.
    pub cache: Option<&'a Path>,
}

impl<'a> LoadOptions<'a> {
    /// Takes what the keyring vouches for.
    #[must_use]
    pub const fn trusting(keyring: &'a Keyring, now_s: u64) -> Self {
        Self {
            trust: Trust::Keyring(keyring),
            now_s: Some(now_s),
            last_serial: None,
            engine: EngineChoice::Auto,
            cache: None,
        }
    }

    /// Takes anything, expired or not.
    pub const ANYTHING: LoadOptions<'static> = LoadOptions {
        trust: Trust::Anything,
        now_s: None,
        last_serial: None,
        engine: EngineChoice::Auto,
        cache: None,
    };
}

/// A pack in use. Shared by all threads; each makes its [`crate::Worker`].
pub struct LoadedPack {
    bytes: Arc<[u8]>,
    layout: Layout,
    digest: [u8; 32],
    engine: Engine,
}

impl LoadedPack {
    /// Loads a pack: signature, age, every byte, patterns, and its own tests, in this order.
    ///
    /// # Errors
    /// [`Refusal`], the first reason found.
    pub fn load(bytes: &[u8], options: &LoadOptions<'_>) -> Result<Self, Refusal> {
        let loaded = Self::load_untried(bytes, options)?;
        let loaded = Arc::new(loaded);
        canary::run(&loaded)?;
        Arc::try_unwrap(loaded).map_err(|_| Refusal::Matcher("the canaries didn't end".to_owned()))
    }

    /// Loads a pack without running its own tests: for the compiler, which reports all that fail instead of the first.
    ///
    /// # Errors
    /// [`Refusal`], the first reason found.
    pub fn load_untried(bytes: &[u8], options: &LoadOptions<'_>) -> Result<Self, Refusal> {
        if bytes.len() > PACK_BYTES_MAX {
            return Err(Refusal::TooLarge(bytes.len()));
        }
        let header = Header::new_checked(bytes)?;
        if let Trust::Keyring(keyring) = options.trust {
            keyring.verify(bytes, &header)?;
        }
        if let Some(now_s) = options.now_s.filter(|now_s| *now_s >= header.expires_s) {
            return Err(Refusal::Expired { expires_s: header.expires_s, now_s });
        }
        if let Some(last_serial) = options.last_serial.filter(|last| header.serial < *last) {
            return Err(Refusal::Older { serial: header.serial, last_serial });
        }
        let layout = Layout::new_checked(bytes)?;
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let engine = Engine::build(&layout.pack(bytes), options.engine, options.cache)?;
        Ok(Self { bytes: bytes.into(), layout, digest, engine })
    }

    /// The pack.
    #[inline]
    #[must_use]
    pub fn pack(&self) -> Pack<'_> {
        self.layout.pack(&self.bytes)
    }

    /// What it says about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.layout.header()
    }

    /// The bytes, as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// SHA-256 of the bytes, in hexadecimal.
    #[must_use]
    pub fn digest_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.digest)
    }

    /// The engine that matches its patterns.
    #[must_use]
    pub const fn engine(&self) -> EngineKind {
        self.engine.kind()
    }

    /// Makes ready what would otherwise be made when a message first needs it. A gateway calls it before a swap, where it
    /// delays nobody.
    pub fn warm(&self) {
        self.engine.warm();
    }

    pub(crate) fn scanner(&self) -> Result<Scanner, MatchError> {
        self.engine.scanner()
    }
}

impl std::fmt::Debug for LoadedPack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let header = self.header();
        f.debug_struct("LoadedPack")
            .field("name", &header.name())
            .field("serial", &header.serial)
            .field("engine", &self.engine())
            .finish_non_exhaustive()
    }
}
