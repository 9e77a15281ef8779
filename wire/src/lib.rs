//! Bytes → views → [`Event`](event::Event).
//!
//! # The panic contract
//! Nothing in this crate allocates, blocks, reads a clock, or panics, on any input. A view is made by
//! `new_checked`, which proves that every field lies inside the frame; accessors of a checked view are total.
//! Whatever is wrong with bytes from outside comes back as an error that names the defect.
//!
//! Every protocol file has the same verbs: `frame` finds the length of the next PDU in a byte stream,
//! `new_checked` makes a view of one PDU, `parse` makes a value of a view, `emit` writes a value back.
#![no_std]
#![forbid(unsafe_code)]

pub mod event;
