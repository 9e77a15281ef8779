//! Conditions: the subset of CEL (the Common Expression Language) that `when` is written in.
//!
//! ```text
//! text → tokens (lexer) → tree (parser) → names and types resolved (check) → Expr
//! ```

mod ast;
mod check;
mod lexer;
pub(crate) mod listed;
mod parser;
mod window;

pub use check::{Named, Scope, resolve};
pub(crate) use window::seconds as window_seconds;
