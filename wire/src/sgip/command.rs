//! Command ids.

/// A `Command ID` as on the wire, defined or not.
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
    BIND = 0x0000_0001, "Bind";
    BIND_RESP = 0x8000_0001, "Bind_Resp";
    UNBIND = 0x0000_0002, "Unbind";
    UNBIND_RESP = 0x8000_0002, "Unbind_Resp";
    SUBMIT = 0x0000_0003, "Submit";
    SUBMIT_RESP = 0x8000_0003, "Submit_Resp";
    DELIVER = 0x0000_0004, "Deliver";
    DELIVER_RESP = 0x8000_0004, "Deliver_Resp";
    REPORT = 0x0000_0005, "Report";
    REPORT_RESP = 0x8000_0005, "Report_Resp";
    ADD_SP = 0x0000_0006, "AddSP";
    ADD_SP_RESP = 0x8000_0006, "AddSP_Resp";
    MODIFY_SP = 0x0000_0007, "ModifySP";
    MODIFY_SP_RESP = 0x8000_0007, "ModifySP_Resp";
    DELETE_SP = 0x0000_0008, "DeleteSP";
    DELETE_SP_RESP = 0x8000_0008, "DeleteSP_Resp";
    QUERY_ROUTE = 0x0000_0009, "QueryRoute";
    QUERY_ROUTE_RESP = 0x8000_0009, "QueryRoute_Resp";
    ADD_TELE_SEG = 0x0000_000A, "AddTeleSeg";
    ADD_TELE_SEG_RESP = 0x8000_000A, "AddTeleSeg_Resp";
    MODIFY_TELE_SEG = 0x0000_000B, "ModifyTeleSeg";
    MODIFY_TELE_SEG_RESP = 0x8000_000B, "ModifyTeleSeg_Resp";
    DELETE_TELE_SEG = 0x0000_000C, "DeleteTeleSeg";
    DELETE_TELE_SEG_RESP = 0x8000_000C, "DeleteTeleSeg_Resp";
    ADD_SMG = 0x0000_000D, "AddSMG";
    ADD_SMG_RESP = 0x8000_000D, "AddSMG_Resp";
    MODIFY_SMG = 0x0000_000E, "ModifySMG";
    MODIFY_SMG_RESP = 0x8000_000E, "ModifySMG_Resp";
    DELETE_SMG = 0x0000_000F, "DeleteSMG";
    DELETE_SMG_RESP = 0x8000_000F, "DeleteSMG_Resp";
    CHECK_USER = 0x0000_0010, "CheckUser";
    CHECK_USER_RESP = 0x8000_0010, "CheckUser_Resp";
    USER_RPT = 0x0000_0011, "UserRpt";
    USER_RPT_RESP = 0x8000_0011, "UserRpt_Resp";
    TRACE = 0x0000_1000, "Trace";
    TRACE_RESP = 0x8000_1000, "Trace_Resp";
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
        matches!(self, Self::SUBMIT | Self::DELIVER)
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
