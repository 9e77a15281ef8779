//! One message or call attempt, whatever door it came through.

/// What kind of traffic an [`Event`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Channel {
    /// A short message, whole: a multi-part one is judged as its text so far.
    Sms = 0,
    /// A call attempt.
    Call = 1,
}

/// Which way the event goes, seen from the operator's centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From a service or a subscriber into the centre (`submit_sm`, `CMPP_SUBMIT`).
    Submit = 0,
    /// From the centre to a service or a subscriber (`deliver_sm`, `CMPP_DELIVER`).
    Deliver = 1,
}

/// The way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Door {
    /// SMPP 3.4 / 5.0.
    Smpp = 0,
    /// CMPP 2.0 / 3.0.
    Cmpp = 1,
    /// SMGP 3.0.3.
    Smgp = 2,
    /// SGIP 1.2.
    Sgip = 3,
    /// SIP.
    Sip = 4,
    /// The HTTP decision API.
    Http = 5,
    /// A file or standard input (`yumen screen`).
    File = 6,
    /// A capture (`yumen replay`, `yumen tap`).
    Capture = 7,
    /// A modem on a serial line.
    Modem = 8,
}

impl Door {
    /// The name used in configuration, logs and sightings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smpp => "smpp",
            Self::Cmpp => "cmpp",
            Self::Smgp => "smgp",
            Self::Sgip => "sgip",
            Self::Sip => "sip",
            Self::Http => "http",
            Self::File => "file",
            Self::Capture => "capture",
            Self::Modem => "modem",
        }
    }
}

/// Type of number (SMPP 3.4 §5.2.5, 3GPP TS 23.040 §9.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ton {
    /// Not said.
    #[default]
    Unknown = 0,
    /// E.164 with country code.
    International = 1,
    /// National significant number.
    National = 2,
    /// Network-specific.
    Network = 3,
    /// Subscriber number.
    Subscriber = 4,
    /// An alphanumeric sender ID.
    Alphanumeric = 5,
    /// Abbreviated (a short code).
    Abbreviated = 6,
}

impl Ton {
    /// From the wire value; anything undefined is [`Ton::Unknown`].
    #[must_use]
    pub const fn from_wire(value: u8) -> Self {
        match value {
            1 => Self::International,
            2 => Self::National,
            3 => Self::Network,
            4 => Self::Subscriber,
            5 => Self::Alphanumeric,
            6 => Self::Abbreviated,
            _ => Self::Unknown,
        }
    }
}

/// An originator or destination as it was given, undecorated (no trailing NUL or padding).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address<'a> {
    /// Digits with an optional leading `+`, or an alphanumeric sender ID in UTF-8. Empty where nothing was given.
    pub digits: &'a str,
    /// Type of number.
    pub ton: Ton,
    /// Numbering plan indicator, as on the wire (1 = E.164).
    pub npi: u8,
}

impl<'a> Address<'a> {
    /// An address of unknown type.
    #[must_use]
    pub const fn new(digits: &'a str) -> Self {
        Self { digits, ton: Ton::Unknown, npi: 0 }
    }

    /// Nothing was given.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.digits.is_empty()
    }
}

/// The part of a multi-part message that an event ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segments {
    /// Parts received so far, this one included.
    pub received: u8,
    /// Parts announced.
    pub total: u8,
}

/// What the network says about the caller's right to its number (3GPP TS 24.229 §7.2A.20, `verstat`; RFC 8224).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verstat {
    /// Nothing was said, and no signature came along.
    #[default]
    Absent = 0,
    /// `TN-Validation-Passed`, or our own check of the Identity header passed.
    Passed = 1,
    /// `TN-Validation-Failed`, or our own check failed.
    Failed = 2,
    /// `No-TN-Validation`: somebody looked, and there was nothing to check.
    NotValidated = 3,
}

/// How far the signing provider vouches for the caller (RFC 8588 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Attestation {
    /// A: knows the customer, and that the number is theirs.
    Full = 0,
    /// B: knows the customer, not the number.
    Partial = 1,
    /// C: only knows where the call came in.
    Gateway = 2,
}

/// The side of the network that a call comes from, as the listener's configuration says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Trunk {
    /// Not configured.
    #[default]
    Unknown = 0,
    /// The institution's own side: its PBX, its outbound team.
    Own = 1,
    /// Another operator of the country.
    Domestic = 2,
    /// From abroad.
    International = 3,
}

/// What is known of a call attempt beside its numbers. Texts are as they came, empty where absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// The asserted caller (P-Asserted-Identity, RFC 3325); absent where nobody asserts one.
    pub asserted: Address<'a>,
    /// Who last sent the call on (Diversion, RFC 5806; History-Info, RFC 7044); absent where nobody did.
    pub diverted_from: Address<'a>,
    /// The display name of From.
    pub display_name: &'a str,
    /// User-Agent (RFC 3261 §20.41).
    pub user_agent: &'a str,
    /// What the network, or our own check, says of the caller's number.
    pub verstat: Verstat,
    /// The attestation of a signature that holds.
    pub attestation: Option<Attestation>,
    /// The caller asks not to be shown (Privacy, RFC 3323; an anonymous From).
    pub private: bool,
    /// Where the call comes from.
    pub trunk: Trunk,
}

impl Call<'_> {
    /// Nothing is known: what messages carry.
    pub const NONE: Self = Self {
        asserted: Address::new(""),
        diverted_from: Address::new(""),
        display_name: "",
        user_agent: "",
        verstat: Verstat::Absent,
        attestation: None,
        private: false,
        trunk: Trunk::Unknown,
    };
}

/// One message or call attempt.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Message or call.
    pub channel: Channel,
    /// Into the centre or out of it.
    pub direction: Direction,
    /// The way in.
    pub door: Door,
    /// Who sends or calls (A-number).
    pub originator: Address<'a>,
    /// Who receives or is called (B-number); the first one, where there are several.
    pub destination: Address<'a>,
    /// How many destinations there are (`submit_multi`, CMPP's `DestUsr_tl`); 1 otherwise.
    pub destinations: u16,
    /// The whole text in UTF-8; empty for calls and for binary messages.
    pub text: &'a str,
    /// `None` for a message of one part.
    pub segments: Option<Segments>,
    /// What is known of a call attempt; the default for messages.
    pub call: Call<'a>,
    /// Milliseconds since the Unix epoch, UTC, as the door saw it.
    pub time_ms: u64,
}

impl<'a> Event<'a> {
    /// A message with nothing known but its text, as `yumen screen` and rule tests make it.
    #[must_use]
    pub const fn text_only(text: &'a str) -> Self {
        Self {
            channel: Channel::Sms,
            direction: Direction::Submit,
            door: Door::File,
            originator: Address { digits: "", ton: Ton::Unknown, npi: 0 },
            destination: Address { digits: "", ton: Ton::Unknown, npi: 0 },
            destinations: 1,
            text,
            segments: None,
            call: Call::NONE,
            time_ms: 0,
        }
    }
}
