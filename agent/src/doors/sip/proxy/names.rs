//! Addresses of host names, kept for a while; messages wait while one is asked for.

use super::super::transport::Place;
use crate::limits::{SIP_NAME_AGE_MAX, SIP_NAME_QUEUE, SIP_NAMES_MAX};
use bytes::Bytes;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// A message that waits for an address.
pub(super) type Waiting = (Arc<Place>, u64, Bytes);

/// What is known of host names.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: HashMap<String, Known>,
    waiting: usize,
}

#[derive(Debug)]
enum Known {
    Asked(Vec<Waiting>),
    Found(IpAddr, Instant),
}

/// What became of a message for a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Here it is.
    Found(SocketAddr),
    /// It waits; somebody asks already.
    Waits,
    /// It waits, and this is to be asked.
    Ask,
    /// There is no room.
    Refused,
}

impl Names {
    pub(super) fn look(&mut self, place: &Arc<Place>, branch: u64, octets: &[u8], now: Instant) -> Lookup {
        if let Some(literal) = place.literal {
            return Lookup::Found(literal);
        }
        if let Some(Known::Found(address, until)) = self.known.get(&place.host)
            && now < *until
        {
            return Lookup::Found(SocketAddr::new(*address, place.port));
        }
        if self.waiting >= SIP_NAME_QUEUE {
            return Lookup::Refused;
        }
        let message = (place.clone(), branch, Bytes::copy_from_slice(octets));
        if let Some(Known::Asked(waiting)) = self.known.get_mut(&place.host) {
            waiting.push(message);
            self.waiting += 1;
            return Lookup::Waits;
        }
        if self.known.len() >= SIP_NAMES_MAX {
            self.known.retain(|_, known| !matches!(known, Known::Found(_, until) if *until <= now));
            if self.known.len() >= SIP_NAMES_MAX {
                return Lookup::Refused;
            }
        }
        self.known.insert(place.host.clone(), Known::Asked(vec![message]));
        self.waiting += 1;
        Lookup::Ask
    }

    /// The answer came; what waited is handed out.
    pub(super) fn answered(&mut self, host: &str, address: Option<IpAddr>, now: Instant) -> Vec<Waiting> {
        let Some(Known::Asked(waiting)) = self.known.remove(host) else { return Vec::new() };
        self.waiting = self.waiting.saturating_sub(waiting.len());
        if let Some(address) = address {
            self.known.insert(host.to_owned(), Known::Found(address, now + SIP_NAME_AGE_MAX));
        }
        waiting
    }
}
