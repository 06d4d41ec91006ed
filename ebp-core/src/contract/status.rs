//! A measurement device's status: as it is reported, and as it is shown.
//!
//! Enters: what a device counted since its last report. Leaves: the body of `PUT
//! /household/measurement_device/status`, and a device's health. Absent: values of meters, and
//! anything that identifies a person.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    str::FromStr,
};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(feature = "openapi")]
use super::limits;
use super::{error_group::ReportedErrorGroup, problem::Fault};

/// `PUT /household/measurement_device/status`: it replaces the previous status, and sending the
/// same again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceStatus {
    /// The version of each component, which are deployed independently (thesis 4.3.1).
    #[cfg_attr(feature = "openapi", schema(schema_with = components_schema))]
    pub components: BTreeMap<String, String>,
    /// Whether the clock is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockState>,
    /// What is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<SpoolFigures>,
    /// What was received from each meter since the last status.
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<MeterTelegrams>,
    /// What happened since the last status, each once.
    #[cfg_attr(feature = "openapi", schema(value_type = HashSet<Notice>, max_items = 3))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// The public keys of the device's sshd, by which an administrator who connects to it knows that it
    /// is this device; a device without a tunnel tells none.
    #[cfg_attr(feature = "openapi", schema(max_items = 16))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_keys: Vec<HostKey>,
    /// The groups of errors of the device's programs that occurred last.
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ReportedErrorGroup>,
}

/// A public key of an sshd, as in its `.pub` file without the comment: `ssh-ed25519 AAAA…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(
        pattern = r"^[a-z][a-z0-9@.-]{0,63} [A-Za-z0-9+/]{16,900}={0,2}$",
        examples("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk0cmVhbGx5bm90YXJlYWxrZXk1MTI")
    )
)]
#[serde(try_from = "String", into = "String")]
pub struct HostKey(String);

/// A text that is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no public key: a type and the key in Base64, separated by a space")]
pub struct InvalidHostKey;

impl HostKey {
    /// Type and key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<HostKey> for String {
    fn from(HostKey(text): HostKey) -> Self {
        text
    }
}

impl TryFrom<String> for HostKey {
    type Error = InvalidHostKey;
    fn try_from(text: String) -> Result<Self, InvalidHostKey> {
        text.parse().map(|Self(_)| Self(text))
    }
}

impl FromStr for HostKey {
    type Err = InvalidHostKey;
    /// What is printed into a file of known hosts: one line, without anything that ends it.
    fn from_str(text: &str) -> Result<Self, InvalidHostKey> {
        let (kind, key) = text.split_once(' ').ok_or(InvalidHostKey)?;
        let is_kind =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"@.-".contains(&byte);
        let kind_is_right = kind.len() <= 64
            && kind.starts_with(|first: char| first.is_ascii_lowercase())
            && kind.bytes().all(is_kind);
        let digits = key.trim_end_matches('=');
        let key_is_right = (16..=900).contains(&digits.len())
            && key.len() - digits.len() <= 2
            && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
        if kind_is_right && key_is_right { Ok(Self(text.to_owned())) } else { Err(InvalidHostKey) }
    }
}

/// Whether a device's clock is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClockState {
    /// It is synchronised with another clock.
    Synchronised,
    /// It is not synchronised.
    Unsynchronised,
}

impl ClockState {
    /// The name on the wire and in databases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synchronised => "synchronised",
            Self::Unsynchronised => "unsynchronised",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Synchronised, Self::Unsynchronised].into_iter().find(|state| state.name() == name)
    }
}

/// Figures of a spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SpoolFigures {
    /// Measurements that are pending.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub pending: u64,
    /// Measurements that the server refused.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub refused: u64,
    /// Measurements whose time is not known reliably yet.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub unplaced: u64,
    /// Bytes on disk.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub bytes: u64,
}

/// What was received from a meter since the last status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MeterTelegrams {
    /// A meter that the device reads.
    pub meter: Uuid,
    /// Telegrams, damaged ones included.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub telegrams: u64,
    /// Those of them that were damaged.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub damaged: u64,
}

/// Something that an administrator should know of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// A spool that could not be opened was moved aside, and a new one created.
    SpoolSetAside,
    /// The spool is full: nothing more is measured.
    SpoolFull,
    /// The spool holds rows that cannot be read.
    SpoolDamaged,
}

impl Notice {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::SpoolSetAside, Self::SpoolFull, Self::SpoolDamaged];
}

/// Names to versions, both bounded.
#[cfg(feature = "openapi")]
fn components_schema() -> utoipa::openapi::schema::Object {
    use utoipa::openapi::{ObjectBuilder, Type};
    let name =
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z][a-z0-9-]{0,31}$"));
    let version = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[ -~]{1,64}$"));
    ObjectBuilder::new()
        .description(Some("The version of each component"))
        .property_names(Some(name.build()))
        .additional_properties(Some(version))
        .max_properties(Some(limits::STATUS_COMPONENTS))
        .build()
}

impl DeviceStatus {
    /// Its contradictions. Its structure is checked against the schema elsewhere.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, pointer: String, detail: &str| {
            if !holds {
                faults.push(Fault { pointer, detail: detail.to_owned() });
            }
        };
        let mut seen = HashSet::new();
        for (i, MeterTelegrams { meter, telegrams, damaged }) in self.meters.iter().enumerate() {
            check(seen.insert(meter), format!("/meters/{i}/meter"), "occurs twice");
            let detail = "must be no more than the telegrams";
            check(damaged <= telegrams, format!("/meters/{i}/damaged"), detail);
        }
        let mut seen = HashSet::new();
        for (i, group) in self.errors.iter().enumerate() {
            let is_new = seen.insert(&*group.fingerprint);
            check(is_new, format!("/errors/{i}/fingerprint"), "occurs twice");
        }
        faults
    }
}

