//! ESMEs that send as fast as their windows, or a pace, let them.

use super::BenchError;
use super::peers::{Esme, Writes};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What ESMEs are told to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Where they connect.
    pub(super) target: SocketAddr,
    /// How many of them there are.
    pub(super) connections: usize,
    /// Submits without an answer, on each connection.
    pub(super) window: usize,
    /// Messages a second over all connections; `None` sends as fast as the window lets it.
    pub(super) pace_per_s: Option<f64>,
    /// How long.
    pub(super) duration: Duration,
    /// How they write.
    pub(super) writes: Writes,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Submits answered with ESME_ROK and an id.
    pub(super) taken: u64,
    /// Submits answered otherwise.
    pub(super) refused: u64,
    /// Seconds from the first submit to the last answer.
    pub(super) seconds: f64,
    /// From submit to answer, in microseconds, sorted. Only under a pace.
    pub(super) latencies_us: Vec<u32>,
}

impl Outcome {
    pub(super) fn answered(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let answered = (self.taken + self.refused) as f64;
        answered
    }

    pub(super) fn per_s(&self) -> f64 {
        self.answered() / self.seconds.max(f64::EPSILON)
    }

    /// The latency that `share` (0 to 1) of the answers stay under.
    pub(super) fn percentile_us(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index below the length"
        )]
        let at = (self.latencies_us.len() as f64 * share) as usize;
        self.latencies_us.get(at).or(self.latencies_us.last()).copied().map_or(f64::NAN, f64::from)
    }
}

/// Sends `texts` in turn, as UCS-2.
pub(super) async fn run(load: Load, texts: &[String]) -> Result<Outcome, BenchError> {
    let ucs2 = |text: &String| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let texts: Arc<[Vec<u8>]> = texts.iter().map(ucs2).collect();
    let mut bound = Vec::with_capacity(load.connections);
    for number in 0..load.connections {
        bound.push(Esme::bind(load.target, number, texts.clone(), load.writes).await?);
    }
    let mut connections = JoinSet::new();
    for esme in bound {
        connections.spawn(send(esme, load));
    }
    let mut total = Outcome::default();
    while let Some(ended) = connections.join_next().await {
        let outcome = ended.map_err(|_| BenchError::Peer("a sender died".to_owned()))??;
        total.taken += outcome.taken;
        total.refused += outcome.refused;
        total.seconds = total.seconds.max(outcome.seconds);
        total.latencies_us.extend(outcome.latencies_us);
    }
    total.latencies_us.sort_unstable();
    Ok(total)
}

/// One connection's part of the load.
async fn send(mut esme: Esme, load: Load) -> Result<Outcome, BenchError> {
    let mut outcome = Outcome::default();
    let mut sent = 0;
    let started = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "few connections")]
    let pace = load.pace_per_s.map(|pace| pace / load.connections as f64);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let elapsed = started.elapsed();
        let sending = elapsed < load.duration;
        if !sending && esme.open() == 0 {
            break;
        }
        if sending {
            let due = pace.map_or(load.window, |pace| due_by(elapsed, pace, sent));
            let count = due.min(load.window.saturating_sub(esme.open()));
            esme.submit(count).await?;
            sent += count;
        }
        tokio::select! {
            read = esme.read() => {
                read?;
                let (now, mut at) = (Instant::now(), 0);
                while let Some(answer) = esme.next_answer(&mut at)? {
                    *(if answer.taken { &mut outcome.taken } else { &mut outcome.refused }) += 1;
                    if pace.is_some() {
                        let took = now.duration_since(answer.sent_at).as_micros();
                        outcome.latencies_us.push(u32::try_from(took).unwrap_or(u32::MAX));
                    } else if sending && load.writes == Writes::Each {
                        // A place is free: the next message goes at once.
                        esme.submit(1).await?;
                    }
                }
            }
            _ = tick.tick(), if pace.is_some() => {}
        }
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// How many messages a pace wants beyond those `sent`.
fn due_by(elapsed: Duration, per_s: f64, sent: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive count")]
    let wanted = (elapsed.as_secs_f64() * per_s) as usize;
    wanted.saturating_sub(sent)
}

/// The finest that the runtime's timer has.
const TICK: Duration = Duration::from_millis(1);
