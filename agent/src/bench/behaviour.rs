//! What counting an event costs with a million roles of numbers tracked, and the memory for them.

use super::Figures;
use std::hint::black_box;
use yumen_behaviour::Behaviour;
use yumen_compiler::bench::CpuClock;
use yumen_wire::event::{Address, Channel, Event};

/// Roles that are tracked.
const ROLES: usize = 1_000_000;
/// Callers and callees; each pair of them is a role too.
const NUMBERS: u64 = 400_000;
/// Events of a round.
const EVENTS: usize = 200_000;
const ROUNDS: usize = 7;
const START_MS: u64 = 1_767_542_400_000;

/// Fills the counters, then measures rounds of call attempts by numbers that are known, each with its outcome unknown: the median,
/// by the time that this thread had the processor.
#[must_use]
pub fn run() -> Figures {
    let behaviour = Behaviour::new(ROLES);
    let mut now_ms = START_MS;
    for number in 0..NUMBERS {
        let (caller, callee) = pair(number);
        behaviour.attempt(&call(&caller, &callee, now_ms));
        now_ms += 2;
    }
    // In an order in which no cache helps.
    let pairs: Vec<(String, String)> = (0..EVENTS as u64).map(|nth| pair(nth * STEP % NUMBERS)).collect();
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let clock = CpuClock::now();
            for (caller, callee) in &pairs {
                now_ms += 1;
                behaviour.attempt(black_box(&call(caller, callee, now_ms)));
            }
            clock.elapsed_ns() / EVENTS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let stats = behaviour.stats();
    let mib = |bytes: u64| bytes as f64 / (1 << 20) as f64;
    Figures::from([
        ("behaviour.ns_per_event".to_owned(), rounds.get(ROUNDS / 2).copied().unwrap_or_default()),
        ("behaviour.memory_mib".to_owned(), mib(stats.bytes)),
        ("behaviour.tracked".to_owned(), stats.tracked as f64),
    ])
}

/// Prime, and coprime to [`NUMBERS`].
const STEP: u64 = 611_953;

fn pair(number: u64) -> (String, String) {
    (format!("138{number:08}"), format!("139{:08}", number * STEP % 100_000_000))
}

fn call<'a>(caller: &'a str, callee: &'a str, time_ms: u64) -> Event<'a> {
    Event {
        channel: Channel::Call,
        originator: Address::new(caller),
        destination: Address::new(callee),
        time_ms,
        ..Event::text_only("")
    }
}
