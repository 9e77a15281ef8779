//! Live streams as server-sent events: sightings in the order of their arrival, from the database, so that a slow
//! reader misses nothing and holds nothing up.

use super::json::{Parameters, query, refused, value};
use super::{Hub, problem};
use crate::accounts::Caller;
use crate::limits::{STREAM_READ_MAX, STREAMS_MAX};
use crate::metrics::Metrics;
use crate::store::{Filter, Row, Store, StoreError};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What streams are woken and ended by.
#[derive(Debug)]
pub struct Streams {
    arrived: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    permits: Arc<Semaphore>,
}

impl Streams {
    /// `arrived` changes with each commit; `stop` turns true when the hub ends.
    #[must_use]
    pub fn new(arrived: watch::Receiver<u64>, stop: watch::Receiver<bool>) -> Self {
        Self { arrived, stop, permits: Arc::new(Semaphore::new(STREAMS_MAX)) }
    }
}

pub(super) async fn sightings(
    State(hub): State<Arc<Hub>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Response {
    open(&hub, &caller, &headers, parameters, |row| {
        Event::default().event("sighting").data(value(row).to_string())
    })
    .await
}

/// Opens a stream. `after` (a parameter) or `Last-Event-ID` names the arrival it goes on behind; without either it begins
/// with what arrives from now on.
pub(crate) async fn open(
    hub: &Arc<Hub>,
    caller: &Caller,
    headers: &HeaderMap,
    mut parameters: Parameters,
    render: impl Fn(&Row) -> Event + Send + 'static,
) -> Response {
    let mut after =
        headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let mut bad_after = false;
    parameters.retain(|(key, value)| {
        if key == "after" && after.is_none() && !value.is_empty() {
            after = value.parse::<i64>().ok();
            bad_after = after.is_none();
        }
        key != "after"
    });
    if bad_after {
        return problem(StatusCode::BAD_REQUEST, "'after' is a number of arrival");
    }
    let mut filter = match query(&parameters) {
        Ok(query) => query.filter,
        Err(error) => return refused(&error),
    };
    super::scoped(&mut filter, caller);
    let Ok(permit) = Arc::clone(&hub.streams.permits).try_acquire_owned() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many live streams");
    };
    // Watched from before the first look, so that nothing falls between.
    let arrived = hub.streams.arrived.clone();
    let after = match after {
        Some(after) => after,
        None => match hub.store.last_arrival().await {
            Ok(last) => last,
            Err(error) => return super::failed(&error),
        },
    };
    let live = Live {
        store: hub.store.clone(),
        filter,
        after,
        rows: VecDeque::new(),
        arrived,
        stop: hub.streams.stop.clone(),
        _count: Counted::new(&hub.metrics),
        _permit: permit,
    };
    let events = stream::unfold((live, render), |(mut live, render)| async move {
        let row = live.next().await?;
        let event = render(&row).id(row.arrival.to_string());
        Some((Ok::<_, Infallible>(event), (live, render)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

struct Live {
    store: Store,
    filter: Filter,
    after: i64,
    rows: VecDeque<Row>,
    arrived: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    _count: Counted,
    _permit: OwnedSemaphorePermit,
}

impl Live {
    /// The next sighting; none when the hub ends or the database fails, and the reader comes again.
    async fn next(&mut self) -> Option<Row> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                self.after = row.arrival;
                return Some(row);
            }
            if *self.stop.borrow() {
                return None;
            }
            self.arrived.mark_unchanged();
            let (last, rows) = match self.read().await {
                Ok(read) => read,
                Err(error) => {
                    tracing::error!(%error, "a live stream ends");
                    return None;
                }
            };
            if rows.is_empty() {
                // What the filter leaves out isn't looked at again.
                self.after = self.after.max(last);
                tokio::select! {
                    changed = self.arrived.changed() => changed.ok()?,
                    changed = self.stop.changed() => changed.ok()?,
                }
            }
            self.rows = rows.into();
        }
    }

    /// The last arrival before the look, and what is new.
    async fn read(&self) -> Result<(i64, Vec<Row>), StoreError> {
        let last = self.store.last_arrival().await?;
        Ok((last, self.store.arrived_after(&self.filter, self.after, STREAM_READ_MAX).await?))
    }
}

/// Counts an open stream for as long as it is there.
struct Counted(Arc<Metrics>);

impl Counted {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.streams.inc();
        Self(Arc::clone(metrics))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.streams.dec();
    }
}
