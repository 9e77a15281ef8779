//! QEMU's `mps2-an386` (Arm application note 386): a Cortex-M4F with CMSDK APB UARTs and timers.
//!
//! UART 0 is the modem, UART 1 the telephone side, UART 2 the link. The pack and the key that it must be signed with are linked in:
//! this board has no flash that could be written.
#![no_std]
#![no_main]
// Registers are what a board is about; everything else of the firmware forbids it.
#![allow(unsafe_code, reason = "memory-mapped registers")]

use core::ptr::{read_volatile, write_volatile};
use cortex_m_rt::entry;
use yumen_firmware::{Device, Guard, Storage, Wires, pack};
use yumen_rules::pack::Layout;
use yumen_rules::policy::Policy;

static PACK: &[u8] = include_bytes!(env!("YUMEN_EDGE_PACK"));
static KEY: &[u8; 32] = include_bytes!(env!("YUMEN_EDGE_KEY"));
/// Numbers that are always hung up on; a site's own list belongs here until there is a console to configure it.
const BLOCKED: &[&str] = &["1700000*"];
const OWN: &[&str] = &[];

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

#[entry]
fn main() -> ! {
    static mut STORAGE: Storage = Storage::new();
    static mut LAYOUT: Option<Layout> = None;
    for uart in [MODEM, TELEPHONE, LINK] {
        uart.start();
    }
    let mut clock = Clock::start();
    let guard = pack::check(PACK, KEY, 0).ok().and_then(|layout| {
        let layout: &'static Layout = LAYOUT.insert(layout);
        Guard::new(layout.pack(PACK), Policy::enforcing(), OWN, BLOCKED, STORAGE)
    });
    match guard {
        Some(guard) => run(Device::new(guard), &mut clock),
        None => pass_through(),
    }
}

fn run(mut device: Device<'_>, clock: &mut Clock) -> ! {
    let mut wires = Lines;
    loop {
        let now_ms = clock.now_ms();
        if let Some(byte) = MODEM.read() {
            device.on_modem(&[byte], now_ms, &mut wires);
        }
        if let Some(byte) = TELEPHONE.read() {
            device.on_telephone(&[byte], now_ms, &mut wires);
        }
        if let Some(byte) = LINK.read() {
            device.on_link(&[byte]);
        }
        device.poll(now_ms, &mut wires);
    }
}

/// Without a pack that holds, the board is a wire: nothing is judged, and nothing is lost.
fn pass_through() -> ! {
    loop {
        if let Some(byte) = MODEM.read() {
            TELEPHONE.write(&[byte]);
        }
        if let Some(byte) = TELEPHONE.read() {
            MODEM.write(&[byte]);
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    const RESET: u32 = 0x05FA_0004;
    // SAFETY: AIRCR of the system control block (Armv7-M B3.2.6): a reset, so that no panic stops the telephone for good.
    unsafe { write_volatile(core::ptr::with_exposed_provenance_mut(0xE000_ED0C), RESET) };
    loop {}
}
