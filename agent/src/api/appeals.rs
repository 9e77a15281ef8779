//! Decisions that can be looked up when somebody appeals: without text or numbers, bounded, kept over a restart.
//!
//! ```text
//! question → HMAC under the site's key → appeal id       memory: the last API_APPEALS_MAX
//!                                                        disk:   appeals.jsonl, appeals.old.jsonl (half of them each)
//! ```

use super::model::Appeal;
use crate::limits::API_APPEALS_MAX;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Bytes of an id: 128 bits, as hexadecimal digits.
const ID_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
/// Longest line that is read back, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What was decided, by appeal id.
#[derive(Debug)]
pub(super) struct Appeals {
    mac: Hmac<Sha256>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    by_id: HashMap<String, Appeal>,
    order: VecDeque<String>,
    file: PathBuf,
    writer: Option<File>,
    lines: usize,
}

impl Appeals {
    /// Those of earlier runs, from `dir`.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let key = key(&dir.join("appeals.key"))?;
        let mac = Hmac::new_from_slice(&key).map_err(|_| io::ErrorKind::InvalidData)?;
        let file = dir.join("appeals.jsonl");
        let mut kept = Kept { by_id: HashMap::new(), order: VecDeque::new(), file, writer: None, lines: 0 };
        for path in [kept.old_file(), kept.file.clone()] {
            kept.lines = kept.read(&path)?;
        }
        kept.writer = Some(append_to(&kept.file)?);
        Ok(Self { mac, kept: Mutex::new(kept) })
    }

    /// The id of a question under a pack: the same for the same, and nothing of it to be read from the id.
    pub(super) fn id(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().iter().take(ID_BYTES).fold(String::new(), |mut id, byte| {
            // Writing to a String can't fail.
            let _ = write!(id, "{byte:02x}");
            id
        })
    }

    /// Keeps a decision; one that is kept already stays as it was.
    pub(super) fn keep(&self, appeal: Appeal) {
        let mut kept = self.lock();
        if kept.by_id.contains_key(&appeal.appeal_id) {
            return;
        }
        if let Err(error) = kept.write(&appeal) {
            // It can be looked up until the next start all the same.
            tracing::warn!(%error, "AppealUnwritten");
        }
        kept.remember(appeal);
    }

    /// The decision of that id.
    pub(super) fn find(&self, id: &str) -> Option<Appeal> {
        self.lock().by_id.get(id).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn old_file(&self) -> PathBuf {
        self.file.with_file_name("appeals.old.jsonl")
    }

    fn read(&mut self, path: &Path) -> io::Result<usize> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut lines = 0;
        for line in BufReader::new(file).split(b'\n') {
            let line = line?;
            lines += 1;
            // A line that a power cut halved is nobody's decision.
            if line.len() <= LINE_BYTES_MAX
                && let Ok(appeal) = serde_json::from_slice::<Appeal>(&line)
            {
                self.remember(appeal);
            }
        }
        Ok(lines)
    }

    fn remember(&mut self, appeal: Appeal) {
        if self.order.len() >= API_APPEALS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        let id = appeal.appeal_id.clone();
        if self.by_id.insert(id.clone(), appeal).is_none() {
            self.order.push_back(id);
        }
    }

    fn write(&mut self, appeal: &Appeal) -> io::Result<()> {
        if self.lines >= API_APPEALS_MAX / 2 {
            self.writer = None;
            std::fs::rename(&self.file, self.old_file())?;
            self.lines = 0;
        }
        let mut line = serde_json::to_vec(appeal)?;
        line.push(b'\n');
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(append_to(&self.file)?),
        };
        writer.write_all(&line)?;
        self.lines += 1;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// The site's key, made at the first start.
fn key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            File::open("/dev/urandom")?.read_exact(&mut key)?;
            file.write_all(&key)?;
            file.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::open(path)?.read_exact(&mut key)?;
        }
        Err(error) => return Err(error),
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::super::model::{Sentence, Verdict};
    use super::*;

    fn appeal(id: &str) -> Appeal {
        let reason = Sentence { zh: "因".to_owned(), en: "why".to_owned() };
        Appeal {
            appeal_id: id.to_owned(),
            time_ms: 7,
            channel: "sms".to_owned(),
            verdict: Verdict::Reject,
            reason,
            redress: None,
            score: 80,
            typology: Some("fraud".to_owned()),
            rules: vec!["fraud/test".to_owned()],
            pack: None,
        }
    }

    #[test]
    fn decisions_are_found_again_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let appeals = Appeals::open(dir.path()).unwrap();
        let id = appeals.id(&[b"sms", b"a", b"bc"]);
        assert_eq!(id.len(), 2 * ID_BYTES);
        assert_eq!(id, appeals.id(&[b"sms", b"a", b"bc"]));
        assert_ne!(id, appeals.id(&[b"sms", b"ab", b"c"]), "where one part ends counts");
        appeals.keep(appeal(&id));
        drop(appeals);
        let appeals = Appeals::open(dir.path()).unwrap();
        assert_eq!(appeals.find(&id).unwrap().rules, ["fraud/test"]);
        assert_eq!(id, appeals.id(&[b"sms", b"a", b"bc"]), "the key stays");
        assert!(appeals.find("0").is_none());
    }

    #[test]
    fn neither_memory_nor_disk_grow_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let appeals = Appeals::open(dir.path()).unwrap();
        for number in 0..API_APPEALS_MAX + 10 {
            appeals.keep(appeal(&number.to_string()));
        }
        assert!(appeals.find("9").is_none());
        assert!(appeals.find("10").is_some());
        assert!(appeals.find(&(API_APPEALS_MAX + 9).to_string()).is_some());
        drop(appeals);
        let again = Appeals::open(dir.path()).unwrap();
        let kept = again.lock();
        assert!(kept.order.len() <= API_APPEALS_MAX && kept.order.len() >= API_APPEALS_MAX / 2);
        assert!(kept.lines <= API_APPEALS_MAX / 2);
    }
}
