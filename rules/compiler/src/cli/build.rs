//! `yumen rules build`.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::{Failure, Shown, Sources, check, finish, keys, pack, test};
use crate::build::{BuildOptions, Built, build};
use crate::edge;
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
    /// For gateways, or the subset that fits a small device 用途：网关，或小型设备可容纳的子集
    #[arg(long, value_enum, default_value_t = Profile::Gateway)]
    profile: Profile,
    /// Bytes that the device has for it, such as 512K; with --profile edge 设备可用的闪存大小
    #[arg(long, default_value = "512K", value_parser = flash_bytes)]
    flash: usize,
    /// With --profile edge: also write the same rules as a gateway's pack here, to compare verdicts 另存可供网关比对的同规则包
    #[arg(long)]
    twin: Option<PathBuf>,
}

/// Who a pack is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// A gateway.
    Gateway,
    /// A small device.
    Edge,
}

/// `524288`, `512K` or `1M`.
fn flash_bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'k']) {
        Some(digits) => (digits, 1 << 10),
        None => text.strip_suffix(['M', 'm']).map_or((text, 1), |digits| (digits, 1 << 20)),
    };
    let number: Option<usize> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "a number of bytes, such as 524288, 512K or 1M 字节数".to_owned())
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
    if args.profile == Profile::Edge {
        let (bytes, twin) = fitted(&built, &options, args.flash, shown)?;
        if let Some(file) = &args.twin {
            pack::replace(file, &signed(twin, args)?)?;
        }
        built.bytes = bytes;
    }
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

fn signed(mut bytes: Vec<u8>, args: &BuildArgs) -> Result<Vec<u8>, Failure> {
    if !args.unsigned {
        let key = keys::key_for_build(args.key.as_deref())?;
        sign(&mut bytes, &key).map_err(|error| error.to_string())?;
    }
    Ok(bytes)
}

/// The pack for a device and its twin, and what was said about them.
fn fitted(
    built: &Built,
    options: &BuildOptions,
    flash: usize,
    shown: Shown,
) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let fitted = edge::fit(built, options, flash).map_err(|error| error.to_string())?;
    let recall = edge::recall(built, &fitted).map_err(|error| error.to_string())?;
    for out in &fitted.left_out {
        let (zh, en) = match out.reason {
            edge::Reason::Flash => ("容量不足", "no room"),
            edge::Reason::Expression => ("正则表达式过长", "an expression is too long"),
            edge::Reason::Classifier => ("分类器未收入", "the classifier stayed out"),
        };
        shown.say(&format!("未收入 {}：{zh}", out.id), &format!("left out {}: {en}", out.id));
    }
    let (parts, kept, all) = (fitted.parts, fitted.rules, built.report.draft.rules.len());
    shown.say(
        &format!(
            "设备版：{kept}/{all} 条规则，{} 个模式，自动机 {} 字节（{} 节点，{} 个表达式，其中 {} 个逐条尝试）；规则自带例句拦截 {}/{}，网关版为 {}",
            parts.patterns, parts.bytes, parts.nodes, parts.programs, parts.always, recall.device, recall.texts, recall.gateway
        ),
        &format!(
            "for a device: {kept} of {all} rules, {} patterns, automaton of {} bytes ({} nodes, {} expressions, {} of them tried on every text); \
             of the rules' own hit texts it blocks {} of {}, a gateway {}",
            parts.patterns, parts.bytes, parts.nodes, parts.programs, parts.always, recall.device, recall.texts, recall.gateway
        ),
    );
    Ok((fitted.bytes, fitted.twin))
}