/// A component of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Component {
    /// Its version.
    pub version: String,
    /// When the device first reported that version.
    pub since: Timestamp,
}

/// The components of a device, by name.
pub type Components = BTreeMap<String, Component>;

/// A device's last reported state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceHealth {
    /// When it was reported.
    pub reported_at: Timestamp,
    /// Whether its clock is trusted; absent if not reported.
    pub clock: Option<ClockState>,
    /// What is pending; absent if not reported.
    pub spool: Option<SpoolFigures>,
    /// How well its meters are read.
    pub meters: Vec<Reception>,
    /// What happened before the report.
    pub notices: Vec<Notice>,
}

/// How well a meter is read. A rising share of damaged telegrams is an early warning: of a reading
/// head that slips, or a meter that is about to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reception {
    /// The meter.
    pub meter: Uuid,
    /// Telegrams of the last status, damaged ones included.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub telegrams: u64,
    /// Those of them that were damaged.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000000000_u64))]
    pub damaged: u64,
    /// The damaged ones' share, 0 to 1; absent if there were no telegrams.
    #[serde(with = "crate::exact::option")]
    pub damaged_share: Option<Decimal>,
    /// The same for the previous status that differed from this one.
    #[serde(with = "crate::exact::option")]
    pub damaged_share_before: Option<Decimal>,
}

impl Reception {
    /// The share of damaged telegrams, to four digits.
    #[must_use]
    pub fn share(telegrams: u64, damaged: u64) -> Option<Decimal> {
        let share = Decimal::from(damaged).checked_div(Decimal::from(telegrams))?;
        Some(share.round_dp(4).normalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"components":{"reader":"0.1.0","transmitter":"0.1.0"},"clock":"synchronised","spool":{"pending":4,"refused":0,"unplaced":0,"bytes":81920},"meters":[{"meter":"00000000-0000-0000-0000-000000000001","telegrams":96,"damaged":3}],"notices":["spool-set-aside","spool-full","spool-damaged"]}"#;

    #[test]
    fn a_status_reads_as_it_is_written() {
        let status: DeviceStatus = serde_json::from_str(TEXT).unwrap();
        assert_eq!(status.faults(), Vec::new());
        assert_eq!(status.notices, Notice::ALL);
        assert_eq!(serde_json::to_string(&status).unwrap(), TEXT);
        let least: DeviceStatus = serde_json::from_str(r#"{"components":{}}"#).unwrap();
        assert_eq!(least, DeviceStatus::default());
        for text in [r"{}", r#"{"components":{},"health":1}"#, r#"{"components":{},"clock":"x"}"#] {
            assert!(serde_json::from_str::<DeviceStatus>(text).is_err(), "{text}");
        }
    }

    /// A key is printed into a file of known hosts.
    #[test]
    fn host_keys_are_one_line() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKl0xJk8Qd8zG7hZ0p1Y";
        assert_eq!(key.parse::<HostKey>().unwrap().as_str(), key);
        for wrong in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            &format!("{key}\n* {key}"),
            &format!("{key} comment"),
            &format!("@revoked {key}"),
            &format!("{key}==="),
            &key.to_uppercase(),
        ] {
            assert_eq!(wrong.parse::<HostKey>(), Err(InvalidHostKey), "{wrong}");
            let json = serde_json::to_string(wrong).unwrap();
            assert!(serde_json::from_str::<HostKey>(&json).is_err());
        }
    }

    #[test]
    fn contradictions_are_told_by_their_place() {
        let mut status: DeviceStatus = serde_json::from_str(TEXT).unwrap();
        status.meters[0].damaged = 97;
        status.meters.push(status.meters[0]);
        let faults = status.faults();
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let expected = ["/meters/0/damaged", "/meters/1/meter", "/meters/1/damaged"];
        assert_eq!(places, expected);
    }

    /// A server of a release before refuses a member that it does not know: none is sent if there is
    /// nothing to tell.
    #[test]
    fn a_group_of_errors_is_told_once_and_none_is_left_out() {
        let none = DeviceStatus::default();
        assert_eq!(serde_json::to_string(&none).unwrap(), r#"{"components":{}}"#);
        let group = r#"{"fingerprint":"0123456789ab","component":"sending","types":["A::B"],"place":"ebp-cli/src/main.rs:7","count":3,"first_seen":"2026-01-01T00:00:00Z","last_seen":"2026-01-02T00:00:00Z"}"#;
        let text = format!(r#"{{"components":{{}},"errors":[{group},{group}]}}"#);
        let status: DeviceStatus = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), text);
        let faults = status.faults();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].pointer, "/errors/1/fingerprint");
    }

    #[test]
    fn shares() {
        let share =
            |telegrams, damaged| Reception::share(telegrams, damaged).map(|s| s.to_string());
        assert_eq!(share(96, 3).as_deref(), Some("0.0312"));
        assert_eq!(share(1, 1).as_deref(), Some("1"));
        assert_eq!(share(3, 0).as_deref(), Some("0"));
        assert_eq!(share(0, 0), None);
        assert!(share(u64::MAX, 1).is_some());
    }
}
