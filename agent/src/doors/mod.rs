//! The inline doors: transparent proxies that judge the messages that pass.
//!
//! ```text
//! socket ⇄ driver (tokio) ⇄ Session (sans-IO) ⇄ Protocol (SMPP, CMPP, SMGP, SGIP)
//!                              └→ pipeline: Message → Event → verdict → enforce: Permit | answer of our own
//! ```
//! No credential is known here: binds and logins pass as they came, and so does everything that isn't blocked.

pub mod config;
pub mod counters;
pub mod device;
pub mod protocol;
pub mod session;
pub mod sip;

pub mod cmpp;
pub mod sgip;
pub mod smgp;
pub mod smpp;

mod driver;
mod ident;
mod listener;
mod stream;
pub(crate) mod tls;

pub use listener::ListenError;
pub use tls::TlsError;

use crate::pipeline::{Gate, Pipeline};
use config::ListenerConfig;
use counters::Counters;
use listener::Listener;
use sip::{SipConfig, SipListener};
use std::net::SocketAddr;
use std::sync::Arc;

/// All listeners of the agent.
#[derive(Debug)]
pub struct Doors {
    listeners: Vec<Listener>,
    calls: Vec<SipListener>,
}

impl Doors {
    /// Binds every listener, and accepts from then on.
    ///
    /// # Errors
    /// The first listener that can't start; those before it stop accepting again.
    pub async fn start(configs: Vec<ListenerConfig>, pipeline: &Arc<Pipeline>) -> Result<Self, ListenError> {
        let mut listeners = Vec::with_capacity(configs.len());
        for (number, config) in configs.into_iter().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            let gate = Arc::new(Gate::new(&config, number, pipeline.clone()));
            listeners.push(Listener::start(config, gate).await?);
        }
        Ok(Self { listeners, calls: Vec::new() })
    }

    /// Binds every SIP door too.
    ///
    /// # Errors
    /// The first that can't start.
    pub async fn with_calls(
        mut self,
        configs: Vec<SipConfig>,
        pipeline: &Arc<Pipeline>,
    ) -> Result<Self, ListenError> {
        for config in configs {
            let number = u16::try_from(self.listeners.len() + self.calls.len()).unwrap_or(u16::MAX);
            let (policy, thresholds) = (config.policy, config.thresholds);
            let gate = Gate::with_policy(&config.name, number, policy, thresholds, pipeline.clone());
            self.calls.push(SipListener::start(config, Arc::new(gate)).await?);
        }
        Ok(self)
    }

    /// Where each listener listens, in the order of the configuration.
    pub fn local_addrs(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.listeners.iter().map(Listener::local_addr).chain(self.calls.iter().map(SipListener::local_addr))
    }

    /// Each listener's name and counters.
    pub fn counters(&self) -> impl Iterator<Item = (&str, &Counters)> + '_ {
        let messages = self.listeners.iter().map(Listener::gate);
        let gates = messages.chain(self.calls.iter().map(SipListener::gate));
        gates.map(|gate| (gate.name.as_str(), &gate.counters))
    }

    /// Stops accepting and lets what is outstanding be answered; returns when every connection is closed, or after the
    /// longest of the listeners' drain timeouts.
    pub async fn drain(&self) {
        // They drain side by side: each has its own timeout, and none waits for another's.
        type Drain<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
        let messages = self.listeners.iter().map(|listener| Box::pin(listener.drain()) as Drain<'_>);
        let calls = self.calls.iter().map(|listener| Box::pin(listener.drain()) as Drain<'_>);
        let mut drains: Vec<_> = messages.chain(calls).collect();
        std::future::poll_fn(|cx| {
            drains.retain_mut(|drain| drain.as_mut().poll(cx).is_pending());
            if drains.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
pub(crate) mod tests;
