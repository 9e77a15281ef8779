//! `yumen rules new`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use yumen_rules::verdict::Typology;

use super::{Failure, finish, pack};
use crate::check::id_form;
use crate::skeleton;

/// What to start.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The rule's id, such as `fraud/fake-refund` 规则编号
    id: String,
    /// The practice; by default what the id begins with 类型
    #[arg(long)]
    typology: Option<String>,
    /// Write it here instead of standard output; a file that is there stays 输出文件
    #[arg(long, short)]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &NewArgs) -> ExitCode {
    finish(start(args))
}

fn start(args: &NewArgs) -> Result<ExitCode, Failure> {
    if !id_form(&args.id) {
        return Err(format!(
            "{}: 编号写成 `目录/名字` an id is `folder/name`, in a–z, 0–9 and hyphens",
            args.id
        ));
    }
    let folder = args.id.split('/').next().unwrap_or_default();
    let name = args.typology.as_deref().unwrap_or(folder);
    let typology = Typology::from_id(name).ok_or_else(|| {
        format!("{name}: --typology 应为 must be one of {}", Typology::ALL.map(Typology::id).join(", "))
    })?;
    let text = skeleton::rule(&args.id, typology);
    match &args.output {
        Some(file) if file.exists() => return Err(format!("{}: 已存在 is there already", file.display())),
        Some(file) => pack::replace(file, text.as_bytes())?,
        None => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}
