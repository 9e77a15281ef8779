//! What a condition can ask about. The numbers are part of the pack format: they are never reused.

use crate::verdict::Typology;

/// A text that a pattern is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum View {
    /// Folded: the default.
    Folded = 0,
    /// Only letters and digits, for contacts.
    Squeezed = 1,
    /// As it was sent.
    Plain = 2,
    /// By sound (homophones and pinyin): weaker, a rule must ask for it.
    Sound = 3,
}

impl View {
    /// How many there are.
    pub const COUNT: usize = 4;
    /// All of them, in the order of their wire values.
    pub const ALL: [Self; Self::COUNT] = [Self::Folded, Self::Squeezed, Self::Plain, Self::Sound];

    /// From the wire value of a pack.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Folded),
            1 => Some(Self::Squeezed),
            2 => Some(Self::Plain),
            3 => Some(Self::Sound),
            _ => None,
        }
    }

    /// The name used in rules and explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Folded => "folded",
            Self::Squeezed => "squeezed",
            Self::Plain => "plain",
            Self::Sound => "sound",
        }
    }
}

/// What a [`Field`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A text, for `==`, `in` and `startsWith`.
    Text,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $value:literal, $kind:ident, $name:literal;)*) => {
        /// A fact about an event that a condition can name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $variant = $value,)* }

        impl Field {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in a condition, `sender.registered`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it gives.
            #[must_use]
            pub const fn kind(self) -> FieldKind {
                match self { $(Self::$variant => FieldKind::$kind),* }
            }

            /// From the wire value of a pack.
            #[must_use]
            pub const fn from_wire(value: u8) -> Option<Self> {
                match value { $($value => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

fields! {
    /// An originator was given.
    SenderPresent = 0, Bool, "sender.present";
    /// The originator is in the pack's sender registry (or the institution's own list).
    SenderRegistered = 1, Bool, "sender.registered";
    /// A mobile subscriber's number.
    SenderMobile = 2, Bool, "sender.mobile";
    /// A fixed line.
    SenderFixed = 3, Bool, "sender.fixed";
    /// A service number: 106…, 955xx, 1xx, 400/800, an abbreviated code.
    SenderService = 4, Bool, "sender.service";
    /// A number of another country.
    SenderInternational = 5, Bool, "sender.international";
    /// An alphanumeric sender ID.
    SenderAlphanumeric = 6, Bool, "sender.alphanumeric";
    /// A virtual operator's range (162, 165, 167, 170, 171).
    SenderVirtual = 7, Bool, "sender.virtual";
    /// The originator in canonical form.
    SenderNumber = 8, Text, "sender.number";
    /// The organisation the registry knows behind the originator; empty where unknown.
    SenderOrganisation = 9, Text, "sender.organisation";

    /// The text has a 【signature】 at its start or end.
    SignaturePresent = 16, Bool, "signature.present";
    /// The registry knows an organisation by that signature.
    SignatureRegistered = 17, Bool, "signature.registered";
    /// The signature belongs to an organisation, and the originator (present) isn't one of its numbers.
    SignatureMismatch = 18, Bool, "signature.mismatch";
    /// The folded signature; empty where there is none.
    SignatureText = 19, Text, "signature.text";
    /// The signature belongs to an organisation, and a link in the text isn't on one of its domains.
    SignatureForeignLink = 20, Bool, "signature.foreign_link";

    /// Any contact at all in the text.
    ContactAny = 32, Bool, "contact.any";
    /// A mobile number in the text.
    ContactMobile = 33, Bool, "contact.mobile";
    /// A fixed-line or service number in the text.
    ContactPhone = 34, Bool, "contact.phone";
    /// A link in the text.
    ContactLink = 35, Bool, "contact.link";
    /// A WeChat id, or an invitation to add one.
    ContactWechat = 36, Bool, "contact.wechat";
    /// A QQ number or group.
    ContactQq = 37, Bool, "contact.qq";
    /// A Telegram handle.
    ContactTelegram = 38, Bool, "contact.telegram";
    /// An e-mail address.
    ContactEmail = 39, Bool, "contact.email";
    /// A bank account or card number.
    ContactBankAccount = 40, Bool, "contact.bank_account";
    /// How many contacts the text has.
    ContactCount = 41, Int, "contact.count";

    /// A link through a shortener.
    LinkShortened = 48, Bool, "link.shortened";
    /// A link whose host is an IP address.
    LinkIp = 49, Bool, "link.ip";
    /// A link whose host is punycode or mixes scripts.
    LinkPunycode = 50, Bool, "link.punycode";
    /// The domain of the first link.
    LinkDomain = 51, Text, "link.domain";

    /// Characters of the text.
    TextChars = 64, Int, "text.chars";
    /// Digits in the text.
    TextDigits = 65, Int, "text.digits";
    /// Characters that folding had to undo a disguise for: look-alikes, split characters, separators inside words,
    /// zero-width characters. Traditional forms and full width don't count.
    TextDisguised = 66, Int, "text.disguised";
    /// The text has the form of a one-time password message.
    TextOtp = 67, Bool, "text.otp";
    /// Emoji in the text.
    TextEmoji = 68, Int, "text.emoji";
    /// The text is mostly Latin letters.
    TextLatin = 69, Bool, "text.latin";

    /// Into the centre (`true`) or out of it.
    DirectionSubmit = 80, Bool, "direction.submit";
    /// How many destinations the message has.
    Destinations = 81, Int, "destinations";
    /// Local hour of day, 0 to 23.
    TimeHour = 82, Int, "time.hour";

    /// The network, or our own check, says that the number is the caller's.
    CallVerified = 96, Bool, "call.verified";
    /// The check of the caller's number failed.
    CallFailed = 97, Bool, "call.failed";
    /// `passed`, `failed`, `not-validated`, or empty.
    CallVerstat = 98, Text, "call.verstat";
    /// `A`, `B`, `C` (RFC 8588), or empty.
    CallAttestation = 99, Text, "call.attestation";
    /// Where the call comes from: `own`, `domestic`, `international`, or empty.
    CallTrunk = 100, Text, "call.trunk";
    /// User-Agent, as it came.
    CallUserAgent = 101, Text, "call.user_agent";
    /// The user agent is a softphone or a softswitch.
    CallSoftswitch = 102, Bool, "call.softswitch";
    /// The caller asks not to be shown.
    CallPrivate = 103, Bool, "call.private";
    /// Somebody sent the call on.
    CallDiverted = 104, Bool, "call.diverted";
    /// The display name of the caller, as it came.
    CallDisplayName = 105, Text, "call.display_name";
    /// Nobody vouches for the caller.
    CallerUnvouched = 112, Bool, "caller.unvouched";
    /// The trunk can't own the number: a fixed line or a service number of the country comes from abroad, or a mobile one whose
    /// check failed.
    CallerForeignToTrunk = 113, Bool, "caller.foreign_to_trunk";
    /// A number behind whose country code, or international or area prefix, stands a five-digit service number (955xx,
    /// 96xxx): what spoofers make of a hotline.
    CallerDisguisedHotline = 114, Bool, "caller.disguised_hotline";
    /// No number, or one that no numbering plan has.
    CallerMalformed = 115, Bool, "caller.malformed";
    /// The called number is one that the registry or the institution knows.
    CalleeRegistered = 116, Bool, "callee.registered";
    /// What kind of number calls: `mobile`, `virtual`, `fixed`, `hotline`, `freephone`, `service`, `international`, `alphanumeric`,
    /// `anonymous`, `malformed`.
    CallerKind = 117, Text, "caller.kind";

    /// What the pack's classifier says of debt-collection, in percent; 0 where the pack has none.
    ClassifierDebtCollection = 128, Int, "classifier(\"debt-collection\")";
    /// What the pack's classifier says of loan-mediation, in percent; 0 where the pack has none.
    ClassifierLoanMediation = 129, Int, "classifier(\"loan-mediation\")";
    /// What the pack's classifier says of debt-evasion, in percent; 0 where the pack has none.
    ClassifierDebtEvasion = 130, Int, "classifier(\"debt-evasion\")";
    /// What the pack's classifier says of insurance-claims, in percent; 0 where the pack has none.
    ClassifierInsuranceClaims = 131, Int, "classifier(\"insurance-claims\")";
    /// What the pack's classifier says of credit-repair, in percent; 0 where the pack has none.
    ClassifierCreditRepair = 132, Int, "classifier(\"credit-repair\")";
    /// What the pack's classifier says of stock-tips, in percent; 0 where the pack has none.
    ClassifierStockTips = 133, Int, "classifier(\"stock-tips\")";
    /// What the pack's classifier says of rights-agency, in percent; 0 where the pack has none.
    ClassifierRightsAgency = 134, Int, "classifier(\"rights-agency\")";
    /// What the pack's classifier says of fraud, in percent; 0 where the pack has none.
    ClassifierFraud = 135, Int, "classifier(\"fraud\")";

    /// The originator and every contact of the text, each as `kind:value`: only for `in`, which holds if any is in the list.
    Indicators = 160, Text, "indicators";
}

impl Field {
    /// The field with a typology's percent by the classifier.
    #[must_use]
    pub const fn classifier(typology: Typology) -> Self {
        match typology {
            Typology::DebtCollection => Self::ClassifierDebtCollection,
            Typology::LoanMediation => Self::ClassifierLoanMediation,
            Typology::DebtEvasion => Self::ClassifierDebtEvasion,
            Typology::InsuranceClaims => Self::ClassifierInsuranceClaims,
            Typology::CreditRepair => Self::ClassifierCreditRepair,
            Typology::StockTips => Self::ClassifierStockTips,
            Typology::RightsAgency => Self::ClassifierRightsAgency,
            Typology::Fraud => Self::ClassifierFraud,
        }
    }

    /// The typology whose percent by the classifier it gives.
    #[must_use]
    pub const fn classified(self) -> Option<Typology> {
        match (self as u8).checked_sub(Self::ClassifierDebtCollection as u8) {
            Some(typology) => Typology::from_wire(typology),
            None => None,
        }
    }
}

/// Classes of traffic that can't be blocked by score: only a rule that names the class can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Protected {
    /// A one-time password from a registered sender.
    Otp = 0,
    /// An emergency number (110, 112, 119, 120, 122, …).
    Emergency = 1,
    /// A court or other authority.
    Court = 2,
    /// The institution's own numbers.
    Own = 3,
}

impl Protected {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Otp, Self::Emergency, Self::Court, Self::Own];

    /// The id used in rules.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Emergency => "emergency",
            Self::Court => "court",
            Self::Own => "own",
        }
    }
}
