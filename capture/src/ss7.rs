//! What SCTP or a signalling link carries → SCCP, its segments put together → TCAP messages.

use crate::limits::{SEGMENTED_BYTES_MAX, SEGMENTED_MAX};
use crate::recent::Recent;
use yumen_wire::sigtran::mtp3::{SERVICE_SCCP, Transfer, parse_m2pa, parse_m2ua, parse_m3ua, ppid};
use yumen_wire::sigtran::sccp;

/// What segments of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    point_code: u32,
    calling: Vec<u8>,
    local_reference: u32,
}

#[derive(Debug, Default)]
struct Partial {
    octets: Vec<u8>,
    remaining: u8,
}

/// Messages that wait for their segments.
#[derive(Debug)]
pub(crate) struct Signalling {
    waiting: Recent<Key, Partial>,
}

impl Signalling {
    pub(crate) fn new() -> Self {
        Self { waiting: Recent::new(SEGMENTED_MAX) }
    }

    /// A user message of SCTP.
    pub(crate) fn adaptation(&mut self, protocol: u32, message: &[u8], take: &mut impl FnMut(&[u8])) {
        let transfer = match protocol {
            ppid::M3UA => parse_m3ua(message),
            ppid::M2UA => parse_m2ua(message),
            ppid::M2PA => parse_m2pa(message),
            _ => return,
        };
        if let Ok(Some(transfer)) = transfer {
            self.transfer(&transfer, take);
        }
    }

    /// MTP3 from the service information octet on.
    pub(crate) fn mtp3(&mut self, octets: &[u8], take: &mut impl FnMut(&[u8])) {
        if let Ok(transfer) = Transfer::parse_itu(octets) {
            self.transfer(&transfer, take);
        }
    }

    fn transfer(&mut self, transfer: &Transfer<'_>, take: &mut impl FnMut(&[u8])) {
        if transfer.service == SERVICE_SCCP {
            self.sccp(transfer.originating, transfer.payload, take);
        }
    }

    /// An SCCP message from that point code.
    pub(crate) fn sccp(&mut self, point_code: u32, octets: &[u8], take: &mut impl FnMut(&[u8])) {
        let Ok(Some(message)) = sccp::Message::parse(octets) else { return };
        if message.is_returned() {
            return;
        }
        let Some(segment) = message.segmentation.filter(|segment| !segment.first || segment.remaining > 0)
        else {
            take(message.data);
            return;
        };
        let calling = message.calling.octets.to_vec();
        let key = Key { point_code, calling, local_reference: segment.local_reference };
        if segment.first {
            self.waiting.remove(&key);
        }
        let (partial, _) = self.waiting.of(&key, Partial::default);
        // Segments come in sequence (Q.714 §4.1.1.3): one that doesn't follow ends the message.
        let follows = segment.first || partial.remaining == segment.remaining + 1;
        if !follows || partial.octets.len() + message.data.len() > SEGMENTED_BYTES_MAX {
            self.waiting.remove(&key);
            return;
        }
        partial.octets.extend_from_slice(message.data);
        partial.remaining = segment.remaining;
        if segment.remaining == 0
            && let Some(partial) = self.waiting.remove(&key)
        {
            take(&partial.octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(first: bool, remaining: u8, data: u8) -> Vec<u8> {
        let bits = remaining | if first { 0xC0 } else { 0x40 };
        vec![0x11, 0x81, 15, 4, 6, 8, 9, 2, 0x42, 8, 2, 0x42, 6, 1, data, 0x10, 4, bits, 1, 2, 3, 0]
    }

    #[test]
    fn segments_make_a_message_and_a_lost_one_ends_it() {
        let mut signalling = Signalling::new();
        let mut found = Vec::new();
        for octets in [
            segment(true, 2, 1),
            segment(false, 1, 2),
            segment(false, 0, 3),
            segment(true, 2, 4),
            segment(false, 0, 6),
            segment(false, 0, 7),
        ] {
            signalling.sccp(9, &octets, &mut |data| found.push(data.to_vec()));
        }
        assert_eq!(found, [vec![1, 2, 3]]);
    }
}
