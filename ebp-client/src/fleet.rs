//! The requests of administrators about the fleet of devices.

use ebp_core::contract::{
    Coverage, DeviceHistory, FleetPage, FleetSort, FleetState, NewSilence, Silence, paths,
};
use jiff::civil::Date;
use reqwest::{Method, Url};
use uuid::Uuid;

use crate::{ClientError, Manager};

/// Which devices are wanted. `Debug` does not show what is searched for: it may be a name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FleetRequest {
    /// Those in this state.
    pub state: Option<FleetState>,
    /// Those that run this version.
    pub version: Option<String>,
    /// Those whose participant's name contains this, or whose identifier or household's identifier
    /// begins so.
    pub search: Option<String>,
    /// Their order.
    pub sort: FleetSort,
    /// Whether the order is reversed.
    pub descending: bool,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// How many at most, 1 to 1,000.
    pub limit: Option<usize>,
}

impl std::fmt::Debug for FleetRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (state, sort) = (&self.state, &self.sort);
        f.debug_struct("FleetRequest")
            .field("state", state)
            .field("sort", sort)
            .finish_non_exhaustive()
    }
}

impl FleetRequest {
    fn path(&self) -> String {
        let sort = if self.descending { format!("-{}", self.sort) } else { self.sort.to_string() };
        with_query(
            paths::MANAGEMENT_FLEET,
            &[
                ("state", self.state.map(|state| state.to_string())),
                ("version", self.version.clone()),
                ("q", self.search.clone()),
                ("sort", Some(sort)),
                ("cursor", self.cursor.clone()),
                ("limit", self.limit.map(|limit| limit.to_string())),
            ],
        )
    }
}

impl Manager {
    /// A page of devices with their states, and how many there are of each.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn fleet(&self, request: &FleetRequest) -> Result<FleetPage, ClientError> {
        self.client.get(&request.path())
    }

    /// In which slots a device's meters were measured, from one day (UTC) to another, which is not
    /// included; the last 30 days without them.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such device, 410 if its household revoked its consent.
    pub fn coverage(
        &self,
        device: Uuid,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<Coverage, ClientError> {
        let day = |day: Option<Date>| day.map(|day| day.to_string());
        let query = [("from", day(from)), ("to", day(to))];
        self.client.get(&with_query(&of_device(paths::DEVICE_COVERAGE, device), &query))
    }

    /// A device's incidents, and its statuses by day.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage).
    pub fn device_history(&self, device: Uuid) -> Result<DeviceHistory, ClientError> {
        self.client.get(&of_device(paths::DEVICE_HISTORY, device))
    }

    /// A device's silence.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage); status 404 if it is not silenced.
    pub fn silence(&self, device: Uuid) -> Result<Silence, ClientError> {
        self.client.get(&of_device(paths::DEVICE_SILENCE, device))
    }

    /// Silences a device: nobody is alerted because of it.
    ///
    /// # Errors
    /// Returns the same errors as [`coverage`](Self::coverage); a problem of status 400 or 422 lists
    /// every fault.
    pub fn silence_device(
        &self,
        device: Uuid,
        silence: &NewSilence,
    ) -> Result<Silence, ClientError> {
        self.send(Method::POST, &of_device(paths::DEVICE_SILENCE, device), silence)
    }

    /// Ends a device's silence.
    ///
    /// # Errors
    /// Returns the same errors as [`silence`](Self::silence).
    pub fn end_silence(&self, device: Uuid) -> Result<(), ClientError> {
        let path = of_device(paths::DEVICE_SILENCE, device);
        self.client.receive(&path, self.client.request(Method::DELETE, &path)).map(drop)
    }
}

fn of_device(template: &str, device: Uuid) -> String {
    template.replace("{uuid}", &device.to_string())
}

/// The path with those of the parameters that are given.
fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    // Any address will do: its query alone is used.
    let Ok(mut url) = Url::parse("https://localhost/") else { return path.to_owned() };
    for (name, value) in parameters {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_escaped_and_not_shown() {
        let request = FleetRequest {
            state: Some(FleetState::NeverSpoke),
            search: Some("Özil & Söhne?".to_owned()),
            sort: FleetSort::LastReport,
            descending: true,
            ..FleetRequest::default()
        };
        assert_eq!(
            request.path(),
            "/management/fleet?state=never-spoke&q=%C3%96zil+%26+S%C3%B6hne%3F&sort=-last-report"
        );
        assert!(!format!("{request:?}").contains("zil"));
        assert_eq!(with_query("/x", &[("a", None)]), "/x");
    }
}
