//! The pack format, version 1.
//!
//! ```text
//! bytes → Layout::new_checked (once: every offset, index, string and condition) → Pack (zero-copy, total accessors)
//! ```
//!
//! All integers are little endian. A pack is `header | section table | sections | signature`.
//!
//! # Header (128 bytes)
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `YUMENPCK` |
//! | 8 | 2 | format version, 1 |
//! | 10 | 2 | number of sections |
//! | 12 | 4 | total length in bytes, signature included |
//! | 16 | 8 | serial |
//! | 24 | 8 | created, seconds since the Unix epoch |
//! | 32 | 8 | expires, seconds since the Unix epoch; refused from then on |
//! | 40 | 2 | minimum engine version |
//! | 42 | 2 | fold version its literals were folded with; must be the reader's own |
//! | 44 | 4 | flags, 0 |
//! | 48 | 16 | channel, UTF-8, padded with NUL |
//! | 64 | 48 | name, UTF-8, padded with NUL |
//! | 112 | 8 | key id: the first 8 bytes of the signing key's public half; 0 while unsigned |
//! | 120 | 8 | 0 |
//!
//! # Section table
//! One entry of 16 bytes a section: kind (2), flags (2), offset from the start of the file (4), length in bytes (4),
//! number of records (4). Sections start on a multiple of 8, in the order of the table, and don't overlap. Flag bit 0 says
//! that a reader which doesn't know the kind must refuse the pack. A kind stands at most once.
//!
//! # Sections
//! | kind | name | record |
//! |---|---|---|
//! | 1 | strings | `n + 1` offsets (4 each) into the UTF-8 that follows them; records elsewhere name strings by index |
//! | 2 | patterns | 8: text (4), flags (1: bit 0 regex), view (1), 0 (2) |
//! | 3 | pattern groups | `patterns + 1` offsets (4 each), then group indices (4 each) |
//! | 4 | groups | 12: name (4), need (2), trigger (2), members (4) |
//! | 5 | group rules | `groups + 1` offsets (4 each), then rule indices (4 each): the rules to evaluate when `trigger` members hit |
//! | 6 | rules | 24: id (4), Chinese title (4), English title (4), typology, channels (bit 0 sms, 1 call), ladder, score, overrides (bit per class), flags (bit 0: always evaluated, bit 1: asks the classifier) (1 each), nodes (2), first node (4) |
//! | 7 | nodes | 16, see [`crate::pack::node`] |
//! | 8 | always | 4: rules that no group triggers |
//! | 9 | lists | 16: name (4), kind (1), 0 (3), first entry (4), entries (4) |
//! | 10 | list entries | 4: a string; sorted by bytes within a list, distinct |
//! | 11 | organisations | 16: name (4), kind (1), 0 (3), first domain (4), domains (4) |
//! | 12 | numbers | 8: string (4), organisation (4); sorted by the string's bytes |
//! | 13 | number prefixes | as 12 |
//! | 14 | signatures | as 12 |
//! | 15 | domains | 4: a string; an organisation's own stand together |
//! | 16 | suppressions | 28: id (4), Chinese title (4), English title (4), typologies (bit each) (1), 0 (1), nodes (2), first node (4), first rule (4), rules (4) |
//! | 17 | suppressed rules | 4: rule index |
//! | 18 | protections | 12: id (4), class (1), 0 (1), nodes (2), first node (4) |
//! | 19 | canaries | 12: text (4), owner (4), owner kind (1: 0 rule, 1 suppression), expectation (1: 0 miss, 1 hit), 0 (2) |
//! | 32 | automaton | the bytes of an automaton for small devices (crate `yumen-edge`, which specifies and checks it); may be absent, and may be passed over |
//! | 33, 36–63 | | reserved |
//! | 34 | classifier | the features of [`crate::classify`], which specifies it; may be absent |
//! | 35 | redress | 20: rule (4; all ones: the typology's own), typology (1), 0 (3), then a sentence for the person who was blocked in Chinese, traditional Chinese, English (4 each; the empty string where there is none); may be absent, and not critical |
//!
//! # Signature (64 bytes)
//! Ed25519 over every byte before it. All zero in a pack that isn't signed yet.

mod canary;
mod header;
mod layout;
pub mod node;
pub(crate) mod read;
mod registry;
mod view;

pub use canary::{Canary, CanaryOwner};
pub use header::{HEADER_LEN, Header, MAGIC, SECTION_ENTRY_LEN, SIGNATURE_LEN};
pub use layout::Layout;
pub use registry::{Organisation, OrganisationKind};
pub use view::{
    Group, List, ListKind, Organisations, Pack, Pattern, Protection, Rule, StringId, Suppression,
};

/// The format version this crate reads and the compiler writes.
pub const FORMAT_VERSION: u16 = 1;
/// The engine version: raised when a node, a field or a section gets a meaning that older engines lack.
pub const ENGINE_VERSION: u16 = 3;

