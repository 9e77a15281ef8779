//! `yumen rules fmt`.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, exit, finish, pack};
use crate::format::format;
use crate::limits::SOURCE_BYTES_MAX;
use crate::source::map::source_paths;

/// What to format.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Folders or files of rules; `-` reads standard input and writes standard output 规则目录或文件
    #[arg(default_value = "rules/packs")]
    paths: Vec<PathBuf>,
    /// Write nothing; say which files aren't formatted, and fail if there are any 只检查
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &FmtArgs) -> ExitCode {
    finish(run_fmt(args))
}

fn run_fmt(args: &FmtArgs) -> Result<ExitCode, Failure> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        let mut text = String::new();
        let read = io::stdin().lock().take(SOURCE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| error.to_string())?;
        let formatted = format(&text).map_err(|error| error.to_string())?;
        let same = formatted == text;
        if !args.check {
            print!("{formatted}");
        }
        return Ok(exit(same || !args.check));
    }
    let (mut files, mut changed) = (0usize, 0usize);
    for path in &args.paths {
        let found = source_paths(path).map_err(|error| format!("{}: {error}", path.display()))?;
        for file in found {
            let name = file.display();
            let text = fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
            let formatted = format(&text).map_err(|error| format!("{name}: {error}"))?;
            files = files.saturating_add(1);
            if formatted == text {
                continue;
            }
            changed = changed.saturating_add(1);
            println!("{name}");
            if !args.check {
                pack::replace(&file, formatted.as_bytes())?;
            }
        }
    }
    eprintln!("{files} 个文件，{changed} 个需要整理 {files} files, {changed} to format");
    Ok(exit(!args.check || changed == 0))
}
