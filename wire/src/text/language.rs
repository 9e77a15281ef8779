//! National languages (3GPP TS 23.038 §6.2.1.2).

use super::table::{Table, locking, single};
use crate::udh::Udh;

/// A language with tables of its own, numbered as in the information elements 0x24 and 0x25.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    /// The GSM 7-bit default alphabet and its extension table.
    #[default]
    Default = 0,
    Turkish = 1,
    Spanish = 2,
    Portuguese = 3,
    Bengali = 4,
    Gujarati = 5,
    Hindi = 6,
    Kannada = 7,
    Malayalam = 8,
    Oriya = 9,
    Punjabi = 10,
    Tamil = 11,
    Telugu = 12,
    Urdu = 13,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Default,
        Self::Turkish,
        Self::Spanish,
        Self::Portuguese,
        Self::Bengali,
        Self::Gujarati,
        Self::Hindi,
        Self::Kannada,
        Self::Malayalam,
        Self::Oriya,
        Self::Punjabi,
        Self::Tamil,
        Self::Telugu,
        Self::Urdu,
    ];

    /// From an information element; a language that isn't defined has the default tables (§6.2.1.2.1).
    #[must_use]
    pub fn from_wire(language: u8) -> Self {
        Self::ALL.get(usize::from(language)).copied().unwrap_or_default()
    }
}

/// Which tables a segment is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shifts {
    /// Instead of the default alphabet.
    pub locking: Language,
    /// Instead of the default extension table.
    pub single: Language,
}

impl Shifts {
    /// As a user data header says.
    #[must_use]
    pub fn of(udh: &Udh<'_>) -> Self {
        if udh.octets().is_empty() {
            return Self::default();
        }
        let language = |wire: Option<u8>| wire.map_or(Language::Default, Language::from_wire);
        Self { locking: language(udh.locking_shift()), single: language(udh.single_shift()) }
    }

    /// Main table and extension table.
    pub(super) const fn tables(self) -> (&'static Table, &'static Table) {
        (locking(self.locking), single(self.single))
    }
}
