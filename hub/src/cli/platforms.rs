//! `yumen-hub export` and `yumen-hub import`: files for other platforms, and theirs.

use super::fail;
use super::trust::{Place, actor, with};
use crate::audit::{self, Action};
use crate::clock::now_ms;
use crate::clues;
use crate::config::Config;
use crate::limits::IMPORT_FILE_BYTES_MAX;
use crate::platforms::{Collection, Format, KnownGood, Parsed, Stix, import, new_clues, write, write_misp};
use crate::store::Store;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yumen_rules::verdict::Typology;

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// A file, or - for standard output; for misp a folder, which a web server makes a feed of 输出文件或目录
    output: PathBuf,
    /// stix (a bundle), csv, or misp (a feed) 格式
    #[arg(long, value_enum, default_value_t = Kind::Stix)]
    format: Kind,
    /// enforced (what every member is given) or observed (what members saw) 内容
    #[arg(long, default_value = "enforced", value_parser = collection)]
    collection: Collection,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Stix,
    Csv,
    Misp,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// A STIX bundle, a MISP event, a table with a header, or the folder of a MISP feed 文件或 MISP 源目录
    input: PathBuf,
    /// auto, stix, misp or csv
    #[arg(long, default_value = "auto")]
    format: Format,
    /// Who it is from: shown with each clue 来源
    #[arg(long)]
    origin: String,
    /// The practice of what doesn't say its own 默认类型
    #[arg(long, default_value = "fraud", value_parser = typology)]
    typology: Typology,
    #[command(flatten)]
    place: Place,
}

fn collection(text: &str) -> Result<Collection, &'static str> {
    Collection::from_id(text).ok_or("enforced or observed")
}

fn typology(text: &str) -> Result<Typology, String> {
    Typology::from_id(text).ok_or_else(|| Typology::ALL.map(Typology::id).join(", "))
}

pub(super) fn export(options: &Export) -> ExitCode {
    let written = with(&options.place, async |config: &Config, store: &Store| {
        let stix = Stix::new(&config.platforms.identity);
        let subject = format!("{:?} {}", options.format, options.collection.id()).to_lowercase();
        let shown = options.output.display().to_string();
        let noted = audit::add(store, &actor(), Action::Exported, &subject, &shown).await;
        noted.map_err(std::io::Error::other)?;
        let is_stix = match options.format {
            Kind::Misp => return write_misp(store, &stix, &options.output).await,
            Kind::Stix => true,
            Kind::Csv => false,
        };
        let mut to: Box<dyn Write + Send> = if shown == "-" {
            Box::new(std::io::stdout())
        } else {
            Box::new(std::io::BufWriter::new(std::fs::File::create(&options.output)?))
        };
        write(store, &stix, options.collection, is_stix, &mut *to).await
    });
    written.map_or_else(fail, |()| ExitCode::SUCCESS)
}

pub(super) fn take(options: &Import) -> ExitCode {
    let taken = with(&options.place, async |config: &Config, store: &Store| {
        let mut known = KnownGood::default();
        if let Some(share) = &config.share {
            known.add_rules(&share.rules);
        }
        let named = config.share.iter().flat_map(|share| &share.known_good).cloned();
        let named: std::collections::HashSet<String> = named.collect();
        let is_known_good = |kind: &str, value: &str| {
            named.contains(&format!("{kind}:{value}"))
                || known.has(kind, value)
                || KnownGood::builtin().has(kind, value)
        };
        let mut parsed = Parsed::default();
        for file in files(&options.input).map_err(|error| error.to_string())? {
            let found = read(&file).and_then(|bytes| {
                import(options.format, &bytes, now_ms(), is_known_good).map_err(|error| error.to_string())
            });
            let found = found.map_err(|error| format!("{}: {error}", file.display()))?;
            parsed.candidates.extend(found.candidates);
            parsed.skipped.extend(found.skipped);
        }
        for one in &mut parsed.candidates {
            one.typology = one.typology.or(Some(options.typology));
        }
        let what = format!("import {}", options.origin);
        let opened =
            clues::open(store, &actor(), &what, &new_clues(&parsed, &options.origin), now_ms()).await;
        opened.map(|opened| (parsed, opened)).map_err(|error| error.to_string())
    });
    match taken {
        Ok((parsed, opened)) => {
            for one in &parsed.skipped {
                eprintln!("skipped 跳过 {}: {}", one.what, one.why);
            }
            println!(
                "{} new clues, {} known, {} refused 新线索 {}，已有 {}，拒绝 {}",
                opened.new, opened.known, opened.refused, opened.new, opened.known, opened.refused
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(error),
    }
}

/// The file itself, or the events that a feed's manifest names.
fn files(input: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !input.is_dir() {
        return Ok(vec![input.to_owned()]);
    }
    let manifest = std::fs::read(input.join("manifest.json"))?;
    let manifest: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&manifest)?;
    // An id is no path.
    let ids = manifest.keys().filter_map(|id| id.parse::<uuid::Uuid>().ok());
    Ok(ids.map(|id| input.join(format!("{id}.json"))).collect())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file);
    let read = opened.and_then(|opened| opened.take(IMPORT_FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= IMPORT_FILE_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err("too large 文件过大".to_owned())
    }
}
