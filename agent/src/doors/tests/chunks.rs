//! However a stream is cut, the same comes out.

use super::*;
use crate::doors::cmpp::Cmpp;
use crate::doors::sgip::Sgip;
use crate::doors::smgp::Smgp;
use crate::doors::smpp::Smpp;
use crate::doors::tests::smpp::sm;
use proptest::prelude::*;
use yumen_wire::cmpp::Version;
use yumen_wire::smpp::{Body, CommandId, Header};

/// Feeds `stream` in pieces of the given sizes, as a driver does; gives what was forwarded and what came back.
fn feed<P: Protocol>(pair: &mut Pair<P>, side: Side, stream: &[u8], sizes: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let (mut buffer, mut forwarded, mut replied) = (Vec::new(), Vec::new(), Vec::new());
    let mut outputs = Outputs::default();
    let mut rest = stream;
    let mut sizes = sizes.iter().copied().cycle();
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        rest = later;
        buffer.extend_from_slice(chunk);
        let now = Now { instant: Instant::now(), ..pair.now };
        let used = pair.session.handle(side, &buffer, now, &mut outputs);
        for range in outputs.forward() {
            forwarded.extend_from_slice(&buffer[range.clone()]);
        }
        replied.extend_from_slice(&outputs.reply);
        outputs.clear();
        buffer.drain(..used);
    }
    (forwarded, replied)
}

fn smpp_stream() -> impl Strategy<Value = Vec<u8>> {
    let one = prop_oneof![
        3 => (any::<u32>(), "[好坏消息a-z]{0,60}").prop_map(|(sequence, text)| sm(CommandId::SUBMIT_SM, sequence, &text)),
        1 => any::<u32>().prop_map(|sequence| sm(CommandId::SUBMIT_SM, sequence, BAD)),
        1 => (any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(id, body)| {
            super::smpp::pdu(Header::request(CommandId(id), 1), &Body::Opaque(&body))
        }),
    ];
    prop::collection::vec(one, 0..20).prop_map(|pdus| pdus.concat())
}

fn cmpp_stream() -> impl Strategy<Value = Vec<u8>> {
    let one = prop_oneof![
        3 => (any::<u32>(), "[好坏消息a-z]{0,60}").prop_map(|(sequence, text)| super::cmpp::submit(Version::V2, sequence, &text)),
        1 => any::<u32>().prop_map(|sequence| super::cmpp::submit(Version::V2, sequence, BAD)),
    ];
    prop::collection::vec(one, 0..20).prop_map(|pdus| pdus.concat())
}

proptest! {
    #[test]
    fn smpp_is_the_same_in_any_pieces(stream in smpp_stream(), sizes in prop::collection::vec(1_usize..400, 1..8)) {
        let world = World::new(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()));
        let whole = world.session(Smpp::new).send(Side::Client, &stream);
        prop_assert_eq!(feed(&mut world.session(Smpp::new), Side::Client, &stream, &sizes), whole);
    }

    #[test]
    fn cmpp_is_the_same_in_any_pieces(stream in cmpp_stream(), sizes in prop::collection::vec(1_usize..400, 1..8)) {
        let world = World::new(config(ProtocolKind::Cmpp, Policy::default()), Arc::new(WordJudge::new()));
        let whole = world.session(Cmpp::new).send(Side::Client, &stream);
        prop_assert_eq!(feed(&mut world.session(Cmpp::new), Side::Client, &stream, &sizes), whole);
    }

    #[test]
    fn smgp_and_sgip_are_the_same_in_any_pieces(
        texts in prop::collection::vec("[好坏消息a-z]{0,40}", 0..12),
        sizes in prop::collection::vec(1_usize..400, 1..8),
    ) {
        let numbered = || (1_u32..).zip(&texts);
        let stream: Vec<u8> = numbered()
            .flat_map(|(number, text)| super::smgp::submit(yumen_wire::smgp::Version::V3, number, text, &[]))
            .collect();
        let world = World::new(config(ProtocolKind::Smgp, Policy::default()), Arc::new(WordJudge::new()));
        let whole = world.session(Smgp::new).send(Side::Client, &stream);
        prop_assert_eq!(feed(&mut world.session(Smgp::new), Side::Client, &stream, &sizes), whole);
        let stream: Vec<u8> = numbered().flat_map(|(number, text)| super::sgip::submit(number, &[], text)).collect();
        let world = World::new(config(ProtocolKind::Sgip, Policy::default()), Arc::new(WordJudge::new()));
        let whole = world.session(Sgip::new).send(Side::Client, &stream);
        prop_assert_eq!(feed(&mut world.session(Sgip::new), Side::Client, &stream, &sizes), whole);
    }

    /// Octets of any kind: no panic, what is forwarded is part of what came, and the cuts change nothing.
    #[test]
    fn any_octets_at_all(stream in prop::collection::vec(any::<u8>(), 0..2_000), sizes in prop::collection::vec(1_usize..200, 1..8)) {
        let world = World::new(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()));
        for side in Side::BOTH {
            let pieces = feed(&mut world.session(Smpp::new), side, &stream, &sizes);
            prop_assert!(pieces.0.len() <= stream.len());
            prop_assert_eq!(pieces, feed(&mut world.session(Smpp::new), side, &stream, &[stream.len().max(1)]));
            let pieces = feed(&mut world.session(Cmpp::new), side, &stream, &sizes);
            prop_assert!(pieces.0.len() <= stream.len());
            prop_assert_eq!(pieces, feed(&mut world.session(Cmpp::new), side, &stream, &[stream.len().max(1)]));
        }
    }
}
