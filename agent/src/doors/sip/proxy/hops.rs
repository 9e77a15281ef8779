//! The next hops, and which of them are there.

use super::super::transport::Place;
use super::local::{Branch, Local};
use super::output::{Destination, Outputs};
use super::side;
use crate::doors::counters::Counters;
use crate::limits::{SIP_HOP_LOST_AFTER, SIP_HOP_REST, SIP_PROBE_TIMEOUT};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// All next hops, the preferred first.
#[derive(Debug)]
pub(super) struct Hops {
    hops: Vec<Hop>,
    keepalive: Option<Duration>,
    secret: RandomState,
    probes_made: u32,
}

#[derive(Debug)]
struct Hop {
    place: Arc<Place>,
    /// Failures in a row.
    failures: u32,
    /// Until when it is passed over; `None` while it is there.
    lost_until: Option<Instant>,
    probe: Option<Probe>,
    next_probe: Option<Instant>,
}

/// An OPTIONS without an answer.
#[derive(Debug)]
struct Probe {
    branch: u64,
    octets: Vec<u8>,
    resend: Option<(Instant, Duration)>,
    ends: Instant,
}

impl Hops {
    /// Texts that aren't places are left out: the configuration is checked before.
    pub(super) fn new(hops: &[String], keepalive: Option<Duration>, now: Instant) -> Self {
        let hops = hops.iter().filter_map(|text| Place::parse(text)).take(HOPS_MAX).map(|place| Hop {
            place: Arc::new(place),
            failures: 0,
            lost_until: None,
            probe: None,
            next_probe: keepalive.map(|_| now),
        });
        Self { hops: hops.collect(), keepalive, secret: RandomState::new(), probes_made: 0 }
    }

    pub(super) fn place(&self, hop: usize) -> Option<&Arc<Place>> {
        self.hops.get(hop).map(|hop| &hop.place)
    }

    /// The next one to try: the first that is there, or else the first of the lost ones. `tried` has a bit for each that
    /// had its turn.
    pub(super) fn next(&self, tried: u64, now: Instant) -> Option<usize> {
        let open = |hop: &usize| tried >> hop & 1 == 0;
        let is_there = |hop: &usize| self.hops.get(*hop).is_some_and(|hop| !hop.is_lost(now));
        let all = || (0..self.hops.len()).filter(open);
        all().find(is_there).or_else(|| all().next())
    }

    /// A next hop answered.
    pub(super) fn heard(&mut self, hop: usize, counters: &Counters) {
        let Some(hop) = self.hops.get_mut(hop) else { return };
        hop.failures = 0;
        if hop.lost_until.take().is_some() {
            Counters::add(&counters.hops_back);
            tracing::info!(hop = %hop.place.host_port(), "SipHopBack");
        }
    }

    /// A next hop didn't answer, or couldn't be reached.
    pub(super) fn missed(&mut self, hop: usize, now: Instant, counters: &Counters) {
        let asked = self.keepalive.is_some();
        let Some(hop) = self.hops.get_mut(hop) else { return };
        hop.failures = hop.failures.saturating_add(1);
        if hop.failures < SIP_HOP_LOST_AFTER {
            return;
        }
        if hop.lost_until.is_none() {
            Counters::add(&counters.hops_lost);
            tracing::warn!(hop = %hop.place.host_port(), "SipHopLost");
        }
        // Where nobody asks for it, the next calls do after a while.
        hop.lost_until = Some(if asked { now + FOR_EVER } else { now + SIP_HOP_REST });
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let of_hop = |hop: &Hop| match &hop.probe {
            Some(probe) => probe.resend.map(|of| of.0).into_iter().chain([probe.ends]).min(),
            None => hop.next_probe,
        };
        self.hops.iter().filter_map(of_hop).min()
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        local: &Local,
        counters: &Counters,
        out: &mut Outputs,
    ) {
        let Some(keepalive) = self.keepalive else { return };
        for at in 0..self.hops.len() {
            let Some(hop) = self.hops.get_mut(at) else { continue };
            match &mut hop.probe {
                Some(probe) if probe.ends <= now => {
                    hop.probe = None;
                    hop.next_probe = Some(now + keepalive);
                    self.missed(at, now, counters);
                }
                Some(probe) => {
                    if let Some((due, pause)) = probe.resend.filter(|(due, _)| *due <= now) {
                        let pause = super::transaction::longer(pause, true);
                        probe.resend = Some((due.max(now) + pause, pause));
                        let place = hop.place.clone();
                        out.push(Destination::To { place, branch: probe.branch }, &probe.octets);
                    }
                }
                None if hop.next_probe.is_some_and(|due| due <= now) => {
                    self.probes_made = self.probes_made.wrapping_add(1);
                    let branch = self.secret.hash_one(self.probes_made);
                    let probe = Probe {
                        branch,
                        octets: options(&hop.place, local, branch, self.probes_made),
                        resend: super::transaction::first_resend(&hop.place, now),
                        ends: now + SIP_PROBE_TIMEOUT,
                    };
                    out.push(Destination::To { place: hop.place.clone(), branch }, &probe.octets);
                    hop.probe = Some(probe);
                    hop.next_probe = None;
                }
                None => {}
            }
        }
    }

    /// Whether an answer is one to a probe of ours. Any but 503 says that somebody is there.
    pub(super) fn answered(&mut self, branch: u64, status: u16, now: Instant, counters: &Counters) -> bool {
        let Some(at) = self.probed(branch) else { return false };
        if status >= 200 {
            self.end_probe(at, now);
            if status == 503 { self.missed(at, now, counters) } else { self.heard(at, counters) }
        }
        true
    }

    /// Whether what couldn't be sent was a probe.
    pub(super) fn unreachable(&mut self, branch: u64, now: Instant, counters: &Counters) -> bool {
        let Some(at) = self.probed(branch) else { return false };
        self.end_probe(at, now);
        self.missed(at, now, counters);
        true
    }

    fn probed(&self, branch: u64) -> Option<usize> {
        self.hops.iter().position(|hop| hop.probe.as_ref().is_some_and(|probe| probe.branch == branch))
    }

    fn end_probe(&mut self, at: usize, now: Instant) {
        if let Some(hop) = self.hops.get_mut(at) {
            hop.probe = None;
            hop.next_probe = self.keepalive.map(|pause| now + pause);
        }
    }
}

impl Hop {
    fn is_lost(&self, now: Instant) -> bool {
        self.lost_until.is_some_and(|until| now < until)
    }
}

fn options(place: &Place, local: &Local, id: u64, number: u32) -> Vec<u8> {
    let (host, port) = local.sent_by(place.transport);
    let (to, transport) = (place.host_port(), place.transport);
    let branch = Branch { id, mark: 0 };
    format!(
        "OPTIONS sip:{to}{side} SIP/2.0\r\nVia: SIP/2.0/{via} {host}:{port};branch={branch};rport\r\n\
         Max-Forwards: 0\r\nFrom: <sip:{host}:{port}>;tag={id:016x}\r\nTo: <sip:{to}>\r\n\
         Call-ID: {id:016x}@{host}\r\nCSeq: {number} OPTIONS\r\nUser-Agent: Yumen\r\nContent-Length: 0\r\n\r\n",
        side = side(transport),
        via = transport.as_str(),
        number = number.max(1) & 0x7FFF_FFFF,
    )
    .into_bytes()
}

/// As many as `tried` has bits.
pub(super) const HOPS_MAX: usize = 64;
/// Until it answers again.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
