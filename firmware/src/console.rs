//! Configuration over the telephone's line: commands of our own, which no modem has.
//!
//! | command | answer |
//! |---|---|
//! | `AT^YUMEN?` | pack, version, counters, the list |
//! | `AT^YUMEN=BLOCK,1700000*` | calls from there are always hung up on; a trailing `*` makes a prefix |
//! | `AT^YUMEN=OWN,95500` | the site's own number: never blocked by score |
//! | `AT^YUMEN=REMOVE,95500` | off the list |
//!
//! Numbers are in canonical form: a Chinese one without its country code, another with `+` and its own.

use crate::listed::Listed;
use yumen_storage::ring::RECORD_BYTES_MAX;

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'c> {
    /// How the device is.
    Show,
    /// A number onto the list.
    Add {
        /// Always hung up on, rather than the site's own.
        is_blocked: bool,
        /// The number.
        number: &'c str,
    },
    /// A number off the list.
    Remove {
        /// The number.
        number: &'c str,
    },
    /// None of these.
    Unknown,
}

impl<'c> Command<'c> {
    /// Reads a command; `None` where it is the modem's.
    #[must_use]
    pub fn parse(text: &'c str) -> Option<Self> {
        const NAME: &str = "AT^YUMEN";
        let (name, rest) = text.split_at_checked(NAME.len())?;
        if !name.eq_ignore_ascii_case(NAME) {
            return None;
        }
        if rest == "?" {
            return Some(Self::Show);
        }
        let Some((verb, number)) = rest.strip_prefix('=').and_then(|rest| rest.split_once(',')) else {
            return Some(Self::Unknown);
        };
        let number = number.trim().trim_matches('"');
        let is = |name: &str| verb.trim().eq_ignore_ascii_case(name);
        Some(match () {
            () if is("BLOCK") => Self::Add { is_blocked: true, number },
            () if is("OWN") => Self::Add { is_blocked: false, number },
            () if is("REMOVE") => Self::Remove { number },
            () => Self::Unknown,
        })
    }
}

/// The list as it is kept: a line a number, `b` or `o` before it. `None` where it is longer than a record.
#[must_use]
pub fn emit<'b>(listed: &Listed, buffer: &'b mut [u8; RECORD_BYTES_MAX]) -> Option<&'b [u8]> {
    let mut written = 0_usize;
    for (is_blocked, number) in listed.entries() {
        let line = [if is_blocked { b"b" } else { b"o" }, number.as_bytes(), b"\n"];
        for part in line {
            buffer.get_mut(written..written.checked_add(part.len())?)?.copy_from_slice(part);
            written += part.len();
        }
    }
    buffer.get(..written)
}

/// The list as it was kept. Lines that aren't any are passed over.
#[must_use]
pub fn parse(kept: &[u8]) -> Listed {
    let mut listed = Listed::new();
    for line in kept.split(|&byte| byte == b'\n') {
        let Ok(text) = core::str::from_utf8(line) else { continue };
        match text.split_at_checked(1) {
            Some(("b", number)) => listed.add(true, number),
            Some(("o", number)) => listed.add(false, number),
            _ => false,
        };
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        assert_eq!(Command::parse("AT+CSQ"), None);
        assert_eq!(Command::parse("at^yumen?"), Some(Command::Show));
        let block = Command::Add { is_blocked: true, number: "1700000*" };
        assert_eq!(Command::parse("AT^YUMEN=BLOCK,\"1700000*\""), Some(block));
        assert_eq!(Command::parse("AT^YUMEN=remove, 95500"), Some(Command::Remove { number: "95500" }));
        assert_eq!(Command::parse("AT^YUMEN=X"), Some(Command::Unknown));
    }

    #[test]
    fn what_is_kept_is_read() {
        let mut listed = Listed::new();
        assert!(listed.add(true, "1700000*") && listed.add(false, "95500"));
        let mut buffer = [0; RECORD_BYTES_MAX];
        let kept = emit(&listed, &mut buffer).unwrap();
        assert_eq!(kept, b"b1700000*\no95500\n");
        let read = parse(kept);
        assert!(read.entries().eq(listed.entries()));
        assert_eq!(parse(b"\xFF\nx1\n\n").entries().count(), 0);
    }
}
