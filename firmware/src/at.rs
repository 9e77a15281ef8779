//! What a line of a modem says (3GPP TS 27.005 and 27.007).

use yumen_wire::event::Ton;

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'l> {
    /// A command's final result, good.
    Ok,
    /// A command's final result, bad: `ERROR`, `+CME ERROR`, `+CMS ERROR`, `NO ANSWER`, `BUSY`.
    Error,
    /// `> `: text is awaited.
    Prompt,
    /// `+CMT:` (27.005 §3.4.1): a message; its PDU is the next line.
    Message,
    /// `+CDS:`: a status report; its PDU is the next line.
    StatusReport,
    /// `+CMTI:`: a message was stored.
    Stored {
        /// Its number in the store.
        index: u16,
    },
    /// `+CMGR:` (§3.4.3): a stored message; its PDU is the next line.
    Read,
    /// `RING` or `+CRING:` (27.007 §6.11).
    Ring,
    /// `+CLIP:` (27.007 §7.6): who calls.
    Caller(Caller<'l>),
    /// `NO CARRIER`: the call is over. It is also the final result of a dialled call.
    NoCarrier,
    /// `+CPIN:` (27.007 §8.3).
    Sim {
        /// Whether no code is awaited.
        ready: bool,
    },
    /// `+CCLK:` (27.007 §8.15): the modem's clock, in milliseconds since the Unix epoch.
    Clock {
        /// `None` where it says no time.
        unix_ms: Option<u64>,
    },
    /// What modems say when they start: they have forgotten what they were told.
    Started,
    /// A command, given back as an echo.
    Echo,
    /// Anything else.
    Other,
}

/// Who calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller<'l> {
    /// The number; empty where it is withheld or not available.
    pub digits: &'l str,
    /// Its type.
    pub ton: Ton,
    /// The caller asked not to be shown (CLI validity 1).
    pub is_withheld: bool,
}

impl<'l> Line<'l> {
    /// Reads a line. Whatever isn't known is [`Line::Other`].
    #[must_use]
    pub fn parse(line: &'l [u8]) -> Self {
        let Ok(text) = core::str::from_utf8(line) else { return Self::Other };
        let text = text.trim_end();
        match text {
            "OK" => return Self::Ok,
            "ERROR" | "NO ANSWER" | "BUSY" | "NO DIALTONE" | "COMMAND NOT SUPPORT" => return Self::Error,
            "RING" => return Self::Ring,
            "NO CARRIER" => return Self::NoCarrier,
            ">" => return Self::Prompt,
            "RDY" | "SMS DONE" | "SMS Ready" | "Call Ready" | "PB DONE" | "START" => return Self::Started,
            _ => {}
        }
        if text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("AT")) {
            return Self::Echo;
        }
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let rest = rest.trim_start();
        match name {
            "+CME ERROR" | "+CMS ERROR" => Self::Error,
            "+CMT" => Self::Message,
            "+CDS" => Self::StatusReport,
            "+CMGR" => Self::Read,
            "+CMTI" => match rest.rsplit(',').next().and_then(|index| index.trim().parse().ok()) {
                Some(index) => Self::Stored { index },
                None => Self::Other,
            },
            "+CRING" => Self::Ring,
            "+CLIP" => Self::Caller(Caller::parse(rest)),
            "+CCLK" => Self::Clock { unix_ms: crate::clock::parse(rest) },
            "+CPIN" => Self::Sim { ready: rest == "READY" },
            "^SYSSTART" | "+QIND" | "*EUICC" => Self::Started,
            _ => Self::Other,
        }
    }
}

impl<'l> Caller<'l> {
    /// `"+8613800000001",145,"",0,"",0`: number, type, subaddress, its type, name, validity.
    fn parse(fields: &'l str) -> Self {
        let mut rest = fields;
        let mut field = || {
            let (value, behind) = next_field(rest);
            rest = behind;
            value
        };
        let digits = field();
        let kind: u8 = field().parse().unwrap_or(129);
        let (_subaddress, _its_type, _name) = (field(), field(), field());
        let is_withheld = field() == "1";
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+*#".contains(&byte));
        Self {
            digits: if is_number { digits } else { "" },
            ton: Ton::from_wire(kind >> 4 & 0x07),
            is_withheld,
        }
    }
}

