//! The groups of a ledger as a device reports them to its server, and as its programs hand them over to
//! each other.

use ebp_core::contract::{ReportedErrorGroup, limits};
use jiff::Timestamp;

use crate::{
    ledger::{Group, HandedOver, Ledger},
    origin::Place,
    report::{Component, Report},
};

/// The longest name of a type that is reported, bytes.
const LONGEST_TYPE: usize = 120;
/// The longest place that is reported, bytes.
const LONGEST_PLACE: usize = 171;

impl Ledger {
    /// A ledger with these groups alone.
    #[must_use]
    pub fn with_groups(groups: Vec<Group>) -> Self {
        Self { groups, ..Self::default() }
    }

    /// The groups that occurred last, these first, and so many at most. A ledger is a file: what
    /// somebody has written into it and is not of its form is left out, or replaced.
    #[must_use]
    pub fn latest(&self, most: usize) -> Vec<ReportedErrorGroup> {
        let mut groups: Vec<&Group> = self.groups.iter().filter(|group| is_id(&group.id)).collect();
        groups.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.id.cmp(&b.id)));
        groups.dedup_by(|next, first| next.id == first.id);
        groups.into_iter().take(most).map(reported).collect()
    }

    /// Takes over what the device's page or its updater, which count in ledgers of their own, tell of a
    /// group. What it is known by is computed anew, so that nobody can speak for another part of the
    /// program. Returns whether it was taken: not if the group is of no such part.
    pub(crate) fn take_over(&mut self, told: &ReportedErrorGroup, now: Timestamp) -> bool {
        let Some(component) = Component::with_own_ledger(&told.component) else { return false };
        let mut types: Vec<String> =
            told.types.iter().take(limits::ERROR_TYPES).map(|name| type_name(name)).collect();
        if types.is_empty() {
            types.push(type_name(""));
        }
        let place = match place(&told.place).rsplit_once(':') {
            Some((file, line)) => Place { file: file.to_owned(), line: line.parse().unwrap_or(0) },
            None => Place { file: String::new(), line: 0 },
        };
        let id = Report::new(types.clone(), place.clone()).fingerprint(component);
        let last_seen = told.last_seen.min(now);
        let first_seen = told.first_seen.min(last_seen);
        let count = told.count.clamp(1, limits::ERROR_COUNT);
        self.replace(id, HandedOver { types, place, component, count, first_seen, last_seen });
        true
    }
}

fn is_id(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn reported(group: &Group) -> ReportedErrorGroup {
    let mut types: Vec<String> =
        group.types.iter().take(limits::ERROR_TYPES).map(|name| type_name(name)).collect();
    if types.is_empty() {
        types.push(type_name(""));
    }
    ReportedErrorGroup {
        fingerprint: group.id.clone(),
        component: group.component.name().to_owned(),
        types,
        place: place(&group.place.to_string()),
        count: group.count.clamp(1, limits::ERROR_COUNT),
        first_seen: group.first_seen.min(group.last_seen),
        last_seen: group.last_seen,
    }
}

fn type_name(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_:".contains(&byte);
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match begins && name.len() <= LONGEST_TYPE && name.bytes().all(is_plain) {
        true => name.to_owned(),
        false => "Error".to_owned(),
    }
}

fn place(text: &str) -> String {
    let (file, line) = text.split_once(':').unwrap_or((text, "0"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = !file.is_empty() && text.len() <= LONGEST_PLACE && file.bytes().all(is_plain);
    if is_whole && is_line { text.to_owned() } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn the_groups_that_occurred_last_come_first_and_few() {
        let mut ledger = Ledger::default();
        for line in 0..30 {
            let types = vec!["SpoolError::Full".to_owned(), "io::Error::StorageFull".to_owned()];
            let report = Report::new(types, Place::new("ebp-cli/src/main.rs", line));
            ledger.enter(&report, Component::Sending, at(line.into()));
        }
        let latest = ledger.latest(20);
        let places: Vec<&str> = latest.iter().map(|group| &*group.place).collect();
        assert_eq!((latest.len(), places[0]), (20, "ebp-cli/src/main.rs:29"));
        assert_eq!(places[19], "ebp-cli/src/main.rs:10");
        assert_eq!(latest[0].types, ["SpoolError::Full", "io::Error::StorageFull"]);
        assert_eq!((&*latest[0].component, latest[0].count), ("sending", 1));
        assert_eq!(latest[0].last_seen, at(29));
    }

    #[test]
    fn a_program_with_a_ledger_of_its_own_tells_of_its_groups_and_of_no_others() {
        let mut theirs = Ledger::default();
        for (line, second) in [(1, 0), (2, 1), (2, 2)] {
            let report =
                Report::new(vec!["A::B".to_owned()], Place::new("ebp-cli/src/main.rs", line));
            theirs.enter(&report, Component::Page, at(second));
        }
        let told = theirs.latest(20);
        let mut ours = Ledger::default();
        for group in &told {
            assert!(ours.take_over(group, at(9)));
        }
        assert_eq!(ours.latest(20), told);
        // HandedOver again: nothing is counted twice, and nothing has to be written.
        let before = ours.clone();
        assert!(told.iter().all(|group| ours.take_over(group, at(10))));
        assert_eq!(ours, before);

        let other = ReportedErrorGroup { component: "measuring".to_owned(), ..told[0].clone() };
        assert!(!ours.take_over(&other, at(9)));
        let forged = ReportedErrorGroup {
            fingerprint: "0123456789ab".to_owned(),
            types: vec!["Erika Mustermann".to_owned()],
            place: "Heidestr. 17".to_owned(),
            count: 0,
            last_seen: at(1_000_000),
            ..told[0].clone()
        };
        assert!(ours.take_over(&forged, at(9)));
        let first = &ours.latest(20)[0];
        assert_ne!(first.fingerprint, forged.fingerprint);
        assert_eq!((&*first.types[0], &*first.place), ("Error", "unknown"));
        assert_eq!((first.count, first.last_seen), (1, at(9)));
    }

    #[test]
    fn what_is_written_into_the_file_by_hand_is_no_text_for_others() {
        let mut ledger = Ledger::default();
        let report = Report::new(vec!["A".to_owned()], Place::new("a.rs", 1));
        ledger.enter(&report, Component::Page, at(0));
        ledger.groups[0].types =
            vec!["Erika Mustermann".to_owned(), String::new(), "x".repeat(200)];
        ledger.groups[0].place.file = "Heidestr. 17 in Köln".to_owned();
        ledger.groups[0].count = u64::MAX;
        let latest = ledger.latest(20);
        assert_eq!(latest[0].types, ["Error", "Error", "Error"]);
        assert_eq!((&*latest[0].place, latest[0].count), ("unknown", limits::ERROR_COUNT));
        ledger.groups[0].types = Vec::new();
        ledger.groups[0].count = 0;
        assert_eq!(ledger.latest(20)[0].types, ["Error"]);
        assert_eq!(ledger.latest(20)[0].count, 1);
        ledger.groups[0].id = "Erika".to_owned();
        assert_eq!(ledger.latest(20), []);
    }
}
