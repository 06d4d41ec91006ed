//! Requests to a geocoding service like Nominatim, and the check of its answers.
//!
//! Enters: an address. Leaves: its location, that the service does not know it, or that the service
//! rejects requests for now. Absent: the address in errors; redirects, which would reveal the
//! address to another server.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use ebp_anon::Position;
use ebp_core::{
    clock::Clock,
    model::{Address, Location, Precision},
};
use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
    header::RETRY_AFTER,
    redirect,
};
use serde::Deserialize;

use super::{GeocodeError, turn::Turns};

/// The timeout of a whole request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long no request is sent after a rejection without a `Retry-After` in seconds.
const PUT_OFF: Duration = Duration::from_secs(60);
/// The longest body that is read, octets: more than any answer with one result has.
const LONGEST: u64 = 256 * 1024;

/// A geocoding service.
pub struct Service {
    http: Client,
    search: Url,
    turns: Turns,
    folder: PathBuf,
}

/// What a service answered.
pub enum Answer {
    /// The location of the address; none if the service does not know it.
    Found(Option<Location>),
    /// The service rejects requests for now; the HTTP status, 429 or 503.
    PutOff(u16),
}

impl Service {
    pub fn new(
        url: &str,
        contact: &str,
        folder: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GeocodeError> {
        let contact = contact.trim();
        if contact.is_empty() || !contact.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(GeocodeError::NoContact);
        }
        let agent = format!("ebp/{} (contact: {contact})", env!("CARGO_PKG_VERSION"));
        let set_up = |reason: String| GeocodeError::SetUp(reason);
        let http = Client::builder()
            .tls_backend_preconfigured(tls().map_err(set_up)?)
            .user_agent(agent)
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| set_up(error.to_string()))?;
        let (search, folder) = (search_url(url)?, folder.to_owned());
        Ok(Self { http, search, turns: Turns::new(&folder, clock), folder })
    }

    /// Sends one request, as soon as no other process that shares the folder sends one.
    pub fn ask(&self, address: &Address, until: Instant) -> Result<Answer, GeocodeError> {
        let failed = |source: std::io::Error| GeocodeError::Cache {
            path: self.folder.clone(),
            source: Arc::new(source),
        };
        let mut turn = self.turns.take(until).map_err(failed)?.ok_or(GeocodeError::Busy)?;
        let mut url = self.search.clone();
        url.query_pairs_mut()
            .append_pair("street", &address.street)
            .append_pair("postalcode", &address.postal_code)
            .append_pair("city", &address.city)
            .append_pair("countrycodes", &address.country.to_ascii_lowercase())
            .append_pair("format", "jsonv2")
            .append_pair("addressdetails", "1")
            .append_pair("limit", "1");
        let unreachable =
            |error: reqwest::Error| GeocodeError::Unreachable(reason(&error.without_url()));
        let response = self.http.get(url).send().map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => found(response, &address.country).map(Answer::Found),
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                let header = response.headers().get(RETRY_AFTER);
                let seconds = header.and_then(|header| header.to_str().ok()?.trim().parse().ok());
                turn.put_off(seconds.map_or(PUT_OFF, Duration::from_secs)).map_err(failed)?;
                Ok(Answer::PutOff(status.as_u16()))
            }
            status => Err(GeocodeError::Status(status.as_u16())),
        }
    }
}

fn search_url(url: &str) -> Result<Url, GeocodeError> {
    let mut url = Url::parse(url).map_err(|_| GeocodeError::Url)?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return Err(GeocodeError::Url);
    }
    url.set_query(None);
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with("/search") {
        url.set_path(&format!("{path}/search"));
    }
    Ok(url)
}

fn tls() -> Result<rustls::ClientConfig, String> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| error.to_string())?;
    Ok(tls.with_no_client_auth())
}

