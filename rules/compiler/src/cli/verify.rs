//! `yumen rules verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Failure, finish, keys, pack};
use crate::verify;
use yumen_matcher::Keyring;

/// What to verify.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The pack 规则包文件
    pack: PathBuf,
    /// Public keys, one a line; by default the development key's 公钥文件
    #[arg(long)]
    keyring: Option<PathBuf>,
}

pub(super) fn run(args: &VerifyArgs) -> ExitCode {
    finish(run_verify(args))
}

fn run_verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let file = args.keyring.clone().unwrap_or_else(|| keys::public_file(Path::new(keys::DEVELOPMENT_KEY)));
    let text = String::from_utf8(pack::read(&file)?).unwrap_or_default();
    let keyring = Keyring::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let loaded = verify(&pack::read(&args.pack)?, &keyring, pack::now_s())
        .map_err(|refusal| format!("{}: 拒绝 refused: {refusal}", args.pack.display()))?;
    println!("{}: 有效 valid", args.pack.display());
    println!("{}", pack::describe(&loaded));
    Ok(ExitCode::SUCCESS)
}
