//! `ebp alert change` and `ebp alert changes`: other rules, and how they were changed.

use std::{str::FromStr, time::Duration};

use clap::ArgGroup;
use ebp_client::{ClientError, Manager};
use ebp_core::{
    contract::{
        AlertQuietHours, AlertRuleSet, ChangedRules, LONGEST_RULE, problem_type, time_of_day,
    },
    scope::Group,
};

use crate::{
    command::group_api,
    exit::{CommandResult, Failure},
    output::{Format, list},
    stdout::{print, print_json},
};

const QUIET_HOURS: &str = "Quiet hours";

/// The zone of quiet hours where none was held before and none is given.
const ZONE: &str = "Europe/Berlin";

/// Which rules become what.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(group(ArgGroup::new("rules").required(true).multiple(true).args([
    "silent", "late", "incident", "certificate", "damaged", "quiet", "digest", "zone",
])))]
pub struct Arguments {
    /// A device is silent when its last report is older, such as `2h30m`; `never` switches the rule off.
    #[arg(long, value_name = "DURATION")]
    silent: Option<Length>,

    /// A device is late when the last measurement of a meter is older; or `never`.
    #[arg(long, value_name = "DURATION")]
    late: Option<Length>,

    /// An incident counts once it has been open for so long; or `never`.
    #[arg(long, value_name = "DURATION")]
    incident: Option<Length>,

    /// A certificate counts when it ends within that time, such as `21days`; or `never`.
    #[arg(long, value_name = "DURATION")]
    certificate: Option<Length>,

    /// Damaged telegrams count from that share on, 1 to 100 percent; or `never`.
    #[arg(long, value_name = "PERCENT")]
    damaged: Option<Percent>,

    /// When nothing is sent, such as `22:00-07:00`; or `never`.
    #[arg(long, value_name = "FROM-TO", help_heading = QUIET_HOURS)]
    quiet: Option<Quiet>,

    /// When what changed in quiet hours is told; at their end by default.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = QUIET_HOURS)]
    digest: Option<String>,

    /// The time zone of quiet hours; the present one, or Europe/Berlin.
    #[arg(long, value_name = "ZONE", help_heading = QUIET_HOURS)]
    zone: Option<String>,

    /// Only change this version of the rules, which `ebp alert rules` prints.
    #[arg(long, value_name = "VERSION")]
    if_match: Option<u64>,
}

/// The length of time of a rule, seconds, or that it is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length(Option<u64>);

impl FromStr for Length {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == NEVER {
            return Ok(Self(None));
        }
        let length: Duration =
            humantime::parse_duration(text).map_err(|error| error.to_string())?;
        let seconds = length.as_secs();
        match length.subsec_nanos() == 0 && (1..=LONGEST_RULE).contains(&seconds) {
            true => Ok(Self(Some(seconds))),
            false => Err("it must be whole seconds, from 1s to 366days".to_owned()),
        }
    }
}

/// A share, or that the rule is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Percent(Option<u8>);

impl FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == NEVER {
            return Ok(Self(None));
        }
        let share = text.parse().ok().filter(|share| (1..=100).contains(share));
        share.map(|share| Self(Some(share))).ok_or_else(|| "it must be 1 to 100".to_owned())
    }
}

/// Quiet hours, from and to, or that there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Quiet(Option<(String, String)>);

impl FromStr for Quiet {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == NEVER {
            return Ok(Self(None));
        }
        let (from, to) =
            text.split_once('-').ok_or_else(|| "it must be such as 22:00-07:00".to_owned())?;
        Ok(Self(Some((time(from)?, time(to)?))))
    }
}

const NEVER: &str = "never";

fn time(text: &str) -> Result<String, String> {
    match time_of_day(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a time of day must be such as 22:00".to_owned()),
    }
}

impl Arguments {
    /// The rules with what was named; the rest stays.
    fn apply_to(&self, mut rules: AlertRuleSet) -> Result<AlertRuleSet, Failure> {
        for (named, rule) in [
            (self.silent, &mut rules.silent),
            (self.late, &mut rules.late),
            (self.incident, &mut rules.incident),
            (self.certificate, &mut rules.certificate),
        ] {
            if let Some(Length(length)) = named {
                *rule = length;
            }
        }
        if let Some(Percent(share)) = self.damaged {
            rules.damaged_percent = share;
        }
        if let Some(Quiet(hours)) = &self.quiet {
            let zone = rules.quiet_hours.take().map_or_else(|| ZONE.to_owned(), |held| held.zone);
            rules.quiet_hours = hours.as_ref().map(|(from, to)| AlertQuietHours {
                from: from.clone(),
                to: to.clone(),
                digest: to.clone(),
                zone,
            });
        }
        let (digest, zone) = (&self.digest, &self.zone);
        if let Some(hours) = &mut rules.quiet_hours {
            if let Some(digest) = digest {
                hours.digest.clone_from(digest);
            }
            if let Some(zone) = zone {
                hours.zone.clone_from(zone);
            }
        } else if digest.is_some() || zone.is_some() {
            let none = "there are no quiet hours that --digest or --zone could be of";
            return Err(Failure::usage(none).remedy("give them with --quiet 22:00-07:00"));
        }
        Ok(rules)
    }
}

