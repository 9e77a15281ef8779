//! A line that says anything, and two ends that talk over it: what arrives whole was sent, each once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yumen_link::{Down, Endpoint, Event, Up, from_bytes};

fuzz_target!(|input: (Vec<u8>, Vec<(u16, u8)>)| {
    let (noise, changes) = input;
    let mut agent = Endpoint::new(2);
    for &byte in &noise {
        if let Some(Event::Message { .. }) = agent.push(byte) {
            let _ = from_bytes::<Up<'_>>(agent.message());
            let _ = from_bytes::<Down<'_>>(agent.message());
            agent.accept();
        }
        while agent.poll(0).is_some() {}
    }
    let (mut device, mut agent) = (Endpoint::new(1), Endpoint::new(2));
    device.send(&noise[..noise.len().min(64)], 0).expect("it is free");
    let mut bytes = device.poll(0).expect("a frame").to_vec();
    for (at, value) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] = value;
    }
    let whole = device.poll(2_000).expect("again").to_vec();
    let mut got = 0;
    for byte in bytes.into_iter().chain([0]).chain(whole) {
        if let Some(Event::Message { .. }) = agent.push(byte) {
            assert_eq!(agent.message(), &noise[..noise.len().min(64)]);
            agent.accept();
            got += 1;
        }
    }
    assert_eq!(got, 1);
});
