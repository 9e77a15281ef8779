//! Command ids, the same in 2.0 and 3.0.

/// A `Command_Id` as on the wire, defined or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub u32);

/// The bit that makes a response of a request.
const RESPONSE: u32 = 0x8000_0000;

macro_rules! command_ids {
    ($($constant:ident = $value:literal, $name:literal;)*) => {
        #[allow(missing_docs, reason = "each is named as the specification names it")]
        impl CommandId {
            $(pub const $constant: Self = Self($value);)*

            /// Its name in the specification; `None` where it isn't defined.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some($name),)* _ => None }
            }

            /// All that are defined.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
        }
    };
}

command_ids! {
    CONNECT = 0x0000_0001, "CMPP_CONNECT";
    CONNECT_RESP = 0x8000_0001, "CMPP_CONNECT_RESP";
    TERMINATE = 0x0000_0002, "CMPP_TERMINATE";
    TERMINATE_RESP = 0x8000_0002, "CMPP_TERMINATE_RESP";
    SUBMIT = 0x0000_0004, "CMPP_SUBMIT";
    SUBMIT_RESP = 0x8000_0004, "CMPP_SUBMIT_RESP";
    DELIVER = 0x0000_0005, "CMPP_DELIVER";
    DELIVER_RESP = 0x8000_0005, "CMPP_DELIVER_RESP";
    QUERY = 0x0000_0006, "CMPP_QUERY";
    QUERY_RESP = 0x8000_0006, "CMPP_QUERY_RESP";
    CANCEL = 0x0000_0007, "CMPP_CANCEL";
    CANCEL_RESP = 0x8000_0007, "CMPP_CANCEL_RESP";
    ACTIVE_TEST = 0x0000_0008, "CMPP_ACTIVE_TEST";
    ACTIVE_TEST_RESP = 0x8000_0008, "CMPP_ACTIVE_TEST_RESP";
    FWD = 0x0000_0009, "CMPP_FWD";
    FWD_RESP = 0x8000_0009, "CMPP_FWD_RESP";
    MT_ROUTE = 0x0000_0010, "CMPP_MT_ROUTE";
    MT_ROUTE_RESP = 0x8000_0010, "CMPP_MT_ROUTE_RESP";
    MO_ROUTE = 0x0000_0011, "CMPP_MO_ROUTE";
    MO_ROUTE_RESP = 0x8000_0011, "CMPP_MO_ROUTE_RESP";
    GET_MT_ROUTE = 0x0000_0012, "CMPP_GET_MT_ROUTE";
    GET_MT_ROUTE_RESP = 0x8000_0012, "CMPP_GET_MT_ROUTE_RESP";
    MT_ROUTE_UPDATE = 0x0000_0013, "CMPP_MT_ROUTE_UPDATE";
    MT_ROUTE_UPDATE_RESP = 0x8000_0013, "CMPP_MT_ROUTE_UPDATE_RESP";
    MO_ROUTE_UPDATE = 0x0000_0014, "CMPP_MO_ROUTE_UPDATE";
    MO_ROUTE_UPDATE_RESP = 0x8000_0014, "CMPP_MO_ROUTE_UPDATE_RESP";
    PUSH_MT_ROUTE_UPDATE = 0x0000_0015, "CMPP_PUSH_MT_ROUTE_UPDATE";
    PUSH_MT_ROUTE_UPDATE_RESP = 0x8000_0015, "CMPP_PUSH_MT_ROUTE_UPDATE_RESP";
    PUSH_MO_ROUTE_UPDATE = 0x0000_0016, "CMPP_PUSH_MO_ROUTE_UPDATE";
    PUSH_MO_ROUTE_UPDATE_RESP = 0x8000_0016, "CMPP_PUSH_MO_ROUTE_UPDATE_RESP";
    GET_MO_ROUTE = 0x0000_0017, "CMPP_GET_MO_ROUTE";
    GET_MO_ROUTE_RESP = 0x8000_0017, "CMPP_GET_MO_ROUTE_RESP";
}

impl CommandId {
    /// A response.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & RESPONSE != 0
    }

    /// The response that answers this request. A response stays itself.
    #[must_use]
    pub const fn response(self) -> Self {
        Self(self.0 | RESPONSE)
    }

    /// Carries text that [`MessageView`](super::MessageView) can show.
    #[must_use]
    pub const fn carries_message(self) -> bool {
        matches!(self, Self::SUBMIT | Self::DELIVER | Self::FWD)
    }
}

impl core::fmt::Display for CommandId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}

impl core::fmt::Debug for CommandId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
