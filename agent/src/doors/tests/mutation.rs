//! PDUs that went wrong, through whole sessions: no panic, nothing invented, nothing grows.
//!
//! `YUMEN_MUTATIONS` says how many a protocol, `YUMEN_SEED` runs a single one again.

use super::*;
use crate::doors::cmpp::Cmpp;
use crate::doors::sgip::Sgip;
use crate::doors::smgp::Smgp;
use crate::doors::smpp::Smpp;
use crate::doors::tests::parts::part;
use crate::doors::tests::smpp::sm;
use crate::enforce::{Blocking, Failures, OnFailure};
use std::panic::{AssertUnwindSafe, catch_unwind};
use yumen_wire::cmpp::Version;
use yumen_wire::smpp::CommandId;

const MUTATIONS: u64 = 20_000;
const TABLE_BYTES_MAX: usize = 64 * 4_000;

#[test]
fn mutated_smpp_streams() {
    let mut samples: Vec<_> = [CommandId::SUBMIT_SM, CommandId::DELIVER_SM, CommandId::DATA_SM]
        .into_iter()
        .flat_map(|id| [sm(id, 7, "好消息"), sm(id, 8, BAD)])
        .collect();
    samples.extend((1..=3).map(|number| part(9, 3, number, "一段")));
    run(ProtocolKind::Smpp, Smpp::new, &samples);
}

#[test]
fn mutated_cmpp_streams() {
    let samples: Vec<_> = [Version::V2, Version::V3]
        .into_iter()
        .flat_map(|version| {
            let parts = (1..=2).map(move |number| super::cmpp::submit_part(version, 3, 2, number, "一段"));
            [super::cmpp::submit(version, 1, "好消息"), super::cmpp::submit(version, 2, BAD)]
                .into_iter()
                .chain(parts)
        })
        .collect();
    run(ProtocolKind::Cmpp, Cmpp::new, &samples);
}

#[test]
fn mutated_smgp_streams() {
    use yumen_wire::smgp::Version;
    let mut samples: Vec<_> = [Version::V1, Version::V3]
        .into_iter()
        .flat_map(|version| {
            ["好消息", BAD].map(|text| super::smgp::submit(version, 1, text, &[0, 2, 0, 1, 0]))
        })
        .collect();
    samples.extend(
        (1..=2).map(|number| super::smgp::submit(Version::V3, 3, "一段", &super::smgp::place(2, number))),
    );
    run(ProtocolKind::Smgp, Smgp::new, &samples);
}

#[test]
fn mutated_sgip_streams() {
    let mut samples: Vec<_> =
        ["好消息", BAD].into_iter().map(|text| super::sgip::submit(1, &[], text)).collect();
    samples.extend(["好消息", BAD].map(|text| super::sgip::deliver(2, text)));
    samples.extend((1..=2).map(|number| super::sgip::submit(3, &[5, 0, 3, 1, 2, number], "一段")));
    run(ProtocolKind::Sgip, Sgip::new, &samples);
}

fn run<P: Protocol>(protocol: ProtocolKind, new: fn(&ListenerConfig) -> P, samples: &[Vec<u8>]) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let seeds = match number("YUMEN_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("YUMEN_MUTATIONS").unwrap_or(MUTATIONS),
    };
    let limits = TableLimits { bytes_max: TABLE_BYTES_MAX, messages_max: 1024, ..TableLimits::default() };
    let worlds = [OnFailure::Open, OnFailure::Closed].map(|mode| {
        let policy = Policy { failures: Failures::all(mode), blocking: Blocking::Drop, ..Policy::default() };
        World::with_limits(config(protocol, policy), Arc::new(WordJudge::new()), limits)
    });
    let mut outputs = Outputs::default();
    for seed in seeds {
        let mut random = Random(seed);
        let world = &worlds[random.below(2)];
        let side = Side::BOTH[random.below(2)];
        let stream: Vec<u8> = (0..=random.below(4)).flat_map(|_| mutate(samples, &mut random)).collect();
        let mut pair = world.session(new);
        let now = Now { instant: Instant::now(), ..world.now };
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let used = pair.session.handle(side, &stream, now, &mut outputs);
            assert!(used <= stream.len());
            let mut end = 0;
            for range in outputs.forward() {
                assert!(
                    range.start >= end && range.end <= used,
                    "forwarded in order, and only what was used"
                );
                end = range.end;
            }
            assert!(outputs.reply.len() <= 8 * stream.len() + 64, "answers are bounded by what came");
            assert!(world.pipeline.table().bytes() <= TABLE_BYTES_MAX);
        }));
        outputs.clear();
        assert!(ran.is_ok(), "YUMEN_SEED={seed} {stream:02x?}");
    }
}

/// A PDU that went wrong; its length is put right in three of four, so that the defect lies further in.
fn mutate(samples: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut octets = samples[random.below(samples.len())].clone();
    match random.below(5) {
        0 => octets.truncate(random.below(octets.len() + 1)),
        1 => {
            for _ in 0..=random.below(8) {
                let at = random.below(octets.len());
                octets[at] ^= 1 << random.below(8);
            }
        }
        2 => {
            let at = random.below(octets.len() + 1);
            let more = random.below(300);
            octets.splice(at..at, (0..more).map(|_| random.octet()));
        }
        3 => {
            let at = random.below(octets.len());
            octets.iter_mut().skip(at).for_each(|octet| *octet = random.octet());
        }
        _ => {}
    }
    let length = u32::try_from(octets.len()).unwrap();
    if random.below(4) > 0 && octets.len() >= 4 {
        octets[..4].copy_from_slice(&length.to_be_bytes());
    }
    octets
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}
