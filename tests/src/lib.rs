//! Fixtures shared by the end-to-end tests and the demonstration.

pub mod demo;
pub mod peer;
pub mod program;
pub mod site;
