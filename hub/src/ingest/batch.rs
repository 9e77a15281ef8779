//! Batches: as much as has arrived, up to the limit, is one transaction. Under light load that is one message at once,
//! under heavy load the commit's `fsync` is shared.

use super::session::Message;
use crate::limits::{BATCH_MAX, RETRY};
use crate::metrics::Metrics;
use crate::store::{StatusReceived, Store};
use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Publish;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use yumen_exchange::ack::{ACK_IDS_MAX, Ack, Refusal};
use yumen_exchange::check::{self, Defect, Received};
use yumen_exchange::topic::{self, Name};

/// Runs until the session has gone and all that it received is committed. While a batch is committed the next one is
/// collected and checked.
pub(super) async fn run(
    mut messages: mpsc::Receiver<Message>,
    store: Store,
    metrics: Arc<Metrics>,
    arrived: watch::Sender<u64>,
) {
    let (to_commit, mut checked) = mpsc::channel::<(Vec<Message>, Sorted)>(1);
    let counts = Arc::clone(&metrics);
    let commits = tokio::spawn(async move {
        while let Some((batch, sorted)) = checked.recv().await {
            commit(&store, &sorted, &counts, &arrived).await;
            acknowledge(&batch, sorted);
        }
    });
    let mut batch = Vec::with_capacity(BATCH_MAX);
    // Room first: what comes in while the last batch is being committed makes the next one larger.
    while let Ok(room) = to_commit.reserve().await {
        if messages.recv_many(&mut batch, BATCH_MAX).await == 0 {
            break;
        }
        let sorted = Sorted::of(&batch, &metrics);
        room.send((std::mem::take(&mut batch), sorted));
    }
    drop(to_commit);
    // Gone before only when it has panicked, which has been said.
    let _ = commits.await;
}

/// Commits, however long it takes: nothing is acknowledged before, so nothing is lost meanwhile.
async fn commit(store: &Store, sorted: &Sorted, metrics: &Metrics, arrived: &watch::Sender<u64>) {
    if sorted.sightings.is_empty() && sorted.statuses.is_empty() {
        return;
    }
    let mut pause = RETRY.0;
    loop {
        let started = Instant::now();
        match store.commit(&sorted.sightings, &sorted.statuses, crate::clock::now_ms()).await {
            Ok(new) => {
                let duplicates = sorted.sightings.len().saturating_sub(new);
                metrics.committed(new, duplicates, started.elapsed());
                // Statuses are news to a live page too.
                arrived.send_modify(|commits| *commits += 1);
                return;
            }
            Err(error) => {
                metrics.commit_failures.inc();
                tracing::error!(%error, ?pause, "the database takes nothing; messages wait at the broker");
                sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
        }
    }
}

/// Tells the broker and the agents. What can't be told is told when the message comes again.
fn acknowledge(batch: &[Message], sorted: Sorted) {
    for message in batch.iter().filter(|message| message.owed) {
        let _ = message.client.try_ack(&message.publish);
    }
    let Some(client) = batch.last().map(|message| &message.client) else { return };
    for ((member, agent), answers) in sorted.answers {
        for answers in answers.chunks(ACK_IDS_MAX) {
            answer(client, &member, &agent, answers);
        }
    }
}

fn answer(client: &AsyncClient, member: &Name, agent: &Name, answers: &[Answer]) {
    let mut ack = Ack::default();
    for answer in answers {
        match *answer {
            Answer::Committed(id) => ack.committed.push(id),
            Answer::Refused(id, defect) => ack.refused.push(Refusal { id, reason: defect.code().to_owned() }),
        }
    }
    // Lists of ids always serialise.
    let Ok(payload) = serde_json::to_vec(&ack) else { return };
    // QoS 0: one that is lost is sent again when the sighting is.
    let _ = client.try_publish(topic::ack(member, agent), QoS::AtMostOnce, false, payload);
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Committed(Uuid),
    Refused(Uuid, Defect),
}

/// A batch, checked.
#[derive(Debug, Default)]
struct Sorted {
    sightings: Vec<Received>,
    statuses: Vec<StatusReceived>,
    answers: HashMap<(Name, Name), Vec<Answer>>,
}

impl Sorted {
    fn of(batch: &[Message], metrics: &Metrics) -> Self {
        let mut sorted = Self::default();
        for message in batch {
            if let Err(defect) = sorted.sort(&message.publish) {
                metrics.refused(defect);
                let topic = String::from_utf8_lossy(&message.publish.topic);
                tracing::warn!(%topic, %defect, bytes = message.publish.payload.len(), "a message was refused");
            }
        }
        sorted
    }

    fn sort(&mut self, publish: &Publish) -> Result<(), Defect> {
        let topic = std::str::from_utf8(&publish.topic).map_err(|_| Defect::Topic)?;
        let (member, agent, kind) = topic::sender(topic).ok_or(Defect::Topic)?;
        if kind == "status" {
            // A retained message that was deleted has no payload.
            if !publish.payload.is_empty() {
                let (member, agent, status) = check::status(topic, &publish.payload)?;
                self.statuses.push(StatusReceived { member, agent, status });
            }
            return Ok(());
        }
        let answers = self.answers.entry((member, agent)).or_default();
        match check::sighting(topic, &publish.payload) {
            Ok(received) => {
                answers.push(Answer::Committed(received.envelope.id));
                self.sightings.push(received);
                Ok(())
            }
            Err(defect) => {
                let id = check::id(&publish.payload).or_else(|| correlated(publish));
                answers.extend(id.map(|id| Answer::Refused(id, defect)));
                Err(defect)
            }
        }
    }
}

/// The id that the agent sent beside a payload that can't be read.
fn correlated(publish: &Publish) -> Option<Uuid> {
    let data = publish.properties.as_ref()?.correlation_data.as_ref()?;
    Uuid::from_slice(data).ok()
}
