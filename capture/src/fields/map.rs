//! TCAP (Q.773) and the short message operations of GSM MAP (3GPP TS 29.002 §12).

use super::{Out, tpdu};
use yumen_wire::limits::ADDRESS_TEXT_BYTES_MAX;
use yumen_wire::sigtran::map::{ForwardSm, RoutingInfoArgument, RoutingInfoResult, RpAddress};
use yumen_wire::sigtran::tcap::{Component, ComponentKind, Dialogue, DialogueKind, Kind, Message};
use yumen_wire::tpdu::bcd;

pub(super) fn list(octets: &[u8], out: &mut Out<'_>) {
    let Ok(message) = Message::parse(octets) else { return };
    let element = match message.kind {
        Kind::Unidirectional => "tcap.unidirectional_element",
        Kind::Begin => "tcap.begin_element",
        Kind::End => "tcap.end_element",
        Kind::Continue => "tcap.continue_element",
        Kind::Abort => "tcap.abort_element",
    };
    out.show(element, "");
    if let Some(id) = message.originating {
        out.octets("tcap.otid", id);
    }
    if let Some(id) = message.destination {
        out.octets("tcap.dtid", id);
    }
    if let Some(spoken) = &message.dialogue {
        dialogue(spoken, out);
    }
    let components = message.components().count();
    if components > 0 {
        out.show("tcap.components", components);
    }
    for found in message.components() {
        component(&found, out);
    }
}

fn dialogue(dialogue: &Dialogue<'_>, out: &mut Out<'_>) {
    out.show("tcap.oid", Oid(dialogue.syntax));
    match dialogue.kind {
        DialogueKind::Request => out.show("tcap.dialogueRequest_element", ""),
        DialogueKind::Response => out.show("tcap.dialogueResponse_element", ""),
        DialogueKind::Abort => out.show("tcap.dialogueAbort_element", ""),
        DialogueKind::Unidirectional => out.show("tcap.unidialoguePDU_element", ""),
    }
    if let Some([_unused, version @ ..]) = dialogue.version {
        out.octets("tcap.protocol_version", version);
    }
    if let Some(name) = dialogue.application_context {
        out.show("tcap.application_context_name", Oid(name));
    }
    if let Some(result) = dialogue.result {
        out.show("tcap.result", result);
    }
    if let Some((source, diagnostic)) = dialogue.diagnostic {
        out.show("tcap.result_source_diagnostic", source);
        let name = if source == 1 { "tcap.dialogue_service_user" } else { "tcap.dialogue_service_provider" };
        out.show(name, diagnostic);
    }
}

fn component(component: &Component<'_>, out: &mut Out<'_>) {
    let (number, element) = match component.kind {
        ComponentKind::Invoke => (1, "gsm_map.invoke_element"),
        ComponentKind::ResultLast => (2, "gsm_map.returnResultLast_element"),
        ComponentKind::Error => (3, "gsm_map.returnError_element"),
        ComponentKind::Reject => (4, "gsm_map.reject_element"),
        ComponentKind::ResultNotLast => (7, "gsm_map.returnResultNotLast_element"),
    };
    out.show("gsm_map.old.Component", number);
    out.show(element, "");
    if let Some(id) = component.invoke_id {
        out.show("gsm_map.invokeID", id);
    }
    if let Some(code) = component.code {
        out.show("gsm_map.localValue", code);
    }
    if let Some(forward) = ForwardSm::of(component) {
        relay_address(&forward.destination, true, out);
        relay_address(&forward.originator, false, out);
        out.octets("gsm_map.sm.sm_RP_UI", forward.tpdu);
        tpdu::list(forward.tpdu, forward.is_mobile_terminated(), out);
    }
    if let Some(asked) = RoutingInfoArgument::of(component) {
        address_string("gsm_map.sm.msisdn", asked.msisdn, out);
        out.show("gsm_map.sm.sm_RP_PRI", u8::from(asked.has_priority));
        address_string("gsm_map.sm.serviceCentreAddress", asked.centre, out);
    }
    if let Some(told) = RoutingInfoResult::of(component) {
        imsi(told.imsi, out);
        if let Some(node) = told.node {
            address_string("gsm_map.sm.networkNode_Number", node, out);
        }
    }
}

fn relay_address(address: &RpAddress<'_>, is_destination: bool, out: &mut Out<'_>) {
    let number = match address {
        RpAddress::Imsi(_) => 0,
        RpAddress::Lmsi(_) => 1,
        RpAddress::Msisdn(_) => 2,
        RpAddress::Centre(_) => 4,
        RpAddress::Absent => 5,
    };
    out.show(if is_destination { "gsm_map.sm.sm_RP_DA" } else { "gsm_map.sm.sm_RP_OA" }, number);
    match (address, is_destination) {
        (RpAddress::Imsi(octets), _) => imsi(octets, out),
        (RpAddress::Lmsi(octets), _) => out.octets("gsm_map.sm.lmsi", octets),
        (RpAddress::Msisdn(octets), _) => address_string("gsm_map.sm.msisdn", octets, out),
        (RpAddress::Centre(octets), true) => address_string("gsm_map.sm.serviceCentreAddressDA", octets, out),
        (RpAddress::Centre(octets), false) => {
            address_string("gsm_map.sm.serviceCentreAddressOA", octets, out)
        }
        (RpAddress::Absent, _) => {}
    }
}

fn imsi(octets: &[u8], out: &mut Out<'_>) {
    out.octets("gsm_map.imsi", octets);
    let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
    out.show("e212.imsi", bcd(octets, octets.len() * 2, &mut scratch));
}

/// AddressString (3GPP TS 29.002 §17.7.8).
fn address_string(name: &str, octets: &[u8], out: &mut Out<'_>) {
    out.octets(name, octets);
    let Some((&kind, digits)) = octets.split_first() else { return };
    out.show("gsm_map.extension", kind >> 7);
    out.hex("gsm_map.nature_of_number", kind >> 4 & 0x07, 1);
    out.hex("gsm_map.number_plan", kind & 0x0F, 1);
    let mut scratch = [0; ADDRESS_TEXT_BYTES_MAX];
    out.show("e164.msisdn", bcd(digits, digits.len() * 2, &mut scratch));
}

/// An encoded object identifier (X.690 §8.19), as it is written.
struct Oid<'a>(&'a [u8]);

impl std::fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut value = 0_u64;
        let mut is_first = true;
        for octet in self.0 {
            value = value << 7 | u64::from(octet & 0x7F);
            if octet & 0x80 != 0 {
                continue;
            }
            if is_first {
                let top = (value / 40).min(2);
                write!(f, "{top}.{}", value - top * 40)?;
                is_first = false;
            } else {
                write!(f, ".{value}")?;
            }
            value = 0;
        }
        Ok(())
    }
}
