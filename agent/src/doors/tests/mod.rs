//! Sessions without sockets: a judge that looks for words, a reporter that counts, and PDUs of the tests' own.

mod allocations;
mod chunks;
mod cmpp;
mod driver;
mod mutation;
mod parts;
mod sgip;
mod sip;
mod sip_proxy;
mod smgp;
mod smpp;

use super::config::{Balance, ListenerConfig, ProtocolKind, Upstream};
use super::protocol::{Protocol, Side};
use super::session::{Now, Outputs, Session};
use crate::enforce::Policy;
use crate::pipeline::{Gate, Hit, Judge, Judged, Pipeline, ReportLost, Reporter, Unjudged};
use crate::reassembly::{Table, TableLimits};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use yumen_rules::engine::{FOLD_VERSION, Fired, Judgement};
use yumen_rules::pack::{
    ENGINE_VERSION, FORMAT_VERSION, HEADER_LEN, Layout, MAGIC, SECTION_ENTRY_LEN, SIGNATURE_LEN, SectionKind,
};
use yumen_rules::policy::Policy as Thresholds;
use yumen_rules::verdict::{Action, Ladder};
use yumen_wire::event::Event;
use yumen_wire::text::Coding;

/// A text with this word is rejected.
pub(crate) const BAD: &str = "坏消息";
/// A text with this word is flagged.
pub(crate) const GREY: &str = "灰消息";
/// A text with this word hits a rule in shadow.
pub(crate) const SHADE: &str = "影消息";

/// Judges by words, with a pack that holds nothing.
pub(crate) struct WordJudge {
    pack: Vec<u8>,
    layout: Layout,
    /// What every judgement takes.
    pub(super) delay: Duration,
}

impl WordJudge {
    pub(crate) fn new() -> Self {
        let pack = empty_pack();
        let layout = Layout::new_checked(&pack).unwrap();
        Self { pack, layout, delay: Duration::ZERO }
    }
}

impl Judge for WordJudge {
    fn judge(&self, event: &Event<'_>, then: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged> {
        let began = Instant::now();
        while began.elapsed() < self.delay {
            std::hint::spin_loop();
        }
        let mut fired = Fired { rule: 0, score: 90, ladder: Ladder::Enforce, ..Fired::EMPTY };
        let mut judgement = Judgement::NOTHING;
        if event.text.contains(SHADE) {
            fired.ladder = Ladder::Shadow;
        } else if event.text.contains(GREY) {
            fired.ladder = Ladder::Flag;
        }
        let all = [fired];
        if [BAD, GREY, SHADE].iter().any(|word| event.text.contains(word)) {
            judgement.fired = &all;
        }
        then(Judged { judgement: &judgement, pack: self.layout.pack(&self.pack) });
        Ok(())
    }
}

/// No pack is loaded.
pub(crate) struct NoPack;

impl Judge for NoPack {
    fn judge(&self, _: &Event<'_>, _: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged> {
        Err(Unjudged::NoPack)
    }
}

/// Reports that are remembered.
const REPORTS_MAX: usize = 10_000;

/// Remembers what was reported: the action and the text, and the appeal ids that were given out.
#[derive(Default)]
pub(crate) struct Reports(pub(super) Mutex<Vec<(Action, String)>>, Mutex<Vec<String>>);

impl Reports {
    pub(crate) fn actions(&self) -> Vec<Action> {
        self.0.lock().unwrap().iter().map(|(action, _)| *action).collect()
    }

    pub(crate) fn appeals(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

impl Reporter for Reports {
    fn report(&self, hit: &Hit<'_>) -> Result<(), ReportLost> {
        let mut reports = self.0.lock().unwrap();
        if reports.len() < REPORTS_MAX {
            self.1.lock().unwrap().extend(hit.appeal.map(str::to_owned));
            reports.push((hit.action, hit.event.text.to_owned()));
        }
        Ok(())
    }
}

/// A listener's configuration with the given policy.
pub(super) fn config(protocol: ProtocolKind, policy: Policy) -> ListenerConfig {
    ListenerConfig {
        name: "test".to_owned(),
        protocol,
        bind: ([127, 0, 0, 1], 0).into(),
        tls: None,
        upstreams: vec![Upstream { address: "127.0.0.1:1".to_owned(), tls: None }],
        balance: Balance::Failover,
        connections_max: 16,
        pdu_bytes_max: 16 * 1024,
        connect_timeout: Duration::from_secs(1),
        drain_timeout: Duration::from_secs(1),
        default_alphabet: Coding::Gsm7,
        reject_status: None,
        thresholds: Thresholds::default(),
        policy,
    }
}

/// Everything sessions of one listener share.
pub(super) struct World {
    pub(super) config: ListenerConfig,
    pub(super) gate: Arc<Gate>,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) reports: Arc<Reports>,
    pub(super) now: Now,
}

impl World {
    pub(super) fn new(config: ListenerConfig, judge: Arc<dyn Judge>) -> Self {
        Self::with_limits(config, judge, TableLimits::default())
    }

