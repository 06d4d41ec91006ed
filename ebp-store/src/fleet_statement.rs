//! The statements by which both databases list, sort and count the fleet's devices.

use ebp_core::contract::FleetSort;
use uuid::Uuid;

use crate::{fleet::FleetQuery, rule::fleet::state_sql};

/// What differs between the databases in a statement on the fleet.
pub struct Dialect {
    /// What a parameter's number follows.
    pub mark: char,
    /// Compares with a pattern without regard to the case of ASCII letters.
    pub like: &'static str,
    /// The digits of a device's identifier; between them may be hyphens, before the last twelve.
    pub digits: &'static str,
    /// The order of a text by its octets.
    pub octets: &'static str,
    /// An instant before all others.
    pub earliest: &'static str,
    /// An instant after all others.
    pub latest: &'static str,
}

/// The statements for a query.
pub struct FleetStatements {
    /// The devices: the columns of [`FACTS`].
    pub page: String,
    /// Rank of a state, and how many devices are in it.
    pub counts: String,
}

/// The columns of the facts, in the order of `FleetFacts`, but for the last one, which is behind the
/// device.
pub const FACTS: &str = "fleet.consent, fleet.granted_at, fleet.last_report, fleet.meters, \
    fleet.unmeasured, fleet.measured_at, fleet.another_meter, fleet.incidents, fleet.damaged, \
    fleet.rising, fleet.clock_wrong, fleet.spool_trouble, fleet.pending, fleet.version, \
    fleet.certificate_end, fleet.device, fleet.speaks_on";

const PEOPLE: &str = "fleet_device AS fleet
    LEFT JOIN measurement_device AS device ON device.uuid = fleet.device
    LEFT JOIN household ON household.uuid = device.household
    LEFT JOIN participant ON participant.id = household.participant";

/// A pattern of `LIKE` for what contains the text.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The first and the last identifier that begin with the text, where it is the beginning of one.
fn identifiers(text: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if !(4..=32).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let fill = |with: char| {
        let filled: String = digits.chars().chain(std::iter::repeat(with)).take(32).collect();
        Uuid::try_parse(&filled).ok()
    };
    fill('0').zip(fill('f'))
}

/// A pattern of `LIKE` for the devices whose identifier ends with the text, or that have it as their
/// name in the home network (`ebp-7a3f`, `ebp-7a3f.local`).
fn last_digits(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let digits = match name.strip_prefix("ebp-") {
        Some(rest) => rest.strip_suffix(".local").unwrap_or(rest),
        None => &name,
    };
    let fits = (4..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| format!("%{digits}"))
}

/// What is searched for, as parameters.
pub struct Search {
    /// The pattern in small and in capital letters: databases fold ASCII letters alone.
    pub patterns: [String; 2],
    /// Identifiers between these.
    pub between: Option<(Uuid, Uuid)>,
    /// The pattern of a device's last digits.
    pub ending: Option<String>,
}

impl FleetQuery {
    /// What is searched for.
    #[must_use]
    pub fn search(&self) -> Option<Search> {
        let text = self.search.as_deref()?;
        Some(Search {
            patterns: [containing(&text.to_lowercase()), containing(&text.to_uppercase())],
            between: identifiers(text),
            ending: last_digits(text),
        })
    }

    /// Whether it is sorted by a text, which a cursor does not hold.
    #[must_use]
    pub const fn by_text(&self) -> bool {
        matches!(self.sort, FleetSort::Participant | FleetSort::Version)
    }

    /// Whether it is sorted by an instant.
    #[must_use]
    pub const fn by_instant(&self) -> bool {
        matches!(
            self.sort,
            FleetSort::LastReport | FleetSort::LastMeasurement | FleetSort::Certificate
        )
    }

    /// Whether the page's statement judges the states of the devices that it passes.
    #[must_use]
    pub const fn judges(&self) -> bool {
        self.state.is_some() || matches!(self.sort, FleetSort::State)
    }

