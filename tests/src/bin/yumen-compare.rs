//! `yumen-compare PATH…`: every capture below the paths, as Yumen reads it and as tshark does; a table of fields.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yumen_tests::compare::{Table, compare, installed};

fn main() -> Result<ExitCode> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        eprintln!("yumen-compare PATH…: captures, or folders of them 抓包文件或目录");
        return Ok(ExitCode::from(2));
    }
    eprintln!("{}", installed()?);
    let mut table = Table::default();
    let mut files = 0;
    for path in &paths {
        each(path, &mut |file| {
            table.next_file();
            files += 1;
            compare(file, &mut table).with_context(|| file.display().to_string())
        })?;
    }
    print!("{table}");
    eprintln!("{files} files");
    Ok(if table.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The captures of a folder, in their order.
fn each(path: &Path, take: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    if !path.is_dir() {
        return take(path);
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    for entry in entries {
        let is_capture = entry
            .extension()
            .is_some_and(|kind| ["pcap", "cap", "pcapng"].iter().any(|known| kind == *known));
        if entry.is_dir() || is_capture {
            each(&entry, take)?;
        }
    }
    Ok(())
}
