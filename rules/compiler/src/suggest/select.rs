//! Which sequences to take: the one that newly catches most each time, then pairs for what is left.

use super::Member;
use super::grams::Gram;
use crate::limits::{SUGGEST_MEMBERS_MAX, SUGGEST_PAIRED_MAX};

/// What was taken.
pub(super) struct Chosen {
    pub(super) members: Vec<Member>,
    /// One a missed message.
    pub(super) covered: Vec<bool>,
    /// One a honest message.
    pub(super) ham_hit: Vec<bool>,
}

/// With so few honest messages, that none has a word of two characters says nothing.
const HAM_FOR_SHORT_WORDS: usize = 5_000;

pub(super) fn select(grams: &[Gram], (missed, ham): (usize, usize), least: usize, ham_max: usize) -> Chosen {
    let mut chosen = Chosen { members: Vec::new(), covered: vec![false; missed], ham_hit: vec![false; ham] };
    let alone = |gram: &&Gram| {
        let chars = gram.text.chars().count();
        gram.ham.len() <= ham_max && (chars >= 3 || ham >= HAM_FOR_SHORT_WORDS)
    };
    let alone: Vec<&Gram> = grams.iter().filter(alone).collect();
    while chosen.members.len() < SUGGEST_MEMBERS_MAX {
        let gain =
            |gram: &&&Gram| (chosen.gain(&gram.missed), usize::MAX - gram.ham.len(), gram.missed.len());
        let Some(best) = alone.iter().max_by_key(gain) else { break };
        if chosen.gain(&best.missed) < least {
            break;
        }
        chosen.take(vec![best.text.clone()], &best.missed, &best.ham);
    }
    chosen.pairs(grams, least, ham_max);
    chosen
}

impl Chosen {
    fn gain(&self, messages: &[u32]) -> usize {
        messages.iter().filter(|&&message| self.covered.get(message as usize) == Some(&false)).count()
    }

    fn take(&mut self, words: Vec<String>, missed: &[u32], ham: &[u32]) {
        for (messages, marks) in [(missed, &mut self.covered), (ham, &mut self.ham_hit)] {
            for &message in messages {
                if let Some(mark) = marks.get_mut(message as usize) {
                    *mark = true;
                }
            }
        }
        self.members.push(Member { words, missed: missed.len(), ham: ham.len() });
    }

    /// Pairs of words that honest messages have too, though not together.
    fn pairs(&mut self, grams: &[Gram], least: usize, ham_max: usize) {
        while self.members.len() < SUGGEST_MEMBERS_MAX {
            let mut likely: Vec<(usize, &Gram)> = grams
                .iter()
                .map(|gram| (self.gain(&gram.missed), gram))
                .filter(|(gain, gram)| *gain >= least && gram.ham.len() > ham_max)
                .collect();
            likely.sort_by_key(|(gain, gram)| (std::cmp::Reverse(*gain), gram.ham.len()));
            likely.truncate(SUGGEST_PAIRED_MAX);
            let mut best: Option<(usize, usize, [&Gram; 2])> = None;
            for (at, (_, first)) in likely.iter().enumerate() {
                for (_, second) in likely.get(at.saturating_add(1)..).unwrap_or_default() {
                    if overlap(&first.text, &second.text) {
                        continue;
                    }
                    let gain = self.gain(&both(&first.missed, &second.missed));
                    let ham = both(&first.ham, &second.ham).len();
                    let better = best.is_none_or(|(most, least_ham, _)| (gain, least_ham) > (most, ham));
                    if gain >= least && ham <= ham_max && better {
                        best = Some((gain, ham, [first, second]));
                    }
                }
            }
            let Some((_, _, [first, second])) = best else { return };
            let words = vec![first.text.clone(), second.text.clone()];
            self.take(words, &both(&first.missed, &second.missed), &both(&first.ham, &second.ham));
        }
    }
}

/// Whether one of two words is hardly another: a pair of them says no more than one.
fn overlap(first: &str, second: &str) -> bool {
    first.chars().any(|c| second.contains(c))
}

/// What is in both of two rising sequences.
fn both(first: &[u32], second: &[u32]) -> Vec<u32> {
    let mut second = second.iter().peekable();
    let has = |message: &u32| {
        while second.next_if(|other| *other < message).is_some() {}
        second.peek() == Some(&message)
    };
    let mut has = has;
    first.iter().copied().filter(|message| has(message)).collect()
}
