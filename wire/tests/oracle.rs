//! What this crate reads and writes of SMPP against rusmpp, which nobody here wrote.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

mod corpus;

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp_core::command::owned::Command;
use rusmpp_core::decode::owned::DecodeWithLength;
use rusmpp_core::encode::owned::Encode;
use rusmpp_core::pdus::owned::Pdu as Theirs;
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{Body, CommandId, EsmClass, Header, Pdu, Sm, Tag, Tlv, Tlvs, emit};

/// Samples that rusmpp takes for broken. A proxy passes them.
const LENIENT: [&str; 4] = [
    "submit-sm-address-not-ascii",
    "submit-sm-address-too-long",
    "submit-sm-sar-reference-of-one-octet",
    "submit-sm-vendor-tlv-and-broken-end",
];

fn theirs(octets: &[u8]) -> Result<Command, String> {
    let mut behind_length = BytesMut::from(&octets[4..]);
    let length = behind_length.len();
    <Command as DecodeWithLength>::decode(&mut behind_length, length)
        .map(|(command, _)| command)
        .map_err(|error| format!("{error:?}"))
}

#[test]
fn samples_are_read_the_same_or_known_to_be_refused() {
    for sample in corpus::samples("smpp") {
        let refused = LENIENT.contains(&sample.name.as_str());
        match theirs(&sample.octets) {
            Ok(command) => {
                assert!(!refused, "{}: rusmpp reads it", sample.name);
                let pdu = Pdu::new_checked(&sample.octets).unwrap();
                assert_eq!(u32::from(command.id()), pdu.command_id().0, "{}", sample.name);
                assert_eq!(command.sequence_number(), pdu.sequence_number());
                let mut again = BytesMut::new();
                command.encode(&mut again);
                let known = sample.name != "bind-transmitter-trailing-octets";
                assert_eq!(again[..] == sample.octets[4..], known, "{}", sample.name);
            }
            Err(error) => assert!(refused, "{}: {error}", sample.name),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_write_they_read(
        sender in "[A-Za-z0-9]{1,11}",
        receiver in "[0-9]{5,15}",
        service in "[A-Z]{0,5}",
        text in prop::collection::vec(any::<u8>(), 0..=255),
        reference: u16,
        data_coding in prop::sample::select(&[0u8, 1, 3, 4, 8][..]),
        sequence in 1u32..0x7FFF_FFFF,
    ) {
        let reference = reference.to_be_bytes();
        let mut room = [0; 64];
        let tlvs = [Tlv::new(Tag::SAR_MSG_REF_NUM, &reference), Tlv::new(Tag(0x1401), b"vendor")];
        let sm = Sm {
            service_type: service.as_bytes(),
            source: RawAddress::new(5, 0, sender.as_bytes()),
            destination: RawAddress::new(1, 1, receiver.as_bytes()),
            esm_class: EsmClass(EsmClass::UDHI),
            registered_delivery: 1,
            data_coding,
            short_message: &text,
            tlvs: Tlvs::build(&tlvs, &mut room).unwrap(),
            ..Sm::default()
        };
        let mut out = [0; 512];
        let length = emit(&Header::request(CommandId::SUBMIT_SM, sequence), &Body::Sm(sm), &mut out).unwrap();
        let command = theirs(&out[..length]).unwrap();
        let Some(Theirs::SubmitSm(read)) = command.pdu() else { panic!("{command:?}") };
        prop_assert_eq!(read.source_addr.to_string(), sender);
        prop_assert_eq!(read.destination_addr.to_string(), receiver);
        prop_assert_eq!(read.short_message().clone().into_vec(), text);
        prop_assert_eq!(u8::from(read.data_coding), data_coding);
        prop_assert_eq!(read.tlvs().len(), 2);
        let mut again = BytesMut::new();
        command.encode(&mut again);
        prop_assert_eq!(&again[..], &out[4..length]);
    }
}
