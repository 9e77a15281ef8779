//! Fixtures shared by the end-to-end tests and the demonstration.

pub mod bench;
pub mod compare;
pub mod demo;
pub mod foreign;
pub mod modem;
pub mod pcap;
pub mod peer;
pub mod postgres;
pub mod program;
pub mod sip;
pub mod site;
pub mod traffic;
pub mod webdriver;
