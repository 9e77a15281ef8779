//! What one thread needs to judge events.

use std::sync::Arc;

use yumen_rules::engine::{
    Fired, GroupMark, Hit, JudgeError, Judgement, Marks, MatchError, Observer, OwnNumbers, Scratch,
    ScratchSize, Site, Texts, judge, judge_observed, number_matches,
};
use yumen_rules::extract::Contact;
use yumen_rules::number::CANONICAL_LEN_MAX;
use yumen_rules::pack::Pack;
use yumen_rules::signal::View;
use yumen_wire::event::Event;

use crate::engine::Scanner;
use crate::loaded::LoadedPack;

/// A scratch that owns its storage, made once a thread and pack.
#[derive(Debug)]
pub struct OwnedScratch {
    folded: Vec<u8>,
    squeezed: Vec<u8>,
    sound: Vec<u8>,
    signature: Vec<u8>,
    contacts: Vec<Contact>,
    values: Vec<u8>,
    number: Box<[u8; CANONICAL_LEN_MAX]>,
    hits: Vec<Hit>,
    patterns: Vec<u32>,
    groups: Vec<GroupMark>,
    rules: Vec<u32>,
    triggered: Vec<u32>,
    fired: Vec<Fired>,
    generation: u32,
}

impl OwnedScratch {
    /// For a pack.
    #[must_use]
    pub fn new(pack: &Pack<'_>) -> Self {
        let size = ScratchSize::of(pack);
        Self {
            folded: vec![0; size.folded],
            squeezed: vec![0; size.squeezed],
            sound: vec![0; size.sound],
            signature: vec![0; size.signature],
            contacts: vec![Contact::default(); size.contacts],
            values: vec![0; size.values],
            number: Box::new([0; CANONICAL_LEN_MAX]),
            hits: vec![Hit::default(); size.hits],
            patterns: vec![0; size.patterns],
            groups: vec![GroupMark::default(); size.groups],
            rules: vec![0; size.rules],
            triggered: vec![0; size.rules],
            fired: vec![Fired::EMPTY; size.fired],
            generation: 0,
        }
    }

    /// Lends the storage for one event.
    pub fn lend(&mut self) -> Scratch<'_> {
        Scratch {
            texts: Texts {
                folded: &mut self.folded,
                squeezed: &mut self.squeezed,
                sound: &mut self.sound,
                signature: &mut self.signature,
            },
            marks: Marks {
                patterns: &mut self.patterns,
                groups: &mut self.groups,
                rules: &mut self.rules,
                generation: &mut self.generation,
            },
            hits: &mut self.hits,
            triggered: &mut self.triggered,
            fired: &mut self.fired,
            contacts: &mut self.contacts,
            values: &mut self.values,
            number: &mut self.number,
        }
    }
}

/// Why a worker can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// The matcher has no memory for another thread.
    #[error("no scratch for another thread: {0}")]
    Scanner(MatchError),
}

/// A thread's way to judge events by a pack. After a swap of packs a new one is made.
pub struct Worker {
    pack: Arc<LoadedPack>,
    scanner: Scanner,
    scratch: OwnedScratch,
}

impl Worker {
    /// For a thread.
    ///
    /// # Errors
    /// [`WorkerError`].
    pub fn new(pack: Arc<LoadedPack>) -> Result<Self, WorkerError> {
        let scanner = pack.scanner().map_err(WorkerError::Scanner)?;
        let scratch = OwnedScratch::new(&pack.pack());
        Ok(Self { pack, scanner, scratch })
    }

    /// The pack it judges by.
    #[must_use]
    pub fn pack(&self) -> &Arc<LoadedPack> {
        &self.pack
    }

    /// Makes it judge by `pack`, if it doesn't already.
    ///
    /// # Errors
    /// [`WorkerError`]; it goes on judging by the old one then.
    pub fn adopt(&mut self, pack: &Arc<LoadedPack>) -> Result<(), WorkerError> {
        if !Arc::ptr_eq(&self.pack, pack) {
            *self = Self::new(Arc::clone(pack))?;
        }
        Ok(())
    }

    /// Judges an event. Nothing is allocated.
    ///
    /// # Errors
    /// [`JudgeError`], where the matcher failed.
    #[inline]
    pub fn judge<'s>(&'s mut self, site: &Site<'_>, event: &Event<'s>) -> Result<Judgement<'s>, JudgeError> {
        judge(self.pack.pack(), site, &mut self.scanner, event, self.scratch.lend())
    }

    /// The matcher alone on one view, nothing done about what it finds. Returns whether there was anything to scan with.
    ///
    /// # Errors
    /// [`MatchError`].
    pub fn scan_raw(&mut self, view: View, text: &[u8]) -> Result<bool, MatchError> {
        self.scanner.scan_raw(view, text)
    }

    /// Judges an event, and tells `observer` every condition.
    ///
    /// # Errors
    /// [`JudgeError`], where the matcher failed.
    pub fn judge_observed<'s>(
        &'s mut self,
        site: &Site<'_>,
        event: &Event<'s>,
        observer: &mut impl Observer,
    ) -> Result<Judgement<'s>, JudgeError> {
        judge_observed(self.pack.pack(), site, &mut self.scanner, event, self.scratch.lend(), observer)
    }
}

/// An institution's own numbers, in canonical form; a trailing `*` makes a prefix.
#[derive(Clone, Debug, Default)]
pub struct OwnNumberList(pub Vec<String>);

impl OwnNumbers for OwnNumberList {
    fn contains(&self, canonical: &str) -> bool {
        self.0.iter().any(|own| number_matches(own, canonical))
    }
}
