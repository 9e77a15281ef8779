//! The modem, the telephone side and the link, as one machine without IO.
//!
//! ```text
//! Starting ── every step of set-up answered ──► Running ── the modem restarted, or went silent ──► Starting
//! ```
//!
//! The modem answers one command at a time, ours or the telephone side's; what it says by itself may come between. What the
//! telephone side gets are the modem's bytes as they came.

use crate::at::{Caller, Line, octets, tpdu};
use crate::board::{Board, Start};
use crate::clock::Clock;
use crate::console::{self, Command};
use crate::guard::{Guard, Loaded};
use crate::limits::{
    ANSWER_MS, ANSWER_TO_TELEPHONE_MS, CALLER_MS, COMMANDS_MAX, CONFIRM_JUDGED, CONFIRM_MS, HANGUP_MS,
    LINE_BYTES_MAX, RETRY_MS, STUCK_MS, TPDU_BYTES_MAX,
};
use crate::lines::{Lines, Taken};
use crate::pack::{Trust, check, in_slot};
use crate::setup::{ACKNOWLEDGED, OnError, STEPS, is_ours};
use crate::uplink::{Asked, Uplink, stored};
use core::fmt::Write as _;
use heapless::{Deque, String, Vec};
use yumen_link::{Cause, Counters, Hello, Kind, PROTOCOL};
use yumen_rules::behave::State;
use yumen_storage::ring::RECORD_BYTES_MAX;
use yumen_storage::{Pair, Store};

/// Where bytes go.
pub trait Wires {
    /// To the modem.
    fn modem(&mut self, bytes: &[u8]);
    /// To the telephone side.
    fn telephone(&mut self, bytes: &[u8]);
    /// To the agent.
    fn link(&mut self, bytes: &[u8]);
}

/// Bytes that are held until it is known what they are: a line that announces a PDU, the PDU, and the ends between.
const HELD_BYTES_MAX: usize = 2 * LINE_BYTES_MAX;
/// Commands of ours that wait.
const OWN_MAX: usize = 16;
/// Stored messages whose announcement is held while they are read.
const STORED_MAX: usize = 8;

type Text = Vec<u8, LINE_BYTES_MAX>;

/// A command of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// A step of set-up.
    Step(usize),
    /// `AT+CNMA`: a message was taken (27.005 §3.4.4).
    Acknowledge,
    /// `AT+CMGR`.
    Read(u16),
    /// `AT+CMGD`.
    Delete(u16),
    /// `AT+CHUP` (27.007 §6.5).
    HangUp,
    /// `ATH`, for modems without `+CHUP`.
    HangUpByH,
}

/// The command that the modem is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InFlight {
    Own(Own),
    Telephone,
}

/// What the next line is the PDU of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Message,
    StatusReport,
    Stored(u16),
}

/// A call that rings.
#[derive(Debug, Default)]
enum Ringing {
    /// None.
    #[default]
    No,
    /// It rang, and who calls isn't known yet; the bytes are held.
    Unknown { since_ms: u64, held: Vec<u8, 64> },
    /// It was let through.
    Allowed,
    /// It was hung up on.
    Blocked { since_ms: u64 },
}

/// The caller of a call that was let through.
#[derive(Debug, Default)]
struct Called {
    digits: String<32>,
    caller: (yumen_wire::event::Ton, bool),
    since_ms: u64,
    answered_ms: Option<u64>,
}

