//! Where the database is: a URL that never shows its password.

use serde::Deserialize;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use url::Url;

/// Which database it is: the few statements that can't be written for both ask this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file, for one hub.
    Sqlite,
    /// A server, for one hub or several.
    Postgres,
}

/// `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address {
    url: Url,
    kind: Kind,
}

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("it isn't a URL: {0}")]
    Url(#[from] url::ParseError),
    /// Of something else.
    #[error("it is sqlite:FILE or postgres://USER@HOST/DATABASE")]
    Scheme,
    /// A parameter that would change how the file is opened.
    #[error("sqlite:FILE takes no parameters")]
    Parameters,
}

impl Address {
    /// A file.
    ///
    /// # Errors
    /// The path isn't Unicode.
    pub fn file(path: &Path) -> Result<Self, AddressError> {
        let path = path.to_str().ok_or(AddressError::Scheme)?;
        // What the database's crate decodes again.
        let escaped: String = path
            .bytes()
            .map(|byte| match byte {
                b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    char::from(byte).into()
                }
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("sqlite:{escaped}").parse()
    }

    /// Which database it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// With a password from elsewhere.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        // Only a URL without a host refuses one, and such an address isn't of a server.
        let _refused = self.url.set_password(Some(password));
        self
    }

    /// The URL, password included.
    #[must_use]
    pub fn exposed(&self) -> String {
        self.url.to_string()
    }

    /// The same with parameters for the database's crate.
    pub(super) fn url(&self, parameters: &str) -> String {
        let joint = if self.url.query().is_some() { '&' } else { '?' };
        if parameters.is_empty() { self.url.to_string() } else { format!("{}{joint}{parameters}", self.url) }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url: Url = text.parse()?;
        let kind = match url.scheme() {
            "sqlite" if url.query().is_some() => return Err(AddressError::Parameters),
            "sqlite" if !url.path().is_empty() && url.path() != ":memory:" => Kind::Sqlite,
            "postgres" | "postgresql" => Kind::Postgres,
            _ => return Err(AddressError::Scheme),
        };
        Ok(Self { url, kind })
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        if url.password().is_some() {
            let _refused = url.set_password(Some("***"));
        }
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_databases_are_taken_and_no_password_is_shown() {
        let kind = |text: &str| text.parse::<Address>().map(|address| address.kind());
        assert_eq!(kind("sqlite:hub.sqlite"), Ok(Kind::Sqlite));
        assert_eq!(kind("sqlite:/var/lib/hub.sqlite"), Ok(Kind::Sqlite));
        assert_eq!(kind("postgres://hub@db.example/hub"), Ok(Kind::Postgres));
        assert_eq!(kind("mysql://hub@db.example/hub"), Err(AddressError::Scheme));
        assert_eq!(kind("sqlite::memory:"), Err(AddressError::Scheme));
        assert_eq!(kind("sqlite:a?mode=ro"), Err(AddressError::Parameters));
        assert!(matches!(kind("hub.sqlite"), Err(AddressError::Url(_))));
        let address: Address = "postgres://hub:p%40ss@db.example/hub".parse().unwrap();
        let other = address.clone().with_password("se cret");
        assert!(
            !format!("{address} {address:?} {other}").contains("ss@") && !other.to_string().contains("cret")
        );
        assert_eq!(other.url("a=b"), "postgres://hub:se%20cret@db.example/hub?a=b");
    }
}
