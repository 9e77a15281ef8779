//! The counters on disk, so that a restart forgets nothing.

use crate::clock;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use yumen_behaviour::Behaviour;

/// How the counters are kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Roles of numbers that there is room for.
    pub numbers: usize,
    /// Where the snapshot is.
    pub snapshot: PathBuf,
    /// How often it is written.
    pub every: Duration,
    /// What keeps people from choosing numbers that fall together, where the site has one of its own.
    pub secret: Option<u64>,
    /// Whether other gateways are told.
    pub sharing: bool,
}

/// The counters as the snapshot has them; empty ones where there is none, or where it can't be used, which is logged.
#[must_use]
pub fn open(options: &Options) -> Behaviour {
    let path = &options.snapshot;
    let loaded = match File::open(path) {
        Ok(file) => {
            let (numbers, secret, sharing) = (options.numbers, options.secret, options.sharing);
            Behaviour::load(BufReader::new(file), numbers, secret, sharing, clock::now_ms())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return empty(options),
        Err(error) => Err(error.into()),
    };
    match loaded {
        Ok((behaviour, restored)) => {
            let age_s = clock::now_ms().abs_diff(restored.written_ms) / 1000;
            let (numbers, left_out) = (restored.numbers, restored.left_out);
            tracing::info!(numbers, left_out, age_s, "BehaviourRestored");
            behaviour
        }
        Err(error) => {
            let path = path.display();
            tracing::error!(%path, %error, "BehaviourSnapshotRefused: counting begins anew");
            empty(options)
        }
    }
}

fn empty(options: &Options) -> Behaviour {
    let behaviour = match options.secret {
        Some(secret) => Behaviour::with_secret(options.numbers, secret),
        None => Behaviour::new(options.numbers),
    };
    if options.sharing { behaviour.sharing() } else { behaviour }
}

/// Writes a snapshot beside the old one, and puts it in its place when it is whole and on the disk.
///
/// # Errors
/// The file system's; the old snapshot stands then.
pub fn save(behaviour: &Behaviour, path: &Path) -> io::Result<u64> {
    let new = path.with_extension("new");
    let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    let mut out = BufWriter::new(file);
    let numbers = behaviour.save(&mut out, clock::now_ms())?;
    out.flush()?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&new, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(numbers)
}

/// Writes a snapshot every so often, and one at the end.
pub async fn keep(behaviour: Arc<Behaviour>, options: Options, mut stop: watch::Receiver<bool>) {
    loop {
        let ends = tokio::select! {
            // Whoever could say so is gone: that is an end too.
            _ = stop.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(options.every) => false,
        };
        let (counted, path) = (behaviour.clone(), options.snapshot.clone());
        let saved = tokio::task::spawn_blocking(move || save(&counted, &path)).await;
        match saved {
            Ok(Ok(numbers)) => tracing::debug!(numbers, "BehaviourSaved"),
            Ok(Err(error)) => tracing::error!(%error, "BehaviourUnsaved"),
            Err(error) => tracing::error!(%error, "BehaviourUnsaved"),
        }
        if ends {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yumen_wire::event::{Address, Channel, Event};

    fn options(dir: &Path) -> Options {
        Options {
            numbers: 1024,
            snapshot: dir.join("behaviour"),
            every: Duration::from_secs(60),
            secret: None,
            sharing: false,
        }
    }

    fn counted() -> Behaviour {
        let behaviour = Behaviour::new(1024);
        let call = Event {
            channel: Channel::Call,
            originator: Address::new("13800000001"),
            destination: Address::new("13900000002"),
            time_ms: clock::now_ms(),
            ..Event::text_only("")
        };
        behaviour.attempt(&call);
        behaviour
    }

    #[test]
    fn what_was_saved_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        let before = counted();
        assert_eq!(save(&before, &options.snapshot).unwrap(), 4);
        assert_eq!(open(&options).stats().tracked, 4);
    }

    #[test]
    fn a_damaged_snapshot_begins_anew_and_a_half_one_is_never_seen() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        save(&counted(), &options.snapshot).unwrap();
        let whole = std::fs::read(&options.snapshot).unwrap();
        std::fs::write(options.snapshot.with_extension("new"), &whole[..whole.len() / 2]).unwrap();
        assert_eq!(open(&options).stats().tracked, 4);
        std::fs::write(&options.snapshot, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(open(&options).stats().tracked, 0);
        std::fs::write(&options.snapshot, b"nonsense").unwrap();
        assert_eq!(open(&options).stats().tracked, 0);
    }
}