/// Changes the rules that hold, if nobody else changes them meanwhile.
pub fn run(manager: &Manager, arguments: &Arguments) -> CommandResult {
    let held = manager.alert_rules().map_err(refused)?;
    let rules = arguments.apply_to(AlertRuleSet::from(&held))?;
    let version = arguments.if_match.unwrap_or(held.version);
    match manager.change_alert_rules(&rules, version) {
        Ok(rules) => print_json(&rules),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: ClientError) -> Failure {
    match &error {
        ClientError::Problem { kind, .. } if kind == problem_type::CHANGED => Failure::failed(
            crate::exit::chain(&error),
        )
        .remedy(
            "`ebp alert rules` shows the rules as they are now, with their version for --if-match",
        ),
        ClientError::Problem { status: 400 | 422, .. } => {
            Failure::failed(crate::exit::chain(&error))
                .remedy("correct what it names; nothing was changed")
        }
        ClientError::Problem { status: 405, .. } => Failure::failed(crate::exit::chain(&error))
            .remedy("the server is older: change the rules on its page, or update it"),
        _ => group_api::refused(Group::Administrators, error),
    }
}

/// Prints the versions of the rules.
pub fn show_all(manager: &Manager, format: Format) -> CommandResult {
    let changes = manager.alert_rule_changes().map_err(refused)?;
    print(list::list(format, HEADER, true, &changes, row)?)
}

const HEADER: [&str; 8] = [
    "version",
    "changed_at",
    "silent",
    "late",
    "incident",
    "certificate",
    "damaged_percent",
    "quiet_hours",
];

fn row(changed: &ChangedRules) -> [String; 8] {
    let length = |seconds: Option<u64>| match seconds {
        Some(seconds) => humantime::format_duration(Duration::from_secs(seconds)).to_string(),
        None => NEVER.to_owned(),
    };
    let AlertRuleSet { silent, late, incident, certificate, damaged_percent, quiet_hours } =
        &changed.rules;
    [
        changed.version.to_string(),
        changed.changed_at.to_string(),
        length(*silent),
        length(*late),
        length(*incident),
        length(*certificate),
        damaged_percent.map_or_else(|| NEVER.to_owned(), |percent| percent.to_string()),
        quiet_hours.as_ref().map_or_else(
            || NEVER.to_owned(),
            |quiet| format!("{}-{} {}, told at {}", quiet.from, quiet.to, quiet.zone, quiet.digest),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn apply(options: &[&str], held: AlertRuleSet) -> Result<AlertRuleSet, String> {
        let line = ["change"].iter().chain(options);
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        line.arguments.apply_to(held).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn what_is_not_named_stays() {
        let held = AlertRuleSet {
            silent: Some(7_200),
            late: Some(3_600),
            damaged_percent: Some(20),
            ..AlertRuleSet::default()
        };
        let changed = apply(
            &["--silent", "90m", "--damaged", "never", "--certificate", "21days"],
            held.clone(),
        );
        let expected = AlertRuleSet {
            silent: Some(5_400),
            certificate: Some(21 * 86_400),
            damaged_percent: None,
            ..held.clone()
        };
        assert_eq!(changed.unwrap(), expected);
        let quiet = apply(&["--quiet", "22:00-07:00"], held).unwrap();
        let hours = quiet.quiet_hours.clone().unwrap();
        assert_eq!([&*hours.digest, &*hours.zone], ["07:00", ZONE]);
        let other = apply(&["--digest", "08:00", "--zone", "UTC"], quiet.clone()).unwrap();
        let hours = other.quiet_hours.clone().unwrap();
        assert_eq!([&*hours.from, &*hours.digest, &*hours.zone], ["22:00", "08:00", "UTC"]);
        let later = apply(&["--quiet", "23:00-06:00"], other.clone()).unwrap();
        assert_eq!(later.quiet_hours.unwrap().zone, "UTC", "the zone stays");
        assert!(apply(&["--quiet", "never"], other).unwrap().quiet_hours.is_none());
    }

    #[test]
    fn what_no_rule_can_be_is_refused_before_the_server_is_asked() {
        for options in [
            &["--silent", "0s"][..],
            &["--silent", "1500ms"],
            &["--silent", "367days"],
            &["--damaged", "101"],
            &["--damaged", "0"],
            &["--quiet", "22:00"],
            &["--quiet", "22:00-24:00"],
            &["--digest", "7"],
            // Nothing is named, and there are no quiet hours.
            &["--if-match", "3"],
            &["--digest", "07:00"],
        ] {
            assert!(apply(options, AlertRuleSet::default()).is_err(), "{options:?}");
        }
    }
}
