//! What agents and the hub say to each other. Every type here is a wire format: a change of meaning is a new
//! version of its `type` or `dataschema`, never an edit.

pub mod sighting;
pub mod status;
pub mod topic;
