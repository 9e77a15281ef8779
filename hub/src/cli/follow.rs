//! `yumen-hub sightings`: through the HTTP API, so that it works beside a running hub.

use super::fail;
use serde::Deserialize;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use yumen_exchange::sighting::Sighting;

/// Pause before asking again when the hub has gone.
const AGAIN: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Sightings {
    /// Go on with what comes in 持续跟踪
    #[arg(long, short)]
    follow: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Where the hub's console listens
    #[arg(long, default_value = "127.0.0.1:8470")]
    http: SocketAddr,
    /// File with a token of `yumen-hub token add`, nothing else in it 令牌文件
    #[arg(long)]
    token_file: Option<std::path::PathBuf>,
    /// How many of the last ones
    #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=500))]
    last: u32,
    /// Only this typology
    #[arg(long)]
    typology: Option<String>,
    /// Only this verdict: shadow, flag, hold, reject, drop
    #[arg(long)]
    verdict: Option<String>,
    /// Only this institution
    #[arg(long)]
    member: Option<String>,
    /// Only this agent
    #[arg(long)]
    agent: Option<String>,
    /// Only with this indicator
    #[arg(long)]
    indicator: Option<String>,
}

/// A sighting as the API gives it, as far as a line shows it.
#[derive(Debug, Deserialize)]
struct Line {
    arrival: i64,
    member: String,
    agent: String,
    time: String,
    data: Sighting,
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("{0}")]
    Http(#[from] Box<ureq::Error>),
    #[error("{0}")]
    Read(io::Error),
    #[error("the hub's answer can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Nobody reads what is printed any more.
    #[error("{0}")]
    Output(io::Error),
}

pub(super) fn run(options: &Sightings) -> ExitCode {
    let mut output = io::stdout().lock();
    let mut after = match options.list(&mut output) {
        Ok(after) => after,
        Err(FollowError::Output(_)) => return ExitCode::SUCCESS,
        Err(error) => return fail(format!("{}: {error}", options.http)),
    };
    if !options.follow {
        return ExitCode::SUCCESS;
    }
    loop {
        match options.stream(&mut after, &mut output) {
            Err(FollowError::Output(_)) => return ExitCode::SUCCESS,
            Err(error) => eprintln!("{}: {error}; trying again 正在重连", options.http),
            Ok(()) => {}
        }
        wait();
    }
}

impl Sightings {
    fn get(&self, path: &str, after: Option<i64>) -> Result<ureq::http::Response<ureq::Body>, FollowError> {
        let mut request = ureq::get(format!("http://{}{path}", self.http));
        if let Some(file) = &self.token_file {
            let token = std::fs::read_to_string(file).map_err(FollowError::Read)?;
            request = request.header("authorization", format!("Bearer {}", token.trim()));
        }
        let filters = [
            ("typology", &self.typology),
            ("verdict", &self.verdict),
            ("member", &self.member),
            ("agent", &self.agent),
            ("indicator", &self.indicator),
        ];
        for (key, value) in filters {
            if let Some(value) = value {
                request = request.query(key, value);
            }
        }
        request = match after {
            Some(after) => request.query("after", after.to_string()),
            None => request.query("limit", self.last.max(1).to_string()),
        };
        Ok(request.call().map_err(Box::new)?)
    }

    /// Prints the last ones, oldest first; gives the last arrival seen.
    fn list(&self, output: &mut impl Write) -> Result<Option<i64>, FollowError> {
        #[derive(Deserialize)]
        struct Answer {
            sightings: Vec<Value>,
        }
        let answer: Answer =
            serde_json::from_reader(self.get("/api/v1/sightings", None)?.body_mut().as_reader())?;
        let mut after = None;
        for value in answer.sightings.iter().rev() {
            let arrival = value.get("arrival").and_then(Value::as_i64);
            after = after.max(arrival);
            if self.last > 0 {
                self.print(value, output)?;
            }
        }
        Ok(after)
    }

    /// Prints what comes in until the stream ends.
    fn stream(&self, after: &mut Option<i64>, output: &mut impl Write) -> Result<(), FollowError> {
        let from = after.unwrap_or(0);
        let body = self.get("/api/v1/sightings/stream", Some(from))?.into_body();
        for line in BufReader::new(body.into_reader()).lines() {
            let line = line.map_err(FollowError::Read)?;
            let Some(data) = line.strip_prefix("data:") else { continue };
            let value: Value = serde_json::from_str(data)?;
            self.print(&value, output)?;
            *after = (*after).max(value.get("arrival").and_then(Value::as_i64));
        }
        Ok(())
    }

    fn print(&self, value: &Value, output: &mut impl Write) -> Result<(), FollowError> {
        let text = if self.json { value.to_string() } else { Line::deserialize(value)?.text() };
        writeln!(output, "{text}").and_then(|()| output.flush()).map_err(FollowError::Output)
    }
}

impl Line {
    fn text(&self) -> String {
        let data = &self.data;
        let rule = data.rules.first().map_or("-", |rule| &rule.id);
        let indicators: Vec<String> = data
            .indicators
            .iter()
            .map(|indicator| format!("{}={}", indicator.kind, indicator.value))
            .collect();
        let line = format!(
            "{:>6}  {}  {:6}  {:16}  {:3}  {}/{}  {rule}  {}",
            self.arrival,
            self.time,
            data.verdict,
            data.typology,
            data.score,
            self.member,
            self.agent,
            indicators.join(" ")
        );
        // An indicator is whatever a stranger wrote: nothing in it may steer the terminal.
        line.trim_end().chars().map(|char| if is_plain(char) { char } else { '\u{FFFD}' }).collect()
    }
}

/// Not a control character, and none that turns the direction of what follows.
fn is_plain(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A pause in a program without a runtime; the wait has a name because nothing ever signals it.
fn wait() {
    let (pause, never) = (Mutex::new(()), Condvar::new());
    if let Ok(guard) = pause.lock() {
        let _ = never.wait_timeout(guard, AGAIN);
    }
}
