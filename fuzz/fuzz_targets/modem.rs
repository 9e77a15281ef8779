//! The whole device in front of a modem, a telephone and an agent that say anything, over a flash that held anything: it goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ops::Range;
use yumen_firmware::storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use yumen_firmware::storage::{Flash, Regions, Slot};
use yumen_firmware::{Board, Device, Guard, Start, Started, Storage, Trust, Wires, start};
use yumen_rules::pack::{Layout, Pack};
use yumen_rules::policy::Policy;

const SECTOR: usize = 1024;
const SECTORS: usize = 16;

/// Flash whose power is never cut.
#[derive(Debug)]
struct Memory(Vec<u8>);

impl ErrorType for Memory {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Memory {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let at = offset as usize;
        bytes.copy_from_slice(&self.0[at..at + bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Memory {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        assert!(from as usize % SECTOR == 0 && to as usize % SECTOR == 0);
        self.0[from as usize..to as usize].fill(0xFF);
        Ok(())
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        assert!(offset % 4 == 0 && bytes.len() % 4 == 0);
        self.0[offset as usize..].iter_mut().zip(bytes).for_each(|(slot, byte)| *slot &= byte);
        Ok(())
    }
}

impl MultiwriteNorFlash for Memory {}

impl Flash for Memory {
    fn bytes(&self, range: Range<u32>) -> &[u8] {
        self.0.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

#[derive(Debug)]
struct Nowhere;

impl Board<'static> for Nowhere {
    type Flash = Memory;
    fn hold(&mut self, _slot: Slot, _bytes: &[u8], _layout: Layout) -> Option<Pack<'static>> {
        None
    }
}

/// What the modem is told is counted: it must not be flooded.
#[derive(Default)]
struct Count(usize);

impl Wires for Count {
    fn modem(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
    fn telephone(&mut self, _bytes: &[u8]) {}
    fn link(&mut self, _bytes: &[u8]) {}
}

fn regions() -> Regions {
    let at = |sector: usize| u32::try_from(sector * SECTOR).unwrap_or(0);
    Regions {
        state: at(0)..at(2),
        settings: at(2)..at(4),
        ring: at(4)..at(6),
        packs: [at(6)..at(8), at(8)..at(10)],
        images: [at(10)..at(12), at(12)..at(14)],
    }
}

fuzz_target!(|input: (Vec<u8>, Vec<(u8, u16, Vec<u8>)>)| {
    let (held, said) = input;
    let mut flash = vec![0xFF; SECTOR * SECTORS];
    flash.iter_mut().zip(held).for_each(|(slot, byte)| *slot = byte);
    let trust = Trust { key: &[7; 32], board: "fuzz", version: 1 };
    let Started { store, loaded, listed } = start(Memory(flash), regions(), &trust, &mut Nowhere, None);
    let storage: &'static mut Storage = Box::leak(Box::default());
    let storage_at: *mut Storage = storage;
    let guard = Guard::new(loaded, Policy::enforcing(), listed, storage);
    let mut device = Device::new(guard, store, Nowhere, trust, &Start::default());
    let (mut wires, mut now_ms, mut bytes_said) = (Count::default(), 0, 0);
    for (side, ms, bytes) in said {
        now_ms += u64::from(ms);
        bytes_said += bytes.len();
        match side % 3 {
            0 => device.on_modem(&bytes, now_ms, &mut wires),
            1 => device.on_telephone(&bytes, now_ms, &mut wires),
            _ => device.on_link(&bytes, now_ms),
        }
        device.poll(now_ms, &mut wires);
        assert!(wires.0 < 4_096 + 64 * bytes_said + now_ms as usize, "the modem is flooded");
    }
    drop(device);
    // SAFETY: made by `Box::leak` above, and nothing borrows it any more.
    drop(unsafe { Box::from_raw(storage_at) });
});