/// The guard on a modem.
#[derive(Debug)]
pub struct Device<'p, B: Board<'p>> {
    guard: Guard<'p>,
    uplink: Uplink<B::Flash>,
    board: B,
    trust: Trust<'p>,
    cause: Cause,
    clock: Clock,
    called: Option<Called>,
    wants_restart: bool,
    running_ms: u64,
    took_us: u64,
    /// What is on trial is confirmed when so many messages and calls have been judged.
    confirm_at: u32,
    lines: Lines,
    held: Vec<u8, HELD_BYTES_MAX>,
    awaited: Option<Awaited>,
    own: Deque<Own, OWN_MAX>,
    commands: Deque<Text, COMMANDS_MAX>,
    in_flight: Option<InFlight>,
    sent_ms: u64,
    is_running: bool,
    is_sim_ready: bool,
    acknowledges: bool,
    again_ms: Option<u64>,
    ringing: Ringing,
    stored: Vec<(u16, Vec<u8, 48>), STORED_MAX>,
    typed: Text,
    is_typing_text: bool,
    /// The telephone side's command is `ATA`.
    is_answering: bool,
    counters: Counters,
}

impl<'p, B: Board<'p>> Device<'p, B> {
    /// In front of a modem that hasn't been set up: [`Device::poll`] begins. Without a store sightings are lost and counted.
    #[must_use]
    pub fn new(
        guard: Guard<'p>,
        store: Option<Store<B::Flash>>,
        board: B,
        trust: Trust<'p>,
        start: &Start<'_>,
    ) -> Self {
        Self {
            guard,
            uplink: Uplink::new(store, start),
            board,
            trust,
            cause: start.cause,
            clock: Clock::new(),
            called: None,
            wants_restart: false,
            running_ms: 0,
            took_us: 0,
            confirm_at: CONFIRM_JUDGED,
            lines: Lines::new(),
            held: Vec::new(),
            awaited: None,
            own: Deque::new(),
            commands: Deque::new(),
            in_flight: None,
            sent_ms: 0,
            is_running: false,
            is_sim_ready: false,
            acknowledges: false,
            again_ms: Some(0),
            ringing: Ringing::No,
            stored: Vec::new(),
            typed: Vec::new(),
            is_typing_text: false,
            is_answering: false,
            counters: Counters::default(),
        }
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The flash, given back.
    #[must_use]
    pub fn into_flash(self) -> Option<B::Flash> {
        self.uplink.into_store().map(Store::into_flash)
    }

    /// Whether the modem is set up.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.is_running
    }

    /// How long the last decision took, as the board measured it: shown on the console.
    pub const fn took(&mut self, nanoseconds: u64) {
        self.took_us = nanoseconds / 1_000;
    }

    /// Whether an update asks for a restart, and nothing is under way that it would break.
    #[must_use]
    pub fn wants_restart(&self) -> bool {
        let is_quiet = self.held.is_empty() && self.in_flight.is_none() && self.own.is_empty();
        self.wants_restart && is_quiet && self.commands.is_empty()
    }

    /// Whether it gets on: a modem that can't be set up for long makes it not. What feeds a watchdog.
    #[must_use]
    pub const fn makes_progress(&self, now_ms: u64) -> bool {
        self.is_running || now_ms.saturating_sub(self.running_ms) < STUCK_MS
    }

    /// Takes bytes from the modem.
    pub fn on_modem(&mut self, bytes: &[u8], now_ms: u64, wires: &mut impl Wires) {
        for &byte in bytes {
            if self.held.push(byte).is_err() {
                // No line that matters is that long: what is held goes on as it came.
                self.release(wires);
                let _ = self.held.push(byte);
            }
            match self.lines.push(byte) {
                Taken::Nothing => {}
                Taken::TooLong => {
                    self.counters.too_long = self.counters.too_long.saturating_add(1);
                    self.awaited = None;
                    self.held.clear();
                }
                Taken::Line(line) => self.line(&line, now_ms, wires),
            }
        }
    }

    /// Takes bytes from the telephone side.
    pub fn on_telephone(&mut self, bytes: &[u8], now_ms: u64, wires: &mut impl Wires) {
        for &byte in bytes {
            if self.is_typing_text {
                wires.modem(&[byte]);
                // Control-Z sends, Escape gives up (27.005 §3.5.1).
                self.is_typing_text = !matches!(byte, 0x1A | 0x1B);
                continue;
            }
            match byte {
                b'\r' | b'\n' if self.typed.is_empty() => {}
                b'\r' | b'\n' => {
                    let command = core::mem::take(&mut self.typed);
                    self.command(command, now_ms, wires);
                }
                // What is too long for a line is cut, and the modem says ERROR.
                _ => {
                    let _ = self.typed.push(byte);
                }
            }
        }
        self.send_next(now_ms, wires);
    }

    /// Takes bytes from the agent.
    pub fn on_link(&mut self, bytes: &[u8], now_ms: u64) {
        for &byte in bytes {
            match self.uplink.push(byte) {
                None => {}
                Some(Asked::Time(unix_ms)) => self.clock.set_by_agent(unix_ms, now_ms),
                Some(Asked::Finish) => self.finish(),
            }
        }
    }

    /// Does what the time asks for; to be called every few milliseconds.
    pub fn poll(&mut self, now_ms: u64, wires: &mut impl Wires) {
        if self.is_running {
            self.running_ms = now_ms;
        }
        self.confirm(now_ms);
        self.poll_link(now_ms, wires);
        if self.again_ms.is_some_and(|at| at <= now_ms) {
            self.again_ms = None;
            self.own.clear();
            let _ = self.own.push_back(Own::Step(0));
            self.in_flight = None;
        }
        let limit = match self.in_flight {
            Some(InFlight::Telephone) => ANSWER_TO_TELEPHONE_MS,
            _ => ANSWER_MS,
        };
        if let Some(in_flight) = self.in_flight
            && now_ms.saturating_sub(self.sent_ms) >= limit
        {
            self.counters.unanswered = self.counters.unanswered.saturating_add(1);
            self.in_flight = None;
            self.is_typing_text = false;
            if in_flight != InFlight::Telephone {
                self.start_again(now_ms);
            }
        }
        if let Ringing::Unknown { since_ms, held } = &self.ringing
            && now_ms.saturating_sub(*since_ms) >= CALLER_MS
        {
            // The network doesn't say who calls: a call is no worse for that.
            wires.telephone(held);
            self.ringing = Ringing::Allowed;
        }
        self.send_next(now_ms, wires);
    }

    fn poll_link(&mut self, now_ms: u64, wires: &mut impl Wires) {
        let packs = self.pair(Kind::Pack);
        let images = self.pair(Kind::Image);
        let starts = self.uplink.store().map_or(0, |store| store.state().starts);
        let kept = self.uplink.kept();
        let (pack, serial) = self.guard.pack();
        let hello = || Hello {
            protocol: PROTOCOL,
            board: self.trust.board,
            version: self.trust.version,
            version_refused: u32::try_from(images.refused).unwrap_or(u32::MAX),
            pack,
            serial,
            floor: packs.floor,
            refused: packs.refused,
            is_on_trial: packs.is_on_trial || images.is_on_trial,
            starts,
            cause: self.cause,
            uptime_s: u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX),
            stack: self.board.stack(),
            counters: Counters { displaced: kept.displaced, lost: kept.lost, ..self.counters },
        };
        self.uplink.poll(now_ms, hello, |bytes| wires.link(bytes));
    }

    fn pair(&self, kind: Kind) -> Pair {
        self.uplink.store().map_or_else(Pair::default, |store| match kind {
            Kind::Pack => store.state().packs,
            Kind::Image => store.state().images,
        })
    }

    /// An update was written: it is verified and tried out; a pack is in use at once, a program after a restart.
    fn finish(&mut self) {
        let (guard, trust) = (&mut self.guard, self.trust);
        let finished = self.uplink.finish(&trust, |slot| {
            // An image tries itself out, by being started.
            let Some(bytes) = in_slot(slot).filter(|bytes| bytes.starts_with(&yumen_rules::pack::MAGIC))
            else {
                return true;
            };
            let Ok(layout) = check(bytes, trust.key, 0) else { return false };
            Loaded::new(layout.pack(bytes)).is_some_and(|tried| guard.passes_its_canaries(&tried))
        });
        match finished {
            Some(Kind::Image) => self.wants_restart = true,
            Some(Kind::Pack) => {
                let judged = self.counters.messages.saturating_add(self.counters.calls);
                self.confirm_at = judged.saturating_add(CONFIRM_JUDGED);
                self.load();
            }
            None => {}
        }
    }

    /// Takes the pack that is in use by the state.
    fn load(&mut self) {
        let Some(store) = self.uplink.store() else { return };
        let slot = store.state().packs.active;
        let held = in_slot(store.slot(stored(Kind::Pack), slot))
            .and_then(|bytes| Some((bytes, check(bytes, self.trust.key, 0).ok()?)))
            .and_then(|(bytes, layout)| self.board.hold(slot, bytes, layout));
        match held.and_then(Loaded::new) {
            Some(loaded) => self.guard.load(loaded),
            // The next start finds it where it lies.
            None => self.wants_restart = true,
        }
    }

    /// What is on trial and has worked for a while, or on enough messages and calls, stays.
    fn confirm(&mut self, now_ms: u64) {
        let judged = self.counters.messages.saturating_add(self.counters.calls);
        if now_ms < CONFIRM_MS && judged < self.confirm_at {
            return;
        }
        for kind in [Kind::Pack, Kind::Image] {
            let pair = self.pair(kind);
            if pair.is_on_trial
                && let Some(store) = self.uplink.store_mut()
                && store.confirm(stored(kind)).is_ok()
            {
                self.uplink.confirmed(kind, pair.serial());
            }
        }
    }

    fn line(&mut self, line: &[u8], now_ms: u64, wires: &mut impl Wires) {
        if let Some(awaited) = self.awaited.take() {
            self.pdu(awaited, line, now_ms, wires);
            return self.send_next(now_ms, wires);
        }
        let is_ours = matches!(self.in_flight, Some(InFlight::Own(_)));
        match Line::parse(line) {
            Line::Message => self.awaited = Some(Awaited::Message),
            Line::StatusReport => self.awaited = Some(Awaited::StatusReport),
            Line::Read => match self.in_flight {
                Some(InFlight::Own(Own::Read(index))) => self.awaited = Some(Awaited::Stored(index)),
                _ => self.release(wires),
            },
            Line::Stored { index } => self.stored(index, wires),
            Line::Ring => self.ring(now_ms, wires),
            Line::Caller(caller) => self.caller(&caller, now_ms, wires),
            Line::NoCarrier => self.no_carrier(now_ms, wires),
            Line::Clock { unix_ms } => {
                if let Some(unix_ms) = unix_ms {
                    self.clock.set_by_modem(unix_ms, now_ms);
                }
                self.pass_unless(is_ours, wires);
            }
            Line::Sim { ready } => {
                self.is_sim_ready = ready;
                self.pass_unless(is_ours, wires);
            }
            Line::Started => {
                self.release(wires);
                self.start_again(now_ms);
            }
            result @ (Line::Ok | Line::Error) if is_ours => {
                self.held.clear();
                self.answered(result == Line::Ok, now_ms, wires);
            }
            result @ (Line::Ok | Line::Error) => {
                self.in_flight = None;
                if core::mem::take(&mut self.is_answering)
                    && result == Line::Ok
                    && let Some(called) = &mut self.called
                {
                    called.answered_ms = Some(now_ms);
                }
                self.release(wires);
            }
            Line::Prompt => {
                self.is_typing_text = self.in_flight == Some(InFlight::Telephone);
                self.release(wires);
            }
            Line::Echo | Line::Other => self.pass_unless(is_ours, wires),
        }
        self.send_next(now_ms, wires);
    }

    /// A PDU, and what was announced before it.
    fn pdu(&mut self, awaited: Awaited, line: &[u8], now_ms: u64, wires: &mut impl Wires) {
        let mut buffer = [0; TPDU_BYTES_MAX];
        let (at, uplink) = (self.clock.at(now_ms), &mut self.uplink);
        let verdict = match octets(line, &mut buffer).and_then(tpdu) {
            Some(_) if awaited == Awaited::StatusReport => None,
            Some(tpdu) => Some(self.guard.message(tpdu, at, &mut |sighting| uplink.sighting(&sighting, at))),
            None => {
                self.counters.unreadable = self.counters.unreadable.saturating_add(1);
                None
            }
        };
        if verdict.is_some() {
            self.counters.messages = self.counters.messages.saturating_add(1);
        }
        let is_blocked = verdict.is_some_and(|verdict| verdict.is_blocked());
        if is_blocked {
            self.counters.messages_blocked = self.counters.messages_blocked.saturating_add(1);
        }
        match awaited {
            Awaited::Message | Awaited::StatusReport => {
                self.pass_unless(is_blocked, wires);
                if self.acknowledges {
                    self.enqueue(Own::Acknowledge);
                }
            }
            Awaited::Stored(index) => {
                self.held.clear();
                if is_blocked {
                    self.stored.retain(|(stored, _)| *stored != index);
                    self.enqueue(Own::Delete(index));
                } else {
                    self.announce(index, wires);
                }
            }
        }
    }

    /// A message was stored: it is read before the telephone side hears of it.
    fn stored(&mut self, index: u16, wires: &mut impl Wires) {
        let announcement = Vec::from_slice(&self.held);
        if self.own.is_full() || self.stored.is_full() || !self.is_running {
            return self.release(wires);
        }
        let Ok(announcement) = announcement else { return self.release(wires) };
        let _ = self.stored.push((index, announcement));
        self.held.clear();
        self.enqueue(Own::Read(index));
    }

    fn announce(&mut self, index: u16, wires: &mut impl Wires) {
        if let Some(at) = self.stored.iter().position(|(stored, _)| *stored == index) {
            let (_, announcement) = self.stored.remove(at);
            wires.telephone(&announcement);
        }
    }

    fn ring(&mut self, now_ms: u64, wires: &mut impl Wires) {
        match &mut self.ringing {
            Ringing::No => {
                let held = Vec::from_slice(&self.held).unwrap_or_default();
                self.ringing = Ringing::Unknown { since_ms: now_ms, held };
                self.held.clear();
            }
            Ringing::Unknown { held, .. } => {
                wires.telephone(held);
                self.ringing = Ringing::Allowed;
                self.release(wires);
            }
            Ringing::Allowed => self.release(wires),
            Ringing::Blocked { since_ms } if now_ms.saturating_sub(*since_ms) < HANGUP_MS => {
                self.held.clear()
            }
            Ringing::Blocked { .. } => {
                self.ringing = Ringing::No;
                self.ring(now_ms, wires);
            }
        }
    }

    fn caller(&mut self, caller: &Caller<'_>, now_ms: u64, wires: &mut impl Wires) {
        match &self.ringing {
            Ringing::Blocked { since_ms } if now_ms.saturating_sub(*since_ms) < HANGUP_MS => {
                return self.held.clear();
            }
            Ringing::Allowed => return self.release(wires),
            _ => {}
        }
        let (at, uplink) = (self.clock.at(now_ms), &mut self.uplink);
        let verdict = self.guard.caller(caller, at, &mut |sighting| uplink.sighting(&sighting, at));
        self.counters.calls = self.counters.calls.saturating_add(1);
        if verdict.is_blocked() {
            self.guard.call_went_on(caller, State::Blocked, 0, at);
            self.counters.calls_blocked = self.counters.calls_blocked.saturating_add(1);
            self.ringing = Ringing::Blocked { since_ms: now_ms };
            self.held.clear();
            self.enqueue(Own::HangUp);
            return;
        }
        self.called = Some(Called {
            digits: String::try_from(caller.digits).unwrap_or_default(),
            caller: (caller.ton, caller.is_withheld),
            since_ms: now_ms,
            answered_ms: None,
        });
        if let Ringing::Unknown { held, .. } = core::mem::replace(&mut self.ringing, Ringing::Allowed) {
            wires.telephone(&held);
        }
        self.release(wires);
    }

    fn no_carrier(&mut self, now_ms: u64, wires: &mut impl Wires) {
        self.call_is_over(now_ms);
        let was = core::mem::take(&mut self.ringing);
        if self.in_flight == Some(InFlight::Telephone) {
            self.in_flight = None;
        }
        // Of a call that the telephone side never heard of, it doesn't hear the end either.
        self.pass_unless(matches!(was, Ringing::Blocked { .. } | Ringing::Unknown { .. }), wires);
    }

    /// How the call went on is counted: rules ask who rings and gives up, and who rings all day.
    fn call_is_over(&mut self, now_ms: u64) {
        let Some(called) = self.called.take() else { return };
        let (ton, is_withheld) = called.caller;
        let caller = Caller { digits: &called.digits, ton, is_withheld };
        let at = self.clock.at(now_ms);
        let rang_ms = called.answered_ms.unwrap_or(now_ms).saturating_sub(called.since_ms);
        let Some(answered_ms) = called.answered_ms else {
            return self.guard.call_went_on(&caller, State::Cancelled, rang_ms, at);
        };
        self.guard.call_went_on(&caller, State::Answered, rang_ms, at);
        let is_short = now_ms.saturating_sub(answered_ms) <= yumen_rules::behave::SHORT_CALL_MS;
        let state = if is_short { State::Short } else { State::Ended };
        self.guard.call_went_on(&caller, state, rang_ms, at);
    }

    /// A command of ours has its final result.
    fn answered(&mut self, is_ok: bool, now_ms: u64, wires: &mut impl Wires) {
        let Some(InFlight::Own(own)) = self.in_flight.take() else { return };
        match own {
            Own::Step(number) => self.step_answered(number, is_ok, now_ms),
            Own::HangUp if !is_ok => self.enqueue(Own::HangUpByH),
            // It can't be read, so it is as if nobody had looked.
            Own::Read(index) => self.announce(index, wires),
            Own::Acknowledge | Own::Delete(_) | Own::HangUp | Own::HangUpByH => {}
        }
    }

    fn step_answered(&mut self, number: usize, is_ok: bool, now_ms: u64) {
        let Some(step) = STEPS.get(number) else { return };
        let is_held_up = step.command == "AT+CPIN?" && !self.is_sim_ready;
        if (!is_ok && step.on_error == OnError::Again) || is_held_up {
            return self.start_again(now_ms);
        }
        if step.command == ACKNOWLEDGED.command {
            self.acknowledges = is_ok;
        }
        if number + 1 < STEPS.len() {
            self.enqueue(Own::Step(number + 1));
        } else {
            self.is_running = true;
            self.counters.setups = self.counters.setups.saturating_add(1);
        }
    }

    fn start_again(&mut self, now_ms: u64) {
        self.is_running = false;
        self.is_sim_ready = false;
        self.acknowledges = false;
        self.own.clear();
        self.in_flight = None;
        self.is_typing_text = false;
        self.ringing = Ringing::No;
        self.again_ms = Some(now_ms.saturating_add(RETRY_MS));
    }

    /// A command of the telephone side.
    fn command(&mut self, command: Text, now_ms: u64, wires: &mut impl Wires) {
        let text = core::str::from_utf8(&command).unwrap_or_default().trim();
        if let Some(command) = Command::parse(text) {
            return self.configure(command, now_ms, wires);
        }
        if is_ours(text) {
            // Text mode would blind the guard; the rest is as it is wanted already.
            let is_text_mode = text.ends_with("CMGF=1") || text.ends_with("cmgf=1");
            wires.telephone(if is_text_mode { b"\r\nERROR\r\n" } else { b"\r\nOK\r\n" });
            return;
        }
        if self.commands.push_back(command).is_err() {
            wires.telephone(b"\r\nERROR\r\n");
        }
    }

    /// A command of the console.
    fn configure(&mut self, command: Command<'_>, now_ms: u64, wires: &mut impl Wires) {
        let is_done = match command {
            Command::Show => {
                self.show(now_ms, wires);
                true
            }
            Command::Add { is_blocked, number } => {
                self.guard.listed().add(is_blocked, number) && self.keep_list()
            }
            Command::Remove { number } => self.guard.listed().remove(number) && self.keep_list(),
            Command::Unknown => false,
        };
        wires.telephone(if is_done { b"\r\nOK\r\n" } else { b"\r\nERROR\r\n" });
    }

    fn keep_list(&mut self) -> bool {
        let mut buffer = [0; RECORD_BYTES_MAX];
        let Some(kept) = console::emit(self.guard.listed(), &mut buffer) else { return false };
        self.uplink.store_mut().is_some_and(|store| store.keep_settings(kept).is_ok())
    }

    fn show(&mut self, now_ms: u64, wires: &mut impl Wires) {
        let (pack, serial) = self.guard.pack();
        let counters = self.counters;
        let mut line = String::<160>::new();
        // What doesn't fit a line is cut.
        let _ =
            write!(line, "\r\n^YUMEN: {} {}, pack {pack} {serial}\r\n", self.trust.board, self.trust.version);
        wires.telephone(line.as_bytes());
        line.clear();
        let _ = write!(
            line,
            "^YUMEN: {} messages, {} stopped; {} calls, {} hung up on; {} s; last decision {} us\r\n",
            counters.messages,
            counters.messages_blocked,
            counters.calls,
            counters.calls_blocked,
            now_ms / 1_000,
            self.took_us
        );
        wires.telephone(line.as_bytes());
        for (is_blocked, number) in self.guard.listed().entries() {
            line.clear();
            let _ = write!(line, "^YUMEN: {} {number}\r\n", if is_blocked { "BLOCK" } else { "OWN" });
            wires.telephone(line.as_bytes());
        }
    }

    fn enqueue(&mut self, own: Own) {
        // A full queue means a modem that doesn't answer: it is set up anew soon, and forgets what it was asked.
        let _ = self.own.push_back(own);
    }

    /// Sends the next command, ours before the telephone side's, if the modem is at none.
    fn send_next(&mut self, now_ms: u64, wires: &mut impl Wires) {
        if self.in_flight.is_some() {
            return;
        }
        if let Some(own) = self.own.pop_front() {
            self.in_flight = Some(InFlight::Own(own));
            self.sent_ms = now_ms;
            match own {
                Own::Step(number) => {
                    let command = STEPS.get(number).map_or("AT", |step| step.command);
                    wires.modem(command.as_bytes());
                }
                Own::Acknowledge => wires.modem(b"AT+CNMA"),
                Own::Read(index) => numbered("AT+CMGR=", index, wires),
                Own::Delete(index) => numbered("AT+CMGD=", index, wires),
                Own::HangUp => wires.modem(b"AT+CHUP"),
                Own::HangUpByH => wires.modem(b"ATH"),
            }
            wires.modem(b"\r");
        } else if self.is_running
            && let Some(command) = self.commands.pop_front()
        {
            self.in_flight = Some(InFlight::Telephone);
            self.is_answering = command.eq_ignore_ascii_case(b"ATA");
            self.sent_ms = now_ms;
            wires.modem(&command);
            wires.modem(b"\r");
        }
    }

    /// Passes what is held to the telephone side, or drops it.
    fn pass_unless(&mut self, is_dropped: bool, wires: &mut impl Wires) {
        if is_dropped {
            self.held.clear();
        } else {
            self.release(wires);
        }
    }

    fn release(&mut self, wires: &mut impl Wires) {
        if !self.held.is_empty() {
            wires.telephone(&self.held);
            self.held.clear();
        }
    }
}

fn numbered(command: &str, number: u16, wires: &mut impl Wires) {
    // The longest of both has 13 bytes.
    let mut text = String::<16>::new();
    let _ = write!(text, "{command}{number}");
    wires.modem(text.as_bytes());
}
