//! Power cuts at random moments of pack updates, image updates and ring writes: always something valid to start, no sighting lost
//! that the ring had taken, no serial that falls.
//!
//! `YUMEN_POWER_CUTS` says how many cuts (1,000 by default); a failure names its seed, and `YUMEN_POWER_CUT_SEED` repeats it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test can't make or keep fails it")]
#![expect(clippy::cast_possible_truncation, reason = "numbers of a test are small")]

mod nor;

use nor::{Nor, SECTOR, WORD};
use salty::Keypair;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use yumen_storage::image::{self, Image};
use yumen_storage::signature::verified;
use yumen_storage::{Check, Kind, Pushed, Regions, Slot, Store};

const SECTORS: usize = 32;
const BOARD: &str = "simulated";
const RING_SECTORS: u32 = 6;
/// Sightings that wait at most: what the ring holds without displacing any.
const WAITING_MAX: usize = 40;

fn regions() -> Regions {
    let at = |sector: u32| sector * SECTOR as u32;
    Regions {
        state: at(0)..at(2),
        settings: at(24)..at(26),
        ring: at(2)..at(2 + RING_SECTORS),
        packs: [at(8)..at(12), at(12)..at(16)],
        images: [at(16)..at(20), at(20)..at(24)],
    }
}

/// Whether it is a pack's slot, and what is in it.
type Content = (bool, Vec<u8>);

struct Keys {
    pair: Keypair,
    /// What each content of a slot was found to be: most starts find what the one before found.
    known: RefCell<HashMap<Content, Option<u64>>>,
}

impl Keys {
    fn new() -> Self {
        Self { pair: Keypair::from(&[7; 32]), known: RefCell::default() }
    }

    /// A stand-in for a pack: length, serial, contents, signature. The real one is tried in the firmware's own tests.
    fn pack(&self, serial: u64, random: &mut Nor) -> Vec<u8> {
        let body = 100 + random.below(3_000) as usize;
        let mut bytes = ((body + 12 + 64) as u32).to_le_bytes().to_vec();
        bytes.extend(serial.to_le_bytes());
        bytes.extend((0..body).map(|_| random.below(256) as u8));
        self.signed(bytes)
    }

    fn image(&self, version: u32, random: &mut Nor) -> Vec<u8> {
        let program: Vec<u8> = (0..200 + random.below(3_000)).map(|_| random.below(256) as u8).collect();
        let mut bytes = image::header(BOARD, version, 0x1_0000, program.len() as u32).to_vec();
        bytes.extend(program);
        self.signed(bytes)
    }

    fn signed(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let signature = self.pair.sign(&bytes);
        bytes.extend(signature.to_bytes());
        bytes
    }
}

impl Check for Keys {
    fn serial(&self, kind: Kind, slot: &[u8]) -> Option<u64> {
        let content = (kind == Kind::Pack, slot.to_vec());
        *self.known.borrow_mut().entry(content).or_insert_with(|| self.verified(kind, slot))
    }
}

impl Keys {
    fn verified(&self, kind: Kind, slot: &[u8]) -> Option<u64> {
        let key = self.pair.public.to_bytes();
        match kind {
            Kind::Pack => {
                let length = u32::from_le_bytes(*slot.first_chunk()?) as usize;
                let signed = verified(slot.get(..length)?, &key)?;
                signed.get(4..12)?.try_into().ok().map(u64::from_le_bytes)
            }
            Kind::Image => Image::in_slot(slot, BOARD, &key).map(|image| image.version.into()),
        }
    }
}

/// What a device must not have forgotten.
struct Expected {
    /// Sightings that the ring took and that weren't dropped, the oldest first.
    waiting: VecDeque<u64>,
    /// One whose writing was cut: it may be there or not.
    doubtful: Option<u64>,
    /// The oldest, whose dropping was cut: it may be there or not.
    leaving: Option<u64>,
    next: u64,
    /// The settings, and those whose writing was cut.
    settings: (u64, Option<u64>),
    floor: [u64; 2],
    newest: [u64; 2],
    cuts: u32,
    trials: u32,
    back: u32,
}

const KINDS: [Kind; 2] = [Kind::Pack, Kind::Image];

struct Bench {
    keys: Keys,
    expected: Expected,
}

impl Bench {
    /// With a flash as it comes from the factory.
    fn new(seed: u64) -> (Self, Nor) {
        let keys = Keys::new();
        let mut flash = Nor::new(SECTORS, seed);
        let expected = Expected {
            waiting: VecDeque::new(),
            doubtful: None,
            leaving: None,
            next: 1,
            settings: (0, None),
            floor: [0; 2],
            newest: [1; 2],
            cuts: 0,
            trials: 0,
            back: 0,
        };
        // A pack and an image in the first slots.
        use yumen_storage::nor_flash::NorFlash as _;
        let (mut pack, mut image) = (keys.pack(1, &mut flash), keys.image(1, &mut flash));
        for (bytes, at) in [(&mut pack, regions().packs[0].start), (&mut image, regions().images[0].start)] {
            bytes.resize(bytes.len().next_multiple_of(WORD), 0xFF);
            flash.write(at, bytes).unwrap();
        }
        (Self { keys, expected }, flash)
    }