/// Why bytes aren't a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackError {
    /// Shorter than its header, or than the length it names; or longer.
    Length,
    /// Larger than [`crate::limits::PACK_BYTES_MAX`].
    TooLarge,
    /// Not a pack at all.
    Magic,
    /// Another format version.
    Format(u16),
    /// It needs a newer engine.
    Engine(u16),
    /// Its literals were folded by another version of the folding tables.
    Fold(u16),
    /// A header field has a value that isn't defined.
    Header,
    /// The section table is out of order, overlaps, names a section twice, or runs past the end.
    Sections,
    /// A section that must be understood isn't known.
    UnknownSection(u16),
    /// A section that must be there isn't.
    MissingSection(SectionKind),
    /// A section's length doesn't fit its records, or there are more records than the limit.
    SectionLength(SectionKind),
    /// A record holds an index, an enumeration value or an order that isn't valid.
    Record(SectionKind, u32),
}

impl core::fmt::Display for PackError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => f.write_str("its length isn't the length its header names"),
            Self::TooLarge => write!(f, "larger than {} bytes", crate::limits::PACK_BYTES_MAX),
            Self::Magic => f.write_str("not a pack (no magic)"),
            Self::Format(version) => {
                write!(f, "format version {version}, this engine reads {FORMAT_VERSION}")
            }
            Self::Engine(version) => {
                write!(f, "needs engine version {version}, this one is {ENGINE_VERSION}")
            }
            Self::Fold(version) => {
                write!(
                    f,
                    "folded by tables of version {version}, this engine has {}",
                    crate::engine::FOLD_VERSION
                )
            }
            Self::Header => f.write_str("a header field is not valid"),
            Self::Sections => f.write_str("the section table is not valid"),
            Self::UnknownSection(kind) => write!(f, "section {kind} must be understood and isn't known"),
            Self::MissingSection(kind) => write!(f, "section {} is missing", kind.name()),
            Self::SectionLength(kind) => write!(f, "section {} has a wrong length", kind.name()),
            Self::Record(kind, index) => write!(f, "record {index} of section {} is not valid", kind.name()),
        }
    }
}

impl core::error::Error for PackError {}

macro_rules! sections {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $slot:literal, $record:literal, $name:literal;)*) => {
        /// A section, by the number it has in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum SectionKind { $($(#[$doc])* $variant = $wire,)* }

        impl SectionKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// From the wire value; `None` for reserved and unknown ones.
            #[must_use]
            pub const fn from_wire(value: u16) -> Option<Self> {
                match value { $($wire => Some(Self::$variant),)* _ => None }
            }

            /// The name used in messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Length of a record in bytes; 0 for sections that aren't a plain table.
            #[must_use]
            pub const fn record_len(self) -> usize {
                match self { $(Self::$variant => $record),* }
            }

            /// Position in [`SectionKind::ALL`].
            pub(crate) const fn slot(self) -> usize {
                match self { $(Self::$variant => $slot),* }
            }
        }
    };
}

sections! {
    /// Strings.
    Strings = 1, 0, 0, "strings";
    /// Patterns.
    Patterns = 2, 1, 8, "patterns";
    /// Pattern → groups.
    PatternGroups = 3, 2, 0, "pattern groups";
    /// Groups.
    Groups = 4, 3, 12, "groups";
    /// Group → rules to evaluate.
    GroupRules = 5, 4, 0, "group rules";
    /// Rules.
    Rules = 6, 5, 24, "rules";
    /// Nodes of conditions.
    Nodes = 7, 6, 16, "nodes";
    /// Rules that are always evaluated.
    Always = 8, 7, 4, "always";
    /// Lists.
    Lists = 9, 8, 16, "lists";
    /// Entries of lists.
    ListEntries = 10, 9, 4, "list entries";
    /// Organisations of the sender registry.
    Organisations = 11, 10, 16, "organisations";
    /// Exact numbers of organisations.
    Numbers = 12, 11, 8, "numbers";
    /// Number prefixes of organisations.
    NumberPrefixes = 13, 12, 8, "number prefixes";
    /// Signatures of organisations.
    Signatures = 14, 13, 8, "signatures";
    /// Domains of organisations.
    Domains = 15, 14, 4, "domains";
    /// Suppressions.
    Suppressions = 16, 15, 28, "suppressions";
    /// Rules named by suppressions.
    SuppressedRules = 17, 16, 4, "suppressed rules";
    /// Protections.
    Protections = 18, 17, 12, "protections";
    /// Texts with the verdict they must get.
    Canaries = 19, 18, 12, "canaries";
    /// The classifier.
    Classifier = 34, 19, 0, "classifier";
    /// The automaton of small devices.
    Automaton = 32, 20, 1, "automaton";
    /// What is said to the person who was blocked.
    Redress = 35, 21, 20, "redress";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_positions() {
        for (position, kind) in SectionKind::ALL.iter().enumerate() {
            assert_eq!(kind.slot(), position);
        }
    }

    #[test]
    fn wire_numbers_are_frozen() {
        let wire: [u16; 22] = core::array::from_fn(|slot| SectionKind::ALL[slot] as u16);
        assert_eq!(wire, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 34, 32, 35]);
        assert_eq!((FORMAT_VERSION, HEADER_LEN, SECTION_ENTRY_LEN, SIGNATURE_LEN), (1, 128, 16, 64));
        assert_eq!(MAGIC, *b"YUMENPCK");
    }
}
