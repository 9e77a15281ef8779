//! The pack in flash: verified and checked before it is used, and tried on its own texts before it is in use.

use crate::limits::{GROUPS_MAX, PATTERNS_MAX, RULES_MAX};
use yumen_edge::{Automaton, AutomatonError};
use yumen_rules::pack::{Header, Layout, PackError, SectionKind};
use yumen_storage::image::Image;
use yumen_storage::signature::verified;
use yumen_storage::{Check, Kind};

/// Why a pack isn't used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not signed, or not by this device's key.
    Signature,
    /// Not a pack, or one of its bytes is wrong.
    Pack(PackError),
    /// It brings no automaton: it was built for a gateway.
    NoAutomaton,
    /// Its automaton is wrong.
    Automaton(AutomatonError),
    /// It needs more memory than a device sets aside ([`crate::limits`]).
    TooLarge,
    /// Its serial is lower than one that was in use.
    Older,
}

/// Verifies and checks a pack; `last_serial` is the highest that was in use.
///
/// # Errors
/// [`Refusal`], the first reason found.
pub fn check(bytes: &[u8], key: &[u8; 32], last_serial: u64) -> Result<Layout, Refusal> {
    verified(bytes, key).ok_or(Refusal::Signature)?;
    let header = Header::new_checked(bytes).map_err(Refusal::Pack)?;
    if header.serial < last_serial {
        return Err(Refusal::Older);
    }
    let layout = Layout::new_checked(bytes).map_err(Refusal::Pack)?;
    let pack = layout.pack(bytes);
    let count = |kind| pack.count(kind) as usize;
    if count(SectionKind::Patterns) > PATTERNS_MAX
        || count(SectionKind::Groups) > GROUPS_MAX
        || count(SectionKind::Rules) > RULES_MAX
    {
        return Err(Refusal::TooLarge);
    }
    if pack.automaton().is_empty() {
        return Err(Refusal::NoAutomaton);
    }
    Automaton::new_checked(pack.automaton(), pack.count(SectionKind::Patterns))
        .map_err(Refusal::Automaton)?;
    Ok(layout)
}

/// The pack that a slot begins with, by the length that its header names.
#[must_use]
pub fn in_slot(slot: &[u8]) -> Option<&[u8]> {
    let length = slot.get(TOTAL_LEN_AT..)?.first_chunk().copied().map(u32::from_le_bytes)?;
    slot.get(..usize::try_from(length).ok()?)
}

/// Where a pack's header holds the length of all of it.
const TOTAL_LEN_AT: usize = 12;

/// Whom the device believes.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'k> {
    /// The key that signs its packs and images.
    pub key: &'k [u8; 32],
    /// The board: images for another aren't for it.
    pub board: &'k str,
    /// The version of the program that runs.
    pub version: u32,
}

impl Check for Trust<'_> {
    fn serial(&self, kind: Kind, slot: &[u8]) -> Option<u64> {
        match kind {
            Kind::Pack => {
                let bytes = in_slot(slot)?;
                check(bytes, self.key, 0).ok().map(|layout| layout.header().serial)
            }
            Kind::Image => Image::in_slot(slot, self.board, self.key).map(|image| image.version.into()),
        }
    }
}
