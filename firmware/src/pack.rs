//! The pack in flash: verified and checked before it is used.

use crate::limits::{GROUPS_MAX, PATTERNS_MAX, RULES_MAX};
use salty::{PublicKey, Signature};
use yumen_edge::{Automaton, AutomatonError};
use yumen_rules::pack::{Header, Layout, PackError, SIGNATURE_LEN, SectionKind};

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
    verify(bytes, key)?;
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

fn verify(bytes: &[u8], key: &[u8; 32]) -> Result<(), Refusal> {
    let (signed, signature) = bytes.split_last_chunk::<SIGNATURE_LEN>().ok_or(Refusal::Signature)?;
    let key = PublicKey::try_from(key).map_err(|_| Refusal::Signature)?;
    key.verify(signed, &Signature::from(signature)).map_err(|_| Refusal::Signature)
}
