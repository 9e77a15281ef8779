//! QEMU's `mps2-an386` (Arm application note 386): a Cortex-M4F with CMSDK APB UARTs, timers and a watchdog.
//!
//! UART 0 is the modem, UART 1 the telephone side, UART 2 the link. The board has no flash; its PSRAM stands in for one, programmed
//! and erased as NOR is, and QEMU keeps it in a file (`-machine memory-backend`), so that it outlives the power. A pack and
//! the key that packs must be signed with are linked in.
#![no_std]
#![no_main]
// Registers are what a board is about; everything else of the firmware forbids it.
#![allow(unsafe_code, reason = "memory-mapped registers")]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr::{read_volatile, write_volatile};
use cortex_m_rt::{ExceptionFrame, entry, exception};
use yumen_firmware::crash::Crash;
use yumen_firmware::storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use yumen_firmware::storage::{Flash, Regions, Slot};
use yumen_firmware::{Board, Device, Guard, Start, Started, Storage, Trust, Wires, pack, start};
use yumen_link::Cause;
use yumen_rules::pack::{Layout, Pack};
use yumen_rules::policy::Policy;

static PACK: &[u8] = include_bytes!(env!("YUMEN_EDGE_PACK"));
static KEY: &[u8; 32] = include_bytes!(env!("YUMEN_EDGE_KEY"));
const NAME: &str = "mps2-an386";
const VERSION: u32 = 1;

/// A CMSDK APB UART (DDI 0479, table 4-2).
#[derive(Clone, Copy)]
struct Uart(usize);

const MODEM: Uart = Uart(0x4000_4000);
const TELEPHONE: Uart = Uart(0x4000_5000);
const LINK: Uart = Uart(0x4000_6000);

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const DIVISOR: usize = 0x10;
const TX_FULL: u32 = 1;
const RX_FULL: u32 = 2;
const TX_AND_RX: u32 = 3;

impl Uart {
    fn register(self, offset: usize) -> *mut u32 {
        core::ptr::with_exposed_provenance_mut(self.0 + offset)
    }

    fn start(self) {
        // SAFETY: the UART's registers, which nothing else uses; this program has one thread.
        unsafe {
            write_volatile(self.register(DIVISOR), 16);
            write_volatile(self.register(CONTROL), TX_AND_RX);
        }
    }

    fn read(self) -> Option<u8> {
        // SAFETY: as in `start`.
        unsafe {
            (read_volatile(self.register(STATE)) & RX_FULL != 0)
                .then(|| read_volatile(self.register(DATA)).to_le_bytes()[0])
        }
    }

    fn write(self, bytes: &[u8]) {
        for &byte in bytes {
            // SAFETY: as in `start`.
            unsafe {
                while read_volatile(self.register(STATE)) & TX_FULL != 0 {}
                write_volatile(self.register(DATA), byte.into());
            }
        }
    }
}

/// Milliseconds since the start, of the CMSDK timer 0 (DDI 0479, table 4-1), which counts down from all ones at 25 MHz.
struct Clock {
    last: u32,
    ticks: u64,
}

const TIMER: Uart = Uart(0x4000_0000);
const TIMER_VALUE: usize = 0x04;
const TIMER_RELOAD: usize = 0x08;
const TICKS_A_MS: u64 = 25_000;
const NANOSECONDS_A_TICK: u64 = 40;

impl Clock {
    fn start() -> Self {
        // SAFETY: the timer's registers, which nothing else uses.
        unsafe {
            write_volatile(TIMER.register(TIMER_RELOAD), u32::MAX);
            write_volatile(TIMER.register(TIMER_VALUE), u32::MAX);
            write_volatile(TIMER.register(0), 1);
        }
        Self { last: u32::MAX, ticks: 0 }
    }

    fn ticks(&mut self) -> u64 {
        self.now_ms();
        self.ticks
    }

    fn now_ms(&mut self) -> u64 {
        // SAFETY: as in `start`.
        let value = unsafe { read_volatile(TIMER.register(TIMER_VALUE)) };
        self.ticks += u64::from(self.last.wrapping_sub(value));
        self.last = value;
        self.ticks / TICKS_A_MS
    }
}

struct Lines;

impl Wires for Lines {
    fn modem(&mut self, bytes: &[u8]) {
        MODEM.write(bytes);
    }

    fn telephone(&mut self, bytes: &[u8]) {
        TELEPHONE.write(bytes);
    }

    fn link(&mut self, bytes: &[u8]) {
        LINK.write(bytes);
    }
}

