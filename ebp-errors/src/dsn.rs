//! The address of a project at an error tracking service, with the key that reports need.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use url::Url;

/// The address of a project at a Sentry-compatible service: `https://KEY@host/PROJECT`.
///
/// Its `Debug` shows neither the key nor the host.
#[derive(Clone, PartialEq, Eq)]
pub struct Dsn {
    endpoint: Url,
    key: String,
}

/// Why a text is no DSN. None of them shows the text, which has a key in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DsnError {
    /// It is not of the form `https://KEY@host/PROJECT`.
    #[error("a DSN is of the form https://KEY@host/PROJECT, as the service shows it")]
    Form,
    /// The key has other characters than letters, digits, `-` and `_`.
    #[error("the key of a DSN has letters, digits, - and _ alone")]
    Key,
}

impl Dsn {
    /// Where envelopes are posted to.
    #[must_use]
    pub const fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The key that each request proves its project by.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for Dsn {
    type Err = DsnError;

    fn from_str(text: &str) -> Result<Self, DsnError> {
        let mut url = Url::parse(text.trim()).map_err(|_| DsnError::Form)?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !is_web || url.query().is_some() || url.fragment().is_some() {
            return Err(DsnError::Form);
        }
        let key = url.username().to_owned();
        if key.is_empty() {
            return Err(DsnError::Form);
        }
        if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(DsnError::Key);
        }
        // A service may live below a path of its host; the project is the last part.
        let path = url.path().trim_end_matches('/').to_owned();
        let (above, project) = path.rsplit_once('/').ok_or(DsnError::Form)?;
        if project.is_empty() || !project.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(DsnError::Form);
        }
        let endpoint = format!("{above}/api/{project}/envelope/");
        url.set_path(&endpoint);
        // These fail for addresses without a host alone.
        let stripped = url.set_username("").and_then(|()| url.set_password(None));
        stripped.map_err(|()| DsnError::Form)?;
        Ok(Self { endpoint: url, key })
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dsn(..)")
    }
}

impl<'de> Deserialize<'de> for Dsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_names_endpoint_and_key() {
        for (text, endpoint) in [
            (
                "https://hunter2@errors.example.org/17",
                "https://errors.example.org/api/17/envelope/",
            ),
            ("http://hunter2@[::1]:8000/1/", "http://[::1]:8000/api/1/envelope/"),
            // The old form has a second key, which is not needed any more.
            ("https://hunter2:old@example.org/a/b/9", "https://example.org/a/b/api/9/envelope/"),
        ] {
            let dsn: Dsn = text.parse().unwrap();
            assert_eq!(dsn.endpoint().as_str(), endpoint);
            assert_eq!(dsn.key(), "hunter2");
            assert_eq!(format!("{dsn:?}"), "Dsn(..)");
        }
    }

    #[test]
    fn what_is_no_dsn_is_refused_and_not_repeated() {
        for wrong in [
            "",
            "hunter2",
            "https://errors.example.org/1",
            "https://hunter2@errors.example.org/",
            "https://hunter2@errors.example.org",
            "ftp://hunter2@errors.example.org/1",
            "https://hunter2@errors.example.org/1?x=2",
            "https://hunter2@errors.example.org/a%20b",
            "mailto:hunter2@errors.example.org",
            "https://hunt%0Aer2@errors.example.org/1",
        ] {
            let error = wrong.parse::<Dsn>().unwrap_err().to_string();
            assert!(!error.contains("hunter2") && !error.contains("example.org"), "{error}");
        }
    }
}
