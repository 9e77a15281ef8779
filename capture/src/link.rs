//! Link headers (tcpdump's `LINKTYPE_…`) → what they carry.

/// What a link carries, as far as it is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried<'a> {
    /// An IP packet.
    Ip(&'a [u8]),
    /// MTP3 from the service information octet on: a signalling link without SCTP below.
    Mtp3(&'a [u8]),
    /// An SCCP message.
    Sccp(&'a [u8]),
}

/// Nested tags and labels of one frame that are gone through.
const TAGS_MAX: usize = 8;

/// Strips the link header; `None` for what isn't looked into.
pub(crate) fn carried(link: i32, data: &[u8]) -> Option<Carried<'_>> {
    match link {
        // NULL and LOOP: four octets of address family, whose value depends on the system; IP says itself which it is.
        0 | 108 => ip(data.get(4..)?),
        1 => ether_type(u16_at(data, 12)?, data.get(14..)?),
        9 => ppp(data.strip_prefix(&[0xFF, 0x03]).unwrap_or(data)),
        12 | 14 | 101 | 228 | 229 => ip(data),
        113 => ether_type(u16_at(data, 14)?, data.get(16..)?),
        // MTP2: two octets of sequence numbers and one of length; with a pseudo-header of four octets before.
        139 => Some(Carried::Mtp3(data.get(7..)?)),
        140 => Some(Carried::Mtp3(data.get(3..)?)),
        141 => Some(Carried::Mtp3(data)),
        142 => Some(Carried::Sccp(data)),
        276 => ether_type(u16_at(data, 0)?, data.get(20..)?),
        _ => None,
    }
}

fn ether_type(mut kind: u16, mut data: &[u8]) -> Option<Carried<'_>> {
    for _ in 0..TAGS_MAX {
        match kind {
            0x0800 | 0x86DD => return ip(data),
            // 802.1Q, 802.1ad, and the old numbers for the same.
            0x8100 | 0x88A8 | 0x9100 | 0x9200 => {
                kind = u16_at(data, 2)?;
                data = data.get(4..)?;
            }
            // PPPoE session (RFC 2516 §4).
            0x8864 => return ppp(data.get(6..)?),
            // MPLS (RFC 3032 §2.1): label stack, then most often IP.
            0x8847 | 0x8848 => {
                let is_last = data.get(2)? & 1 == 1;
                data = data.get(4..)?;
                if is_last {
                    return ip(data);
                }
            }
            _ => return None,
        }
    }
    None
}

fn ppp(data: &[u8]) -> Option<Carried<'_>> {
    match data {
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => ip(rest),
        _ => None,
    }
}

fn ip(data: &[u8]) -> Option<Carried<'_>> {
    matches!(data.first()? >> 4, 4 | 6).then_some(Carried::Ip(data))
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: [u8; 2] = [0x45, 0];

    fn framed(head: &[u8]) -> Vec<u8> {
        [head, &IP].concat()
    }

    #[test]
    fn every_way_to_an_ip_packet() {
        let mac = [0; 12];
        let ethernet = |rest: &[u8]| framed(&[&mac[..], rest].concat());
        for (link, frame) in [
            (1, ethernet(&[8, 0])),
            (1, ethernet(&[0x81, 0, 0, 5, 8, 0])),
            (1, ethernet(&[0x88, 0xA8, 0, 5, 0x81, 0, 0, 6, 8, 0])),
            (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x21])),
            (1, ethernet(&[0x88, 0x47, 0, 0, 0, 9, 0, 0, 1, 9])),
            (0, framed(&[2, 0, 0, 0])),
            (101, framed(&[])),
            (113, framed(&[&[0; 14][..], &[8, 0]].concat())),
            (276, framed(&[&[8, 0][..], &[0; 18]].concat())),
            (9, framed(&[0xFF, 0x03, 0, 0x21])),
        ] {
            assert_eq!(carried(link, &frame), Some(Carried::Ip(&IP)), "{link} {frame:x?}");
        }
    }

    #[test]
    fn what_ends_early_is_nothing() {
        for link in [0, 1, 9, 12, 101, 108, 113, 139, 140, 142, 276, 999] {
            for bytes in 0..3 {
                let _ = carried(link, &vec![0x81; bytes]);
            }
        }
        assert_eq!(carried(1, &[0; 20]), None);
    }
}
