//! What the hub says to all agents: retained messages, the newest of each topic, said again on every new connection, since
//! the embedded broker forgets.

use super::session::{Options, publisher_options};
use crate::limits::RETRY;
use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event};
use std::collections::BTreeMap;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use yumen_exchange::topic::RETRACT;

/// Topics with what is retained on them.
type Said = BTreeMap<String, Bytes>;

/// Says things to all agents. Dropping it ends it.
#[derive(Debug)]
pub struct Publisher {
    said: watch::Sender<Said>,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Connects, again and again.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let (said, changes) = watch::channel(Said::new());
        Self { said, task: tokio::spawn(run(options, changes)) }
    }

    /// Replaces what is retained on a topic.
    pub fn say(&self, topic: &str, payload: Bytes) {
        self.said.send_modify(|said| {
            said.insert(topic.to_owned(), payload);
        });
    }
}

impl Publisher {
    /// Says nothing again: what is retained is another hub's from now on.
    pub fn hush(&self) {
        self.said.send_modify(Said::clear);
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(options: Options, mut changes: watch::Receiver<Said>) {
    loop {
        let (client, mut events) = AsyncClient::new(publisher_options(&options), 64);
        let mut told = None;
        loop {
            tokio::select! {
                event = events.poll() => match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        let told = told.insert(Said::new());
                        tell(&client, told, &changes.borrow_and_update());
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%error, "nothing can be said to the agents");
                        break;
                    }
                },
                changed = changes.changed(), if told.is_some() => {
                    if changed.is_err() {
                        return;
                    }
                    if let Some(told) = &mut told {
                        tell(&client, told, &changes.borrow_and_update());
                    }
                }
            }
        }
        sleep(RETRY.0).await;
    }
}

/// What is taken back first, then how far packs are rolled out, then packs.
fn rank(topic: &str) -> u8 {
    if topic == RETRACT { 0 } else { 1 + u8::from(!topic.ends_with("/rollout")) }
}

/// Publishes what differs from what was told on this connection.
fn tell(client: &AsyncClient, told: &mut Said, said: &Said) {
    let mut in_order: Vec<_> = said.iter().collect();
    in_order.sort_by_key(|(topic, _)| rank(topic));
    for (topic, payload) in in_order {
        if told.get(topic) != Some(payload)
            && client.try_publish(topic.as_str(), QoS::AtLeastOnce, true, payload.clone()).is_ok()
        {
            told.insert(topic.clone(), payload.clone());
        }
    }
}
