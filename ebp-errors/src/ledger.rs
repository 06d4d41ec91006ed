//! The ledger: which groups of errors there were, how often, and how many of each are sent.
//!
//! It is a small file that is written anew with each entry. How many events of a group an hour are sent
//! is decided here, so that a program that fails and is started again for ever is bounded, too.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    origin::Place,
    report::{Component, Report},
};

/// How many events of a group are sent an hour.
pub const MOST_AN_HOUR: u32 = 10;

/// How many groups are kept; that seen longest ago leaves first.
const MOST_GROUPS: usize = 256;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Errors of one type at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What it is known by, also at the service: twelve hexadecimal digits.
    pub id: String,
    /// The error's type, and those of its causes.
    pub types: Vec<String>,
    /// Where it was made.
    pub place: Place,
    /// The part of the program.
    pub component: Component,
    /// When it occurred for the first time.
    pub first_seen: Timestamp,
    /// When it occurred last.
    pub last_seen: Timestamp,
    /// How often it occurred.
    pub count: u64,
    /// How many of these were left out of what is sent, since there were too many in an hour.
    pub left_out: u64,
    /// Those of them that no event has told of yet.
    #[serde(default)]
    untold: u64,
    /// When the hour began that is counted.
    hour: Timestamp,
    /// How many events were queued in it.
    in_hour: u32,
}

/// All groups of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The groups, in the order in which they came first.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Events that left the queue unsent, since it was full.
    #[serde(default)]
    pub dropped: u64,
    /// Events that the service refused for good.
    #[serde(default)]
    pub refused: u64,
    /// Events that the service took.
    #[serde(default)]
    pub sent: u64,
    /// The service asked not to be called before.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// The number of the next event in the queue.
    #[serde(default)]
    pub(crate) next: u64,
}

/// What another ledger knows of a group.
#[derive(Debug)]
pub(crate) struct HandedOver {
    pub(crate) types: Vec<String>,
    pub(crate) place: Place,
    pub(crate) component: Component,
    pub(crate) count: u64,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
}

/// What the ledger decides about a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is sent, and says that so many of its group were left out before.
    Send { left_out: u64 },
    /// It is counted alone, as all of its group are until then.
    Count { until: Timestamp },
}

impl Ledger {
    /// Enters an error.
    pub(crate) fn enter(
        &mut self,
        report: &Report,
        component: Component,
        now: Timestamp,
    ) -> Decision {
        let id = report.fingerprint(component);
        let at = match self.groups.iter().position(|group| group.id == id) {
            Some(at) => at,
            None => {
                self.make_room();
                self.groups.push(Group {
                    id,
                    types: report.types.clone(),
                    place: report.place.clone(),
                    component: report.component.unwrap_or(component),
                    first_seen: now,
                    last_seen: now,
                    count: 0,
                    left_out: 0,
                    untold: 0,
                    hour: now,
                    in_hour: 0,
                });
                self.groups.len() - 1
            }
        };
        let group = &mut self.groups[at];
        group.count += 1;
        group.last_seen = group.last_seen.max(now);
        // A clock that was set back begins another hour, too.
        let age = now.duration_since(group.hour);
        if age >= HOUR || age.is_negative() {
            (group.hour, group.in_hour) = (now, 0);
        }
        if group.in_hour < MOST_AN_HOUR {
            group.in_hour += 1;
            return Decision::Send { left_out: std::mem::take(&mut group.untold) };
        }
        group.left_out += 1;
        group.untold += 1;
        Decision::Count { until: group.hour.saturating_add(HOUR).unwrap_or(Timestamp::MAX) }
    }

    /// Adds errors of a group that were counted in memory.
    pub(crate) fn add(&mut self, id: &str, count: u64, last_seen: Timestamp) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.id == id) {
            group.count += count;
            group.left_out += count;
            group.untold += count;
            group.last_seen = group.last_seen.max(last_seen);
        }
    }

    /// Replaces a group by what another ledger of this machine knows of it.
    pub(crate) fn replace(&mut self, id: String, told: HandedOver) {
        let HandedOver { types, place, component, count, first_seen, last_seen } = told;
        let group = Group {
            id,
            types,
            place,
            component,
            first_seen,
            last_seen,
            count,
            left_out: 0,
            untold: 0,
            hour: last_seen,
            in_hour: 0,
        };
        match self.groups.iter_mut().find(|known| known.id == group.id) {
            Some(known) => *known = group,
            None => {
                self.make_room();
                self.groups.push(group);
            }
        }
    }

    fn make_room(&mut self) {
        if self.groups.len() < MOST_GROUPS {
            return;
        }
        let oldest = self.groups.iter().enumerate().min_by_key(|(_, group)| group.last_seen);
        if let Some((at, _)) = oldest {
            self.groups.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(line: u32) -> Report {
        Report::new(vec!["SpoolError::Full".to_owned()], Place::new("ebp-cli/src/main.rs", line))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn ten_an_hour_are_sent_and_the_rest_is_counted() {
        let mut ledger = Ledger::default();
        let mut enter = |second| ledger.enter(&report(1), Component::Sending, at(second));
        let sent = (0..25)
            .filter(|second| matches!(enter(*second), Decision::Send { .. }))
            .collect::<Vec<_>>();
        assert_eq!(sent, (0..10).collect::<Vec<_>>());
        assert_eq!(enter(26), Decision::Count { until: at(3600) });
        assert_eq!(enter(3600), Decision::Send { left_out: 16 });
        assert_eq!(enter(3601), Decision::Send { left_out: 0 });
        let group = &ledger.groups[0];
        assert_eq!((group.count, group.left_out), (28, 16));
        assert_eq!((group.first_seen, group.last_seen), (at(0), at(3601)));
        // Another place is another group.
        let decision = ledger.enter(&report(2), Component::Sending, at(3602));
        assert_eq!(decision, Decision::Send { left_out: 0 });
        assert_eq!(ledger.groups.len(), 2);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_a_group() {
        let mut ledger = Ledger::default();
        for _ in 0..20 {
            ledger.enter(&report(1), Component::Sending, at(90_000));
        }
        let decision = ledger.enter(&report(1), Component::Sending, at(0));
        assert_eq!(decision, Decision::Send { left_out: 10 });
        assert_eq!(ledger.groups[0].last_seen, at(90_000));
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let mut ledger = Ledger::default();
        for line in 0..1000 {
            ledger.enter(&report(line), Component::Server, at(line.into()));
        }
        assert_eq!(ledger.groups.len(), MOST_GROUPS);
        assert_eq!(ledger.groups[0].place.line, 1000 - MOST_GROUPS as u32);
    }
}
