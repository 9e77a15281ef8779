//! Packs and times on the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use yumen_matcher::{LoadOptions, LoadedPack};

use super::{Failure, Shown};
use crate::build::{BuildOptions, pack_bytes};
use crate::embedded;
use crate::report::{Report, check_paths};

/// Seconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a command that runs once: this is where its time comes from")]
pub(super) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A pack to judge with: a file, a folder of sources, or the project's own. Whose it is and how old doesn't matter here:
/// nothing is enforced with it.
pub(super) fn load(source: Option<&Path>, shown: Shown) -> Result<Arc<LoadedPack>, Failure> {
    let is_source =
        |path: &Path| path.is_dir() || path.extension().is_some_and(|extension| extension == "toml");
    let bytes = match source {
        None => made_of(&embedded::report(), shown)?,
        Some(path) if is_source(path) => made_of(&check_paths(&[path.to_path_buf()]), shown)?,
        Some(path) => read(path)?,
    };
    loaded(&bytes)
}

/// The pack that sources make, to judge with.
pub(super) fn of_report(report: &Report, shown: Shown) -> Result<Arc<LoadedPack>, Failure> {
    loaded(&made_of(report, shown)?)
}

fn loaded(bytes: &[u8]) -> Result<Arc<LoadedPack>, Failure> {
    let cache = cache_folder();
    let options = LoadOptions { cache: cache.as_deref(), ..LoadOptions::ANYTHING };
    LoadedPack::load_untried(bytes, &options).map(Arc::new).map_err(|refusal| refusal.to_string())
}

fn made_of(report: &Report, shown: Shown) -> Result<Vec<u8>, Failure> {
    if !report.is_buildable() {
        eprint!("{}", report.render_errors(shown.lang.into()));
        return Err(shown.words("规则源文件有错误", "the rule sources have errors"));
    }
    pack_bytes(report, &BuildOptions::default()).map_err(|error| error.to_string())
}

/// Where compiled databases are kept from run to run; `None` where nothing can be kept.
fn cache_folder() -> Option<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.filter(|base| base.is_absolute()).or_else(|| Some(env::home_dir()?.join(".cache")))?;
    let folder = base.join("yumen").join("databases");
    fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file so that whoever reads it meets the old one or the new one, never half of it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = path.with_file_name(name);
    fs::write(&new, bytes).map_err(fail)?;
    fs::rename(&new, path).map_err(fail)
}

/// What a pack says about itself.
pub(super) fn describe(pack: &LoadedPack) -> String {
    let header = pack.header();
    format!(
        "{} {} · serial {} · {} – {} · sha256 {}",
        header.name(),
        header.channel(),
        header.serial,
        date(header.created_s),
        date(header.expires_s),
        pack.digest_hex()
    )
}

/// `2026-01-31`, UTC, by the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
pub(super) fn date(seconds: u64) -> String {
    let days = (seconds / 86_400).saturating_add(719_468);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    if year > 9999 { "never".to_owned() } else { format!("{year:04}-{month:02}-{day:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(1_718_710_927), "2024-06-18");
        assert_eq!(date(u64::MAX), "never");
    }
}
