//! The values of a configuration. Each error says what to write instead.
//!
//! Enters: what TOML has. Leaves: durations, speeds and the like. Absent: files and lines.

use std::time::Duration;

use ebp_client::ClientOptions;
use ebp_meter::{readout::Protocol, unlock::Method};
use serde::{Deserialize, Deserializer, de};

use crate::spool::DEFAULT_MAX_BYTES;

pub(super) fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// The smallest limit of a spool: a month of two meters.
const LEAST_SPOOL_BYTES: u64 = 1 << 20;

pub(super) fn answer_timeout() -> Duration {
    ClientOptions::default().timeout
}

pub(super) const fn spool_bytes() -> u64 {
    DEFAULT_MAX_BYTES
}

pub(super) fn room<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let bytes = u64::deserialize(deserializer)?;
    if bytes < LEAST_SPOOL_BYTES {
        return Err(de::Error::custom(format!(
            "a spool of {bytes} bytes is too small: write {LEAST_SPOOL_BYTES} or more"
        )));
    }
    Ok(bytes)
}

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is no duration: write a number with ms, s, m or h, such as 10s"
        ))
    })
}

pub(super) fn protocol<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Protocol>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "auto" => Ok(None),
        "sml" => Ok(Some(Protocol::Sml)),
        "d0" => Ok(Some(Protocol::D0)),
        other => {
            Err(de::Error::custom(format!("unknown protocol `{other}`: write auto, sml or d0")))
        }
    }
}

/// The most presses to `InF`.
const MOST_PRESSES: u64 = 50;

pub(super) fn presses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let presses = u64::deserialize(deserializer)?;
    match u8::try_from(presses) {
        Ok(few) if presses <= MOST_PRESSES => Ok(Some(few)),
        _ => Err(de::Error::custom(format!(
            "{presses} presses are too many: write 0 to {MOST_PRESSES}, as the display shows them"
        ))),
    }
}

pub(super) fn light<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "auto" => Ok(Method::Auto),
        "break" => Ok(Method::Break),
        "zero-bytes" => Ok(Method::ZeroBytes),
        other => Err(de::Error::custom(format!(
            "unknown light `{other}`: write auto, break or zero-bytes"
        ))),
    }
}
