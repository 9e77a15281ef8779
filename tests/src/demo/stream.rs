//! A paced stream through both doors, with what came of it.

use super::texts::{BAD, BAD_LONG, HONEST, Sample};
use crate::peer::{cmpp, smpp};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// What came of the messages so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Honest messages that the centre took.
    pub passed: AtomicU64,
    /// Honest messages that were refused: there should be none.
    pub refused: AtomicU64,
    /// Bad messages that were refused.
    pub blocked: AtomicU64,
    /// Bad messages that passed.
    pub missed: AtomicU64,
}

impl Tally {
    fn count(&self, bad: bool, passed: bool) {
        let counter = match (bad, passed) {
            (false, true) => &self.passed,
            (false, false) => &self.refused,
            (true, false) => &self.blocked,
            (true, true) => &self.missed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Either kind of sender.
#[derive(Debug)]
pub enum Sender {
    /// An ESME.
    Smpp(smpp::Esme),
    /// An SP.
    Cmpp(cmpp::Sp),
}

impl Sender {
    /// Sends a message; true where every part was taken.
    ///
    /// # Errors
    /// The connection.
    pub async fn send(&self, from: &str, to: &str, text: &str) -> io::Result<Answer> {
        Ok(match self {
            Self::Smpp(esme) => {
                let answers = esme.submit(from, to, text).await?;
                let refused = answers.iter().find(|answer| !answer.is_ok());
                let status = refused.map(|answer| answer.status);
                Answer {
                    passed: refused.is_none(),
                    status: status.map_or(0, |status| status.0),
                    name: status.and_then(|status| status.name()),
                }
            }
            Self::Cmpp(sp) => {
                let answers = sp.submit(from, to, text).await?;
                let refused = answers.iter().find(|answer| !answer.is_ok());
                Answer {
                    passed: refused.is_none(),
                    status: refused.map_or(0, |answer| answer.result),
                    name: None,
                }
            }
        })
    }
}

/// How a message was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Every part was taken.
    pub passed: bool,
    /// The first status that wasn't 0.
    pub status: u32,
    /// Its name, where the protocol has one.
    pub name: Option<&'static str>,
}

/// Sends samples in turn, three honest ones for each bad one, `per_s` a second, until the connection breaks.
///
/// # Errors
/// The connection.
pub async fn run(sender: Sender, per_s: u32, tally: &Tally) -> io::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_s.max(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let bad = || BAD.iter().chain(std::iter::once(&BAD_LONG)).map(|sample| (true, sample));
    let honest = HONEST.iter().map(|sample| (false, sample));
    let mut bad_turns = bad().cycle();
    for (turn, sample) in honest.cycle().enumerate() {
        let next: (bool, &Sample) = if turn % 4 == 3 { bad_turns.next().unwrap_or(sample) } else { sample };
        tick.tick().await;
        let (is_bad, Sample { from, text }) = next;
        let to = format!("8613900000{:03}", turn % 1000);
        let answer = sender.send(from, &to, text).await?;
        tally.count(is_bad, answer.passed);
    }
    Ok(())
}
