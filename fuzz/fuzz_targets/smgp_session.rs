//! A stream of SMGP PDUs through a gateway's session, in pieces of any size.
#![no_main]

#[path = "common/session.rs"]
mod session;

use libfuzzer_sys::fuzz_target;
use yumen_agent::doors::config::ProtocolKind;
use yumen_agent::doors::smgp::Smgp;

fuzz_target!(|input: &[u8]| session::run(ProtocolKind::Smgp, Smgp::new, input));
