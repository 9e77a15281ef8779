//! One packet after the other, down to what its protocols say.

use crate::fragments::{FragmentKey, Fragments};
use crate::link::{Carried, carried};
use crate::sctp::Associations;
use crate::ss7::Signalling;
use crate::tcp::{Connections, sip_begins};
use crate::{Item, Packet, Payload};
use etherparse::{Ipv6ExtensionSlice, LaxIpSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What was met on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets of a link or a network protocol that isn't looked into.
    pub other: u64,
    /// Fragments of packets.
    pub fragments: u64,
    /// Connections that were forgotten before their end, because others needed the room.
    pub forgotten: u64,
    /// Items that came out.
    pub items: u64,
}

/// Takes packets in their order.
#[derive(Debug)]
pub struct Dissector {
    fragments: Fragments,
    connections: Connections,
    associations: Associations,
    signalling: Signalling,
    counters: Counters,
}

impl Default for Dissector {
    fn default() -> Self {
        Self::new()
    }
}

impl Dissector {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            fragments: Fragments::new(),
            connections: Connections::new(),
            associations: Associations::new(),
            signalling: Signalling::new(),
            counters: Counters::default(),
        }
    }

    /// What was met so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes a packet and hands on what it completes.
    pub fn packet(&mut self, packet: &Packet<'_>, mut take: impl FnMut(Item<'_>)) {
        self.counters.packets += 1;
        self.counters.bytes += packet.data.len() as u64;
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let Some(carried) = carried(packet.link, packet.data) else {
            self.counters.other += 1;
            return;
        };
        let mut out = Out { packet, counters: &mut self.counters, take: &mut take };
        match carried {
            Carried::Mtp3(octets) => {
                self.signalling.mtp3(octets, &mut |data| out.item((nowhere, nowhere), Payload::Tcap(data)));
            }
            Carried::Sccp(octets) => {
                self.signalling
                    .sccp(0, octets, &mut |data| out.item((nowhere, nowhere), Payload::Tcap(data)));
            }
            Carried::Ip(octets) => self.ip(octets, packet, &mut take),
        }
    }

    fn ip(&mut self, octets: &[u8], packet: &Packet<'_>, take: &mut impl FnMut(Item<'_>)) {
        let Ok((ip, _stopped)) = LaxIpSlice::from_slice(octets) else {
            self.counters.other += 1;
            return;
        };
        let addresses = (ip.source_addr(), ip.destination_addr());
        let (payload, protocol) = (ip.payload(), ip.payload_ip_number().0);
        if !payload.fragmented {
            self.transport(addresses, protocol, payload.payload, packet, take);
            return;
        }
        self.counters.fragments += 1;
        let Some((identification, offset, more)) = fragment(&ip) else { return };
        let (source, destination) = addresses;
        let key = FragmentKey { source, destination, identification, protocol };
        if let Some(whole) = self.fragments.push(&key, offset, more, payload.payload) {
            self.transport(addresses, protocol, &whole, packet, take);
        }
    }

    fn transport(
        &mut self,
        (source, destination): (IpAddr, IpAddr),
        protocol: u8,
        octets: &[u8],
        packet: &Packet<'_>,
        take: &mut impl FnMut(Item<'_>),
    ) {
        const TCP: u8 = 6;
        const UDP: u8 = 17;
        const SCTP: u8 = 132;
        const UDP_HEADER_BYTES: usize = 8;
        let Some(&[s0, s1, d0, d1]) = octets.first_chunk::<4>() else { return };
        let ends = (
            SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
            SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
        );
        let mut out = Out { packet, counters: &mut self.counters, take };
        match protocol {
            UDP => {
                let payload = octets.get(UDP_HEADER_BYTES..).unwrap_or_default();
                // Keep-alives of empty lines come before a message, too.
                let start = payload.iter().position(|octet| !b"\r\n".contains(octet)).unwrap_or_default();
                let payload = payload.get(start..).unwrap_or_default();
                if sip_begins(payload) {
                    out.item(ends, Payload::Sip(payload));
                }
            }
            TCP => {
                let forgot = self.connections.segment(ends, octets, |payload| out.item(ends, payload));
                self.counters.forgotten += u64::from(forgot);
            }
            SCTP => {
                let signalling = &mut self.signalling;
                self.associations.packet(ends, octets, |protocol, message| {
                    signalling.adaptation(protocol, message, &mut |data| out.item(ends, Payload::Tcap(data)));
                });
            }
            _ => self.counters.other += 1,
        }
    }
}

/// Where items go.
struct Out<'a, 'p, T> {
    packet: &'a Packet<'p>,
    counters: &'a mut Counters,
    take: &'a mut T,
}

impl<T: FnMut(Item<'_>)> Out<'_, '_, T> {
    fn item(&mut self, (source, destination): (SocketAddr, SocketAddr), payload: Payload<'_>) {
        self.counters.items += 1;
        let Packet { number: frame, time_us, .. } = *self.packet;
        (self.take)(Item { frame, time_us, source, destination, payload });
    }
}

/// Identification, offset in octets, and whether more follow.
fn fragment(ip: &LaxIpSlice<'_>) -> Option<(u32, usize, bool)> {
    match ip {
        LaxIpSlice::Ipv4(ip) => {
            let header = ip.header();
            let offset = usize::from(header.fragments_offset().value()) * 8;
            Some((u32::from(header.identification()), offset, header.more_fragments()))
        }
        LaxIpSlice::Ipv6(ip) => ip.extensions().clone().into_iter().find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(header) => {
                let offset = usize::from(header.fragment_offset().value()) * 8;
                Some((header.identification(), offset, header.more_fragments()))
            }
            _ => None,
        }),
    }
}
