//! Where a request goes (RFC 3261 §16.4 to §16.6).

use super::super::transport::Place;
use super::dialogs::Dialog;
use super::local::Local;
use std::sync::Arc;
use yumen_wire::sip::{Message, Name, NameAddr, Request, Scheme, Uri, Values};

/// How a request is sent on.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) target: Target,
    /// What stands in the Request-URI; `None` leaves it, or rewrites it to the next hop where it names us.
    pub(super) uri: Option<Vec<u8>>,
    /// Route values at the front that named us.
    pub(super) strip: usize,
    /// The last Route value became the Request-URI: a strict router sent this.
    pub(super) drop_last: bool,
    /// The Request-URI moved to the end of Route: a strict router comes next.
    pub(super) append: Option<Vec<u8>>,
    /// Requests of the dialog are to come here too.
    pub(super) record: bool,
}

/// Where to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// To the next hops, by turns.
    Hops {
        /// The Request-URI names us, and is rewritten.
        rewrite: bool,
    },
    /// To one place.
    Place(Arc<Place>),
}

/// Status line for what can't be routed.
pub(super) type Refusal = &'static str;

/// Finds the way of a request; `dialog` is what is known of the call it belongs to, with whether it goes the way the call
/// went.
pub(super) fn plan(
    message: &Message<'_>,
    request: &Request<'_>,
    local: &Local,
    dialog: Option<(&Dialog, bool)>,
) -> Result<Plan, Refusal> {
    let routes: Vec<&[u8]> = message
        .headers()
        .filter(|header| header.name == Name::Route)
        .flat_map(|header| Values::new(header.value))
        .collect();
    let uris: Vec<Uri<'_>> = routes
        .iter()
        .map(|value| NameAddr::parse(value).map(|value| value.uri))
        .collect::<Option<_>>()
        .ok_or(BAD_ROUTE)?;
    let forms_dialog = matches!(request.method, b"INVITE" | b"SUBSCRIBE" | b"REFER");
    let mut plan = Plan {
        target: Target::Hops { rewrite: local.is_ours(&request.uri) },
        uri: None,
        strip: 0,
        drop_last: false,
        append: None,
        record: forms_dialog,
    };
    let mut rest = uris.as_slice();
    let mut known = false;
    let mut uri = request.uri;
    // A strict router put our Record-Route into the Request-URI (RFC 3261 §16.4).
    if local.is_ours(&uri) && local.wrote(&uri, request.call_id) {
        known = true;
        if let Some((last, before)) = rest.split_last() {
            uri = *last;
            rest = before;
            plan.uri = Some(last.whole.to_vec());
            plan.drop_last = true;
        }
    }
    while let Some((first, behind)) = rest.split_first().filter(|(first, _)| local.is_ours(first)) {
        known |= local.wrote(first, request.call_id);
        plan.strip += 1;
        rest = behind;
    }
    if request.to.tag().is_none() {
        // Whatever route the caller had in mind: calls go where this door sends them.
        return Ok(plan);
    }
    plan.target = match (rest.first(), dialog) {
        _ if !known && dialog.is_none() => return Err(NO_DIALOG),
        (Some(next), _) => {
            if next.param(b"lr").is_none() {
                plan.append = Some(uri.whole.to_vec());
                plan.uri = Some(next.whole.to_vec());
                plan.strip += 1;
            }
            place(next)?
        }
        (None, Some((dialog, true))) if local.is_ours(&uri) || uri.scheme == Scheme::Tel => {
            Target::Place(dialog.place.clone())
        }
        (None, None) if local.is_ours(&uri) => plan.target,
        (None, _) => place(&uri)?,
    };
    Ok(plan)
}

fn place(uri: &Uri<'_>) -> Result<Target, Refusal> {
    Place::of_uri(uri).map(|place| Target::Place(Arc::new(place))).ok_or("416 Unsupported URI Scheme")
}

/// The Request-URI as the next hop gets it, where the one that came names us.
pub(super) fn rewritten(uri: &Uri<'_>, hop: &Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(uri.whole.len() + 24);
    out.extend_from_slice(if uri.scheme == Scheme::Sips { b"sips:" } else { b"sip:" });
    if let Some(at) = uri.whole.iter().position(|&octet| octet == b'@') {
        let start = uri.whole.iter().position(|&octet| octet == b':').map_or(0, |colon| colon + 1);
        out.extend_from_slice(uri.whole.get(start..=at).unwrap_or_default());
    }
    out.extend_from_slice(hop.host_port().as_bytes());
    for param in uri.params.split(|&octet| octet == b';').filter(|param| !param.is_empty()) {
        let name = param.split(|&octet| octet == b'=').next().unwrap_or_default();
        if !name.eq_ignore_ascii_case(b"transport") && !name.eq_ignore_ascii_case(b"maddr") {
            out.push(b';');
            out.extend_from_slice(param);
        }
    }
    out.extend_from_slice(super::side(hop.transport).as_bytes());
    out
}

const BAD_ROUTE: Refusal = "400 Bad Route Header";
const NO_DIALOG: Refusal = "481 Call/Transaction Does Not Exist";
