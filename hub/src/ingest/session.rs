//! The hub's own session at the broker. Nothing outside `ingest` names the MQTT crate.

use crate::limits::{RECEIVE_MAX, REQUESTS_MAX, RETRY, SESSION_EXPIRY_S};
use crate::metrics::Metrics;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use yumen_exchange::limits::{DOWN_PACKET_BYTES_MAX, PACKET_BYTES_MAX};
use yumen_exchange::topic::{SIGHTING_FILTER, STATUS_FILTER};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long acknowledgements that are under way may take at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where the broker is.
#[derive(Clone, Debug)]
pub struct Options {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The session's name.
    pub client_id: String,
    /// User name and password.
    pub login: Option<Login>,
    /// TLS; see [`tls`].
    pub tls: Option<Arc<ClientConfig>>,
    /// Whether the broker remembers the session while the hub is away. The embedded one goes with the hub.
    pub remembered: bool,
    /// Hubs of one group share what comes in.
    pub group: Option<String>,
}

impl Options {
    fn filter(&self, topics: &str) -> Filter {
        let path = self.group.as_ref().map(|group| format!("$share/{group}/{topics}"));
        Filter::new(path.unwrap_or_else(|| topics.to_owned()), QoS::AtLeastOnce)
    }
}

/// User name and password.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Without the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or isn't PEM of what it should be.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// The library refuses what the files say.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// Trusts `ca` only; shows the certificate of `client` (chain and key). All PEM.
///
/// # Errors
/// A file can't be used.
pub fn tls(ca: &Path, client: Option<(&Path, &Path)>) -> Result<Arc<ClientConfig>, TlsError> {
    let certificates = |path: &Path| {
        let pem = |source| TlsError::Pem { path: path.to_owned(), source };
        CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<Vec<_>, _>>().map_err(pem)
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(ca)? {
        roots.add(authority)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(Arc::new(match client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let secret = PrivateKeyDer::from_pem_file(key)
                .map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
            builder.with_client_auth_cert(certificates(chain)?, secret)?
        }
    }))
}

/// A message, and the way to acknowledge it: that of the connection it came on, since a packet id means nothing on
/// another one.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) publish: Publish,
    pub(super) client: AsyncClient,
    /// Whether the broker waits for the acknowledgement. The embedded one forgets with the hub whatever it is told, and
    /// would only send more slowly for it: the agents' spools are what nothing is lost from.
    pub(super) owed: bool,
}

/// Receives until told to stop. Every connection is a client and an event loop of its own.
pub(super) async fn run(
    options: Options,
    messages: mpsc::Sender<Message>,
    connected: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = RETRY.0;
    let mut failing = false;
    while !*stop.borrow() {
        let started = Instant::now();
        let ended = connection(&options, &messages, &connected, &mut stop).await;
        connected.store(false, Ordering::Relaxed);
        let Err(error) = ended else { return };
        metrics.session_failures.inc();
        if started.elapsed() > RETRY.1 {
            (pause, failing) = (RETRY.0, false);
        }
        if failing {
            tracing::debug!(%error, ?pause, "the broker still can't be used");
        } else {
            tracing::warn!(%error, host = options.host, port = options.port, ?pause, "the broker can't be used");
        }
        failing = true;
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.changed() => return,
        }
        pause = (pause * 2).min(RETRY.1);
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Connection(#[from] Box<ConnectionError>),
    #[error("the broker refuses the subscription: {0:?}")]
    SubscriptionRefused(SubscribeReasonCode),
    #[error("the connection's own queue is full")]
    Queue,
    #[error("nothing takes messages any more")]
    Ingest,
}

async fn connection(
    options: &Options,
    messages: &mpsc::Sender<Message>,
    connected: &AtomicBool,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), Ended> {
    let (client, mut event_loop) = AsyncClient::new(mqtt_options(options), REQUESTS_MAX);
    loop {
        let event = tokio::select! {
            event = event_loop.poll() => event.map_err(Box::new)?,
            // The event loop isn't polled again after this, so that it doesn't matter where its future stood, but for
            // the farewell, which only wants what is buffered to go out.
            () = stopped(stop) => break,
        };
        match event {
            Event::Incoming(Packet::ConnAck(connack)) => {
                tracing::info!(
                    host = options.host,
                    port = options.port,
                    resumed = connack.session_present,
                    "connected to the broker"
                );
                // Subscribing again on a resumed session changes nothing, and makes up for one that was cut short.
                let filters = [SIGHTING_FILTER, STATUS_FILTER].map(|topics| options.filter(topics));
                client.try_subscribe_many(filters).map_err(|_| Ended::Queue)?;
            }
            Event::Incoming(Packet::SubAck(suback)) => {
                if let Some(code) =
                    suback.return_codes.iter().find(|code| !matches!(code, SubscribeReasonCode::Success(_)))
                {
                    return Err(Ended::SubscriptionRefused(*code));
                }
                connected.store(true, Ordering::Relaxed);
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let message = Message { publish, client: client.clone(), owed: options.remembered };
                messages.send(message).await.map_err(|_| Ended::Ingest)?;
            }
            _ => {}
        }
    }
    farewell(&client, event_loop).await;
    Ok(())
}

/// Completes when the hub is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Lets the acknowledgements of the last batch go out. What still comes in stays with the broker and the agents.
async fn farewell(client: &AsyncClient, mut event_loop: rumqttc::v5::EventLoop) {
    let _ = client.try_disconnect();
    let out = async { while event_loop.poll().await.is_ok() {} };
    let _ = timeout(FAREWELL, out).await;
}

/// Of the connection that publishes to all agents.
pub(super) fn publisher_options(options: &Options) -> MqttOptions {
    let mut options = Options { remembered: false, ..options.clone() };
    options.client_id.push_str("-share");
    let mut mqtt = mqtt_options(&options);
    mqtt.set_manual_acks(false).set_max_packet_size(u32::try_from(DOWN_PACKET_BYTES_MAX).ok());
    mqtt
}

fn mqtt_options(options: &Options) -> MqttOptions {
    let mut mqtt = MqttOptions::new(&options.client_id, &options.host, options.port);
    mqtt.set_keep_alive(KEEP_ALIVE)
        .set_clean_start(!options.remembered)
        .set_session_expiry_interval(Some(if options.remembered { SESSION_EXPIRY_S } else { 0 }))
        .set_receive_maximum(Some(RECEIVE_MAX))
        .set_max_packet_size(u32::try_from(PACKET_BYTES_MAX).ok())
        .set_manual_acks(options.remembered);
    if let Some(login) = &options.login {
        mqtt.set_credentials(&login.user, &login.password);
    }
    if let Some(tls) = &options.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
    }
    mqtt
}
