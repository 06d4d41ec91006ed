//! The values of a configuration. Each error says what to write instead.

use std::{fmt, net::SocketAddr, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de};

/// How often a meter is published at most, if nothing is said.
const USUAL_INTERVAL: Duration = Duration::from_secs(10);
/// A meter sends once a second.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

/// Why a value cannot be used; each says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A prefix of topics that brokers refuse.
    #[error("`{0}` cannot begin a topic: write words with / in between, without + # $ and spaces")]
    Prefix(String),
    /// An address that is not this machine's.
    #[error("`{0}` is no address of this machine alone: write 127.0.0.1 or [::1] with a port")]
    NotLocal(String),
}

pub(super) fn default_interval() -> Duration {
    USUAL_INTERVAL
}

pub(super) fn default_topic() -> Prefix {
    Prefix("ebp".to_owned())
}

pub(super) fn default_prefix() -> Prefix {
    Prefix("homeassistant".to_owned())
}

pub(super) fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let interval = humantime::parse_duration(&text).map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is no duration: write a number with s, m or h, such as 10s"
        ))
    })?;
    if interval < LEAST_INTERVAL {
        return Err(de::Error::custom(format!("`{text}` is too short: write 1s or more")));
    }
    Ok(interval)
}

/// What topics begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl FromStr for Prefix {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-/".contains(c);
        let is_whole =
            !text.is_empty() && text.len() <= 100 && text.split('/').all(|it| !it.is_empty());
        if !is_whole || !text.chars().all(fits) {
            return Err(ValueError::Prefix(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address that only this machine reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAddress(pub(crate) SocketAddr);

impl FromStr for LocalAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self(address)),
            _ => Err(ValueError::NotLocal(text.to_owned())),
        }
    }
}
