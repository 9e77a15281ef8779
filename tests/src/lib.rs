//! Fixtures shared by the end-to-end tests and the demonstration.

pub mod peer;
pub mod program;
