//! Logs. Metrics are registered by whoever counts them, and served by [`crate::http`].

use crate::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// The level isn't understood.
#[derive(Debug, thiserror::Error)]
#[error("log.level '{level}': {reason}")]
pub struct LogLevelError {
    level: String,
    reason: String,
}

/// Starts logging to standard error. Call once, before anything logs.
///
/// # Errors
/// The level can't be parsed.
pub fn start(log: &Log) -> Result<(), LogLevelError> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| LogLevelError { level: log.level.clone(), reason: error.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as tests do in one process, keeps the first.
    let _started = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
