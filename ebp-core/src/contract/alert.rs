//! Bodies under `/management/alert`: what administrators are told of devices.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Changes that a message is shown with, at most.
pub const ALERT_ITEMS: usize = 100;

/// Changes that a message is shown with in a list, at most.
pub const LISTED_ALERT_ITEMS: usize = 10;

/// What is wrong with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// It does not report.
    Silent,
    /// It reports, and a meter that it reads has not been measured for a while.
    Late,
    /// A meter that it reads has an open incident.
    Incident,
    /// Its certificate ends soon, or has ended.
    Certificate,
    /// Many of the telegrams that it receives are damaged.
    Damaged,
    /// Two processes use its certificate in turn: it was copied.
    CopiedCertificate,
    /// It was the first to report errors of a group that was not known before.
    NewError,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Silent,
        Self::Late,
        Self::Incident,
        Self::Certificate,
        Self::Damaged,
        Self::CopiedCertificate,
        Self::NewError,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Late => "late",
            Self::Incident => "incident",
            Self::Certificate => "certificate",
            Self::Damaged => "damaged",
            Self::CopiedCertificate => "copied-certificate",
            Self::NewError => "new-error",
        }
    }
}

/// Why a message was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertMessageKind {
    /// Episodes began or ended.
    Changes,
    /// Episodes began or ended in quiet hours.
    Digest,
    /// An administrator asked for a test.
    Test,
}

impl AlertMessageKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Changes, Self::Digest, Self::Test];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }
}

/// How an episode changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertChange {
    /// It began.
    Began,
    /// It ended.
    Ended,
}

/// Where messages are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertChannel {
    /// An HTTP server that takes signed messages.
    Webhook,
    /// E-mail.
    Mail,
}

impl AlertChannel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Mail];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mail => "mail",
        }
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It waits for its first or next attempt.
    Pending,
    /// The receiver has accepted it.
    Sent,
    /// It is not attempted any more.
    GivenUp,
    /// Nothing was left to send: the devices' households revoked their consent.
    Dropped,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::GivenUp, Self::Dropped];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::GivenUp => "given-up",
            Self::Dropped => "dropped",
        }
    }
}

/// A name that none of them has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown name")]
pub struct UnknownAlertName;

macro_rules! named {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
        impl FromStr for $type {
            type Err = UnknownAlertName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|one| one.name() == text).ok_or(UnknownAlertName)
            }
        }
    )*};
}
named!(AlertKind, AlertMessageKind, AlertChannel, DeliveryState);

/// A change that a message tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertItem {
    /// The episode; its beginning and its end have the same.
    pub episode: Uuid,
    /// The device.
    pub device: Uuid,
    /// What is, or was, wrong with it.
    pub kind: AlertKind,
    /// Whether it began or ended.
    pub change: AlertChange,
    /// When.
    pub at: Timestamp,
    /// Of a copied certificate the two runs of a device's program that use it: the one that had the
    /// tunnel, and the one that was refused.
    #[cfg_attr(feature = "openapi", schema(max_items = 2))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<Uuid>,
}

/// How a message is sent by a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertDelivery {
    /// The channel.
    pub channel: AlertChannel,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was attempted.
    pub attempts: u32,
    /// Before which instant it is not attempted (again).
    pub next_at: Timestamp,
    /// When it was accepted, given up or dropped.
    pub ended_at: Option<Timestamp>,
    /// Why the last attempt failed, without addresses.
    pub error: Option<String>,
}

/// A message about devices. It names no person and no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertMessage {
    /// Its identifier, which every attempt to send it has.
    pub uuid: Uuid,
    /// Why it was sent.
    pub kind: AlertMessageKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many episodes began.
    pub began: u64,
    /// How many ended.
    pub ended: u64,
    /// The first hundred of these changes; in a list the first ten. What concerned a household that revoked its consent since
    /// is gone.
    pub items: Vec<AlertItem>,
    /// How it is sent; by no channel if none is configured.
    pub deliveries: Vec<AlertDelivery>,
}

/// What a webhook's receiver gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertNotice {
    /// The message's identifier: the same on every attempt.
    pub message: Uuid,
    /// Why it was sent.
    pub kind: AlertMessageKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many episodes began.
    pub began: u64,
    /// How many ended.
    pub ended: u64,
    /// These changes.
    pub items: Vec<AlertItem>,
    /// How many changes are left out, since there are too many of them for a message.
    pub omitted: u64,
}

/// By which rules this server tells of devices; a rule that is absent is not used. Durations are in
/// seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertRules {
    /// Whether this server watches devices at all.
    pub enabled: bool,
    /// A device is silent when its last report is older.
    pub silent: Option<u64>,
    /// A device is late when the last measurement of a meter is older.
    pub late: Option<u64>,
    /// An incident counts once it has been open for so long.
    pub incident: Option<u64>,
    /// A certificate counts when it ends within that time.
    pub certificate: Option<u64>,
    /// Damaged telegrams count from that share on, in percent.
    pub damaged_percent: Option<u8>,
    /// When nothing is sent.
    pub quiet_hours: Option<AlertQuietHours>,
    /// By which channels messages are sent.
    pub channels: Vec<AlertChannel>,
    /// Whether a watchdog is called while devices are watched.
    pub heartbeat: bool,
    /// How often the rules were changed since the server's configuration: 0 if they are that one's.
    #[serde(default)]
    pub version: u64,
    /// When they were changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// When nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertQuietHours {
    /// From this time of day.
    #[cfg_attr(feature = "openapi", schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// Until this one.
    #[cfg_attr(feature = "openapi", schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub to: String,
    /// When what changed in them is told.
    #[cfg_attr(feature = "openapi", schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub digest: String,
    /// The time zone of these times.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub zone: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        fn same<T: Serialize + FromStr + fmt::Display + PartialEq + fmt::Debug>(all: &[T]) {
            for one in all {
                assert_eq!(serde_json::to_value(one).unwrap(), one.to_string());
                assert_eq!(one.to_string().parse::<T>().ok().as_ref(), Some(one));
            }
        }
        same(&AlertKind::ALL);
        same(&AlertMessageKind::ALL);
        same(&AlertChannel::ALL);
        same(&DeliveryState::ALL);
        assert_eq!("gone".parse::<AlertKind>(), Err(UnknownAlertName));
    }
}
