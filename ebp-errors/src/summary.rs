//! The groups of a ledger as a device reports them to its server.

use ebp_core::contract::{ReportedErrorGroup, limits};

use crate::ledger::{Group, Ledger};

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
    use jiff::Timestamp;

    use super::*;
    use crate::{Component, Place, Report};

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
