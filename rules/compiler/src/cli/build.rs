//! `yumen rules build`.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::{Failure, Sources, check, finish, keys, pack, test};
use crate::build::{BuildOptions, build};
use crate::sign::{emit_public_key, sign};

/// What to build.
#[derive(Debug, Args)]
pub struct BuildArgs {
    #[command(flatten)]
    sources: Sources,
    /// The pack's file 输出文件
    #[arg(long, short, default_value = ".yumen/yumen.pack")]
    output: PathBuf,
    /// The pack's name 规则包名
    #[arg(long, default_value = "yumen")]
    name: String,
    /// Release channel 发布通道
    #[arg(long, default_value = "stable")]
    channel: String,
    /// Serial, which must rise; by default the seconds since 1970 序列号
    #[arg(long)]
    serial: Option<u64>,
    /// Days until gateways refuse it 有效天数
    #[arg(long, default_value_t = 90)]
    days: u64,
    /// The signing key's file; by default a development key, made on demand 签名密钥文件
    #[arg(long, conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Leave it unsigned, for `sign` on another machine 不签名
    #[arg(long)]
    unsigned: bool,
}

pub(super) fn run(args: &BuildArgs) -> ExitCode {
    finish(run_build(args))
}

fn run_build(args: &BuildArgs) -> Result<ExitCode, Failure> {
    let shown = args.sources.shown;
    let now_s = pack::now_s();
    let options = BuildOptions {
        name: args.name.clone(),
        channel: args.channel.clone(),
        serial: args.serial.unwrap_or(now_s),
        created_s: now_s,
        expires_s: now_s.saturating_add(args.days.saturating_mul(86_400)),
    };
    let started = Instant::now();
    if std::io::stderr().is_terminal() {
        eprintln!("检查、测试、生成… checking, testing, building…");
    }
    let mut built = match build(&args.sources.paths, &options) {
        Ok(built) => built,
        Err(report) => {
            shown.show(&report);
            check::totals(&report, shown);
            return Ok(ExitCode::FAILURE);
        }
    };
    shown.show(&built.report);
    check::totals(&built.report, shown);
    test::tested(&built.tests, shown);
    let signer = if args.unsigned {
        "未签名 unsigned".to_owned()
    } else {
        let key = keys::key_for_build(args.key.as_deref())?;
        sign(&mut built.bytes, &key).map_err(|error| error.to_string())?;
        emit_public_key(&key)
    };
    pack::replace(&args.output, &built.bytes)?;
    let (size, seconds) = (built.bytes.len(), started.elapsed().as_secs_f32());
    let output = args.output.display();
    shown.say(
        &format!("{output}：{size} 字节，序列号 {}，{signer}，用时 {seconds:.1} 秒", options.serial),
        &format!("{output}: {size} bytes, serial {}, {signer}, in {seconds:.1} s", options.serial),
    );
    Ok(ExitCode::SUCCESS)
}
