//! Pattern matching for the engine on a server, and loading a pack for it.
//!
//! ```text
//! bytes → keyring (signature) → Layout (checked) → databases (Hyperscan behind a gate, or the Rust engine) → canaries → LoadedPack
//! databases: literals, and the words of expressions → Hyperscan; an expression whose words a text has → tried by itself
//! LoadedPack → Worker (one a thread: scanner and scratch) → Judgement
//! ```

mod cache;
mod canary;
mod database;
pub mod dialect;
mod engine;
mod fallback;
mod filter;
pub mod gate;
mod keyring;
pub mod limits;
mod loaded;
mod numbers;
mod plain;
mod refusal;
mod words;
mod worker;

pub use dialect::{RegexDefect, check_regex};
pub use engine::{EngineChoice, EngineKind, Scanner};
pub use keyring::{Keyring, KeyringError, parse_key};
pub use loaded::{LoadOptions, LoadedPack, Trust};
pub use numbers::{LoadedNumbers, NumbersOptions, NumbersRefusal, Residence};
pub use plain::PlainHyperscan;
pub use refusal::Refusal;
pub use worker::{OwnNumberList, OwnedScratch, Worker, WorkerError};
