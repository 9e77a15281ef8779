//! Where the two don't have the same, and why that is no difference in what was read.

use super::tshark::{Block, Field};

/// Operations of MAP that carry a short message, or ask where one goes (3GPP TS 29.002 §17.5).
const SHORT_MESSAGE_OPERATIONS: [i32; 3] = [44, 45, 46];

/// The name that both get: MAP's versions have fields of two names in tshark.
pub(super) fn name(field: &Field) -> String {
    let own = match field.name.as_str() {
        // In submit_multi tshark takes one field's name for the other.
        "smpp.schedule_delivery_time_r" if field.label().contains("validity period") => {
            "smpp.validity_period"
        }
        "gsm_map.sm.imsi" => "gsm_map.imsi",
        "gsm_old.sm_RP_DA" => "gsm_map.sm.sm_RP_DA",
        "gsm_old.sm_RP_OA" => "gsm_map.sm.sm_RP_OA",
        "gsm_old.sm_RP_UI" => "gsm_map.sm.sm_RP_UI",
        "gsm_old.serviceCentreAddressOA" => "gsm_map.sm.serviceCentreAddressOA",
        "gsm_old.serviceCentreAddressDA" => "gsm_map.sm.serviceCentreAddressDA",
        "gsm_old.msisdn" => "gsm_map.sm.msisdn",
        "gsm_old.msc_Number" => "gsm_map.sm.networkNode_Number",
        "gsm_old.errorCode" => "gsm_map.errorCode",
        "smpp.schedule_delivery_time_r" => "smpp.schedule_delivery_time",
        "smpp.validity_period_r" => "smpp.validity_period",
        other => match other.strip_prefix("gsm_old.") {
            Some(rest) => return format!("gsm_map.{rest}"),
            None => other,
        },
    };
    own.to_owned()
}

/// Why a field of tshark's has no counterpart.
pub(super) fn reason(field: &Field, block: &Block) -> Option<&'static str> {
    let name = field.name.as_str();
    if field.hidden {
        return Some("a second name of a field that is compared");
    }
    if name.starts_with("ber.") {
        return Some("tshark's remark on the encoding");
    }
    match name {
        "sip.resend"
        | "sip.resend-original"
        | "sip.response-request"
        | "sip.response-time"
        | "sip.release-time"
        | "sip.call_id_generated" => Some("tshark's conclusion from several frames"),
        "sip.msg_hdr"
        | "sip.msg_body"
        | "sip.auth"
        | "smpp.opt_params"
        | "smpp.opt_param"
        | "smpp.dlist"
        | "smpp.dlist_resp"
        | "gsm_old.opCode"
        | "gsm_old.resultretres_element"
        | "gsm_old.errorCode"
        | "gsm_old.locationInfoWithLMSI_element"
        | "gsm_old.locationInfo"
        | "gsm_map.sm.locationInfoWithLMSI_element"
        | "gsm_sms.gsm_7_bit_default_alphabet" => Some("a frame around fields that are compared"),
        "sip.display.info" | "sip.tag" | "tcap.tid" => Some("a second name of a field that is compared"),
        "tcap.AARQ.protocol.version.version1" | "tcap.AARE.protocol.version.version1" => {
            Some("a bit of a field that is compared")
        }
        "e164.country_code" | "e212.mcc" | "e212.mnc" | "e212.assoc.imsi" => {
            Some("tshark's conclusion from digits that are compared")
        }
        "smpp.password" => Some("Yumen doesn't show passwords"),
        "e164.msisdn" if block.protocol != "gsm_map" => Some("a second name of a field that is compared"),
        "tcap.user_information" | "tcap.user_information_item_element" => Some(USER_INFORMATION),
        _ if block.protocol == "tcap" && !name.starts_with("tcap.") => Some(USER_INFORMATION),
        _ if block.protocol == "gsm_map" && is_other_operation(name, block) => {
            Some("a parameter of an operation without a short message, which isn't read")
        }
        _ => None,
    }
}

/// 3GPP TS 29.002 §17.4: what opens or ends a dialogue besides its name.
const USER_INFORMATION: &str = "user information of a dialogue, which isn't read";

/// The parameter of an operation, not the component around it.
fn is_other_operation(name: &str, block: &Block) -> bool {
    const COMPONENT: [&str; 7] = [
        "gsm_map.old.Component",
        "gsm_old.invokeID",
        "gsm_old.localValue",
        "gsm_old.invoke_element",
        "gsm_old.returnResultLast_element",
        "gsm_old.returnError_element",
        "gsm_old.reject_element",
    ];
    !block.operation.is_some_and(|operation| SHORT_MESSAGE_OPERATIONS.contains(&operation))
        && !COMPONENT.contains(&name)
}

/// Why a field of Yumen's has no counterpart.
pub(super) fn ours_alone(name: &str) -> Option<&'static str> {
    match name {
        "smpp.password" => Some("Yumen doesn't show passwords"),
        "sip.r-uri.param" => Some("tshark 4.0 doesn't list parameters of the Request-URI"),
        "sip.unrecognized_header" => Some("tshark has no field for a header that it doesn't know"),
        _ => None,
    }
}

/// Whether both say the same of a field.
pub(super) fn is_equal(field: &Field, own: &str) -> bool {
    let show = field.show();
    if show == own {
        return true;
    }
    match field.name.as_str() {
        // tshark's word for an empty field.
        "smpp.service_type" => show == "(Default)" && own.is_empty(),
        // tshark shows dates; what stands there is compared.
        "smpp.schedule_delivery_time"
        | "smpp.schedule_delivery_time_r"
        | "smpp.validity_period"
        | "smpp.validity_period_r" => field.text().is_some_and(|text| text == own),
        // tshark keeps the quotes, and blanks before the bracket.
        name if name.ends_with("display.info") || name.starts_with("sip.auth.") => {
            let bare = show.trim();
            bare == own || bare.strip_prefix('"').and_then(|bare| bare.strip_suffix('"')) == Some(own)
        }
        // tshark has the address of a reference alone.
        "sip.Via.sent-by.address" => own.trim_matches(['[', ']']) == show,
        // tshark keeps blanks at the end of a line; XML makes blanks of line ends.
        name if name.starts_with("sip.") => own.replace("\r\n", " ") == show.trim(),
        _ => false,
    }
}