    /// The statements. Parameters of both: the version, five of the search; then of the page the rank
    /// of the state, the cursor's two and the limit; last the six of the state, of the page only where
    /// it [judges](Self::judges). Those that are not used do not occur.
    #[must_use]
    pub fn statements(&self, dialect: &Dialect) -> FleetStatements {
        let mut numbers = Numbers { mark: dialect.mark, last: 0 };
        let filters = self.filters(dialect, &mut numbers);
        let source = |people| if people { PEOPLE } else { "fleet_device AS fleet" };
        let counts = format!(
            "SELECT state, count(*) FROM (SELECT {} AS state FROM {}{filters}) AS judged GROUP BY state",
            state_sql(dialect.mark, numbers.last + 1),
            source(self.search.is_some()),
        );
        let mut wanted = Vec::new();
        if self.state.is_some() {
            wanted.push(format!("state = {}", numbers.next()));
        }
        let (than, direction) = if self.descending { ("<", "DESC") } else { (">", "ASC") };
        if self.after.is_some() {
            let (place, device) = self.cursor(dialect, &mut numbers);
            wanted.push(format!("(key, device) {than} ({place}, {device})"));
        }
        let limit = numbers.next();
        let state = state_sql(dialect.mark, numbers.last + 1);
        let judged =
            if self.state.is_some() { format!(", {state} AS state") } else { String::new() };
        let people = self.search.is_some() || self.sort == FleetSort::Participant;
        // What is sorted is narrow: the facts are read of the page's devices alone.
        let page = format!(
            "SELECT {FACTS} FROM (
                 SELECT key, device FROM (
                     SELECT {} AS key, fleet.device AS device{judged} FROM {}{filters}
                 ) AS passed{} ORDER BY key {direction}, device {direction} LIMIT {limit}
             ) AS page JOIN fleet_device AS fleet ON fleet.device = page.device
             ORDER BY page.key {direction}, page.device {direction}",
            self.key(dialect, state),
            source(people),
            all(&wanted),
        );
        FleetStatements { page, counts }
    }

    /// The condition on what is passed, but for the state.
    fn filters(&self, dialect: &Dialect, numbers: &mut Numbers) -> String {
        let Dialect { like, digits, .. } = dialect;
        let mut filters = Vec::new();
        if self.version.is_some() {
            filters.push(format!("fleet.version = {}", numbers.next()));
        }
        if self.search.is_some() {
            let [small, capital, first, last, ending] = std::array::from_fn(|_| numbers.next());
            filters.push(format!(
                "(participant.name {like} {small} ESCAPE '\\' \
                 OR participant.name {like} {capital} ESCAPE '\\' \
                 OR fleet.device BETWEEN {first} AND {last} OR {digits} LIKE {ending} \
                 OR device.household BETWEEN {first} AND {last})"
            ));
        }
        all(&filters)
    }

    /// What is sorted by.
    fn key(&self, dialect: &Dialect, state: String) -> String {
        let Dialect { octets, earliest, latest, .. } = dialect;
        match self.sort {
            FleetSort::State => state,
            FleetSort::LastReport => format!("coalesce(fleet.last_report, {earliest})"),
            FleetSort::LastMeasurement => format!(
                "CASE WHEN fleet.unmeasured > 0 THEN {earliest}
                      ELSE coalesce(fleet.measured_at, {earliest}) END"
            ),
            FleetSort::Participant => format!("coalesce(participant.name, ''){octets}"),
            FleetSort::Version => format!("coalesce(fleet.version, ''){octets}"),
            FleetSort::Damaged => "coalesce(fleet.damaged, -1)".to_owned(),
            FleetSort::Incidents => "fleet.incidents + fleet.another_meter".to_owned(),
            FleetSort::Certificate => format!("coalesce(fleet.certificate_end, {latest})"),
        }
    }

    /// The key and the device that the page follows.
    fn cursor(&self, dialect: &Dialect, numbers: &mut Numbers) -> (String, String) {
        let octets = dialect.octets;
        let place = match self.sort {
            FleetSort::Participant => format!(
                "(SELECT coalesce(max(of_last.name{octets}), '') \
                 FROM measurement_device AS last \
                 JOIN household AS last_household ON last_household.uuid = last.household \
                 JOIN participant AS of_last ON of_last.id = last_household.participant \
                 WHERE last.uuid = DEVICE)"
            ),
            FleetSort::Version => format!(
                "(SELECT coalesce(max(last.version{octets}), '') \
                 FROM fleet_device AS last WHERE last.device = DEVICE)"
            ),
            _ => numbers.next(),
        };
        let device = numbers.next();
        (place.replace("DEVICE", &device), device)
    }
}

/// The numbers of parameters.
struct Numbers {
    mark: char,
    last: usize,
}

impl Numbers {
    fn next(&mut self) -> String {
        self.last += 1;
        format!("{}{}", self.mark, self.last)
    }
}

/// All of the conditions.
fn all(conditions: &[String]) -> String {
    match conditions {
        [] => String::new(),
        _ => format!(" WHERE {}", conditions.join(" AND ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_taken_literally() {
        assert_eq!(containing("50%_\\"), "%50\\%\\_\\\\%");
        let (first, last) = identifiers("0a1b-2").unwrap();
        assert_eq!(first.to_string(), "0a1b2000-0000-0000-0000-000000000000");
        assert_eq!(last.to_string(), "0a1b2fff-ffff-ffff-ffff-ffffffffffff");
        for text in ["", "0a1", "0a1g2", "Beate", &"0".repeat(33), "----"] {
            assert_eq!(identifiers(text), None, "{text}");
        }
    }

    #[test]
    fn a_device_is_found_by_the_end_of_its_identifier_and_by_its_name() {
        for text in ["7a3f", "7A3F", "ebp-7a3f", "EBP-7A3F.local"] {
            assert_eq!(last_digits(text).as_deref(), Some("%7a3f"), "{text}");
        }
        for text in ["", "a3f", "ebp-", "ebp-a3g1", "Beate", "7a3f.local", &"0".repeat(13)] {
            assert_eq!(last_digits(text), None, "{text}");
        }
    }
}
