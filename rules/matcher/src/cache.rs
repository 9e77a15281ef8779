//! Compiled databases on disk, by the digest of the pack's patterns, the library's version and what the processor can do.
//!
//! Hyperscan must never be handed bytes it didn't make, so a file begins with a magic and the SHA-256 of the rest; the folder is
//! for the owner alone. A file that isn't right is compiled again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ::hyperscan::{BlockDatabase, SerializedDatabase};
use sha2::{Digest, Sha256};
use yumen_rules::signal::View;

use crate::limits::{CACHE_FILE_BYTES_MAX, CACHE_FILES_MAX};

/// Why a cached database isn't used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Miss {
    /// There is none.
    #[error("there is none")]
    Absent,
    /// It can't be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It isn't what was written.
    #[error("it is damaged")]
    Damaged,
    /// Others than its owner could have written it.
    #[error("its folder can be written by others")]
    OpenFolder,
    /// The library doesn't take it.
    #[error("the library refuses it: {0}")]
    Refused(::hyperscan::Error),
}

type Views = [Option<BlockDatabase>; View::COUNT];

const MAGIC: &[u8; 8] = b"YUMENHS1";
const DIGEST_LEN: usize = 32;
const EXTENSION: &str = "hsdb";

/// Where the database of these patterns stands.
pub(crate) fn path(folder: &Path, digest: &[u8; 32], version: &str) -> PathBuf {
    let digest = data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default());
    folder.join(format!("{digest}-{version}-{}.{EXTENSION}", processor()))
}

/// Reads the databases of a pack.
pub(crate) fn load(path: &Path) -> Result<Views, Miss> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Miss::Absent),
        Err(error) => return Err(Miss::Unreadable(error)),
    };
    if path.parent().is_some_and(is_open) {
        return Err(Miss::OpenFolder);
    }
    if length > CACHE_FILE_BYTES_MAX {
        return Err(Miss::Damaged);
    }
    let bytes = fs::read(path).map_err(Miss::Unreadable)?;
    let rest = bytes.strip_prefix(MAGIC).ok_or(Miss::Damaged)?;
    let (digest, mut rest) = rest.split_at_checked(DIGEST_LEN).ok_or(Miss::Damaged)?;
    if Sha256::digest(rest).as_slice() != digest {
        return Err(Miss::Damaged);
    }
    let mut views = [const { None }; View::COUNT];
    for slot in &mut views {
        let (length, after) = rest.split_first_chunk::<8>().ok_or(Miss::Damaged)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Miss::Damaged)?;
        let (database, after) = after.split_at_checked(length).ok_or(Miss::Damaged)?;
        if !database.is_empty() {
            *slot = Some(database.deserialize().map_err(Miss::Refused)?);
        }
        rest = after;
    }
    if rest.is_empty() { Ok(views) } else { Err(Miss::Damaged) }
}

/// Writes the databases of a pack, whole or not at all, and drops the oldest of too many.
pub(crate) fn store(folder: &Path, path: &Path, views: &Views) -> io::Result<()> {
    let mut body = Vec::new();
    for view in views {
        let serialised =
            view.as_ref().map(|database| database.serialize()).transpose().map_err(io::Error::other)?;
        let bytes = serialised.as_deref().unwrap_or_default();
        body.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        body.extend_from_slice(bytes);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.append(&mut body);
    create_folder(folder)?;
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, &bytes)?;
    fs::rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    prune(folder)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether group or others may write into a folder.
fn is_open(folder: &Path) -> bool {
    #[cfg(unix)]
    {
        let mode = |metadata: fs::Metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        fs::metadata(folder).map_or(true, |metadata| mode(metadata) & 0o022 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

fn prune(folder: &Path) -> io::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    files.sort();
    let excess = files.len().saturating_sub(CACHE_FILES_MAX);
    files.iter().take(excess).try_for_each(|(_, path)| fs::remove_file(path))
}

/// What the processor can do that changes a database.
fn processor() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512vbmi") {
            return "avx512vbmi";
        }
        if std::arch::is_x86_feature_detected!("avx512bw") {
            return "avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    std::env::consts::ARCH
}
