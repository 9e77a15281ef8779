//! `yumen rules keygen` and `yumen rules sign`: signing keys, and signing apart from building.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey};

use super::{Failure, finish, pack};
use crate::sign::{self, emit_public_key, emit_signing_key, parse_signing_key};

/// The key that builds sign with where none is named. It is made on demand, and belongs to this machine alone.
pub(super) const DEVELOPMENT_KEY: &str = ".yumen/dev-key";

/// What to sign.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The pack, signed in place 规则包文件
    pack: PathBuf,
    /// The signing key's file 签名密钥文件
    #[arg(long)]
    key: PathBuf,
    /// Write the signed pack here instead 另存为
    #[arg(long, short)]
    output: Option<PathBuf>,
}

pub(super) fn sign(args: &SignArgs) -> ExitCode {
    finish(sign_file(args))
}

fn sign_file(args: &SignArgs) -> Result<ExitCode, Failure> {
    let key = read_key(&args.key)?;
    let mut bytes = pack::read(&args.pack)?;
    sign::sign(&mut bytes, &key).map_err(|error| format!("{}: {error}", args.pack.display()))?;
    let output = args.output.as_ref().unwrap_or(&args.pack);
    pack::replace(output, &bytes)?;
    println!("{} 已签名 signed · {}", output.display(), emit_public_key(&key));
    Ok(ExitCode::SUCCESS)
}

/// Where to write a key.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// File for the secret key; the public one goes beside it with .pub 密钥文件
    #[arg(default_value = DEVELOPMENT_KEY)]
    file: PathBuf,
}

pub(super) fn keygen(args: &KeygenArgs) -> ExitCode {
    finish(generate(&args.file).map(|key| {
        let public = public_file(&args.file);
        println!("{} (secret 私钥), {} (keyring 公钥)", args.file.display(), public.display());
        println!("{}", emit_public_key(&key));
        ExitCode::SUCCESS
    }))
}

/// The key in a file; for the development key, a new one where there is none yet.
pub(super) fn key_for_build(file: Option<&Path>) -> Result<SigningKey, Failure> {
    match file {
        Some(file) => read_key(file),
        None if Path::new(DEVELOPMENT_KEY).exists() => read_key(Path::new(DEVELOPMENT_KEY)),
        None => {
            eprintln!("{DEVELOPMENT_KEY}: 新建的开发密钥 a new development key, for this machine only");
            generate(Path::new(DEVELOPMENT_KEY))
        }
    }
}

/// The keyring file beside a secret key.
pub(super) fn public_file(secret: &Path) -> PathBuf {
    let mut name = secret.as_os_str().to_os_string();
    name.push(".pub");
    PathBuf::from(name)
}

fn read_key(file: &Path) -> Result<SigningKey, Failure> {
    let text = String::from_utf8(pack::read(file)?).unwrap_or_default();
    parse_signing_key(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Makes a key and writes it for its owner's eyes only. A key that is there already stays.
fn generate(file: &Path) -> Result<SigningKey, Failure> {
    let fail = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut randomness = [0; SECRET_KEY_LENGTH];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut randomness)).map_err(fail)?;
    let key = sign::signing_key(&randomness);
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut secret = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(fail)?;
    secret.write_all(emit_signing_key(&key).as_bytes()).map_err(fail)?;
    pack::replace(&public_file(file), format!("{}\n", emit_public_key(&key)).as_bytes())?;
    Ok(key)
}
