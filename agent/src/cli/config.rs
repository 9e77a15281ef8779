//! `yumen config`.

use super::fail;
use crate::config::Config;
use clap::Subcommand;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say whether a file is right, and where it isn't 检查配置文件
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print the JSON schema, for editors 输出 JSON Schema
    Schema,
    /// Print an example with every field 输出包含全部字段的示例
    Example,
}

pub(super) fn run(command: ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Check { file } => match Config::load(&file) {
            Ok(config) => {
                println!("{}: ok, {} listener(s) 配置正确", file.display(), config.listeners.len());
                ExitCode::SUCCESS
            }
            Err(error) => fail(error),
        },
        ConfigCommand::Schema => match serde_json::to_string_pretty(&schemars::schema_for!(Config)) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(error),
        },
        ConfigCommand::Example => {
            print!("{}", include_str!("../../../docs/agent.toml"));
            ExitCode::SUCCESS
        }
    }
}
