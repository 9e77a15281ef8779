//! Whatever a file or a packet holds: nothing panics, and what comes out lies within what went in.

#![allow(clippy::indexing_slicing)]

use proptest::collection::vec;
use proptest::prelude::*;
use yumen_capture::{Dissector, Item, Packet, Payload, Reader, fields};

/// An Ethernet frame of IPv4 with that transport protocol.
fn frame(protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
    frame.extend(u16::try_from(20 + transport.len()).unwrap_or(u16::MAX).to_be_bytes());
    frame.extend([0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    frame.extend(transport);
    frame
}

/// A packet of each transport that is looked into.
fn seeds() -> Vec<Vec<u8>> {
    // enquire_link, twice.
    let mut tcp = vec![0x9C, 0x40, 0x0A, 0xD7, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0];
    tcp.extend([0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 1].repeat(2));
    let mut udp = vec![0x13, 0xC4, 0x13, 0xC4, 0, 60, 0, 0];
    udp.extend(b"OPTIONS sip:a@192.0.2.2 SIP/2.0\r\nCall-ID: x\r\n\r\n");
    // One DATA chunk of M3UA: a transfer of SCCP.
    let mut sctp = vec![0x0B, 0x59, 0x0B, 0x59, 0, 0, 0, 1, 0, 0, 0, 0];
    sctp.extend([0, 3, 0, 44, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3]);
    sctp.extend([1, 0, 1, 1, 0, 0, 0, 28, 2, 16, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2, 3, 2, 0, 0, 9, 0, 3, 5]);
    vec![frame(6, &tcp), frame(17, &udp), frame(132, &sctp)]
}

fn file(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 1, 0, 0, 0]);
    for packet in packets {
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
        file.extend([[0; 4], [0; 4], length, length].concat());
        file.extend(packet);
    }
    file
}

fn octets<'a>(item: &Item<'a>) -> &'a [u8] {
    match item.payload {
        Payload::Smpp(octets)
        | Payload::Cmpp(octets)
        | Payload::Smgp(octets)
        | Payload::Sgip(octets)
        | Payload::Sip(octets)
        | Payload::Tcap(octets) => octets,
    }
}

/// Items of a file, and how many of their octets.
fn read(file: Vec<u8>) -> (usize, usize) {
    let (mut items, mut total) = (0, 0);
    let mut dissector = Dissector::new();
    if let Ok(mut reader) = Reader::new(std::io::Cursor::new(file)) {
        while let Ok(true) = reader.next(|packet| {
            dissector.packet(&packet, |item| {
                items += 1;
                total += octets(&item).len();
                // What is listed of it is never more than a few times what is there, however it nests.
                let mut listed = 0;
                fields(&item.payload, &mut |_, value| listed += value.len().max(1));
                assert!(listed <= 64 * octets(&item).len() + 4096, "{listed}");
            });
        }) {}
    }
    (items, total)
}

#[test]
fn the_seeds_are_read() {
    let (items, total) = read(file(&seeds()));
    assert!(items >= 3 && total >= 32, "{items} {total}");
}

/// Binds on a port that says nothing: their numbers are those of other protocols' farewells and route queries.
#[test]
fn smpp_is_told_by_its_bind() {
    for command in [1, 2, 9] {
        let mut tcp = vec![0x9C, 0x40, 0x23, 0x28, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 1, 0, 0, 0, 0, 0];
        let begin = frame(6, &tcp);
        tcp[7] = 2;
        tcp[13] = 0x18;
        tcp.extend([0, 0, 0, 30, 0, 0, 0, command, 0, 0, 0, 0, 0, 0, 0, 1]);
        tcp.extend(b"own\0secret\0\0\x34\0\0\0");
        tcp[23] = u8::try_from(tcp.len() - 20).unwrap_or(0);
        let mut dissector = Dissector::new();
        let mut smpp = 0;
        for (number, data) in (1..).zip([begin, frame(6, &tcp)]) {
            let packet = Packet { number, time_us: 0, link: 1, data: &data };
            dissector.packet(&packet, |item| smpp += u32::from(matches!(item.payload, Payload::Smpp(_))));
        }
        assert_eq!(smpp, 1, "command {command}");
    }
}

proptest! {
    #[test]
    fn mutated_files(
        at in vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        repeats in 1_usize..4,
    ) {
        let mut file = file(&vec![seeds(); repeats].concat());
        for (index, octet) in at {
            let index = index.index(file.len());
            if let Some(slot) = file.get_mut(index) {
                *slot = octet;
            }
        }
        let length = file.len();
        read(file.clone());
        file.truncate(cut.index(length));
        let (_, total) = read(file);
        prop_assert!(total <= length);
    }

    #[test]
    fn any_packet_of_any_link(link in 0_i32..300, packets in vec(vec(any::<u8>(), 0..200), 1..8)) {
        let mut dissector = Dissector::new();
        for (number, data) in (1..).zip(&packets) {
            dissector.packet(&Packet { number, time_us: 0, link, data }, |_| {});
        }
    }
}
