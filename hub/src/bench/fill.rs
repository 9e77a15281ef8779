//! A large table, and how long the console's questions to it take.

use super::load::{Random, sighting};
use super::{BenchError, Figures};
use crate::decay::DEFAULT;
use crate::store::{By, ClueFilter, Days, Filter, Store};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;
use yumen_exchange::check::Received;
use yumen_exchange::sighting::Envelope;
use yumen_exchange::topic::Name;

/// Sightings in one transaction.
const BATCH: u64 = 2000;
/// How long each question is asked, and the longest answer counts.
const ROUNDS: u32 = 5;
/// The last so many days have all of it.
const DAYS: u64 = 9;
const DAY_MS: u64 = 86_400_000;
const MEMBERS: u64 = 20;

/// Commits so many sightings of so many indicators, spread over members and the last days, as ingest would.
///
/// # Errors
/// [`BenchError`].
pub async fn fill(store: &Store, sightings: u64, indicators: u64) -> Result<(), BenchError> {
    let now_ms = crate::clock::now_ms();
    let members: Vec<Name> =
        (0..MEMBERS).filter_map(|number| format!("member-{number}").parse().ok()).collect();
    let agent = Name::stable();
    let mut random = Random(7);
    let mut done = 0;
    while done < sightings {
        let received_ms = now_ms.saturating_sub(DAYS * DAY_MS * (sightings - done) / sightings.max(1));
        let batch: Vec<Received> = (0..BATCH.min(sightings - done))
            .filter_map(|_| {
                let draw = random.next();
                let member = members.get(usize::try_from(draw % MEMBERS).ok()?)?;
                let value = format!("n{}.example.com", (draw >> 8) % indicators.max(1));
                let id = id(received_ms, random.next());
                let envelope = Envelope::new(id, member, &agent, received_ms, sighting(value));
                Some(Received {
                    member: member.clone(),
                    agent: agent.clone(),
                    time_ms: received_ms,
                    envelope,
                })
            })
            .collect();
        store.commit(&batch, &[], received_ms).await?;
        done += BATCH;
    }
    Ok(())
}

/// What [`people`] asks.
const PEOPLE: [&str; 5] = ["indicator_page", "history", "statistics", "clues", "gather_clues"];

/// The questions of the pages that people work on, and the look that makes clues.
async fn people(store: &Store, now_ms: u64) -> Result<[Duration; 5], BenchError> {
    let started = Instant::now();
    store.observed_page(now_ms.saturating_sub(DEFAULT.lifetime_ms), 3).await?;
    let page = started.elapsed();
    let started = Instant::now();
    store.indicator_days("domain", "n77.example.com", 0).await?;
    let history = started.elapsed();
    let started = Instant::now();
    let days = Days { first: 0, last: now_ms / DAY_MS, member: None };
    store.tally(By::Typology, &days).await?;
    store.tally(By::Member, &days).await?;
    let statistics = started.elapsed();
    let started = Instant::now();
    crate::clues::gather(store, None, now_ms.saturating_sub(30_000), now_ms).await?;
    let gather = started.elapsed();
    let started = Instant::now();
    store.clues(&ClueFilter::default(), 3).await?;
    Ok([page, history, statistics, started.elapsed(), gather])
}

/// A UUIDv7 of that instant.
fn id(time_ms: u64, random: u64) -> Uuid {
    let random = random.to_be_bytes();
    let mut bytes = [0; 10];
    for (to, from) in bytes.iter_mut().zip(random.iter().chain(&random)) {
        *to = *from;
    }
    uuid::Builder::from_unix_timestamp_millis(time_ms, &bytes).into_uuid()
}

/// The longest answer to each of the console's questions, in milliseconds, and the size of the database.
///
/// # Errors
/// [`BenchError`].
pub async fn queries(store: &Store, name: &str) -> Result<Figures, BenchError> {
    let mut figures = Figures::new();
    let now_ms = crate::clock::now_ms();
    let by = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let some = store.page(&Filter::default(), None, 500).await?;
    let middle = some.last().map(|row| row.id);
    let filters = [
        ("newest", by(|_| {})),
        ("typology", by(|filter| filter.typology = Some("fraud".to_owned()))),
        ("verdict", by(|filter| filter.verdict = Some("reject".to_owned()))),
        ("no_such_typology", by(|filter| filter.typology = Some("harassment".to_owned()))),
        ("member", by(|filter| filter.member = Some("member-3".to_owned()))),
        (
            "agent",
            by(|filter| {
                filter.member = Some("member-3".to_owned());
                filter.agent = Some("stable".to_owned());
            }),
        ),
        ("indicator", by(|filter| filter.indicator = Some("n77.example.com".to_owned()))),
        ("since", Filter { since_ms: Some(now_ms.saturating_sub(DAY_MS)), ..Filter::default() }),
        ("until", Filter { until_ms: Some(now_ms.saturating_sub(5 * DAY_MS)), ..Filter::default() }),
    ];
    let mut put = |figure: &str, took: Duration| {
        figures.insert(format!("query.{name}_{figure}_ms"), took.as_secs_f64() * 1e3);
    };
    for (figure, filter) in &filters {
        let mut longest = Duration::ZERO;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            store.page(filter, middle.filter(|_| *figure != "until"), 51).await?;
            longest = longest.max(started.elapsed());
        }
        put(figure, longest);
    }
    let mut longest = [Duration::ZERO; 9];
    for _ in 0..ROUNDS {
        let started = Instant::now();
        store.typologies_since(now_ms.saturating_sub(DAY_MS)).await?;
        let typologies = started.elapsed();
        let started = Instant::now();
        store.observed(now_ms.saturating_sub(DEFAULT.lifetime_ms)).await?;
        let observed = started.elapsed();
        let started = Instant::now();
        store.agents().await?;
        let agents = started.elapsed();
        let started = Instant::now();
        store.last_arrival().await?;
        let last_arrival = started.elapsed();
        let people = people(store, now_ms).await?;
        let took = [typologies, observed, agents, last_arrival].into_iter().chain(people);
        for (longest, took) in longest.iter_mut().zip(took) {
            *longest = (*longest).max(took);
        }
    }
    let names = ["typologies", "indicators", "agents", "last_arrival"].into_iter().chain(PEOPLE);
    for (figure, took) in names.zip(longest) {
        put(figure, took);
    }
    let (bytes, rows) = (store.bytes().await?, store.count().await?);
    figures.insert(format!("store.{name}_bytes"), super::number(bytes));
    figures.insert(format!("store.{name}_sightings"), super::number(rows));
    Ok(figures)
}
