extern crate std;
use std::prelude::v1::*;
use std::vec;

use super::*;
use proptest::prelude::*;

const START: u32 = 1_800_000_000;

fn storage() -> (Vec<Slot>, Vec<Busy>) {
    (vec![Slot::FREE; 8 * WAYS], vec![Busy::FREE; 2 * WAYS])
}

fn call(time_s: u32, peer: u64) -> Entry {
    Entry::new(time_s, peer, State::Pending, Marks::NONE)
}

#[test]
fn wire_numbers_are_frozen() {
    assert_eq!(
        Measure::ALL.map(|measure| measure as u8),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    );
    assert_eq!(Subject::ALL.map(|subject| subject as u8), [0, 1, 2, 3, 4]);
}

#[test]
fn outcomes_find_their_attempts() {
    let (mut slots, mut busy) = storage();
    let mut table = Table::new(&mut slots, &mut busy);
    for peer in 0..4 {
        table.attempt(7, call(START, peer), START);
    }
    assert_eq!(table.measure(7, Measure::Concurrent, 60, START), 4);
    table.outcome(7, 0, State::Answered, 4, START + 4, START + 4);
    table.outcome(7, 0, State::Short, 0, START + 6, START + 6);
    table.outcome(7, 1, State::Cancelled, 2, START + 2, START + 2);
    table.outcome(7, 2, State::Failed, 0, START + 2, START + 2);
    let measure = |measure| table.measure(7, measure, 60, START + 10);
    assert_eq!(measure(Measure::Attempts), 4);
    assert_eq!(measure(Measure::AnsweredRatio), 333);
    assert_eq!(measure(Measure::ShortCalls), 1);
    assert_eq!(measure(Measure::RingMs), 3000);
    assert_eq!(measure(Measure::Concurrent), 1);
    assert_eq!(measure(Measure::Sequential), 4);
    assert_eq!(measure(Measure::DistinctCallees), 4);
}

#[test]
fn the_number_silent_for_longest_is_forgotten_first() {
    let mut slots = vec![Slot::FREE; WAYS];
    let mut table = Table::new(&mut slots, &mut []);
    for key in 1..=9 {
        let now_s = START + u32::try_from(key).unwrap();
        let room = table.attempt(key, call(now_s, 1), now_s);
        assert_eq!(room, if key < 9 { Room::Taken } else { Room::Evicted });
    }
    assert_eq!(table.measure(1, Measure::Attempts, 600, START + 9), 0);
    assert!((2..=9).all(|key| table.measure(key, Measure::Attempts, 600, START + 9) == 1));
}

#[test]
fn a_clock_set_back_forgets_nothing_recent() {
    let (mut slots, mut busy) = storage();
    let mut table = Table::new(&mut slots, &mut busy);
    for second in 0..10 {
        table.attempt(7, call(START + second, second.into()), START + second);
    }
    assert_eq!(table.measure(7, Measure::Attempts, 600, START - 30), 10);
    assert_eq!(table.measure(7, Measure::Attempts, 600, START - 7200), 0);
    assert_eq!(table.measure(7, Measure::Attempts, 600, START + 10), 10);
}

#[test]
fn peers_are_estimated_from_below() {
    let (mut slots, mut busy) = storage();
    let mut table = Table::new(&mut slots, &mut busy);
    for peer in 0..400u32 {
        table.attempt(7, call(START + peer / 8, mix(peer.into()) >> 32), START + peer / 8);
    }
    let distinct = table.measure(7, Measure::DistinctCallees, 600, START + 50);
    assert!((300..=400).contains(&distinct), "{distinct}");
    assert_eq!(table.measure(7, Measure::Attempts, 600, START + 50), 400);
}

#[test]
fn numbers_without_storage_are_nobody() {
    let mut table = Table::new(&mut [], &mut []);
    assert_eq!(table.attempt(7, call(START, 1), START), Room::None);
    table.outcome(7, 1, State::Answered, 1, START, START);
    assert_eq!(table.measure(7, Measure::Attempts, 60, START), 0);
    assert_eq!(table.measure(7, Measure::AnsweredRatio, 60, START), RATIO_ONE);
}

