//! By which rules devices are watched, as administrators change them: for all servers of a database.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{AlertQuietHours, AlertRules, problem::Fault};

/// The longest length of time of a rule, seconds: 366 days.
pub const LONGEST_RULE: u64 = 366 * 86_400;

/// The rules for all servers of a database, in place of those of their configurations. A rule that is
/// absent is not used. Durations are in seconds, 1 to 31622400 (366 days).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AlertRuleSet {
    /// A device is silent when its last report is older.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400))]
    pub silent: Option<u64>,
    /// A device is late when the last measurement of a meter is older.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400))]
    pub late: Option<u64>,
    /// An incident counts once it has been open for so long.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400))]
    pub incident: Option<u64>,
    /// A certificate counts when it ends within that time.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400))]
    pub certificate: Option<u64>,
    /// Damaged telegrams count from that share on, in percent, 1 to 100.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub damaged_percent: Option<u8>,
    /// When nothing is sent.
    pub quiet_hours: Option<AlertQuietHours>,
}

/// Rules as an administrator has changed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangedRules {
    /// Their version, from 1.
    pub version: u64,
    /// The rules.
    pub rules: AlertRuleSet,
    /// When.
    pub changed_at: Timestamp,
}

impl AlertRuleSet {
    /// What is wrong with them, by the place of each.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, detail: &str| {
            faults.push(Fault { pointer: pointer.to_owned(), detail: detail.to_owned() });
        };
        let lengths = [
            ("/silent", self.silent),
            ("/late", self.late),
            ("/incident", self.incident),
            ("/certificate", self.certificate),
        ];
        for (pointer, length) in lengths {
            if length.is_some_and(|length| !(1..=LONGEST_RULE).contains(&length)) {
                fault(pointer, "must be 1 to 31622400 seconds");
            }
        }
        if self.damaged_percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            fault("/damaged_percent", "must be 1 to 100");
        }
        if let Some(quiet) = &self.quiet_hours {
            for (pointer, time) in [
                ("/quiet_hours/from", &quiet.from),
                ("/quiet_hours/to", &quiet.to),
                ("/quiet_hours/digest", &quiet.digest),
            ] {
                if time_of_day(time).is_none() {
                    fault(pointer, "must be a time of day such as 22:00");
                }
            }
            if TimeZone::get(&quiet.zone).is_err() {
                fault("/quiet_hours/zone", "is no time zone that this machine knows");
            }
        }
        faults
    }

    /// The rules that are shown in place of those of a server's configuration, which keeps its ways of
    /// sending.
    #[must_use]
    pub fn in_place_of(&self, configured: &AlertRules) -> AlertRules {
        let Self { silent, late, incident, certificate, damaged_percent, quiet_hours } =
            self.clone();
        AlertRules {
            silent,
            late,
            incident,
            certificate,
            damaged_percent,
            quiet_hours,
            ..configured.clone()
        }
    }
}

impl From<&AlertRules> for AlertRuleSet {
    fn from(rules: &AlertRules) -> Self {
        let AlertRules {
            silent, late, incident, certificate, damaged_percent, quiet_hours, ..
        } = rules.clone();
        Self { silent, late, incident, certificate, damaged_percent, quiet_hours }
    }
}

/// A time of day such as `22:00`.
#[must_use]
pub fn time_of_day(text: &str) -> Option<Time> {
    let is_short = text.len() == 5;
    Time::strptime("%H:%M", text).ok().filter(|_| is_short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_names_its_place() {
        let wrong = AlertRuleSet {
            silent: Some(0),
            late: Some(LONGEST_RULE + 1),
            damaged_percent: Some(101),
            quiet_hours: Some(AlertQuietHours {
                from: "25:00".to_owned(),
                to: "7".to_owned(),
                digest: "07:00".to_owned(),
                zone: "Mars/Base".to_owned(),
            }),
            ..AlertRuleSet::default()
        };
        let places: Vec<_> = wrong.faults().into_iter().map(|fault| fault.pointer).collect();
        let expected = [
            "/silent",
            "/late",
            "/damaged_percent",
            "/quiet_hours/from",
            "/quiet_hours/to",
            "/quiet_hours/zone",
        ];
        assert_eq!(places, expected);
        assert!(AlertRuleSet::default().faults().is_empty(), "no rule is used");
    }

    #[test]
    fn changed_rules_leave_the_ways_of_sending() {
        let configured = AlertRules { enabled: true, heartbeat: true, ..AlertRules::default() };
        let changed = AlertRuleSet { late: Some(60), ..AlertRuleSet::default() };
        let shown = changed.in_place_of(&configured);
        assert!(shown.enabled && shown.heartbeat && shown.late == Some(60));
        assert_eq!(AlertRuleSet::from(&shown), changed);
    }
}
