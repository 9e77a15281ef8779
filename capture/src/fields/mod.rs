//! What a message says, field by field: for whoever wants to see it, or to compare it with another reader.
//!
//! Names are those of Wireshark's display filters (`sip.from.user`, `smpp.destination_addr`), so that a field that is found
//! here can be looked for there. Both versions of a MAP operation have the newer one's names (`gsm_map.sm.…`).

mod map;
mod sip;
mod sip_names;
mod smpp;
mod tpdu;

use crate::Payload;
use std::fmt::{Display, Write as _};

/// Hands each field of `payload` to `take`, by name and value, in the order of the message. A field that occurs several
/// times comes several times. Of what can't be read comes nothing; CMPP, SMGP and SGIP aren't listed.
pub fn fields(payload: &Payload<'_>, take: &mut dyn FnMut(&str, &str)) {
    let mut out = Out { take, text: String::new() };
    match *payload {
        Payload::Smpp(octets) => smpp::list(octets, &mut out),
        Payload::Sip(octets) => sip::list(octets, &mut out),
        Payload::Tcap(octets) => map::list(octets, &mut out),
        Payload::Cmpp(_) | Payload::Smgp(_) | Payload::Sgip(_) => {}
    }
}

/// Where fields go.
struct Out<'t> {
    take: &'t mut dyn FnMut(&str, &str),
    text: String,
}

impl Out<'_> {
    /// A number in decimal, or a text.
    fn show(&mut self, name: &str, value: impl Display) {
        self.text.clear();
        // Writing to a String doesn't fail.
        let _written = write!(self.text, "{value}");
        (self.take)(name, &self.text);
    }

    /// Octets that are a text.
    fn text(&mut self, name: &str, octets: &[u8]) {
        (self.take)(name, &String::from_utf8_lossy(octets));
    }

    /// A text that isn't shown where it is empty.
    fn text_if_any(&mut self, name: &str, octets: &[u8]) {
        if !octets.is_empty() {
            self.text(name, octets);
        }
    }

    /// A number in hexadecimal, as wide as its field.
    fn hex(&mut self, name: &str, value: impl Into<u32>, octets: usize) {
        let (value, width) = (value.into(), octets * 2);
        self.show(name, format_args!("{value:#0width$x}", width = width + 2));
    }

    /// Octets as they stand: `0a:1b`.
    fn octets(&mut self, name: &str, octets: &[u8]) {
        self.text.clear();
        for (at, octet) in octets.iter().enumerate() {
            let between = if at == 0 { "" } else { ":" };
            let _written = write!(self.text, "{between}{octet:02x}");
        }
        (self.take)(name, &self.text);
    }
}
