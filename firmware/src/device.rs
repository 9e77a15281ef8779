//! The modem, the telephone side and the link, as one machine without IO.
//!
//! ```text
//! Starting ── every step of set-up answered ──► Running ── the modem restarted, or went silent ──► Starting
//! ```
//!
//! The modem answers one command at a time, ours or the telephone side's; what it says by itself may come between. What the
//! telephone side gets are the modem's bytes as they came.

use crate::at::{Caller, Line, octets, tpdu};
use crate::guard::{Guard, Verdict};
use crate::limits::{
    ANSWER_MS, ANSWER_TO_TELEPHONE_MS, CALLER_MS, COMMANDS_MAX, HANGUP_MS, LINE_BYTES_MAX, RETRY_MS,
    TPDU_BYTES_MAX,
};
use crate::lines::{Lines, Taken};
use crate::link::{Link, Report};
use crate::setup::{ACKNOWLEDGED, OnError, STEPS, is_ours};
use core::fmt::Write as _;
use heapless::{Deque, String, Vec};
use yumen_rules::verdict::Action;

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

/// What it has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages judged, each part counting.
    pub messages: u32,
    /// Those stopped.
    pub messages_blocked: u32,
    /// Calls judged.
    pub calls: u32,
    /// Those hung up on.
    pub calls_blocked: u32,
    /// PDUs that couldn't be read, and were passed on.
    pub unreadable: u32,
    /// Lines that were too long, and were dropped.
    pub too_long: u32,
    /// Times that the modem was set up.
    pub setups: u32,
    /// Commands that the modem didn't answer in time.
    pub unanswered: u32,
}

/// The guard on a modem.
#[derive(Debug)]
pub struct Device<'p> {
    guard: Guard<'p>,
    link: Link,
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
    counters: Counters,
}

impl<'p> Device<'p> {
    /// In front of a modem that hasn't been set up: [`Device::poll`] begins.
    #[must_use]
    pub fn new(guard: Guard<'p>) -> Self {
        Self {
            guard,
            link: Link::new(),
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
            counters: Counters::default(),
        }
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the modem is set up.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.is_running
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
                    self.command(command, wires);
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
    pub fn on_link(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.link.push(byte));
    }

    /// Does what the time asks for; to be called every few milliseconds.
    pub fn poll(&mut self, now_ms: u64, wires: &mut impl Wires) {
        for frame in self.link.due(now_ms) {
            wires.link(frame);
        }
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
            Line::NoCarrier => self.no_carrier(wires),
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
            Line::Ok | Line::Error => {
                self.in_flight = None;
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
        let verdict = match octets(line, &mut buffer).and_then(tpdu) {
            Some(_) if awaited == Awaited::StatusReport => None,
            Some(tpdu) => Some(self.guard.message(tpdu, now_ms)),
            None => {
                self.counters.unreadable = self.counters.unreadable.saturating_add(1);
                None
            }
        };
        if let Some(verdict) = verdict {
            self.counters.messages = self.counters.messages.saturating_add(1);
            self.tell(false, &verdict, now_ms, wires);
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
        let verdict = self.guard.caller(caller, now_ms);
        self.counters.calls = self.counters.calls.saturating_add(1);
        self.tell(true, &verdict, now_ms, wires);
        if verdict.is_blocked() {
            self.counters.calls_blocked = self.counters.calls_blocked.saturating_add(1);
            self.ringing = Ringing::Blocked { since_ms: now_ms };
            self.held.clear();
            self.enqueue(Own::HangUp);
            return;
        }
        if let Ringing::Unknown { held, .. } = core::mem::replace(&mut self.ringing, Ringing::Allowed) {
            wires.telephone(&held);
        }
        self.release(wires);
    }

    fn no_carrier(&mut self, wires: &mut impl Wires) {
        let was = core::mem::take(&mut self.ringing);
        if self.in_flight == Some(InFlight::Telephone) {
            self.in_flight = None;
        }
        // Of a call that the telephone side never heard of, it doesn't hear the end either.
        self.pass_unless(matches!(was, Ringing::Blocked { .. } | Ringing::Unknown { .. }), wires);
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
    fn command(&mut self, command: Text, wires: &mut impl Wires) {
        let text = core::str::from_utf8(&command).unwrap_or_default().trim();
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
            self.sent_ms = now_ms;
            wires.modem(&command);
            wires.modem(b"\r");
        }
    }

    fn tell(&mut self, is_call: bool, verdict: &Verdict, now_ms: u64, wires: &mut impl Wires) {
        if verdict.action == Action::Allow {
            return;
        }
        let report = Report {
            sequence: 0,
            is_call,
            action: verdict.action,
            typology: verdict.typology,
            score: verdict.score,
            lost: 0,
            serial: self.guard.serial(),
            rule: verdict.rule.map_or("", |rule| self.guard.rule_id(rule)),
        };
        wires.link(&self.link.report(report, now_ms));
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
