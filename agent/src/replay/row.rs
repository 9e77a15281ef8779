//! One line of what is shown.

use super::witness::Seen;
use crate::doors::protocol::Message;
use serde_json::json;
use std::fmt;
use yumen_capture::Item;
use yumen_rules::verdict::{Action, Typology};
use yumen_wire::event::Direction;
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;

/// Message or call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A short message.
    Message,
    /// A call attempt.
    Call,
}

/// A message or call attempt, and what would have been done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The packet that completed it, from 1.
    pub frame: u64,
    /// When that was captured, microseconds since the Unix epoch.
    pub time_us: u64,
    /// `smpp`, `cmpp`, `smgp`, `sgip`, `sip`, `map`.
    pub protocol: &'static str,
    /// Message or call.
    pub subject: Subject,
    /// Into the centre or out of it.
    pub direction: Direction,
    /// The originator.
    pub from: String,
    /// The destination: an IMSI in mt-ForwardSM.
    pub to: String,
    /// The text, of several parts joined; empty for a call.
    pub text: String,
    /// Parts that came, and parts announced; `None` for one part.
    pub parts: Option<(u8, u8)>,
    /// What would have been done; `None` where nobody could judge.
    pub action: Option<Action>,
    /// The practice, where something would have been done.
    pub typology: Option<Typology>,
    /// 0 to 100.
    pub score: u8,
    /// The rules that fired.
    pub rules: Vec<String>,
    /// Why a server must refuse the INVITE (RFC 3261 §8.2), which some serve all the same.
    pub defect: Option<String>,
}

impl Row {
    pub(super) fn new(protocol: &'static str, subject: Subject, item: &Item<'_>) -> Self {
        Self {
            frame: item.frame,
            time_us: item.time_us,
            protocol,
            subject,
            direction: Direction::Submit,
            from: String::new(),
            to: String::new(),
            text: String::new(),
            parts: None,
            action: None,
            typology: None,
            score: 0,
            rules: Vec::new(),
            defect: None,
        }
    }

    pub(super) fn address(&mut self, message: &Message<'_>) {
        let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
        self.direction = message.direction;
        self.from = message.originator.address(&mut scratch).digits.to_owned();
        self.to = message.destination.address(&mut scratch).digits.to_owned();
    }

    /// Takes what was judged over. What was bad before stays so: a multi-part message isn't redeemed by its end.
    pub(super) fn judged(&mut self, seen: &Seen) {
        if seen.action.is_none() {
            return;
        }
        self.text.clone_from(&seen.text);
        if self.action.is_none_or(|action| Some(action) <= seen.action) {
            self.action = seen.action;
            self.typology = seen.typology;
            self.score = seen.score;
            self.rules.clone_from(&seen.rules);
        }
    }

    /// As one JSON object.
    #[must_use]
    pub fn json(&self) -> String {
        json!({
            "frame": self.frame,
            "time_us": self.time_us,
            "protocol": self.protocol,
            "channel": match self.subject { Subject::Message => "sms", Subject::Call => "call" },
            "direction": match self.direction { Direction::Submit => "submit", Direction::Deliver => "deliver" },
            "from": self.from,
            "to": self.to,
            "text": self.text,
            "parts_received": self.parts.map(|parts| parts.0),
            "parts_total": self.parts.map(|parts| parts.1),
            "verdict": self.action.map(Action::name),
            "typology": self.typology.map(Typology::id),
            "score": self.score,
            "rules": self.rules,
            "defect": self.defect,
        })
        .to_string()
    }
}

/// Characters of a text that the table shows.
const EXCERPT_CHARS: usize = 48;

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.action.map_or("unjudged", Action::name);
        let excerpt: String = self.text.chars().take(EXCERPT_CHARS).collect();
        let printable = |text: &str| text.replace(char::is_control, " ");
        write!(
            f,
            "{:>8}  {:<5} {:<8} {:>3}  {} → {}",
            self.frame,
            self.protocol,
            verdict,
            self.score,
            printable(&self.from),
            printable(&self.to)
        )?;
        if let Some((received, total)) = self.parts {
            write!(f, "  {received}/{total}")?;
        }
        write!(f, "  {}  {}", self.rules.join(" "), printable(&excerpt))?;
        self.defect.as_ref().map_or(Ok(()), |defect| write!(f, "({defect})"))
    }
}
