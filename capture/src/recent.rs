//! A map that forgets its oldest entry when it is full.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A bounded map. Oldest is who was made first: what was forgotten too early only costs its own message.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: HashMap<K, (u64, V)>,
    order: VecDeque<(u64, K)>,
    limit: usize,
    made: u64,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), limit, made: 0 }
    }

    /// The entry of `key`, made where there is none; whether another one had to go for it.
    pub(crate) fn of(&mut self, key: &K, make: impl FnOnce() -> V) -> (&mut V, bool) {
        let mut forgot = false;
        if !self.entries.contains_key(key) {
            while self.entries.len() >= self.limit {
                let Some((made, oldest)) = self.order.pop_front() else { break };
                if self.entries.get(&oldest).is_some_and(|entry| entry.0 == made) {
                    self.entries.remove(&oldest);
                    forgot = true;
                }
            }
            // Removed entries leave their place in the order behind.
            if self.order.len() > 2 * self.limit {
                let entries = &self.entries;
                self.order.retain(|(made, key)| entries.get(key).is_some_and(|entry| entry.0 == *made));
            }
            self.made += 1;
            self.order.push_back((self.made, key.clone()));
        }
        let made = self.made;
        (&mut self.entries.entry(key.clone()).or_insert_with(|| (made, make())).1, forgot)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|entry| entry.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first_and_nothing_grows() {
        let mut recent = Recent::new(3);
        for key in 0..1000 {
            *recent.of(&key, || 0).0 += 1;
            if key % 2 == 0 {
                recent.remove(&key);
            }
        }
        assert!(recent.entries.len() <= 3 && recent.order.len() <= 8, "{}", recent.order.len());
        assert!(recent.of(&999, || 7).0 == &1);
    }
}
