//! SMPP (3.4 §4, §5).

use super::Out;
use yumen_wire::address::RawAddress;
use yumen_wire::smpp::{Body, Destination, Pdu, Sm, Tag, Tlv, Tlvs};
use yumen_wire::text::{Coding, blank, decode_segment};
use yumen_wire::udh::UserData;

pub(super) fn list(octets: &[u8], out: &mut Out<'_>) {
    let Ok(pdu) = Pdu::new_checked(octets) else { return };
    let header = pdu.header();
    out.show("smpp.command_length", octets.len());
    out.hex("smpp.command_id", header.command_id.0, 4);
    if header.command_id.is_response() {
        out.hex("smpp.command_status", header.command_status.0, 4);
    }
    out.show("smpp.sequence_number", header.sequence_number);
    let Ok(body) = pdu.parse() else { return };
    match body {
        Body::Bind(bind) => {
            out.text("smpp.system_id", bind.system_id);
            // A capture holds it in clear, and so does whoever reads it; it has no place in what is passed on.
            out.text("smpp.password", if bind.password.is_empty() { b"" } else { HIDDEN });
            out.text_if_any("smpp.system_type", bind.system_type);
            out.show("smpp.interface_version", bind.interface_version);
            out.hex("smpp.addr_ton", bind.addr_ton, 1);
            out.hex("smpp.addr_npi", bind.addr_npi, 1);
            out.text_if_any("smpp.address_range", bind.address_range);
        }
        Body::BindResp(response) => {
            if let Some(system_id) = response.system_id {
                out.text("smpp.system_id", system_id);
            }
            tlvs(response.tlvs, out);
        }
        Body::Sm(sm) => {
            addresses(sm.service_type, sm.source, out);
            destination(sm.destination, out);
            tail(&sm, out);
        }
        Body::SubmitMulti(multi) => {
            addresses(multi.sm.service_type, multi.sm.source, out);
            for to in multi.destinations {
                match to {
                    Destination::Address(to) => destination(to, out),
                    Destination::List(name) => out.text("smpp.dl_name", name),
                }
            }
            tail(&multi.sm, out);
        }
        Body::DataSm(data) => {
            addresses(data.service_type, data.source, out);
            destination(data.destination, out);
            esm_class(data.esm_class.0, out);
            registered_delivery(data.registered_delivery, out);
            out.hex("smpp.data_coding", data.data_coding, 1);
            tlvs(data.tlvs, out);
            if let Some(payload) = data.tlvs.find(Tag::MESSAGE_PAYLOAD) {
                let has_udh = data.esm_class.has_udh();
                text(data.data_coding, UserData { octets: payload.value, has_udh }, out);
            }
        }
        Body::MessageResp(response) => {
            if let Some(id) = response.message_id {
                out.text_if_any("smpp.message_id", id);
            }
            tlvs(response.tlvs, out);
        }
        Body::SubmitMultiResp(response) => {
            if let Some(id) = response.message_id {
                out.text("smpp.message_id", id);
            }
            for failed in response.unsuccessful {
                destination(failed.destination, out);
                out.hex("smpp.error_status_code", failed.status.0, 4);
            }
            tlvs(response.tlvs, out);
        }
        Body::Opaque(_) => {}
        #[allow(unreachable_patterns, reason = "bodies that are listed by their header alone")]
        _ => {}
    }
}

/// What stands for a password.
const HIDDEN: &[u8] = b"***";

fn addresses(service_type: &[u8], source: RawAddress<'_>, out: &mut Out<'_>) {
    out.text("smpp.service_type", service_type);
    out.hex("smpp.source_addr_ton", source.ton, 1);
    out.hex("smpp.source_addr_npi", source.npi, 1);
    out.text_if_any("smpp.source_addr", source.octets);
}

fn destination(to: RawAddress<'_>, out: &mut Out<'_>) {
    out.hex("smpp.dest_addr_ton", to.ton, 1);
    out.hex("smpp.dest_addr_npi", to.npi, 1);
    out.text("smpp.destination_addr", to.octets);
}

fn esm_class(octet: u8, out: &mut Out<'_>) {
    out.hex("smpp.esm.submit.msg_mode", octet & 0x03, 1);
    out.hex("smpp.esm.submit.msg_type", octet >> 2 & 0x0F, 1);
    out.hex("smpp.esm.submit.features", octet >> 6, 1);
}

