//! The demonstration: a site, a centre and an ISMG behind it, and a paced stream of honest and bad messages.

pub mod stream;
pub mod texts;
pub mod up;