proptest! {
    /// The stated error: everything in the window, and nothing that lies more than a bucket's width before it.
    #[test]
    fn a_window_holds_its_events_and_at_most_a_bucket_more(
        steps in prop::collection::vec(0u32..90, 1..200),
        window_s in WINDOW_S_MIN..=WINDOW_S_MAX,
        later in 0u32..4000,
    ) {
        let (mut slots, mut busy) = storage();
        let mut table = Table::new(&mut slots, &mut busy);
        let mut now_s = START;
        let mut times = Vec::new();
        for step in steps {
            now_s += step;
            times.push(now_s);
            table.attempt(7, call(now_s, 1), now_s);
        }
        now_s += later;
        let truth = |window_s: u32| {
            i64::try_from(times.iter().filter(|&&time| now_s - time < window_s).count()).unwrap()
        };
        let measured = table.measure(7, Measure::Attempts, window_s, now_s);
        prop_assert!(truth(window_s) <= measured, "{measured} below {}", truth(window_s));
        let reach = window_s + width_for(window_s);
        prop_assert!(measured <= truth(reach), "{measured} above {}", truth(reach));
        prop_assert!(width_for(window_s) <= (window_s * 4 / 15).max(2) + 1);
    }

    /// What comes late from another gateway counts as if it had come in time, in slots and buckets; what is older than what a
    /// slot keeps may be missing from it until buckets are opened, never more than was there.
    #[test]
    fn late_attempts_count_as_those_in_time(
        mut events in prop::collection::vec((0u32..7200, 0u32..600), 1..120),
        window_s in WINDOW_S_MIN..=WINDOW_S_MAX,
    ) {
        let (mut slots, mut busy) = storage();
        let mut table = Table::new(&mut slots, &mut busy);
        events.sort_unstable_by_key(|&(happened, late)| happened + late);
        let mut now_s = START;
        for &(happened, late) in &events {
            now_s = START + happened + late;
            table.attempt(7, call(START + happened, 1), now_s);
        }
        let truth = |window_s: u32| {
            let within = events.iter().filter(|&&(happened, _)| (START + happened).abs_diff(now_s) < window_s);
            i64::try_from(within.count()).unwrap()
        };
        let measured = table.measure(7, Measure::Attempts, window_s, now_s);
        let reach = truth(window_s + width_for(window_s));
        prop_assert!(measured <= reach, "{measured} above {reach}");
        // A slot whose buckets were opened late has lost at most what it had no place for: nothing, as it opens them when full.
        prop_assert!(truth(window_s) <= measured, "{measured} below {}", truth(window_s));
    }

    /// A table that is put back elsewhere answers as the one it was taken from.
    #[test]
    fn what_is_restored_measures_the_same(
        events in prop::collection::vec((0u32..900, 1u64..5, 0u32..40), 1..200),
        window_s in WINDOW_S_MIN..=WINDOW_S_MAX,
    ) {
        let (mut slots, mut busy) = storage();
        let mut table = Table::new(&mut slots, &mut busy);
        let mut now_s = START;
        for &(step, key, peer) in &events {
            now_s += step;
            table.attempt(key, call(now_s, peer.into()), now_s);
        }
        let (mut other_slots, mut other_busy) = (vec![Slot::FREE; 4 * WAYS], vec![Busy::FREE; WAYS]);
        let (kept, kept_busy) = (slots.clone(), busy.clone());
        let table = Table::new(&mut slots, &mut busy);
        let mut other = Table::new(&mut other_slots, &mut other_busy);
        kept.iter().filter(|slot| slot.key != 0).for_each(|slot| assert!(other.restore(slot, now_s)));
        kept_busy.iter().filter(|busy| busy.key != 0).for_each(|busy| assert!(other.restore_busy(busy, now_s)));
        for (key, measure) in (1..5).flat_map(|key| Measure::ALL.map(|measure| (key, measure))) {
            prop_assert_eq!(table.measure(key, measure, window_s, now_s), other.measure(key, measure, window_s, now_s));
        }
    }

    /// A clock that steps back and forth: at every step, what lies within the window on either side counts at least, as long as the
    /// step is no longer than what a slot and its finest buckets hold.
    #[test]
    fn clock_steps_lose_nothing_of_the_window(
        steps in prop::collection::vec((0u32..20, -100i64..100), 1..40),
    ) {
        let (mut slots, mut busy) = storage();
        let mut table = Table::new(&mut slots, &mut busy);
        let mut clock = i64::from(START);
        let mut times = Vec::new();
        for &(pause, shift) in &steps {
            clock += i64::from(pause) + if pause % 7 == 0 { shift } else { 0 };
            let now_s = u32::try_from(clock).unwrap();
            table.attempt(7, call(now_s, 1), now_s);
            times.push(now_s);
        }
        let now_s = u32::try_from(clock).unwrap();
        // Two hours: coarse buckets, none of which two of these stretches share.
        let within = times.iter().filter(|time| time.abs_diff(now_s) < 7200).count();
        prop_assert!(table.measure(7, Measure::Attempts, 7200, now_s) >= i64::try_from(within).unwrap());
    }

    /// Any clock, any order, any outcome.
    #[test]
    fn nothing_is_ever_negative_or_above_all_attempts(
        events in prop::collection::vec((any::<u32>(), 0u64..6, 0u32..40, 0u8..9), 0..200),
        now_s in any::<u32>(),
        window_s in WINDOW_S_MIN..=WINDOW_S_MAX,
    ) {
        let (mut slots, mut busy) = storage();
        let mut table = Table::new(&mut slots, &mut busy);
        for &(time_s, key, peer, what) in &events {
            match what {
                0..4 => {
                    table.attempt(key, call(time_s, peer.into()), time_s);
                }
                4 => table.outcome(key, peer, State::Answered, 3, time_s, time_s),
                5 => table.outcome(key, peer, State::Ended, 0, time_s, time_s),
                6 => table.outcome(key, peer, State::Short, 0, time_s, time_s),
                7 => table.outcome(key, peer, State::Cancelled, 9, time_s, time_s),
                _ => table.outcome(key, peer, State::Failed, 0, time_s, time_s),
            }
        }
        let all = i64::try_from(events.len()).unwrap();
        for key in 0..6 {
            for measure in Measure::ALL {
                let measured = table.measure(key, measure, window_s, now_s);
                prop_assert!(measured >= 0, "{measure:?} {measured}");
                match measure {
                    Measure::AnsweredRatio => prop_assert!(measured <= RATIO_ONE),
                    Measure::RingMs => prop_assert!(measured <= 63_000),
                    _ => prop_assert!(measured <= all, "{measure:?} {measured} of {all}"),
                }
            }
        }
    }
}
