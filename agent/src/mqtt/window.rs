//! Which sightings are on their way, without a socket: what to send next, what an acknowledgement frees, how far the
//! spool may forget.

use crate::limits::{MQTT_WINDOW_BYTES_MAX, MQTT_WINDOW_MAX};
use crate::spool::Record;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Where a sighting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be sent; the flag says whether it has been before.
    Waiting { again: bool },
    /// Sent then.
    Sent(Instant),
    /// Acknowledged, behind one that isn't.
    Done,
}

#[derive(Debug)]
struct Entry {
    sequence: u64,
    id: Uuid,
    payload: Bytes,
    state: State,
}

/// A sighting to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) sequence: u64,
    pub(super) id: Uuid,
    pub(super) payload: Bytes,
    /// It has been sent before.
    pub(super) again: bool,
}

/// The sightings between the spool and their acknowledgement, oldest first.
#[derive(Debug)]
pub(super) struct Window {
    entries: VecDeque<Entry>,
    sequences: HashMap<Uuid, u64>,
    bytes: usize,
    /// The next sequence to read from the spool.
    next_read: u64,
    resend_first: Duration,
    resend_max: Duration,
    resend_after: Duration,
}

impl Window {
    /// Starts behind what is acknowledged: `first` is the oldest record that isn't.
    pub(super) fn new(first: u64, resend_after: Duration, resend_max: Duration) -> Self {
        Self {
            entries: VecDeque::new(),
            sequences: HashMap::new(),
            bytes: 0,
            next_read: first,
            resend_first: resend_after,
            resend_max,
            resend_after,
        }
    }

    /// How many records may be read into it, and from which sequence on; none when it is full.
    pub(super) fn room(&self) -> Option<(u64, usize)> {
        let room = MQTT_WINDOW_MAX.saturating_sub(self.entries.len());
        (room > 0 && self.bytes < MQTT_WINDOW_BYTES_MAX).then_some((self.next_read, room))
    }

    /// Takes a record that was read. One without an id, or with the id of another, can't be acknowledged by the hub,
    /// and was not written by this agent: it counts as acknowledged, and the caller says so.
    pub(super) fn push(&mut self, record: Record, id: Option<Uuid>) -> bool {
        self.next_read = record.sequence + 1;
        let id = id.filter(|id| !self.sequences.contains_key(id));
        let state = if id.is_some() { State::Waiting { again: false } } else { State::Done };
        if let Some(id) = id {
            self.sequences.insert(id, record.sequence);
        }
        self.bytes += record.payload.len();
        let known = id.is_some();
        let (sequence, payload) = (record.sequence, Bytes::from(record.payload));
        self.entries.push_back(Entry { sequence, id: id.unwrap_or_default(), payload, state });
        known
    }

    /// The oldest sighting that is to be sent; it counts as sent at `now`.
    pub(super) fn send(&mut self, now: Instant) -> Option<Outgoing> {
        let (entry, again) = self.entries.iter_mut().find_map(|entry| match entry.state {
            State::Waiting { again } => Some((entry, again)),
            _ => None,
        })?;
        entry.state = State::Sent(now);
        Some(Outgoing { sequence: entry.sequence, id: entry.id, payload: entry.payload.clone(), again })
    }

