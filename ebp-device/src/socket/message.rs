//! The requests and answers of the socket.

use std::collections::BTreeMap;

use ebp_core::{
    contract::ReportedErrorGroup,
    model::{IncidentType, Measurement, MeasurementData},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::transmitter::Acknowledged;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The device's status.
    Status {},
    /// The next telegram of a meter.
    Now {
        /// The meter's identifier in the survey.
        meter: Uuid,
    },
    /// To tell the server of a group of errors, which the device's page or its updater has counted.
    Error {
        /// The group.
        group: Box<ReportedErrorGroup>,
    },
}

/// An answer: an object with one of four members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Now`].
    Telegram(Telegram),
    /// To [`Request::Error`].
    Taken {},
    /// It cannot be answered.
    Refusal(Refusal),
}

/// The device's status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Consent as last received, if ever.
    pub consent: Option<String>,
    /// When it was received.
    pub consent_as_of: Option<Timestamp>,
    /// Whether the time of day is trusted.
    pub knows_the_time: bool,
    /// How many measurements the server has not confirmed yet.
    pub pending: u64,
    /// How many measurements have no time yet.
    pub unplaced: u64,
    /// How many measurements the server refused.
    pub refused: u64,
    /// The newest of those that the server has not confirmed, newest first, a hundred at most.
    pub newest: Vec<Measurement>,
    /// The configured meters.
    pub meters: Vec<MeterStatus>,
    /// The version of each component of the device.
    #[serde(default)]
    pub components: BTreeMap<String, String>,
    /// The last report that the server acknowledged, if it has taken a status.
    #[serde(default)]
    pub acknowledged: Option<Acknowledged>,
}

/// A meter's status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeterStatus {
    /// Its identifier in the survey.
    pub meter: Uuid,
    /// Its model.
    pub model: String,
    /// When it was measured last.
    pub measured_at: Option<Timestamp>,
    /// Its values then.
    pub data: MeasurementData,
    /// Its open incidents.
    pub incidents: Vec<IncidentType>,
    /// Complete telegrams since the last report to the server.
    pub good_telegrams: u64,
    /// Damaged ones.
    pub damaged_telegrams: u64,
}

/// A meter's present values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telegram {
    /// Its identifier in the survey.
    pub meter: Uuid,
    /// When the telegram was complete, by this device's clock.
    pub at: Timestamp,
    /// The survey's values in it.
    pub data: MeasurementData,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The request is not a known JSON object.
    NotUnderstood,
    /// Consent is not granted.
    NoConsent,
    /// The device reads no such meter.
    UnknownMeter,
    /// The meter is being measured, or unlocked: ask again in a minute.
    Busy,
    /// The meter sent no telegram.
    Silent,
    /// The spool cannot be read.
    Spool,
}

/// A request that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The cause.
    pub reason: Reason,
    /// The reason as a text for people.
    pub detail: String,
}

impl Answer {
    /// A refusal.
    #[must_use]
    pub fn refuse(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Refusal(Refusal { reason, detail: detail.into() })
    }
}
