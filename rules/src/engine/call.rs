//! What a call says about its caller.

use yumen_wire::event::{Attestation, Channel, Event, Trunk, Verstat};

use crate::number::{Number, NumberKind};

pub(super) const fn verstat(event: &Event<'_>) -> &'static str {
    match event.call.verstat {
        Verstat::Absent => "",
        Verstat::Passed => "passed",
        Verstat::Failed => "failed",
        Verstat::NotValidated => "not-validated",
    }
}

pub(super) const fn attestation(event: &Event<'_>) -> &'static str {
    match event.call.attestation {
        None => "",
        Some(Attestation::Full) => "A",
        Some(Attestation::Partial) => "B",
        Some(Attestation::Gateway) => "C",
    }
}

pub(super) const fn trunk(event: &Event<'_>) -> &'static str {
    match event.call.trunk {
        Trunk::Unknown => "",
        Trunk::Own => "own",
        Trunk::Domestic => "domestic",
        Trunk::International => "international",
    }
}

/// A number of the country from abroad; a mobile one may be a subscriber who roams, so only its failed check counts.
pub(super) fn foreign_to_trunk(event: &Event<'_>, sender: Option<Number<'_>>) -> bool {
    let abroad = event.call.trunk == Trunk::International;
    abroad
        && sender.is_some_and(|sender| match sender.kind {
            NumberKind::Fixed | NumberKind::Service => true,
            NumberKind::Mobile => event.call.verstat == Verstat::Failed,
            NumberKind::International | NumberKind::Alphanumeric => false,
        })
}

/// `0095588`, `+860095588`, `+86021 95588`, `075595588`: no operator presents a hotline so.
pub(super) fn disguised_hotline(originator: &str) -> bool {
    let digits = originator.trim().trim_start_matches('+');
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let digits = digits.strip_prefix("0086").or(digits.strip_prefix("86")).unwrap_or(digits);
    let Some(at) = digits.len().checked_sub(HOTLINE_DIGITS) else { return false };
    let (before, hotline) = digits.split_at(at);
    let is_hotline = hotline.starts_with("95") || hotline.starts_with("96");
    is_hotline && (2..=4).contains(&before.len()) && before.starts_with('0')
}

const HOTLINE_DIGITS: usize = 5;

/// What kind of number calls or sends, in a word.
pub(super) fn kind(event: &Event<'_>, sender: Option<Number<'_>>) -> &'static str {
    let Some(sender) = sender else { return "anonymous" };
    if malformed(event, Some(sender)) && sender.kind != NumberKind::Alphanumeric {
        return "malformed";
    }
    match (sender.kind, sender.canonical.as_bytes()) {
        (NumberKind::Mobile, _) if sender.virtual_operator => "virtual",
        (NumberKind::Mobile, _) => "mobile",
        (NumberKind::Fixed, _) => "fixed",
        (NumberKind::Service, [b'9', b'5' | b'6', ..]) => "hotline",
        (NumberKind::Service, [b'4' | b'8', b'0', b'0', ..]) => "freephone",
        (NumberKind::Service, _) => "service",
        (NumberKind::International, _) => "international",
        (NumberKind::Alphanumeric, _) => "alphanumeric",
    }
}

pub(super) fn malformed(event: &Event<'_>, sender: Option<Number<'_>>) -> bool {
    event.channel == Channel::Call
        && !event.call.private
        && sender.is_none_or(|sender| match sender.kind {
            NumberKind::Alphanumeric => true,
            NumberKind::International => !(8..=16).contains(&sender.canonical.len()),
            _ => sender.canonical.len() < 3,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_callers() {
        use crate::number::{CANONICAL_LEN_MAX, classify};
        for (number, expected) in [
            ("13800001234", "mobile"),
            ("+8617000001234", "virtual"),
            ("01012345678", "fixed"),
            ("95588", "hotline"),
            ("96110", "hotline"),
            ("400-000-0000", "freephone"),
            ("10690000123", "service"),
            ("+447700900123", "international"),
            ("+12", "malformed"),
            ("BANK", "alphanumeric"),
            ("anonymous", "anonymous"),
        ] {
            let event = Event { channel: Channel::Call, ..Event::text_only("") };
            let mut out = [0; CANONICAL_LEN_MAX];
            assert_eq!(kind(&event, classify(number, &mut out)), expected, "{number}");
        }
    }

    #[test]
    fn a_hotline_behind_a_prefix_is_disguised() {
        for number in ["+860095588", "0095588", "+8602195588", "8607595588", "02195588", "+86075595588"] {
            assert!(disguised_hotline(number), "{number}");
        }
        for number in ["95588", "+8695588", "8695588", "13800095588", "+8613800095588", "01012395588", ""] {
            assert!(!disguised_hotline(number), "{number}");
        }
    }
}