    /// Whether anything is to be sent.
    pub(super) fn has_waiting(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.state, State::Waiting { .. }))
    }

    /// The sighting needn't be sent again. Whether it was in the window.
    pub(super) fn acknowledge(&mut self, id: Uuid) -> bool {
        self.resend_after = self.resend_first;
        self.sequences.get(&id).copied().is_some_and(|sequence| self.acknowledge_sequence(sequence))
    }

    /// The same by the spool's sequence.
    pub(super) fn acknowledge_sequence(&mut self, sequence: u64) -> bool {
        // Sequences rise, with gaps where records were lost.
        let Ok(index) = self.entries.binary_search_by_key(&sequence, |entry| entry.sequence) else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(index) else { return false };
        entry.state = State::Done;
        self.sequences.remove(&entry.id).is_some()
    }

    /// Forgets what is acknowledged from the front on; gives the sequence up to which the spool may forget too.
    pub(super) fn advance(&mut self) -> Option<u64> {
        let mut through = None;
        while let Some(entry) = self.entries.pop_front_if(|entry| entry.state == State::Done) {
            self.bytes -= entry.payload.len();
            through = Some(entry.sequence);
        }
        through
    }

    /// Marks what was sent too long ago to be sent again; while nothing is acknowledged the time doubles, so that a
    /// hub that is away isn't met by copies of copies.
    pub(super) fn resend(&mut self, now: Instant) -> usize {
        let mut count = 0;
        for entry in &mut self.entries {
            if let State::Sent(at) = entry.state
                && now.saturating_duration_since(at) >= self.resend_after
            {
                entry.state = State::Waiting { again: true };
                count += 1;
            }
        }
        if count > 0 {
            self.resend_after = self.resend_after.saturating_mul(2).min(self.resend_max);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RESEND: Duration = Duration::from_secs(10);

    fn id(sequence: u64) -> Uuid {
        Uuid::from_u128(u128::from(sequence))
    }

    fn window(count: u64) -> Window {
        let mut window = Window::new(1, RESEND, RESEND * 8);
        for sequence in 1..=count {
            assert!(window.push(Record { sequence, payload: vec![7; 10] }, Some(id(sequence))));
        }
        window
    }

    fn sent(window: &mut Window, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| window.send(now).map(|outgoing| outgoing.sequence)).collect()
    }

    #[test]
    fn the_spool_forgets_only_up_to_the_first_that_is_missing() {
        let mut window = window(4);
        assert_eq!(sent(&mut window, Instant::now()), [1, 2, 3, 4]);
        assert!(window.acknowledge(id(2)) && window.acknowledge(id(3)));
        assert_eq!(window.advance(), None);
        assert!(window.acknowledge(id(1)));
        assert!(!window.acknowledge(id(1)), "a second acknowledgement changes nothing");
        assert_eq!(window.advance(), Some(3));
        assert!(!window.acknowledge(id(9)));
        assert!(window.acknowledge_sequence(4));
        assert_eq!(window.advance(), Some(4));
        assert_eq!((window.entries.len(), window.sequences.len(), window.bytes), (0, 0, 0));
    }

    #[test]
    fn what_is_not_acknowledged_comes_again_ever_more_slowly() {
        let mut window = window(2);
        let start = Instant::now();
        sent(&mut window, start);
        assert_eq!(window.resend(start + RESEND - Duration::from_millis(1)), 0);
        let mut now = start;
        for wait in [RESEND, RESEND * 2, RESEND * 4, RESEND * 8, RESEND * 8] {
            assert_eq!(window.resend(now + wait / 2), 0);
            now += wait;
            assert_eq!(window.resend(now), 2);
            assert!(window.has_waiting());
            assert_eq!(sent(&mut window, now), [1, 2]);
        }
        window.acknowledge(id(1));
        now += RESEND;
        assert_eq!(window.resend(now), 1, "an acknowledgement makes it quick again");
        assert!(window.send(now).unwrap().again);
    }

    #[test]
    fn a_record_nobody_can_acknowledge_does_not_stand_in_the_way() {
        let mut window = window(1);
        assert!(!window.push(Record { sequence: 2, payload: vec![1] }, None));
        assert!(
            !window.push(Record { sequence: 5, payload: vec![1] }, Some(id(1))),
            "an id that is there already"
        );
        assert_eq!(window.room().unwrap().0, 6);
        assert_eq!(sent(&mut window, Instant::now()), [1]);
        window.acknowledge(id(1));
        assert_eq!(window.advance(), Some(5));
    }

    #[test]
    fn it_takes_no_more_than_its_limits() {
        let full = window(MQTT_WINDOW_MAX as u64);
        assert_eq!(full.room(), None);
        let mut heavy = Window::new(1, RESEND, RESEND);
        heavy.push(Record { sequence: 1, payload: vec![0; MQTT_WINDOW_BYTES_MAX] }, Some(id(1)));
        assert_eq!(heavy.room(), None);
    }

    proptest! {
        /// Whatever order acknowledgements come in: each sighting is sent once, and the spool forgets everything in
        /// the end, and nothing before it is acknowledged.
        #[test]
        fn any_order_of_acknowledgements_frees_everything(order in Just((1..=40u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut window = window(40);
            prop_assert_eq!(sent(&mut window, Instant::now()), (1..=40).collect::<Vec<_>>());
            let mut acknowledged = std::collections::HashSet::new();
            for sequence in order {
                window.acknowledge(id(sequence));
                acknowledged.insert(sequence);
                if let Some(through) = window.advance() {
                    prop_assert!((1..=through).all(|sequence| acknowledged.contains(&sequence)));
                }
            }
            prop_assert!(window.entries.is_empty());
        }
    }
}
