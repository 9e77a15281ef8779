use super::*;
use crate::doors::smpp::Smpp;
use crate::doors::tests::smpp::sm_octets;
use crate::enforce::{Failures, OnFailure};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::atomic::Ordering;
use yumen_wire::smpp::{CommandId, EsmClass};

/// A tight table: some ten parts a shard.
const BYTES_MAX: usize = 64 * 3_000;

/// A part with an 8-bit reference, of the given coding.
fn part_octets(reference: u8, total: u8, number: u8, data_coding: u8, text: &[u8]) -> Vec<u8> {
    let mut user_data = vec![5, 0, 3, reference, total, number];
    user_data.extend_from_slice(text);
    sm_octets(CommandId::SUBMIT_SM, u32::from(number), EsmClass(EsmClass::UDHI), data_coding, &user_data)
}

pub(in crate::doors::tests) fn part(reference: u8, total: u8, number: u8, text: &str) -> Vec<u8> {
    part_octets(reference, total, number, 8, &ucs2(text))
}

fn world() -> World {
    World::new(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()))
}

/// Whether the part passed; and if it did, as it came.
fn passes(pair: &mut Pair<Smpp>, octets: &[u8]) -> bool {
    passes_at(pair, octets, Instant::now())
}

fn passes_at(pair: &mut Pair<Smpp>, octets: &[u8], instant: Instant) -> bool {
    let (forwarded, reply) = pair.send_at(Side::Client, octets, instant);
    assert!(forwarded.is_empty() != reply.is_empty(), "either handed on or answered");
    assert!(forwarded.is_empty() || forwarded == octets, "what passes is as it came");
    !forwarded.is_empty()
}

#[test]
fn a_word_across_the_border_stops_the_part_that_completes_it_and_all_after() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 4, 1, "有一个坏")));
    assert!(!passes(&mut pair, &part(7, 4, 2, "消息，")));
    assert!(!passes(&mut pair, &part(7, 4, 4, "好的")));
    assert!(!passes(&mut pair, &part(7, 4, 3, "好的")));
    assert_eq!(world.reports.actions(), [Action::Reject], "one message is one sighting");
    assert_eq!(world.gate.counters.parts_stopped.load(Ordering::Relaxed), 2);
}

#[test]
fn the_order_of_arrival_and_the_session_do_not_matter() {
    let world = world();
    let (mut one, mut other) = (world.session(Smpp::new), world.session(Smpp::new));
    assert!(passes(&mut one, &part(7, 3, 3, "消息")));
    assert!(passes(&mut other, &part(7, 3, 1, "一个")));
    assert!(!passes(&mut one, &part(7, 3, 2, "坏")));
    assert!(!passes(&mut other, &part(7, 3, 2, "坏")), "a retransmission is stopped as well");
}

#[test]
fn parts_that_are_not_neighbours_do_not_join() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 3, 1, "有一个坏")));
    assert!(passes(&mut pair, &part(7, 3, 3, "消息")));
    assert!(passes(&mut pair, &part(7, 3, 2, "，好")));
    assert_eq!(world.pipeline.table().messages(), 0, "a message that passed whole is forgotten");
    assert_eq!(world.pipeline.table().bytes(), 0);
}

#[test]
fn messages_of_other_references_senders_and_widths_are_apart() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 2, 1, "坏")));
    assert!(passes(&mut pair, &part(8, 2, 2, "消息")));
    let mut wide = vec![6, 8, 4, 0, 7, 2, 2];
    wide.extend(ucs2("消息"));
    assert!(passes(&mut pair, &sm_octets(CommandId::SUBMIT_SM, 9, EsmClass(EsmClass::UDHI), 8, &wide)));
}

#[test]
fn a_character_split_between_parts_is_read_whole() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    let octets = ucs2(BAD);
    let (head, tail) = octets.split_at(3);
    assert!(passes(&mut pair, &part_octets(7, 2, 1, 8, head)));
    assert!(!passes(&mut pair, &part_octets(7, 2, 2, 8, tail)));
    let gbk = [0xBB, 0xB5, 0xCF, 0xFB, 0xCF, 0xA2];
    let (head, tail) = gbk.split_at(1);
    assert!(passes(&mut pair, &part_octets(8, 2, 1, 15, head)));
    assert!(!passes(&mut pair, &part_octets(8, 2, 2, 15, tail)));
}

