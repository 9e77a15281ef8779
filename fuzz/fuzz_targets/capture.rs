//! A capture file: read, and taken apart packet by packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_capture::{Dissector, Item, Packet, Reader, fields};

fn list(item: Item<'_>) {
    fields(&item.payload, &mut |_, _| {});
}

fuzz_target!(|file: &[u8]| {
    let mut dissector = Dissector::new();
    if let Ok(mut reader) = Reader::new(std::io::Cursor::new(file.to_vec())) {
        while let Ok(true) = reader.next(|packet| dissector.packet(&packet, list)) {}
    }
    // The same octets as one packet of a link that their first octet names.
    if let [link, data @ ..] = file {
        for number in 1..=2 {
            let packet = Packet { number, time_us: 0, link: i32::from(*link), data };
            dissector.packet(&packet, list);
        }
    }
});