    /// A start of the device: what it must find.
    fn start<'f>(&mut self, flash: &'f mut Nor) -> Option<Store<&'f mut Nor>> {
        let mut store = Store::open(flash, regions()).ok()?;
        for (at, kind) in KINDS.into_iter().enumerate().rev() {
            let chosen = store.start(kind, &self.keys).ok()?;
            let slot = chosen.slot.unwrap_or_else(|| panic!("no valid {kind:?} to start"));
            let serial = self.keys.serial(kind, store.slot(kind, slot)).unwrap();
            assert_eq!(serial, chosen.pair.serial(), "{kind:?}: the state says what it starts");
            assert!(serial >= self.expected.floor[at], "{kind:?}: {serial} after {:?}", self.expected.floor);
            assert!(serial <= self.expected.newest[at]);
            assert!(chosen.pair.floor >= self.expected.floor[at], "{kind:?}: the counter fell");
            self.expected.back += u32::from(chosen.has_given_up);
        }
        self.expect_ring(&mut store);
        self.expect_settings(&mut store);
        Some(store)
    }

    fn expect_ring(&mut self, store: &mut Store<&mut Nor>) {
        let mut found = VecDeque::new();
        let read = store.each(|record| {
            let id = u64::from_le_bytes(*record.first_chunk().unwrap());
            assert_eq!(record, record_of(id), "sighting {id} was changed");
            found.push_back(id);
        });
        if read.is_err() {
            return;
        }
        let expected = &mut self.expected;
        if let Some(leaving) = expected.leaving.take()
            && found.front() != Some(&leaving)
        {
            expected.waiting.pop_front();
        }
        if let Some(doubtful) = expected.doubtful.take()
            && found.back() == Some(&doubtful)
        {
            expected.waiting.push_back(doubtful);
        }
        assert_eq!(found, expected.waiting, "the ring");
    }

    /// One thing that a device does; `false` where the power was cut in it.
    fn act(&mut self, store: &mut Store<&mut Nor>, random: &mut Nor) -> bool {
        match random.below(9) {
            8 => self.set(store),
            0..=3 => self.push(store),
            4..=5 => self.pop(store),
            6 => self.update(0, Kind::Pack, store, random),
            _ => self.update(1, Kind::Image, store, random),
        }
    }

    fn push(&mut self, store: &mut Store<&mut Nor>) -> bool {
        if self.expected.waiting.len() >= WAITING_MAX {
            return true;
        }
        let id = self.expected.next;
        self.expected.next += 1;
        match store.push(&record_of(id)) {
            Ok(pushed) => {
                assert_eq!(pushed, Pushed::Appended, "the ring holds {WAITING_MAX} sightings");
                self.expected.waiting.push_back(id);
                true
            }
            Err(_) => {
                self.expected.doubtful = Some(id);
                false
            }
        }
    }

    fn set(&mut self, store: &mut Store<&mut Nor>) -> bool {
        let next = self.expected.settings.0 + 1;
        if store.keep_settings(&record_of(next)).is_ok() {
            self.expected.settings = (next, None);
            return true;
        }
        self.expected.settings.1 = Some(next);
        false
    }

    fn expect_settings(&mut self, store: &mut Store<&mut Nor>) {
        let mut buffer = [0; 512];
        let Ok(found) = store.settings(&mut buffer) else { return };
        let (kept, doubtful) = self.expected.settings;
        if let Some(doubtful) = doubtful
            && found == record_of(doubtful)
        {
            self.expected.settings = (doubtful, None);
            return;
        }
        self.expected.settings.1 = None;
        let kept = if kept == 0 { Vec::new() } else { record_of(kept) };
        assert_eq!(found, kept, "the settings");
    }

    fn pop(&mut self, store: &mut Store<&mut Nor>) -> bool {
        let Some(&oldest) = self.expected.waiting.front() else { return true };
        let mut buffer = [0; 512];
        match store.oldest(&mut buffer) {
            Ok(record) => assert_eq!(record, Some(&record_of(oldest)[..])),
            Err(_) => return false,
        }
        if store.pop().is_ok() {
            self.expected.waiting.pop_front();
            true
        } else {
            self.expected.leaving = Some(oldest);
            false
        }
    }

    fn update(&mut self, at: usize, kind: Kind, store: &mut Store<&mut Nor>, random: &mut Nor) -> bool {
        let pair = if kind == Kind::Pack { store.state().packs } else { store.state().images };
        if pair.is_on_trial {
            // A device confirms after a while, or finds that it doesn't work.
            let confirms = random.below(3) > 0;
            self.expected.newest[at] = self.expected.newest[at].max(pair.serial());
            let kept = if confirms { store.confirm(kind) } else { store.give_up(kind) };
            if kept.is_ok() && confirms {
                self.expected.floor[at] = pair.serial();
            }
            return kept.is_ok();
        }
        let serial = self.expected.newest[at] + 1 + random.below(3);
        let good = match kind {
            Kind::Pack => self.keys.pack(serial, random),
            Kind::Image => self.keys.image(serial as u32, random),
        };
        let is_damaged = random.below(4) == 0;
        let mut bytes = good;
        if is_damaged {
            let place = random.below(bytes.len() as u64) as usize;
            bytes[place] ^= 1 << random.below(8);
        }
        // Once it may be in use, an older one isn't new any more.
        self.expected.newest[at] = serial;
        if store.begin(kind, serial, bytes.len() as u32).is_err() {
            return false;
        }
        for (number, piece) in bytes.chunks(256).enumerate() {
            if store.write(number as u32 * 256, piece).is_err() {
                return false;
            }
        }
        let finished = store.finish(&self.keys, |_| true);
        if is_damaged {
            assert!(finished.is_err(), "a damaged {kind:?} was taken");
            let pair = if kind == Kind::Pack { store.state().packs } else { store.state().images };
            return !pair.is_on_trial;
        }
        self.expected.trials += u32::from(finished.is_ok());
        finished.is_ok()
    }
}

