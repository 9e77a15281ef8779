//! The texts a pack carries with the verdict they must get.

/// Whose test a [`Canary`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanaryOwner {
    /// A rule, by index.
    Rule(u32),
    /// A suppression, by index.
    Suppression(u32),
}

/// A text and what must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary<'p> {
    /// The message.
    pub text: &'p str,
    /// Whose test it is.
    pub owner: CanaryOwner,
    /// A rule must fire and not be suppressed, a suppression's condition must hold; or the contrary.
    pub hit: bool,
}