/// A field without its quotes, and what is behind its comma.
fn next_field(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
        return (value, behind.trim_start().strip_prefix(',').unwrap_or_default());
    }
    let (value, behind) = text.split_once(',').unwrap_or((text, ""));
    (value.trim(), behind)
}

/// The octets of a PDU line; `None` where it isn't hexadecimal or is too long for `out`.
#[must_use]
pub fn octets<'o>(line: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let (pairs, odd) = line.as_chunks::<2>();
    if !odd.is_empty() || pairs.is_empty() {
        return None;
    }
    let out = out.get_mut(..pairs.len())?;
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    for (slot, &[high, low]) in out.iter_mut().zip(pairs) {
        *slot = nibble(high)? << 4 | nibble(low)?;
    }
    Some(out)
}

/// The TPDU behind the centre's address (27.005 §4.1: PDUs begin with it).
#[must_use]
pub fn tpdu(octets: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = octets.split_first()?;
    rest.get(usize::from(length)..).filter(|tpdu| !tpdu.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lines_of_the_standards() {
        assert_eq!(Line::parse(b"+CMT: \"\",23"), Line::Message);
        assert_eq!(Line::parse(b"+CMTI: \"SM\", 7"), Line::Stored { index: 7 });
        assert_eq!(Line::parse(b"+CRING: VOICE"), Line::Ring);
        assert_eq!(Line::parse(b"+CMS ERROR: 500"), Line::Error);
        assert_eq!(Line::parse(b"+CPIN: SIM PIN"), Line::Sim { ready: false });
        assert_eq!(
            Line::parse(b"+CCLK: \"24/02/29,00:00:00+00\""),
            Line::Clock { unix_ms: Some(1_709_164_800_000) }
        );
        assert_eq!(Line::parse(b"AT+CMGF=0"), Line::Echo);
        assert_eq!(Line::parse(b"> "), Line::Prompt);
        assert_eq!(Line::parse(b"^SYSSTART"), Line::Started);
        assert_eq!(Line::parse(b"\xFF"), Line::Other);
    }

    #[test]
    fn callers() {
        let caller = |line: &'static [u8]| match Line::parse(line) {
            Line::Caller(caller) => caller,
            other => panic!("{other:?}"),
        };
        let shown = caller(b"+CLIP: \"+8613800000001\",145,\"\",0,\"\",0");
        assert_eq!(
            (shown.digits, shown.ton, shown.is_withheld),
            ("+8613800000001", Ton::International, false)
        );
        let short = caller(b"+CLIP: \"95500\",129");
        assert_eq!((short.digits, short.ton), ("95500", Ton::Unknown));
        let withheld = caller(b"+CLIP: \"\",128,,,,1");
        assert_eq!((withheld.digits, withheld.is_withheld), ("", true));
        assert_eq!(caller(b"+CLIP: \"a,b\",129").digits, "");
    }

    #[test]
    fn pdu_lines() {
        let mut out = [0; 8];
        assert_eq!(octets(b"02aB0C04", &mut out), Some(&[0x02, 0xAB, 0x0C, 0x04][..]));
        assert_eq!(tpdu(&[0x02, 0xAB, 0x0C, 0x04]), Some(&[0x04][..]));
        assert_eq!(octets(b"02A", &mut out), None);
        assert_eq!(octets(b"zz", &mut out), None);
        assert_eq!(octets(&[b'0'; 18], &mut out), None);
        assert_eq!(tpdu(&[0x05, 0xAB]), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line: [u8; 40], cut in 0..40_usize) {
            let _ = Line::parse(&line[..cut]);
            let mut out = [0; 16];
            let _ = octets(&line[..cut], &mut out).and_then(tpdu);
        }
    }
}
