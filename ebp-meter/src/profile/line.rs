//! A model's line: settings, sending interval, and the framing of its registers.
//!
//! Enters: the tables `[line]` and `[telegram]`. Leaves: [`Line`], [`TelegramForm`].
//! Absent: registers, light.

use std::time::Duration;

use ebp_core::obis::ObisCode;
use serde::{Deserialize, Deserializer, de};

use crate::{
    d0::Address,
    port::{Framing, LineSettings},
    readout::Protocol,
};

/// Whether telegrams are pushed, and in which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// SML, unasked.
    Sml,
    /// ASCII registers, unasked (IEC 62056-21 mode D).
    D0Push,
    /// ASCII registers on the request `/?!` (IEC 62056-21 modes A and C).
    D0Request,
}

impl Transport {
    /// The language.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Sml => Protocol::Sml,
            Self::D0Push | Self::D0Request => Protocol::D0,
        }
    }

    /// The name in profiles.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sml => "sml",
            Self::D0Push => "d0-push",
            Self::D0Request => "d0-request",
        }
    }
}

/// The line: settings and rhythm.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Language, pushed or asked for.
    pub protocol: Transport,
    /// Bits per second; for a request those of the request.
    pub baud: u32,
    /// Bits and parity.
    #[serde(deserialize_with = "framing")]
    pub framing: Framing,
    /// Bits per second of the answer to a request, where the meter offers a faster one (mode C).
    pub reply_baud: Option<u32>,
    /// The meter's own address, where it answers only to that one: for the profile of one meter
    /// rather than of a model, since it identifies the meter.
    pub address: Option<Address>,
    /// From the start of one telegram to the start of the next, milliseconds; for pushed ones.
    pub push_interval_ms: Option<u32>,
    /// Where these are from.
    pub source: String,
}

impl Line {
    /// The settings at which the line starts.
    #[must_use]
    pub const fn settings(&self) -> LineSettings {
        LineSettings { baud: self.baud, framing: self.framing }
    }

    /// Whether the meter must be asked for each telegram.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.protocol == Transport::D0Request
    }

    /// From the start of one telegram to the start of the next, where they are pushed.
    #[must_use]
    pub fn push_interval(&self) -> Option<Duration> {
        self.push_interval_ms.map(|ms| Duration::from_millis(ms.into()))
    }
}

fn framing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Framing, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "8N1" => Ok(Framing::EightNone),
        "7E1" => Ok(Framing::SevenEven),
        other => Err(de::Error::custom(format!("`{other}` is neither 8N1 nor 7E1"))),
    }
}

/// How a model builds the ten bytes by which a meter names itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum ServerIdForm {
    /// `0a 01 FLAG block number(4)`: DIN 43863-5 of 2012 and later.
    #[serde(rename = "din43863-5")]
    Din43863,
    /// `09 01 FLAG block number(4)`: the same with the length counted otherwise, in older models.
    #[serde(rename = "din43863-5-early")]
    Early,
    /// `06 FLAG block number(5)`: eHZ before the standard.
    #[serde(rename = "ehz")]
    Ehz,
}

/// What stands around the registers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramForm {
    /// How the meter's identity is built.
    pub server_id: ServerIdForm,
    /// The block of the identity in which the model's numbers lie (thirteenth and fourteenth
    /// character of its text, `1EBZ01…`: 1).
    #[serde(default)]
    pub block: u8,
    /// SML: the name of the list of values, where the model gives one.
    #[serde(default, deserialize_with = "super::register::optional_obis")]
    pub list_name: Option<ObisCode>,
    /// SML: whether the list says when it was made.
    #[serde(default = "yes")]
    pub time: bool,
    /// ASCII: the identification behind the slash, such as `ESY5Q3DA1004 V3.04`.
    pub identification: Option<String>,
    /// ASCII: whether the data stand between STX and ETX with a block check character.
    #[serde(default)]
    pub block_check: bool,
    /// Where these are from.
    pub source: String,
}

const fn yes() -> bool {
    true
}
