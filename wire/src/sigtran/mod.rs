//! SS7 over IP, as far as short messages go: M3UA, M2UA or M2PA → MTP3 → SCCP → TCAP → GSM MAP → TPDU.
//!
//! SCTP and SCCP segments are put together by the caller: this crate has no storage.

pub mod ber;
pub mod map;
pub mod mtp3;
pub mod sccp;
pub mod tcap;