/// The innermost cause of an error; the outer errors only say that sending failed.
fn reason(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[derive(Deserialize)]
struct Hit {
    lat: String,
    lon: String,
    #[serde(default)]
    addresstype: String,
    #[serde(default)]
    place_rank: u32,
    #[serde(default)]
    address: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    house_number: Option<String>,
    road: Option<String>,
    country_code: Option<String>,
}

fn found(response: Response, country: &str) -> Result<Option<Location>, GeocodeError> {
    let mut body = Vec::new();
    response
        .take(LONGEST + 1)
        .read_to_end(&mut body)
        .map_err(|error| GeocodeError::Unreachable(reason(&error)))?;
    if body.len() as u64 > LONGEST {
        return Err(GeocodeError::Answer);
    }
    parse(&body, country)
}

/// The first result, unless it is in another country or less precise than a street or postal code.
fn parse(body: &[u8], country: &str) -> Result<Option<Location>, GeocodeError> {
    let results: Vec<Hit> = serde_json::from_slice(body).map_err(|_| GeocodeError::Answer)?;
    let Some(result) = results.into_iter().next() else { return Ok(None) };
    let position = Position::parse(&result.lat, &result.lon).map_err(|_| GeocodeError::Answer)?;
    let Details { house_number, road, country_code } = result.address;
    if country_code.is_some_and(|code| !code.eq_ignore_ascii_case(country)) {
        return Ok(None);
    }
    let precision = match result.place_rank {
        _ if result.addresstype == "postcode" => Precision::PostalCode,
        28.. if house_number.is_some() => Precision::Address,
        26.. => Precision::Street,
        _ if road.is_some() => Precision::Street,
        _ => return Ok(None),
    };
    Ok(Some(Location {
        precision: Some(precision),
        ..Location::entered(position.latitude(), position.longitude())
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_goes_nowhere_in_the_clear() {
        for (url, search) in [
            ("https://geo.example.org", "https://geo.example.org/search"),
            ("https://geo.example.org/nominatim/", "https://geo.example.org/nominatim/search"),
            ("https://geo.example.org/search?x=1", "https://geo.example.org/search"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/search"),
            ("http://[::1]/", "http://[::1]/search"),
        ] {
            assert_eq!(search_url(url).unwrap().as_str(), search);
        }
        for url in ["http://geo.example.org", "geo.example.org", "file:///etc", "http://127.0.0.2"]
        {
            assert!(search_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn results_say_how_near_they_are() {
        let house = r#"[{"lat": "50.85", "lon": "7.1", "place_rank": 30, "addresstype": "building",
            "address": {"house_number": "17", "road": "Heidestraße", "country_code": "de"}}]"#;
        let street = r#"[{"lat": "50.85", "lon": "7.1", "place_rank": 26, "addresstype": "road",
            "address": {"road": "Heidestraße", "country_code": "de"}}]"#;
        let code =
            r#"[{"lat": "50.85", "lon": "7.1", "place_rank": 21, "addresstype": "postcode"}]"#;
        let town = r#"[{"lat": "50.85", "lon": "7.1", "place_rank": 16, "addresstype": "town"}]"#;
        let precision = |body: &str, country: &str| {
            parse(body.as_bytes(), country).unwrap().map(|location| location.precision.unwrap())
        };
        assert_eq!(precision(house, "DE"), Some(Precision::Address));
        assert_eq!(precision(street, "DE"), Some(Precision::Street));
        assert_eq!(precision(code, "DE"), Some(Precision::PostalCode));
        assert_eq!(precision(town, "DE"), None);
        assert_eq!(precision(house, "AT"), None);
        assert_eq!(precision("[]", "DE"), None);
    }

    proptest! {
        #[test]
        fn anything_else_is_refused(body in "\\PC{0,80}") {
            prop_assume!(body.trim() != "[]");
            prop_assert!(parse(body.as_bytes(), "DE").is_err());
        }

        #[test]
        fn numbers_are_not_believed(latitude in "\\PC{0,12}", longitude in "-?[0-9]{1,6}") {
            let body = serde_json::json!([{"lat": latitude, "lon": longitude, "place_rank": 26}]);
            if let Ok(Some(location)) = parse(body.to_string().as_bytes(), "DE") {
                prop_assert!((-90.0..=90.0).contains(&location.latitude));
                prop_assert!((-180.0..=180.0).contains(&location.longitude));
            }
        }
    }
}
