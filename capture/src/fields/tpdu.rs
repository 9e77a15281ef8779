//! SMS transfer PDUs (3GPP TS 23.040 §9.2).

use super::Out;
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::text::blank;
use yumen_wire::tpdu::{First, ToCentre, ToMobile, TpAddress, TpUserData, parse_to_centre, parse_to_mobile};
use yumen_wire::udh::Reference;

/// To a handset, or to a service centre.
pub(super) fn list(tpdu: &[u8], to_mobile: bool, out: &mut Out<'_>) {
    if to_mobile {
        if let Ok(ToMobile::Deliver(deliver)) = parse_to_mobile(tpdu) {
            first(deliver.first, out);
            out.show("gsm_sms.tp-sri", u8::from(deliver.first.status_report()));
            out.show("gsm_sms.tp-lp", deliver.first.0 >> 3 & 1);
            out.show("gsm_sms.tp-mms", deliver.first.0 >> 2 & 1);
            address("gsm_sms.tp-oa", &deliver.originator, out);
            protocol_id(deliver.protocol_id, out);
            timestamp(deliver.timestamp, out);
            user_data(&deliver.user_data, out);
        }
    } else if let Ok(ToCentre::Submit(submit)) = parse_to_centre(tpdu) {
        first(submit.first, out);
        out.show("gsm_sms.tp-srr", u8::from(submit.first.status_report()));
        out.show("gsm_sms.tp-vpf", submit.first.0 >> 3 & 3);
        out.show("gsm_sms.tp-rd", submit.first.0 >> 2 & 1);
        out.show("gsm_sms.tp-mr", submit.reference);
        address("gsm_sms.tp-da", &submit.destination, out);
        protocol_id(submit.protocol_id, out);
        if let [relative] = submit.validity {
            out.show("gsm_sms.vp.validity_period", relative);
        }
        user_data(&submit.user_data, out);
    }
}

fn first(first: First, out: &mut Out<'_>) {
    out.show("gsm_sms.tp-rp", u8::from(first.reply_path()));
    out.show("gsm_sms.tp-udhi", u8::from(first.has_udh()));
    out.show("gsm_sms.tp-mti", first.message_type());
}

fn address(name: &str, address: &TpAddress<'_>, out: &mut Out<'_>) {
    out.show("gsm_sms.dis_field_addr.length", address.semi_octets);
    out.show("gsm_sms.dis_field_addr.extension", address.type_of_address >> 7);
    out.show("gsm_sms.dis_field_addr.num_type", address.ton());
    out.show("gsm_sms.dis_field_addr.num_plan", address.npi());
    out.show(name, address.address(&mut [0; ADDRESS_TEXT_BYTES_MAX]).digits);
}

fn protocol_id(octet: u8, out: &mut Out<'_>) {
    out.show("gsm_sms.tp-pid", octet);
    // §9.2.3.9: only of the first group are the lower bits two fields.
    if octet >> 6 == 0 {
        out.hex("gsm_sms.tp.pid.format_subsequent_bits", octet >> 6, 1);
        out.show("gsm_sms.tp.pid.telematic_interworking", octet >> 5 & 1);
        out.show("gsm_sms.tp.pid.sm_al_proto", octet & 0x1F);
    }
}

/// TP-SCTS (§9.2.3.11): swapped digits; the zone in quarters of an hour, its sign in bit 3.
fn timestamp(octets: [u8; 7], out: &mut Out<'_>) {
    const NAMES: [&str; 7] = [
        "gsm_sms.scts.year",
        "gsm_sms.scts.month",
        "gsm_sms.scts.day",
        "gsm_sms.scts.hour",
        "gsm_sms.scts.minutes",
        "gsm_sms.scts.seconds",
        "gsm_sms.scts.timezone",
    ];
    for (at, (name, octet)) in NAMES.into_iter().zip(octets).enumerate() {
        let tens = if at == NAMES.len() - 1 { octet & 0x07 } else { octet & 0x0F };
        out.show(name, u32::from(tens) * 10 + u32::from(octet >> 4));
    }
}

fn user_data(user_data: &TpUserData<'_>, out: &mut Out<'_>) {
    out.show("gsm_sms.tp-dcs", user_data.data_coding);
    coding_scheme(user_data.data_coding, out);
    out.show("gsm_sms.tp.user_data_length", user_data.length);
    let parts = user_data.user_data().parts();
    if user_data.has_udh && parts.udh_bytes > 0 {
        out.show("gsm_sms.dis_field_udh.user_data_header_length", parts.udh_bytes - 1);
    }
    for element in parts.udh.elements() {
        out.hex("gsm_sms.ie_identifier", element.iei, 1);
        out.show("gsm_sms.dis_field_ud_iei.length", element.data.len());
    }
    if let Some(part) = parts.concatenation() {
        match part.reference {
            Reference::Narrow(number) => out.show("gsm_sms.udh.mm.msg_id", number),
            Reference::Wide(number) => out.show("gsm_sms.udh.mm.msg_id", number),
            Reference::Sar(_) | Reference::Unnumbered => {}
        }
        out.show("gsm_sms.udh.mm.msg_parts", part.total);
        out.show("gsm_sms.udh.mm.msg_part", part.number);
    }
    let mut buffer = [0; TEXT_BYTES_MAX];
    let text = blank(&mut buffer);
    let written = user_data.decode(text).written;
    out.show("gsm_sms.sms_text", text.get(..written).unwrap_or_default());
}

/// TP-DCS of the general group (3GPP TS 23.038 §4); 0 is the default alphabet and nothing else.
fn coding_scheme(octet: u8, out: &mut Out<'_>) {
    out.show("gsm_sms.coding_group_bits2", octet >> 6);
    if octet != 0 && octet >> 6 == 0 {
        out.show("gsm_sms.dcs.text_compressed", octet >> 5 & 1);
        out.show("gsm_sms.dcs.message_class_defined", octet >> 4 & 1);
        out.hex("gsm_sms.dcs.character_set", octet >> 2 & 3, 1);
        out.hex("gsm_sms.dcs.message_class", octet & 3, 1);
    }
}

/// 160 septets, each a character of three bytes at most.
const TEXT_BYTES_MAX: usize = 1024;
