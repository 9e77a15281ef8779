//! Batches: as much as has arrived, up to the limit, is one transaction. Under light load that is one message at once,
//! under heavy load the commit's `fsync` is shared.

use super::Gate;
use super::session::Message;
use crate::limits::{BATCH_MAX, RETRY};
use crate::metrics::Metrics;
use crate::store::{StatusReceived, Store};
use crate::trust::{Known, Refusals, Trust};
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
use yumen_exchange::status::Status;
use yumen_exchange::topic::{self, Name};

/// Runs until the session has gone and all that it received is committed. While a batch is committed the next one is
/// collected and checked.
pub(super) async fn run(
    mut messages: mpsc::Receiver<Message>,
    store: Store,
    metrics: Arc<Metrics>,
    arrived: watch::Sender<u64>,
    gate: Gate,
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
    let mut last = Said::new();
    // Room first: what comes in while the last batch is being committed makes the next one larger.
    while let Ok(room) = to_commit.reserve().await {
        if messages.recv_many(&mut batch, BATCH_MAX).await == 0 {
            break;
        }
        let known = known(&gate.trust, &metrics).await;
        let sorted = Sorted::of(&batch, &known, &mut last, &metrics, &gate.refusals);
        room.send((std::mem::take(&mut batch), sorted));
    }
    drop(to_commit);
    // Gone before only when it has panicked, which has been said.
    let _ = commits.await;
}

/// Who is believed. However long it takes: nothing is decided on what may be old.
async fn known(trust: &Trust, metrics: &Metrics) -> Arc<Known> {
    let mut pause = RETRY.0;
    loop {
        match trust.look().await {
            Ok(known) => return known,
            Err(error) => {
                metrics.commit_failures.inc();
                tracing::error!(%error, ?pause, "the database can't be asked whom to believe; messages wait at the broker");
                sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
        }
    }
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

/// What each agent said last of itself, as far as it is enrolled.
type Said = HashMap<(Name, Name), Status>;

impl Sorted {
    fn of(batch: &[Message], known: &Known, last: &mut Said, metrics: &Metrics, refusals: &Refusals) -> Self {
        let mut sorted = Self::default();
        for message in batch {
            if let Err(defect) = sorted.sort(&message.publish, known, last) {
                metrics.refused(defect);
                let topic = std::str::from_utf8(&message.publish.topic).ok();
                let sender = topic.and_then(topic::sender);
                let sender = sender.as_ref().map(|(member, agent, _)| (member.as_str(), agent.as_str()));
                refusals.add(sender, defect.code(), crate::clock::now_ms());
                let topic = String::from_utf8_lossy(&message.publish.topic);
                tracing::warn!(%topic, %defect, bytes = message.publish.payload.len(), "a message was refused");
            }
        }
        sorted
    }

    fn sort(&mut self, publish: &Publish, known: &Known, last: &mut Said) -> Result<(), Defect> {
        let topic = std::str::from_utf8(&publish.topic).map_err(|_| Defect::Topic)?;
        let (member, agent, kind) = topic::sender(topic).ok_or(Defect::Topic)?;
        // A retained status that was deleted has no payload.
        if kind == "status" && publish.payload.is_empty() {
            return Ok(());
        }
        // Who says it comes before what it says: what the topic's agent may not have said gets no answer.
        let properties =
            publish.properties.as_ref().map_or(&[][..], |properties| &properties.user_properties);
        known.check((&member, &agent), topic, &publish.payload, properties)?;
        if kind == "status" {
            let (member, agent, status) = check::status(topic, &publish.payload)?;
            if known.is_enrolled(&member, &agent) {
                let names = (member.clone(), agent.clone());
                if last.get(&names).is_some_and(|last| !status.may_follow(last)) {
                    return Err(Defect::Old);
                }
                last.insert(names, status.clone());
            }
            self.statuses.push(StatusReceived { member, agent, status });
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
