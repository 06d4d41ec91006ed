//! Which devices the overview shows, and in which order: all of it is in its address.

use ebp_core::{
    contract::{FleetSort, FleetState, limits},
    plain_text::find_hidden,
};
use ebp_survey::{Cursor, FleetCursor, FleetQuery};

use crate::kit::page::{Preferences, encode};

/// Devices on a page.
pub const PAGE: usize = 100;

/// Where the overview is.
pub const OVERVIEW: &str = "/status";

/// Which devices are shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those in this state.
    pub state: Option<FleetState>,
    /// Those that run this version.
    pub version: Option<String>,
    /// Those whose participant's name contains this, or whose identifiers begin so.
    pub search: Option<String>,
    /// Their order.
    pub sort: FleetSort,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Those after this one.
    pub after: Option<FleetCursor>,
}

impl Filter {
    /// That of an address, and whether all of it was understood. What is not is left out.
    #[must_use]
    pub fn read(preferences: &Preferences) -> (Self, bool) {
        let mut filter = Self::default();
        let mut understood = true;
        for (name, value) in preferences.query.iter().filter(|(_, value)| !value.is_empty()) {
            let is_known = match name.as_str() {
                "state" => {
                    filter.state = value.parse().ok();
                    filter.state.is_some()
                }
                "version" => {
                    filter.version = text(value, 64);
                    filter.version.is_some()
                }
                "q" => {
                    filter.search = text(value, limits::SEARCH_CHARS);
                    filter.search.is_some()
                }
                "sort" => {
                    let (descending, sort) = match value.strip_prefix('-') {
                        Some(sort) => (true, sort),
                        None => (false, value.as_str()),
                    };
                    let sort = sort.parse().ok();
                    (filter.descending, filter.sort) =
                        (descending && sort.is_some(), sort.unwrap_or_default());
                    sort.is_some()
                }
                "cursor" => {
                    let cursor = value.parse::<Cursor>().ok();
                    filter.after = cursor.map(|Cursor { measured_at, uuid }| FleetCursor {
                        key: measured_at,
                        device: uuid,
                    });
                    filter.after.is_some()
                }
                _ => true,
            };
            understood &= is_known;
        }
        (filter, understood)
    }

    /// What is asked for.
    #[must_use]
    pub fn query(&self) -> FleetQuery {
        let Self { state, version, search, sort, descending, after } = self.clone();
        FleetQuery { state, version, search, sort, descending, after, limit: PAGE }
    }

    /// The address of the page.
    #[must_use]
    pub fn address(&self) -> String {
        let mut pairs = Vec::new();
        if let Some(state) = self.state {
            pairs.push(("state", state.name().to_owned()));
        }
        if let Some(version) = &self.version {
            pairs.push(("version", version.clone()));
        }
        if let Some(search) = &self.search {
            pairs.push(("q", search.clone()));
        }
        if let Some(sort) = self.sort_value() {
            pairs.push(("sort", sort));
        }
        if let Some(FleetCursor { key, device }) = self.after {
            pairs.push(("cursor", Cursor { measured_at: key, uuid: device }.to_string()));
        }
        let pairs: Vec<_> =
            pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        match pairs.is_empty() {
            true => OVERVIEW.to_owned(),
            false => format!("{OVERVIEW}?{}", pairs.join("&")),
        }
    }

    /// The order as the address has it; nothing for the usual one.
    #[must_use]
    pub fn sort_value(&self) -> Option<String> {
        let sign = if self.descending { "-" } else { "" };
        let is_usual = self.sort == FleetSort::default() && !self.descending;
        (!is_usual).then(|| format!("{sign}{}", self.sort))
    }

    /// The same with another state, from its first page.
    #[must_use]
    pub fn with_state(&self, state: Option<FleetState>) -> Self {
        Self { state, after: None, ..self.clone() }
    }

    /// The same in that order, or the other way round if it is in that order, from its first page.
    #[must_use]
    pub fn sorted_by(&self, sort: FleetSort) -> Self {
        let descending = self.sort == sort && !self.descending;
        Self { sort, descending, after: None, ..self.clone() }
    }

    /// The same after that device.
    #[must_use]
    pub fn following(&self, after: Option<FleetCursor>) -> Self {
        Self { after, ..self.clone() }
    }

    /// Whether devices are left out by anything but the page.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        self.state.is_some() || self.version.is_some() || self.search.is_some()
    }
}

/// A short text without control and invisible characters.
fn text(value: &str, most: usize) -> Option<String> {
    let value = value.trim();
    let fits = (1..=most).contains(&value.chars().count()) && find_hidden(value).is_none();
    fits.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use uuid::Uuid;

    use super::*;

    fn read(query: &str) -> (Filter, bool) {
        Filter::read(&Preferences::from_request(&HeaderMap::new(), OVERVIEW, Some(query)))
    }

    #[test]
    fn the_address_carries_everything() {
        let filter = Filter {
            state: Some(FleetState::NeverSpoke),
            version: Some("1.2 & 3".to_owned()),
            search: Some("Müller \"<b>".to_owned()),
            sort: FleetSort::LastReport,
            descending: true,
            after: Some(FleetCursor { key: -7, device: Uuid::from_u128(9) }),
        };
        let address = filter.address();
        assert!(!address.contains(['<', '"', ' ']), "{address}");
        let query = address.split_once('?').unwrap().1;
        assert!(read(query) == (filter, true));
        assert_eq!(Filter::default().address(), "/status");
        assert!(read("") == (Filter::default(), true));
        assert!(read("q=&state=&lang=de") == (Filter::default(), true), "an empty form");
    }

    #[test]
    fn what_is_not_understood_is_left_out_and_said() {
        for query in ["state=gone", "sort=-gone", "cursor=1", "q=%00", "version=%7f"] {
            assert!(read(query) == (Filter::default(), false), "{query}");
        }
        assert!(!read(&format!("q={}", "a".repeat(2_000))).1);
    }

    #[test]
    fn a_head_sorts_and_reverses() {
        let by = Filter::default().sorted_by(FleetSort::Damaged);
        assert!(!by.descending && by.sorted_by(FleetSort::Damaged).descending);
        assert!(!by.sorted_by(FleetSort::Damaged).sorted_by(FleetSort::Damaged).descending);
        assert_eq!(Filter::default().sorted_by(FleetSort::State).address(), "/status?sort=-state");
    }
}
