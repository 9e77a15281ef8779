//! Event → Verdict.
//!
//! ```text
//! Event → fold (folded, squeezed) → extract (contacts, signature) → match (pattern hits) → decide (rules) → Verdict
//! ```
//!
//! # The panic contract
//! Nothing in this crate allocates, blocks, reads a clock, or panics, on any input: neither on an event nor on the
//! bytes of a pack. Storage is handed in by the caller, time is part of the event.
#![no_std]
#![forbid(unsafe_code)]

pub mod behave;
pub mod classify;
pub mod digest;
pub mod engine;
pub mod extract;
pub mod fold;
pub mod language;
pub mod limits;
pub mod number;
pub mod numbers;
pub mod pack;
pub mod policy;
pub mod signal;
pub mod verdict;
