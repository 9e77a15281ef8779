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
        table.attempt(7, call(START, peer));
    }
    assert_eq!(table.measure(7, Measure::Concurrent, 60, START), 4);
    table.outcome(7, 0, State::Answered, 4, START + 4);
    table.outcome(7, 0, State::Short, 0, START + 6);
    table.outcome(7, 1, State::Cancelled, 2, START + 2);
    table.outcome(7, 2, State::Failed, 0, START + 2);
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
        table.attempt(key, call(START + u32::try_from(key).unwrap(), 1));
    }
    assert_eq!(table.measure(1, Measure::Attempts, 600, START + 9), 0);
    assert!((2..=9).all(|key| table.measure(key, Measure::Attempts, 600, START + 9) == 1));
}

#[test]
fn a_clock_set_back_forgets_nothing_recent() {
    let (mut slots, mut busy) = storage();
    let mut table = Table::new(&mut slots, &mut busy);
    for second in 0..10 {
        table.attempt(7, call(START + second, second.into()));
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
        table.attempt(7, call(START + peer / 8, mix(peer.into()) >> 32));
    }
    let distinct = table.measure(7, Measure::DistinctCallees, 600, START + 50);
    assert!((300..=400).contains(&distinct), "{distinct}");
    assert_eq!(table.measure(7, Measure::Attempts, 600, START + 50), 400);
}

#[test]
fn numbers_without_storage_are_nobody() {
    let mut table = Table::new(&mut [], &mut []);
    table.attempt(7, call(START, 1));
    table.outcome(7, 1, State::Answered, 1, START);
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
            table.attempt(7, call(now_s, 1));
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
                0..4 => table.attempt(key, call(time_s, peer.into())),
                4 => table.outcome(key, peer, State::Answered, 3, time_s),
                5 => table.outcome(key, peer, State::Ended, 0, time_s),
                6 => table.outcome(key, peer, State::Short, 0, time_s),
                7 => table.outcome(key, peer, State::Cancelled, 9, time_s),
                _ => table.outcome(key, peer, State::Failed, 0, time_s),
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
