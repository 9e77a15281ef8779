//! What is wrong with a configuration, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why a configuration was refused.
#[derive(Debug)]
pub enum ConfigError {
    /// The file can't be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file was read, and is wrong.
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong: at least one.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 where no place can be named.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The source line.
    pub source: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// A problem at a place of `text`.
    #[must_use]
    pub fn at(text: &str, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        let start = span.start.min(text.len());
        let head = text.get(..start).unwrap_or_default();
        let line_start = head.rfind('\n').map_or(0, |at| at + 1);
        let source = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        Self {
            line: head.matches('\n').count() + 1,
            column: head.get(line_start..).unwrap_or_default().chars().count() + 1,
            source: source.to_owned(),
            message: message.into(),
            help: help.into(),
        }
    }
}

impl ConfigError {
    /// From the parser's own error.
    #[must_use]
    pub fn from_toml(error: &toml::de::Error, text: &str, path: &Path) -> Self {
        let message = error.message().to_owned();
        let help = if message.starts_with("unknown field") {
            "see docs/agent.toml for every field, or `yumen config schema`"
        } else {
            ""
        };
        let problem = match error.span() {
            Some(span) => Problem::at(text, &span, message, help),
            None => Problem { line: 0, column: 0, source: String::new(), message, help: help.to_owned() },
        };
        Self::Invalid { path: path.to_owned(), problems: vec![problem] }
    }
}

/// ```text
/// error: a listener's name must be unique: 'sms' is taken
///   --> agent.toml:21:1
///    |
/// 21 | [[listener]]
///    | ^
///    = help: give each listener a name of its own
/// ```
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "error: {}: {source}", path.display()),
            Self::Invalid { path, problems } => {
                for (at, problem) in problems.iter().enumerate() {
                    if at > 0 {
                        writeln!(f)?;
                    }
                    render(f, path, problem)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

fn render(f: &mut fmt::Formatter<'_>, path: &Path, problem: &Problem) -> fmt::Result {
    writeln!(f, "error: {}", problem.message)?;
    let gutter = problem.line.to_string().len();
    if problem.line == 0 {
        writeln!(f, "  --> {}", path.display())?;
    } else {
        writeln!(f, "{:gutter$}--> {}:{}:{}", "", path.display(), problem.line, problem.column)?;
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{} | {}", problem.line, problem.source)?;
        writeln!(f, "{:gutter$} | {:>column$}", "", "^", column = problem.column)?;
    }
    if !problem.help.is_empty() {
        writeln!(f, "{:gutter$} = help: {}", "", problem.help)?;
    }
    Ok(())
}
