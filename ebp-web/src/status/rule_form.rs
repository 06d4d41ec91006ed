//! The form of the rules of alerts: text for people, seconds for the survey.

use ebp_core::contract::{AlertQuietHours, AlertRuleSet, AlertRules, LONGEST_RULE};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::alerts::RuleDraft;
use crate::kit::{form::Fields, language::Language};

impl RuleDraft {
    /// As it was sent.
    #[must_use]
    pub fn read(fields: &Fields) -> Self {
        let get = |name: &str| fields.get(name).trim().to_owned();
        Self {
            silent: get("silent"),
            late: get("late"),
            incident: get("incident"),
            certificate: get("certificate"),
            damaged: get("damaged"),
            quiet_from: get("quiet_from"),
            quiet_to: get("quiet_to"),
            digest: get("digest"),
        }
    }

    /// The rules, or what is wrong with them. What was not touched stays as it is, to the second.
    ///
    /// # Errors
    /// Every fault in a sentence.
    pub fn rules(
        &self,
        language: Language,
        held: &AlertRules,
    ) -> Result<AlertRuleSet, Vec<String>> {
        let shown = Self::of_rules(held);
        let mut faults = Vec::new();
        let mut length = |typed: &str, shown: &str, held: Option<u64>, unit: u64, field: String| {
            if typed == shown {
                return held;
            }
            if typed.is_empty() {
                return None;
            }
            let typed = seconds(typed, unit);
            if typed.is_none() {
                faults.push(language.say_with("rules-fault-length", [("field", field.into())]));
            }
            typed
        };
        let (minute, day) = (60, 86_400);
        let silent =
            length(&self.silent, &shown.silent, held.silent, minute, language.say("rules-silent"));
        let late = length(&self.late, &shown.late, held.late, minute, language.say("rules-late"));
        let incident = length(
            &self.incident,
            &shown.incident,
            held.incident,
            minute,
            language.say("rules-incident"),
        );
        let certificate = length(
            &self.certificate,
            &shown.certificate,
            held.certificate,
            day,
            language.say("rules-certificate"),
        );
        let damaged = self.damaged.parse().ok().filter(|damaged| (1..=100).contains(damaged));
        if damaged.is_none() && !self.damaged.is_empty() {
            let field = language.say("rules-damaged");
            faults.push(language.say_with("rules-fault-damaged", [("field", field.into())]));
        }
        let quiet_hours = self.quiet_hours(held);
        match faults.is_empty() {
            true => Ok(AlertRuleSet {
                silent,
                late,
                incident,
                certificate,
                damaged_percent: damaged,
                quiet_hours,
            }),
            false => Err(faults),
        }
    }

    /// Whether they can be is the survey's to decide.
    fn quiet_hours(&self, held: &AlertRules) -> Option<AlertQuietHours> {
        if self.quiet_from.is_empty() && self.quiet_to.is_empty() {
            return None;
        }
        let held = held.quiet_hours.as_ref().map(|quiet| quiet.zone.clone());
        let digest = if self.digest.is_empty() { &self.quiet_to } else { &self.digest };
        Some(AlertQuietHours {
            from: self.quiet_from.clone(),
            to: self.quiet_to.clone(),
            digest: digest.clone(),
            zone: held.unwrap_or_else(|| "Europe/Berlin".to_owned()),
        })
    }
}

/// What was typed in that unit, with a decimal point or comma, if it is a rule's length.
fn seconds(typed: &str, unit: u64) -> Option<u64> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let typed: Decimal =
        typed.chars().all(is_number).then_some(typed)?.replace(',', ".").parse().ok()?;
    let seconds = typed.checked_mul(Decimal::from(unit))?.round().to_u64()?;
    (60..=LONGEST_RULE).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> AlertRules {
        AlertRules { silent: Some(7_230), certificate: Some(21 * 86_400), ..AlertRules::default() }
    }

    #[test]
    fn what_is_not_touched_stays_to_the_second() {
        let draft = RuleDraft::of_rules(&held());
        assert_eq!((draft.silent.as_str(), draft.certificate.as_str()), ("120.5", "21"));
        let rules = draft.rules(Language::En, &held()).unwrap();
        assert_eq!(rules, AlertRuleSet::from(&held()));
        let draft = RuleDraft { silent: "60".into(), late: String::new(), ..draft };
        assert_eq!(draft.rules(Language::En, &held()).unwrap().silent, Some(3_600));
        for (typed, rule) in [("90.5", 5_430), ("90,5", 5_430), ("1", 60)] {
            let draft = RuleDraft { silent: typed.into(), ..draft.clone() };
            assert_eq!(draft.rules(Language::De, &held()).unwrap().silent, Some(rule), "{typed}");
        }
        for typed in ["0.9", "-3", "1e3", "1.2.3", "90 5"] {
            let draft = RuleDraft { silent: typed.into(), ..draft.clone() };
            assert!(draft.rules(Language::De, &held()).is_err(), "{typed}");
        }
    }

    #[test]
    fn every_fault_is_named_in_the_language() {
        let draft = RuleDraft {
            silent: "soon".into(),
            late: "-1".into(),
            incident: "527041".into(),
            certificate: "367".into(),
            damaged: "101".into(),
            ..RuleDraft::default()
        };
        for language in Language::ALL {
            let faults = draft.rules(language, &held()).unwrap_err();
            assert_eq!(faults.len(), 5, "{faults:?}");
        }
        let huge = RuleDraft { silent: "99999999999999999999".into(), ..RuleDraft::default() };
        assert_eq!(huge.rules(Language::De, &held()).unwrap_err().len(), 1);
    }
}
