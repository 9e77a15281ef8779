//! `yumen-hub doctor` and `yumen-hub backup`.

use super::fail;
use crate::broker::reachable;
use crate::config::Config;
use crate::hub;
use crate::store::Store;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use yumen_compiler::sign::parse_signing_key;

/// How long a port may take to answer.
const CONNECT: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// The configuration
    #[arg(long)]
    config: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The configuration
    #[arg(long)]
    config: PathBuf,
    /// The file that is written; it must not be there yet
    output: PathBuf,
}

/// Says what is found, all of it, and fails where something is wrong.
pub(super) fn doctor(options: &Doctor) -> ExitCode {
    let config = match Config::load(&options.config) {
        Ok(config) => config,
        Err(error) => return fail(error),
    };
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let checks = [
        ("data directory 数据目录", data_dir(&config.data_dir)),
        ("database 数据库", runtime.block_on(database(&config))),
        ("broker 消息代理", broker(&config)),
        ("signing key 签名密钥", signing_key(&config)),
        ("console 控制台", console(&config)),
    ];
    let mut right = true;
    for (what, found) in checks {
        match found {
            Ok(found) => println!("ok    {what}: {found}"),
            Err(found) => {
                right = false;
                println!("WRONG {what}: {found}");
            }
        }
    }
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is right, or what is wrong.
type Found = Result<String, String>;

fn data_dir(path: &Path) -> Found {
    let probe = path.join(format!("doctor-{}", std::process::id()));
    let written = std::fs::create_dir_all(path)
        .and_then(|()| std::fs::write(&probe, [0; 4096]))
        .and_then(|()| std::fs::remove_file(&probe));
    written.map(|()| path.display().to_string()).map_err(|error| format!("{}: {error}", path.display()))
}

async fn database(config: &Config) -> Found {
    let address = hub::address(config).map_err(|error| error.to_string())?;
    let known = Store::schema(&address).await.map_err(|error| format!("{address}: {error}"))?;
    Ok(match known {
        (0, _) => format!("{address}: empty; the hub makes its tables 空库，枢纽启动时建表"),
        (found, known) if found < known => {
            format!("{address}: schema {found}, brought to {known} by the next start 下次启动时升级")
        }
        (found, _) => format!("{address}: schema {found}"),
    })
}

fn broker(config: &Config) -> Found {
    let (name, addresses) = match &config.mqtt {
        None => {
            let address = reachable(config.broker.bind);
            return match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(_) => Ok(format!("embedded, {address} answers 内置代理有应答")),
                Err(_) => Ok(format!("embedded, {address} doesn't answer: the hub isn't running 枢纽未运行")),
            };
        }
        Some(mqtt) => {
            let mqtt = mqtt.as_ref();
            let port = mqtt.port.unwrap_or(if mqtt.tls.is_some() { 8883 } else { 1883 });
            (format!("{}:{port}", mqtt.host), (&*mqtt.host, port).to_socket_addrs())
        }
    };
    let addresses = addresses.map_err(|error| format!("{name}: {error}"))?;
    let mut last = format!("{name}: no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => return Ok(format!("{name} takes connections 可连接")),
            Err(error) => last = format!("{name}: {error}"),
        }
    }
    Err(last)
}

fn signing_key(config: &Config) -> Found {
    let Some(share) = &config.share else {
        return Ok("no [share]: nothing is promoted 未配置，不提升指标".to_owned());
    };
    let path = share.signing_key.display();
    let named = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let text = std::fs::read_to_string(&share.signing_key).map_err(|error| named(&error))?;
    parse_signing_key(&text).map_err(|error| named(&error))?;
    let mode = std::fs::metadata(&share.signing_key).map_err(|error| named(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!("{path}: others may read it (mode {:o}): chmod 600 其他用户可读", mode & 0o777));
    }
    Ok(path.to_string())
}

fn console(config: &Config) -> Found {
    let address = reachable(config.http.bind);
    if TcpStream::connect_timeout(&address, CONNECT).is_err() {
        return Ok(format!("{address} doesn't answer: the hub isn't running 枢纽未运行"));
    }
    if config.http.tls.is_some() {
        return Ok(format!("{address}: answers, in TLS 应答（TLS）"));
    }
    match ureq::get(format!("http://{address}/readyz")).call() {
        Ok(_) => Ok(format!("{address}: ready 就绪")),
        Err(error) => Err(format!("{address}/readyz: {error}")),
    }
}

/// Copies the database while the hub runs.
pub(super) fn backup(options: &Backup) -> ExitCode {
    let config = match Config::load(&options.config) {
        Ok(config) => config,
        Err(error) => return fail(error),
    };
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let address = match hub::address(&config) {
        Ok(address) => address,
        Err(error) => return fail(error),
    };
    match runtime.block_on(Store::backup(&address, &options.output)) {
        Ok(()) => {
            println!("{}: written 已写入", options.output.display());
            ExitCode::SUCCESS
        }
        Err(error) => fail(format!("{address}: {error}")),
    }
}
