//! `yumen bench`: figures of this machine, each beside a baseline that runs next to it.

mod api;
pub mod behaviour;
mod load;
pub mod numbers;
mod peers;
mod process;
mod proxy;
mod relay;
mod sip;

pub use api::ApiBench;
pub use peers::Writes;
pub use proxy::{ProxyBench, run_centre, run_relay};
pub use sip::SipBench;

use std::collections::BTreeMap;

/// Named figures, in the order of their names.
pub type Figures = BTreeMap<String, f64>;

/// Why a benchmark gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A socket, a file or a process.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A PDU can't be written.
    #[error("a PDU can't be written: {0}")]
    Emit(#[from] yumen_wire::error::EmitError),
    /// A peer didn't do its part.
    #[error("{0}")]
    Peer(String),
}
