//! What all session targets share: the stream is cut into reads by its own first octets, and whatever the cuts are, the
//! same comes out as of the stream in one piece.

use std::sync::Arc;
use std::time::{Duration, Instant};
use yumen_agent::doors::config::{Balance, ListenerConfig, ProtocolKind};
use yumen_agent::doors::protocol::{Protocol, Side};
use yumen_agent::doors::session::{Now, Outputs, Session};
use yumen_agent::enforce::{Failures, OnFailure, Policy};
use yumen_agent::pipeline::{Gate, Hit, Judge, Judged, Pipeline, ReportLost, Reporter, Unjudged};
use yumen_agent::reassembly::{Table, TableLimits};
use yumen_wire::event::Event;
use yumen_wire::text::Coding;

struct NoPack;

impl Judge for NoPack {
    fn judge(&self, event: &Event<'_>, _: &mut dyn FnMut(Judged<'_>)) -> Result<(), Unjudged> {
        assert!(std::str::from_utf8(event.text.as_bytes()).is_ok());
        Err(Unjudged::NoPack)
    }
}

struct Nobody;

impl Reporter for Nobody {
    fn report(&self, _: &Hit<'_>) -> Result<(), ReportLost> {
        Ok(())
    }
}

fn config(protocol: ProtocolKind, closed: bool) -> ListenerConfig {
    let failures = Failures::all(if closed { OnFailure::Closed } else { OnFailure::Open });
    ListenerConfig {
        name: "fuzz".to_owned(),
        protocol,
        bind: ([127, 0, 0, 1], 0).into(),
        tls: None,
        upstreams: Vec::new(),
        balance: Balance::Failover,
        connections_max: 1,
        pdu_bytes_max: 4096,
        connect_timeout: Duration::from_secs(1),
        drain_timeout: Duration::from_secs(1),
        default_alphabet: Coding::Gsm7,
        reject_status: None,
        thresholds: Default::default(),
        policy: Policy { failures, deadline: Duration::from_secs(3600), ..Policy::default() },
    }
}

/// Runs one input through a session of its own.
pub fn run<P: Protocol>(protocol: ProtocolKind, new: fn(&ListenerConfig) -> P, input: &[u8]) {
    let Some((&[switches, cut], stream)) = input.split_first_chunk::<2>() else { return };
    let config = config(protocol, switches & 1 != 0);
    let side = if switches & 2 != 0 { Side::Client } else { Side::Server };
    let session = || {
        let table = Table::new(TableLimits { messages_max: 256, bytes_max: 1 << 20, ..TableLimits::default() });
        let pipeline = Arc::new(Pipeline::new(Arc::new(NoPack), Arc::new(Nobody), table));
        (pipeline.clone(), Session::new(Arc::new(Gate::new(&config, 0, pipeline)), new(&config)))
    };
    let (pipeline, mut whole) = session();
    let expected = feed(&mut whole, side, stream, stream.len().max(1));
    assert!(pipeline.table().bytes() <= 1 << 20);
    let (_, mut pieces) = session();
    let got = feed(&mut pieces, side, stream, usize::from(cut).max(1));
    assert_eq!(got, expected);
}

/// What is forwarded, and what is answered.
fn feed<P: Protocol>(session: &mut Session<P>, side: Side, stream: &[u8], size: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut buffer, mut outputs) = (Vec::new(), Outputs::default());
    let (mut forwarded, mut replied) = (Vec::new(), Vec::new());
    for piece in stream.chunks(size) {
        buffer.extend_from_slice(piece);
        let now = Now { instant: Instant::now(), time_ms: 1_795_456_800_000 };
        let used = session.handle(side, &buffer, now, &mut outputs);
        for range in outputs.forward() {
            forwarded.extend_from_slice(&buffer[range.clone()]);
        }
        replied.extend_from_slice(&outputs.reply);
        outputs.clear();
        buffer.drain(..used);
        if session.is_ended() {
            break;
        }
    }
    assert!(forwarded.len() <= stream.len());
    (forwarded, replied)
}
