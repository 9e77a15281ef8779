//! Command statuses (SMPP 3.4 §5.1.3, 5.0 §4.7.6).

/// A `command_status` as on the wire, defined or not.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CommandStatus(pub u32);

macro_rules! command_statuses {
    ($($constant:ident = $value:literal, $what:literal;)*) => {
        impl CommandStatus {
            $(#[doc = $what] pub const $constant: Self = Self($value);)*

            /// Its name in the standard; `None` where it isn't defined.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($constant)),)* _ => None }
            }

            /// What it means, in English; empty where it isn't defined.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self.0 { $($value => $what,)* _ => "" }
            }

            /// By its name in the standard.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                $(if name == stringify!($constant) { return Some(Self::$constant); })*
                None
            }
        }
    };
}

command_statuses! {
    ESME_ROK = 0x0000, "No error";
    ESME_RINVMSGLEN = 0x0001, "Message length is invalid";
    ESME_RINVCMDLEN = 0x0002, "Command length is invalid";
    ESME_RINVCMDID = 0x0003, "Invalid command id";
    ESME_RINVBNDSTS = 0x0004, "Incorrect bind status for given command";
    ESME_RALYBND = 0x0005, "ESME already in bound state";
    ESME_RINVPRTFLG = 0x0006, "Invalid priority flag";
    ESME_RINVREGDLVFLG = 0x0007, "Invalid registered delivery flag";
    ESME_RSYSERR = 0x0008, "System error";
    ESME_RINVSRCADR = 0x000A, "Invalid source address";
    ESME_RINVDSTADR = 0x000B, "Invalid destination address";
    ESME_RINVMSGID = 0x000C, "Message id is invalid";
    ESME_RBINDFAIL = 0x000D, "Bind failed";
    ESME_RINVPASWD = 0x000E, "Invalid password";
    ESME_RINVSYSID = 0x000F, "Invalid system id";
    ESME_RCANCELFAIL = 0x0011, "Cancel SM failed";
    ESME_RREPLACEFAIL = 0x0013, "Replace SM failed";
    ESME_RMSGQFUL = 0x0014, "Message queue full";
    ESME_RINVSERTYP = 0x0015, "Invalid service type";
    ESME_RINVNUMDESTS = 0x0033, "Invalid number of destinations";
    ESME_RINVDLNAME = 0x0034, "Invalid distribution list name";
    ESME_RINVDESTFLAG = 0x0040, "Destination flag is invalid";
    ESME_RINVSUBREP = 0x0042, "Invalid submit with replace request";
    ESME_RINVESMCLASS = 0x0043, "Invalid esm_class";
    ESME_RCNTSUBDL = 0x0044, "Cannot submit to distribution list";
    ESME_RSUBMITFAIL = 0x0045, "submit_sm, data_sm or submit_multi failed";
    ESME_RINVSRCTON = 0x0048, "Invalid source TON";
    ESME_RINVSRCNPI = 0x0049, "Invalid source NPI";
    ESME_RINVDSTTON = 0x0050, "Invalid destination TON";
    ESME_RINVDSTNPI = 0x0051, "Invalid destination NPI";
    ESME_RINVSYSTYP = 0x0053, "Invalid system_type";
    ESME_RINVREPFLAG = 0x0054, "Invalid replace_if_present flag";
    ESME_RINVNUMMSGS = 0x0055, "Invalid number of messages";
    ESME_RTHROTTLED = 0x0058, "Throttling error";
    ESME_RINVSCHED = 0x0061, "Invalid scheduled delivery time";
    ESME_RINVEXPIRY = 0x0062, "Invalid message validity period";
    ESME_RINVDFTMSGID = 0x0063, "Predefined message is invalid or not found";
    ESME_RX_T_APPN = 0x0064, "ESME receiver temporary application error";
    ESME_RX_P_APPN = 0x0065, "ESME receiver permanent application error";
    ESME_RX_R_APPN = 0x0066, "ESME receiver reject message error";
    ESME_RQUERYFAIL = 0x0067, "query_sm request failed";
    ESME_RINVTLVSTREAM = 0x00C0, "Error in the optional part of the PDU body";
    ESME_RTLVNOTALLWD = 0x00C1, "TLV not allowed";
    ESME_RINVTLVLEN = 0x00C2, "Invalid parameter length";
    ESME_RMISSINGTLV = 0x00C3, "Expected TLV missing";
    ESME_RINVTLVVAL = 0x00C4, "Invalid TLV value";
    ESME_RDELIVERYFAILURE = 0x00FE, "Transaction delivery failure";
    ESME_RUNKNOWNERR = 0x00FF, "Unknown error";
    ESME_RSERTYPUNAUTH = 0x0100, "Not authorised to use this service_type";
    ESME_RPROHIBITED = 0x0101, "Prohibited from using this operation";
    ESME_RSERTYPUNAVAIL = 0x0102, "Service type is unavailable";
    ESME_RSERTYPDENIED = 0x0103, "Service type is denied";
    ESME_RINVDCS = 0x0104, "Invalid data coding scheme";
    ESME_RINVSRCADDRSUBUNIT = 0x0105, "Source address subunit is invalid";
    ESME_RINVDSTADDRSUBUNIT = 0x0106, "Destination address subunit is invalid";
    ESME_RINVBCASTFREQINT = 0x0107, "Broadcast frequency interval is invalid";
    ESME_RINVBCASTALIAS_NAME = 0x0108, "Broadcast alias name is invalid";
    ESME_RINVBCASTAREAFMT = 0x0109, "Broadcast area format is invalid";
    ESME_RINVNUMBCAST_AREAS = 0x010A, "Number of broadcast areas is invalid";
    ESME_RINVBCASTCNTTYPE = 0x010B, "Broadcast content type is invalid";
    ESME_RINVBCASTMSGCLASS = 0x010C, "Broadcast message class is invalid";
    ESME_RBCASTFAIL = 0x010D, "broadcast_sm operation failed";
    ESME_RBCASTQUERYFAIL = 0x010E, "query_broadcast_sm operation failed";
    ESME_RBCASTCANCELFAIL = 0x010F, "cancel_broadcast_sm operation failed";
    ESME_RINVBCAST_REP = 0x0110, "Number of repeated broadcasts is invalid";
    ESME_RINVBCASTSRVGRP = 0x0111, "Broadcast service group is invalid";
    ESME_RINVBCASTCHANIND = 0x0112, "Broadcast channel indicator is invalid";
}

impl CommandStatus {
    /// No error.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl core::fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}

impl core::fmt::Debug for CommandStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_the_standards() {
        assert_eq!(CommandStatus::from_name("ESME_RSUBMITFAIL"), Some(CommandStatus(0x45)));
        assert_eq!(CommandStatus::ESME_RX_R_APPN.0, 0x66);
        assert_eq!(CommandStatus::from_name("ESME_RNONSENSE"), None);
        assert_eq!(CommandStatus(0x400).name(), None);
    }
}