#[test]
fn an_odd_octet_does_not_shift_the_text_away() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    let mut odd = ucs2("好");
    odd.push(0x4E);
    assert!(passes(&mut pair, &part_octets(7, 2, 1, 8, &odd)));
    let mut bad = ucs2(BAD);
    bad.push(0x4E);
    assert!(!passes(&mut pair, &part_octets(7, 2, 2, 8, &bad)), "a receiver reads each part for itself");
}

#[test]
fn a_part_sent_twice_with_other_octets_hides_nothing() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 2, 1, "坏")));
    assert!(passes(&mut pair, &part(7, 2, 1, "好")));
    assert!(!passes(&mut pair, &part(7, 2, 2, "消息")), "the receiver may have kept the first");
    assert_eq!(world.pipeline.table().counters().conflicts.load(Ordering::Relaxed), 1);
}

#[test]
fn a_stopped_part_cannot_be_replaced_by_one_that_completes_the_message() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 2, 1, "一个坏")));
    assert!(!passes(&mut pair, &part(7, 2, 2, "消息！")));
    assert!(!passes(&mut pair, &part(7, 2, 2, "消息？")), "the receiver still holds part 1");
}

#[test]
fn a_stopped_message_that_was_seen_whole_makes_room_for_another() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 2, 1, "一个坏")));
    assert!(!passes(&mut pair, &part(7, 2, 2, "消息！")));
    assert!(passes(&mut pair, &part(7, 2, 1, "明天")));
    assert!(passes(&mut pair, &part(7, 2, 2, "见面")));
}

#[test]
fn a_retransmission_is_not_counted_twice() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    let first = part(7, 3, 1, GREY);
    for _ in 0..5 {
        assert!(passes(&mut pair, &first));
    }
    assert!(passes(&mut pair, &part(7, 3, 2, "然后")));
    let counters = world.pipeline.table().counters();
    assert_eq!(counters.duplicates.load(Ordering::Relaxed), 4);
    assert_eq!(world.reports.actions(), [Action::Flag], "one message is one sighting");
}

#[test]
fn a_message_is_reported_again_only_when_it_gets_worse() {
    let world = world();
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(7, 4, 1, SHADE)));
    assert!(passes(&mut pair, &part(7, 4, 2, "好")));
    let mut other = world.session(Smpp::new);
    assert!(passes(&mut other, &part(8, 4, 1, GREY)));
    assert!(passes(&mut other, &part(8, 4, 2, "好")));
    assert_eq!(world.reports.actions(), [Action::Allow, Action::Flag]);
}

#[test]
fn a_full_table_is_the_policys_to_decide() {
    let limits = TableLimits { messages_max: 1, ..TableLimits::default() };
    let open =
        World::with_limits(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()), limits);
    let mut pair = open.session(Smpp::new);
    for reference in 0..=255 {
        assert!(passes(&mut pair, &part(reference, 2, 1, "好")));
    }
    let table = open.pipeline.table();
    assert!(table.messages() <= crate::limits::REASSEMBLY_SHARDS);
    assert!(table.counters().evicted.load(Ordering::Relaxed) >= 256 - 64);

    let failures = Failures { memory_short: OnFailure::Closed, ..Failures::default() };
    let policy = Policy { failures, ..Policy::default() };
    let closed = World::with_limits(config(ProtocolKind::Smpp, policy), Arc::new(WordJudge::new()), limits);
    let mut pair = closed.session(Smpp::new);
    let passed = (0..=255).filter(|&reference| passes(&mut pair, &part(reference, 2, 1, "好"))).count();
    assert!(passed <= crate::limits::REASSEMBLY_SHARDS);
    assert_eq!(closed.pipeline.table().counters().refused.load(Ordering::Relaxed), 256 - passed as u64);
}