    pub(super) fn with_limits(config: ListenerConfig, judge: Arc<dyn Judge>, limits: TableLimits) -> Self {
        let reports = Arc::new(Reports::default());
        let pipeline = Arc::new(Pipeline::new(judge, reports.clone(), Table::new(limits)));
        let gate = Arc::new(Gate::new(&config, 0, pipeline.clone()));
        let now = Now { instant: Instant::now(), time_ms: 1_795_456_800_000 };
        Self { config, gate, pipeline, reports, now }
    }

    pub(super) fn session<P: Protocol>(&self, protocol: impl FnOnce(&ListenerConfig) -> P) -> Pair<P> {
        Pair { session: Session::new(self.gate.clone(), protocol(&self.config)), now: self.now }
    }
}

/// A session, and what came out of it.
pub(super) struct Pair<P> {
    pub(super) session: Session<P>,
    pub(super) now: Now,
}

impl<P: Protocol> Pair<P> {
    /// Hands in whole PDUs; gives what goes to the other side and what comes back.
    pub(super) fn send(&mut self, side: Side, octets: &[u8]) -> (Vec<u8>, Vec<u8>) {
        self.send_at(side, octets, Instant::now())
    }

    /// The same at another time.
    pub(super) fn send_at(&mut self, side: Side, octets: &[u8], instant: Instant) -> (Vec<u8>, Vec<u8>) {
        let mut outputs = Outputs::default();
        let used = self.session.handle(side, octets, Now { instant, ..self.now }, &mut outputs);
        assert_eq!(used, octets.len(), "whole PDUs are used up");
        let forwarded = outputs.forward().iter().flat_map(|range| octets[range.clone()].to_vec()).collect();
        (forwarded, outputs.reply)
    }
}

/// A pack of the right form with nothing in it.
pub(super) fn empty_pack() -> Vec<u8> {
    let count = SectionKind::COUNT;
    let table = HEADER_LEN + count * SECTION_ENTRY_LEN;
    let mut bytes = vec![0; table];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[10..12].copy_from_slice(&u16::try_from(count).unwrap().to_le_bytes());
    bytes[16..24].copy_from_slice(&7_u64.to_le_bytes());
    bytes[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
    bytes[40..42].copy_from_slice(&ENGINE_VERSION.to_le_bytes());
    bytes[42..44].copy_from_slice(&u16::try_from(FOLD_VERSION).unwrap().to_le_bytes());
    bytes[64..69].copy_from_slice(b"empty");
    for (slot, kind) in SectionKind::ALL.iter().enumerate() {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        // One offset, 0, where a section starts with offsets; nothing otherwise, and nothing for no classifier.
        let has_offsets = kind.record_len() == 0 && *kind != SectionKind::Classifier;
        let length: u32 = if has_offsets { 4 } else { 0 };
        let entry = HEADER_LEN + slot * SECTION_ENTRY_LEN;
        let at = u32::try_from(bytes.len()).unwrap();
        bytes[entry..entry + 2].copy_from_slice(&(*kind as u16).to_le_bytes());
        bytes[entry + 4..entry + 8].copy_from_slice(&at.to_le_bytes());
        bytes[entry + 8..entry + 12].copy_from_slice(&length.to_le_bytes());
        bytes.extend(std::iter::repeat_n(0, length as usize));
    }
    bytes.extend([0; SIGNATURE_LEN]);
    let total = u32::try_from(bytes.len()).unwrap();
    bytes[12..16].copy_from_slice(&total.to_le_bytes());
    bytes
}

/// Encodes a text as UCS-2.
pub(super) fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}
