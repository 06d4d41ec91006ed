//! The rules of alerts: those of a server's configuration, or as administrators have changed them.

use ebp_core::contract::{
    AlertQuietHours, AlertRuleSet, AlertRules, ChangedRules, Fault, time_of_day,
};
use ebp_store::{AlertThresholds, InvalidQuietHours, QuietHours, StoreError};
use jiff::tz::TimeZone;
use std::time::Duration;

use crate::{AlertPolicy, Survey};

/// How often a change of any version is tried while others change the rules, too.
const MOST_ATTEMPTS: u32 = 5;

/// Why rules cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AlertRuleError {
    /// These places of them are wrong.
    #[error("the rules cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Fault>),
    /// Somebody has changed them meanwhile, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AlertPolicy {
    /// The same by these rules.
    ///
    /// # Errors
    /// [`AlertRuleError::Invalid`] if they cannot be used.
    pub fn with_rules(&self, rules: &AlertRuleSet) -> Result<Self, AlertRuleError> {
        let mut faults = rules.faults();
        let quiet = match &rules.quiet_hours {
            Some(quiet) if faults.is_empty() => match quiet_hours(quiet) {
                Ok(quiet) => quiet,
                Err(fault) => {
                    faults.push(fault);
                    None
                }
            },
            _ => None,
        };
        if !faults.is_empty() {
            return Err(AlertRuleError::Invalid(faults));
        }
        let length = |seconds: Option<u64>| seconds.map(Duration::from_secs);
        let mut policy = self.clone();
        policy.messages.quiet = quiet;
        policy.thresholds = AlertThresholds {
            silent: length(rules.silent),
            late: length(rules.late),
            incident: length(rules.incident),
            certificate: length(rules.certificate),
            damaged_percent: rules.damaged_percent,
            longest_gap: self.thresholds.longest_gap,
        };
        Ok(policy)
    }
}

fn quiet_hours(quiet: &AlertQuietHours) -> Result<Option<QuietHours>, Fault> {
    let fault = |place: &str, detail: &str| Fault {
        pointer: format!("/quiet_hours/{place}"),
        detail: detail.to_owned(),
    };
    let time = |text: &str, place| {
        time_of_day(text).ok_or_else(|| fault(place, "must be a time of day such as 22:00"))
    };
    let zone = TimeZone::get(&quiet.zone).map_err(|_| fault("zone", "is no time zone"))?;
    let (from, to) = (time(&quiet.from, "from")?, time(&quiet.to, "to")?);
    let hours = QuietHours::new(from, to, Some(time(&quiet.digest, "digest")?), zone);
    hours.map(Some).map_err(|error| match error {
        InvalidQuietHours::Empty => fault("to", "must differ from `from`"),
        InvalidQuietHours::DigestInside => fault("digest", "must not be in quiet hours"),
    })
}

impl Survey {
    /// The rules that hold: those of the configuration, unless administrators have changed them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn alert_rules(&self, configured: &AlertRules) -> Result<AlertRules, StoreError> {
        let changed = self.store().alert_rules(1).await?.into_iter().next();
        Ok(match changed {
            Some(ChangedRules { version, rules, changed_at }) => AlertRules {
                version,
                changed_at: Some(changed_at),
                ..rules.in_place_of(configured)
            },
            None => configured.clone(),
        })
    }

    /// Changes the rules for all servers of the database, if they are still of that version. Returns
    /// the next version.
    ///
    /// # Errors
    /// [`AlertRuleError::Invalid`] names every fault; [`StoreError::Changed`] if somebody else has
    /// changed them.
    pub async fn change_alert_rules(
        &self,
        rules: AlertRuleSet,
        expected: u64,
    ) -> Result<u64, AlertRuleError> {
        AlertPolicy::default().with_rules(&rules)?;
        Ok(self.store().change_alert_rules(rules, expected, self.clock().now()).await?)
    }

    /// Changes the rules for all servers of the database, if their version is one of those; without
    /// any it may be every version. Returns the next version.
    ///
    /// # Errors
    /// [`AlertRuleError::Invalid`] names every fault; [`StoreError::Changed`] if they have another
    /// version.
    pub async fn replace_alert_rules(
        &self,
        rules: AlertRuleSet,
        expected: Option<&[u64]>,
    ) -> Result<u64, AlertRuleError> {
        AlertPolicy::default().with_rules(&rules)?;
        let mut attempts = 0;
        loop {
            let held = self.store().alert_rules(1).await?.first().map_or(0, |held| held.version);
            if expected.is_some_and(|expected| !expected.contains(&held)) {
                return Err(StoreError::Changed.into());
            }
            attempts += 1;
            match self.change_alert_rules(rules.clone(), held).await {
                // Somebody was faster. That is no reason to refuse who asked for no version.
                Err(AlertRuleError::Store(StoreError::Changed))
                    if expected.is_none() && attempts < MOST_ATTEMPTS => {}
                result => return result,
            }
        }
    }

    /// The policy by the rules that hold. What a newer version of the program has stored and this one
    /// cannot use changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn alert_policy(&self, configured: &AlertPolicy) -> Result<AlertPolicy, StoreError> {
        let changed = self.store().alert_rules(1).await?.into_iter().next();
        let policy = changed.map(|changed| configured.with_rules(&changed.rules));
        Ok(match policy {
            Some(Ok(policy)) => policy,
            Some(Err(_)) | None => configured.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, to: &str, digest: &str) -> AlertRuleSet {
        let [from, to, digest] = [from, to, digest].map(str::to_owned);
        let zone = "Europe/Berlin".to_owned();
        let quiet_hours = Some(AlertQuietHours { from, to, digest, zone });
        AlertRuleSet { silent: Some(60), quiet_hours, ..AlertRuleSet::default() }
    }

    #[test]
    fn rules_become_the_policy_and_the_rest_stays() {
        let configured = AlertPolicy::default();
        let policy = configured.with_rules(&quiet("22:00", "07:00", "07:30")).unwrap();
        assert_eq!(policy.thresholds.silent, Some(Duration::from_secs(60)));
        assert_eq!((policy.thresholds.late, policy.thresholds.damaged_percent), (None, None));
        assert_eq!(policy.thresholds.longest_gap, configured.thresholds.longest_gap);
        assert_eq!(policy.messages.at_once, configured.messages.at_once);
        assert!(policy.messages.quiet.is_some());
    }

    #[test]
    fn quiet_hours_that_cannot_be_are_named() {
        for (rules, place) in [
            (quiet("22:00", "22:00", "08:00"), "/quiet_hours/to"),
            (quiet("22:00", "07:00", "06:00"), "/quiet_hours/digest"),
            (quiet("24:00", "07:00", "08:00"), "/quiet_hours/from"),
        ] {
            let Err(AlertRuleError::Invalid(faults)) = AlertPolicy::default().with_rules(&rules)
            else {
                panic!("{rules:?}");
            };
            assert_eq!(faults[0].pointer, place);
        }
    }
}