/// The PSRAM, used as an STM32F4's flash would be.
#[derive(Debug)]
struct Psram;

const PSRAM: usize = 0x2100_0000;
const SECTOR: u32 = 16 * 1024;
const SECTORS: u32 = 128;

const REGIONS: Regions = {
    const fn sectors(from: u32, to: u32) -> Range<u32> {
        from * SECTOR..to * SECTOR
    }
    Regions {
        state: sectors(0, 2),
        settings: sectors(2, 4),
        ring: sectors(4, 8),
        packs: [sectors(8, 40), sectors(40, 72)],
        images: [sectors(72, 100), sectors(100, 128)],
    }
};

impl Psram {
    fn at(offset: u32) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(PSRAM + offset as usize)
    }
}

impl ErrorType for Psram {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Psram {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        for (at, byte) in (offset..).zip(bytes) {
            // SAFETY: within the PSRAM, as was checked.
            *byte = unsafe { read_volatile(Self::at(at)) };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        (SECTORS * SECTOR) as usize
    }
}

impl NorFlash for Psram {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for at in from..to {
            // SAFETY: within the PSRAM, as was checked; nobody holds a slice of a sector that is erased (`Mapped::hold` gives out
            // the slot in use, and updates go to the other).
            unsafe { write_volatile(Self::at(at), 0xFF) };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (at, byte) in (offset..).zip(bytes) {
            // SAFETY: as in `erase`. Programming clears bits, and sets none.
            unsafe { write_volatile(Self::at(at), read_volatile(Self::at(at)) & byte) };
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Psram {}

impl Flash for Psram {
    fn bytes(&self, range: Range<u32>) -> &[u8] {
        mapped(range)
    }
}

/// What lies in the PSRAM; empty beyond it.
fn mapped<'f>(range: Range<u32>) -> &'f [u8] {
    if range.start > range.end || range.end > SECTORS * SECTOR {
        return &[];
    }
    // SAFETY: within the PSRAM. It is written by this program's one thread, in other sectors than those that are read meanwhile.
    unsafe { core::slice::from_raw_parts(Psram::at(range.start), (range.end - range.start) as usize) }
}

/// Where packs lie is where they are read.
#[derive(Debug)]
struct Mapped {
    layouts: [Option<&'static mut Option<Layout>>; 2],
    stack_top: u32,
}

impl Board<'static> for Mapped {
    type Flash = Psram;

    fn hold(&mut self, slot: Slot, bytes: &[u8], layout: Layout) -> Option<Pack<'static>> {
        let (region, place) = match slot {
            Slot::A => (&REGIONS.packs[0], self.layouts.first_mut()?),
            Slot::B => (&REGIONS.packs[1], self.layouts.get_mut(1)?),
        };
        // A slot's place is given away once; what is held in it later needs a restart, which finds both free.
        let layout: &'static Layout = place.take()?.insert(layout);
        let length = u32::try_from(bytes.len()).ok()?;
        Some(layout.pack(mapped(region.start..region.start.checked_add(length)?)))
    }

    fn stack(&self) -> (u32, u32) {
        stack_used(self.stack_top)
    }
}

/// The watchdog (CMSDK APB watchdog, DDI 0479 §4.5): counts down, and resets the board at the second zero.
const WATCHDOG: Uart = Uart(0x4000_8000);
const WATCHDOG_LOAD: usize = 0x000;
const WATCHDOG_CONTROL: usize = 0x008;
const WATCHDOG_CLEAR: usize = 0x00C;
const WATCHDOG_LOCK: usize = 0xC00;
const WATCHDOG_KEY: u32 = 0x1ACC_E551;
/// Four seconds to the first zero, as many to the second: verifying a pack takes less.
const WATCHDOG_TICKS: u32 = 100_000_000;

fn start_watchdog() {
    // SAFETY: the watchdog's registers, which nothing else uses.
    unsafe {
        write_volatile(WATCHDOG.register(WATCHDOG_LOCK), WATCHDOG_KEY);
        write_volatile(WATCHDOG.register(WATCHDOG_LOAD), WATCHDOG_TICKS);
        write_volatile(WATCHDOG.register(WATCHDOG_CONTROL), 3);
    }
}

fn feed_watchdog() {
    // SAFETY: as in `start_watchdog`.
    unsafe { write_volatile(WATCHDOG.register(WATCHDOG_CLEAR), 1) };
}

/// What the last run left behind: start-up code doesn't touch it.
#[unsafe(link_section = ".uninit.CRASH")]
static mut CRASH: MaybeUninit<Crash> = MaybeUninit::uninit();

fn leave_behind(crash: Crash) {
    // SAFETY: this program has one thread, and an exception that comes here doesn't return.
    unsafe { write_volatile((&raw mut CRASH).cast(), crash) };
}

fn restart() -> ! {
    const RESET: u32 = 0x05FA_0004;
    // SAFETY: AIRCR of the system control block (Armv7-M B3.2.6).
    unsafe { write_volatile(core::ptr::with_exposed_provenance_mut(0xE000_ED0C), RESET) };
    loop {}
}

#[entry]
fn main() -> ! {
    static mut STORAGE: Storage = Storage::new();
    static mut LAYOUTS: [Option<Layout>; 2] = [None, None];
    static mut BUILT_IN: Option<Layout> = None;
    // SAFETY: read once, before anything writes it; any bytes are a value of it.
    let crash: Crash = unsafe { read_volatile((&raw const CRASH).cast()) };
    // A run that ends without saying so was ended by the power, or by the watchdog.
    leave_behind(Crash::NONE);
    for uart in [MODEM, TELEPHONE, LINK] {
        uart.start();
    }
    let mut clock = Clock::start();
    let built_in = pack::check(PACK, KEY, 0).ok().map(|layout| {
        let layout: &'static Layout = BUILT_IN.insert(layout);
        layout.pack(PACK)
    });
    let [a, b] = LAYOUTS;
    let mut board = Mapped { layouts: [Some(a), Some(b)], stack_top: stack_top() };
    let trust = Trust { key: KEY, board: NAME, version: VERSION };
    let Started { store, loaded, listed } = start(Psram, REGIONS, &trust, &mut board, built_in);
    let reason = crash.read().map_or_else(Start::default, |(cause, at, words)| Start { cause, at, words });
    let guard = Guard::new(loaded, Policy::enforcing(), listed, STORAGE);
    start_watchdog();
    run(Device::new(guard, store, board, trust, &reason), &mut clock)
}

fn run(mut device: Device<'static, Mapped>, clock: &mut Clock) -> ! {
    let mut wires = Lines;
    loop {
        let now_ms = clock.now_ms();
        if let Some(byte) = MODEM.read() {
            let (judged, before) = (device.counters().messages, clock.ticks());
            device.on_modem(&[byte], now_ms, &mut wires);
            if device.counters().messages != judged {
                device.took(clock.ticks().wrapping_sub(before) * NANOSECONDS_A_TICK);
            }
        }
        if let Some(byte) = TELEPHONE.read() {
            device.on_telephone(&[byte], now_ms, &mut wires);
        }
        if let Some(byte) = LINK.read() {
            device.on_link(&[byte], now_ms);
        }
        device.poll(now_ms, &mut wires);
        if device.makes_progress(now_ms) {
            feed_watchdog();
        }
        if device.wants_restart() {
            leave_behind(Crash::new(Cause::Update, 0, format_args!("")));
            restart();
        }
    }
}

unsafe extern "C" {
    /// The end of the stack, by the linker script of cortex-m-rt.
    static mut _stack_end: u32;
    static mut _stack_start: u32;
}

fn stack_top() -> u32 {
    u32::try_from((&raw const _stack_start).addr()).unwrap_or(0)
}

/// Painted before the start (`paint-stack` of cortex-m-rt): what isn't painted any more was used.
fn stack_used(top: u32) -> (u32, u32) {
    const PAINT: u32 = 0xCCCC_CCCC;
    let end = (&raw const _stack_end).addr();
    let top = top as usize;
    let mut at = end;
    // SAFETY: between the end of the stack and its top, which are aligned.
    while at < top && unsafe { read_volatile(core::ptr::with_exposed_provenance::<u32>(at)) } == PAINT {
        at += 4;
    }
    let bytes = |from: usize| u32::try_from(top.saturating_sub(from)).unwrap_or(u32::MAX);
    (bytes(at), bytes(end))
}

/// The first zero of the watchdog comes as this: there is still time to say so.
#[exception]
unsafe fn NonMaskableInt() {
    leave_behind(Crash::new(Cause::Watchdog, 0, format_args!("no progress")));
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    leave_behind(Crash::new(Cause::Fault, frame.pc(), format_args!("lr {:08x}", frame.lr())));
    restart()
}

/// A reset, so that no panic stops the telephone for good.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    leave_behind(Crash::new(Cause::Panic, 0, format_args!("{info}")));
    restart()
}
