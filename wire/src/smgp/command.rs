//! Request ids.

/// A `RequestID` as on the wire, defined or not.
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
    LOGIN = 0x0000_0001, "Login";
    LOGIN_RESP = 0x8000_0001, "Login_Resp";
    SUBMIT = 0x0000_0002, "Submit";
    SUBMIT_RESP = 0x8000_0002, "Submit_Resp";
    DELIVER = 0x0000_0003, "Deliver";
    DELIVER_RESP = 0x8000_0003, "Deliver_Resp";
    ACTIVE_TEST = 0x0000_0004, "Active_Test";
    ACTIVE_TEST_RESP = 0x8000_0004, "Active_Test_Resp";
    FORWARD = 0x0000_0005, "Forward";
    FORWARD_RESP = 0x8000_0005, "Forward_Resp";
    EXIT = 0x0000_0006, "Exit";
    EXIT_RESP = 0x8000_0006, "Exit_Resp";
    QUERY = 0x0000_0007, "Query";
    QUERY_RESP = 0x8000_0007, "Query_Resp";
    QUERY_TE_ROUTE = 0x0000_0008, "Query_TE_Route";
    QUERY_TE_ROUTE_RESP = 0x8000_0008, "Query_TE_Route_Resp";
    QUERY_SP_ROUTE = 0x0000_0009, "Query_SP_Route";
    QUERY_SP_ROUTE_RESP = 0x8000_0009, "Query_SP_Route_Resp";
    PAYMENT_REQUEST = 0x0000_000A, "Payment_Request";
    PAYMENT_REQUEST_RESP = 0x8000_000A, "Payment_Request_Resp";
    PAYMENT_AFFIRM = 0x0000_000B, "Payment_Affirm";
    PAYMENT_AFFIRM_RESP = 0x8000_000B, "Payment_Affirm_Resp";
    QUERY_USER_STATE = 0x0000_000C, "Query_UserState";
    QUERY_USER_STATE_RESP = 0x8000_000C, "Query_UserState_Resp";
    GET_ALL_TE_ROUTE = 0x0000_000D, "Get_All_TE_Route";
    GET_ALL_TE_ROUTE_RESP = 0x8000_000D, "Get_All_TE_Route_Resp";
    GET_ALL_SP_ROUTE = 0x0000_000E, "Get_All_SP_Route";
    GET_ALL_SP_ROUTE_RESP = 0x8000_000E, "Get_All_SP_Route_Resp";
    UPDATE_TE_ROUTE = 0x0000_000F, "Update_TE_Route";
    UPDATE_TE_ROUTE_RESP = 0x8000_000F, "Update_TE_Route_Resp";
    UPDATE_SP_ROUTE = 0x0000_0010, "Update_SP_Route";
    UPDATE_SP_ROUTE_RESP = 0x8000_0010, "Update_SP_Route_Resp";
    PUSH_UPDATE_TE_ROUTE = 0x0000_0011, "Push_Update_TE_Route";
    PUSH_UPDATE_TE_ROUTE_RESP = 0x8000_0011, "Push_Update_TE_Route_Resp";
    PUSH_UPDATE_SP_ROUTE = 0x0000_0012, "Push_Update_SP_Route";
    PUSH_UPDATE_SP_ROUTE_RESP = 0x8000_0012, "Push_Update_SP_Route_Resp";
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
        matches!(self, Self::SUBMIT | Self::DELIVER | Self::FORWARD)
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