fn registered_delivery(octet: u8, out: &mut Out<'_>) {
    out.hex("smpp.regdel.receipt", octet & 0x03, 1);
    out.hex("smpp.regdel.acks", octet >> 2 & 0x03, 1);
    out.hex("smpp.regdel.notif", octet >> 4 & 0x01, 1);
}

fn tail(sm: &Sm<'_>, out: &mut Out<'_>) {
    esm_class(sm.esm_class.0, out);
    out.hex("smpp.protocol_id", sm.protocol_id, 1);
    out.hex("smpp.priority_flag", sm.priority_flag, 1);
    out.text("smpp.schedule_delivery_time", sm.schedule_delivery_time);
    out.text("smpp.validity_period", sm.validity_period);
    registered_delivery(sm.registered_delivery, out);
    out.hex("smpp.replace_if_present_flag", sm.replace_if_present_flag & 1, 1);
    out.hex("smpp.data_coding", sm.data_coding, 1);
    out.show("smpp.sm_default_msg_id", sm.sm_default_msg_id);
    out.show("smpp.sm_length", sm.short_message.len());
    if !sm.short_message.is_empty() {
        out.octets("smpp.message", sm.short_message);
        let data = UserData { octets: sm.short_message, has_udh: sm.esm_class.has_udh() };
        text(sm.data_coding, data, out);
    }
    tlvs(sm.tlvs, out);
}

/// The text, where its coding doesn't depend on the centre (§5.2.19).
fn text(data_coding: u8, data: UserData<'_>, out: &mut Out<'_>) {
    if data_coding == 0 {
        return;
    }
    let parts = data.parts();
    // An octet makes three bytes of UTF-8 at most, two septets' worth of a table included.
    let mut buffer = vec![0; parts.text.len() * 4];
    let text = blank(&mut buffer);
    let written = decode_segment(Coding::from_smpp(data_coding, Coding::Gsm7), &parts, text).written;
    out.show("smpp.message_text", text.get(..written).unwrap_or_default());
}

fn tlvs(tlvs: Tlvs<'_>, out: &mut Out<'_>) {
    for tlv in tlvs {
        out.hex("smpp.opt_param_tag", tlv.tag.0, 2);
        out.show("smpp.opt_param_len", tlv.value.len());
        value(tlv, out);
    }
}

/// The values that a gateway looks at; of others the tag and the length are listed.
fn value(tlv: Tlv<'_>, out: &mut Out<'_>) {
    let text = |octets: &[u8]| octets.strip_suffix(&[0]).unwrap_or(octets).to_vec();
    match (tlv.tag, tlv.value, tlv.unsigned()) {
        (Tag::MESSAGE_PAYLOAD, octets, _) => out.octets("smpp.message_payload", octets),
        (Tag::RECEIPTED_MESSAGE_ID, octets, _) => out.text("smpp.receipted_message_id", &text(octets)),
        (Tag::ADDITIONAL_STATUS_INFO_TEXT, octets, _) => {
            out.text("smpp.additional_status_info_text", &text(octets));
        }
        (Tag::MESSAGE_STATE, _, Some(state)) => out.show("smpp.message_state", state),
        (Tag::SAR_MSG_REF_NUM, _, Some(number)) => out.show("smpp.sar_msg_ref_num", number),
        (Tag::SAR_TOTAL_SEGMENTS, _, Some(number)) => out.show("smpp.sar_total_segments", number),
        (Tag::SAR_SEGMENT_SEQNUM, _, Some(number)) => out.show("smpp.sar_segment_seqnum", number),
        (Tag::SC_INTERFACE_VERSION, _, Some(version)) => out.show("smpp.SC_interface_version", version),
        (Tag::USER_MESSAGE_REFERENCE, _, Some(number)) => out.hex("smpp.user_message_reference", number, 2),
        (Tag::SOURCE_PORT, _, Some(port)) => out.hex("smpp.source_port", port, 2),
        (Tag::DESTINATION_PORT, _, Some(port)) => out.hex("smpp.destination_port", port, 2),
        (Tag::LANGUAGE_INDICATOR, _, Some(language)) => out.show("smpp.language_indicator", language),
        (Tag::PAYLOAD_TYPE, _, Some(kind)) => out.show("smpp.payload_type", kind),
        (Tag::MORE_MESSAGES_TO_SEND, _, Some(more)) => out.show("smpp.more_messages_to_send", more),
        (Tag::NETWORK_ERROR_CODE, &[kind, c0, c1], _) => {
            out.show("smpp.network_error.type", kind);
            out.hex("smpp.network_error.code", u16::from_be_bytes([c0, c1]), 2);
        }
        _ => {}
    }
}