fn record_of(id: u64) -> Vec<u8> {
    let length = 20 + (id * 37 % 60) as usize;
    id.to_le_bytes().into_iter().chain((8..length).map(|at| (id as usize * 31 + at) as u8)).collect()
}

fn count(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |value| value.parse().unwrap())
}

#[test]
fn no_power_cut_leaves_a_device_without_a_pack_an_image_or_a_sighting() {
    let cuts = count("YUMEN_POWER_CUTS", 1_000);
    let only = std::env::var("YUMEN_POWER_CUT_SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let (mut done, mut trials, mut back) = (0, 0, 0);
    let mut seed = only.unwrap_or(1);
    while done < cuts {
        println!("seed {seed}");
        let (mut bench, mut flash) = Bench::new(seed);
        let mut random = Nor::new(1, seed ^ 0xA5A5_5A5A);
        for _ in 0..50 {
            flash.cut_after(random.below(1_500) as u32);
            if let Some(mut store) = bench.start(&mut flash) {
                while bench.act(&mut store, &mut random) {}
            }
            // Misuse is a defect of the program, not a power cut.
            assert!(flash.restore(), "seed {seed}: something failed under power");
            bench.expected.cuts += 1;
            // With the power on, all must be there.
            assert!(bench.start(&mut flash).is_some(), "seed {seed}: it doesn't start");
        }
        done += u64::from(bench.expected.cuts);
        trials += bench.expected.trials;
        back += bench.expected.back;
        if only.is_some() {
            return;
        }
        seed += 1;
    }
    println!("{done} power cuts, {trials} updates went on trial, {back} starts went back to the other slot");
    assert!(trials > 0 && back > 0);
}

#[test]
fn a_full_ring_loses_the_oldest_and_says_so() {
    let mut store = Store::open(Nor::new(SECTORS, 3), regions()).unwrap();
    let mut displaced = 0;
    for id in 0..400 {
        displaced += usize::from(store.push(&record_of(id)).unwrap() == Pushed::Displaced);
    }
    let mut found = Vec::new();
    store.each(|record| found.push(u64::from_le_bytes(*record.first_chunk().unwrap()))).unwrap();
    assert!(displaced > 0);
    assert_eq!(found.last(), Some(&399));
    assert!(found.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{found:?}");
}

#[test]
fn what_isnt_newer_or_doesnt_fit_isnt_taken() {
    use yumen_storage::UpdateError;
    let (mut bench, mut flash) = Bench::new(9);
    let mut store = bench.start(&mut flash).unwrap();
    assert_eq!(store.begin(Kind::Pack, 1, 100), Err(UpdateError::NotNewer));
    assert_eq!(store.begin(Kind::Pack, 2, 5 * SECTOR as u32), Err(UpdateError::TooLarge));
    assert_eq!(store.write(0, &[0; 4]), Err(UpdateError::OutOfOrder));
    let mut random = Nor::new(1, 5);
    let pack = bench.keys.pack(2, &mut random);
    store.begin(Kind::Pack, 2, pack.len() as u32).unwrap();
    assert_eq!(store.write(4, &pack[4..8]), Err(UpdateError::OutOfOrder));
    store.write(0, &pack).unwrap();
    assert_eq!(store.finish(&bench.keys, |_| false), Err(UpdateError::Invalid), "its canaries failed");
    store.begin(Kind::Pack, 3, pack.len() as u32).unwrap();
    store.write(0, &pack).unwrap();
    assert_eq!(store.finish(&bench.keys, |_| true), Err(UpdateError::Invalid), "it isn't what was announced");
    assert_eq!(store.state().packs.active, Slot::A);
    let image = bench.keys.image(2, &mut random);
    assert!(Image::in_slot(&image, "another", &bench.keys.pair.public.to_bytes()).is_none());
    assert!(Image::in_slot(&image, BOARD, &[1; 32]).is_none());
    assert!(Image::in_slot(&image, BOARD, &bench.keys.pair.public.to_bytes()).is_some());
}