#[test]
fn bytes_are_bounded_too() {
    let limits = TableLimits { bytes_max: BYTES_MAX, ..TableLimits::default() };
    let world =
        World::with_limits(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()), limits);
    let mut pair = world.session(Smpp::new);
    for reference in 0..=255 {
        for number in 1..=20 {
            assert!(passes(&mut pair, &part(reference, 255, number, &"好".repeat(60))));
            assert!(world.pipeline.table().bytes() <= BYTES_MAX, "{}", world.pipeline.table().bytes());
        }
    }
}

#[test]
fn old_messages_are_forgotten_and_counted() {
    let limits = TableLimits { age_max: Duration::from_millis(30), ..TableLimits::default() };
    let world =
        World::with_limits(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()), limits);
    let mut pair = world.session(Smpp::new);
    assert!(passes(&mut pair, &part(1, 2, 1, "坏")));
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(40) {
        std::hint::spin_loop();
    }
    assert!(passes(&mut pair, &part(1, 2, 2, "消息")), "too late to be one message");
    assert_eq!(world.pipeline.table().counters().expired.load(Ordering::Relaxed), 1);
}

/// Messages as characters a part, none of which is bad by itself.
fn messages() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    let text = prop::sample::select(vec!["好", "坏", "消息", "坏消", "息", "，", "😀", "一个坏"]);
    prop::collection::vec(prop::collection::vec(text, 2..6), 1..5)
}

proptest! {
    /// Whatever the order, the duplicates, the interleaving, the session and the clock's steps: parts of a message pass as they came until
    /// the text so far is bad, and none passes after that; messages that are never bad pass whole.
    #[test]
    fn once_the_text_is_bad_no_part_passes(
        messages in messages(),
        picks in prop::collection::vec((any::<Index>(), any::<bool>(), any::<bool>(), 0_u64..500), 1..60),
    ) {
        let world = world();
        let mut sessions = [world.session(Smpp::new), world.session(Smpp::new)];
        let mut parts: Vec<(usize, usize)> = messages
            .iter()
            .enumerate()
            .flat_map(|(message, texts)| (0..texts.len()).map(move |number| (message, number)))
            .collect();
        let mut arrived = vec![std::collections::BTreeMap::new(); messages.len()];
        let mut bad = vec![false; messages.len()];
        let began = Instant::now();
        for (pick, second, again, at_s) in picks {
            if parts.is_empty() {
                break;
            }
            let (message, number) = parts[pick.index(parts.len())];
            let texts = &messages[message];
            // A duplicate of the last part of a message that is complete would begin a new one.
            if !again || arrived[message].len() + 1 >= texts.len() {
                parts.retain(|part| *part != (message, number));
            }
            let total = u8::try_from(texts.len()).unwrap();
            let octets = part(u8::try_from(message).unwrap(), total, u8::try_from(number).unwrap() + 1, texts[number]);
            arrived[message].insert(number, texts[number]);
            let mut so_far = String::new();
            let mut last = None;
            for (number, text) in &arrived[message] {
                if last.is_some_and(|last| last + 1 != *number) {
                    so_far.push('|');
                }
                so_far.push_str(text);
                last = Some(*number);
            }
            bad[message] |= so_far.contains(BAD);
            let passed = passes_at(&mut sessions[usize::from(second)], &octets, began + Duration::from_secs(at_s));
            prop_assert_eq!(passed, !bad[message], "message {} part {}: {}", message, number, so_far);
        }
    }

    /// However parts are cut and repeated, nothing panics and nothing grows beyond its limits.
    #[test]
    fn any_parts_at_all_stay_within_the_limits(
        parts in prop::collection::vec((0_u8..4, 0_u8..6, 0_u8..6, any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..80),
    ) {
        let limits = TableLimits { bytes_max: BYTES_MAX, messages_max: 64, ..TableLimits::default() };
        let world =
            World::with_limits(config(ProtocolKind::Smpp, Policy::default()), Arc::new(WordJudge::new()), limits);
        let mut pair = world.session(Smpp::new);
        for (reference, total, number, coding, text) in parts {
            passes(&mut pair, &part_octets(reference, total, number, coding, &text));
            prop_assert!(world.pipeline.table().bytes() <= BYTES_MAX);
        }
    }
}
