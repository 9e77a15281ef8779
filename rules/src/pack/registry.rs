//! Who is behind a number or a signature.

use super::view::StringId;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $id:literal;)*) => {
        /// What an organisation of the sender registry is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum OrganisationKind { $($(#[$doc])* $variant = $wire,)* }

        impl OrganisationKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The id used in sources and conditions.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// From the wire value of a pack.
            #[must_use]
            pub const fn from_wire(value: u8) -> Option<Self> {
                match value { $($wire => Some(Self::$variant),)* _ => None }
            }

            /// From the id used in sources.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.id() == id)
            }
        }
    };
}

kinds! {
    /// A bank.
    Bank = 0, "bank";
    /// A court.
    Court = 1, "court";
    /// The police.
    Police = 2, "police";
    /// A regulator or another authority.
    Regulator = 3, "regulator";
    /// A telecom operator.
    Operator = 4, "operator";
    /// An insurer.
    Insurer = 5, "insurer";
    /// A securities firm.
    Broker = 6, "broker";
    /// An internet platform.
    Platform = 7, "platform";
    /// A courier.
    Courier = 8, "courier";
    /// An emergency service.
    Emergency = 9, "emergency";
    /// Anything else.
    Other = 10, "other";
    /// A ministry or another public office.
    Government = 11, "government";
}

impl OrganisationKind {
    /// Courts and other authorities, whose messages are [`crate::signal::Protected::Court`].
    #[must_use]
    pub const fn is_authority(self) -> bool {
        matches!(self, Self::Court | Self::Police | Self::Regulator | Self::Government)
    }
}

/// An organisation of the sender registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its name.
    pub name: StringId,
    /// What it is.
    pub kind: OrganisationKind,
    /// Its first domain, as an index into the domains section.
    pub(crate) domains_first: u32,
    /// How many domains it has.
    pub(crate) domains: u32,
}
