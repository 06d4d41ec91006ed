//! A server's settings: its files, names, limits and clock.
//!
//! Enters: paths, names, the clock. Leaves: [`Settings`] with defaults. Absent: reading any file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ebp_core::{clock::Clock, contract::SurveyInformation};
use ebp_store::{Database, Quota, SurveyCycles};
use ebp_survey::{geocoding::GeocodingSettings, masking::MaskingFiles};

use crate::{
    alert::AlertSettings, auth::TokenSettings, job::JobSettings, limit::Rate,
    tunnel::TunnelSettings, web_settings::WebSettings,
};

/// Bounds of what clients may take up.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time; further ones wait to be accepted.
    pub connections: usize,
    /// Connections of one address (of an IPv6 network) at the same time; further ones are closed. 0
    /// is without bound.
    pub connections_per_address: usize,
    /// How often a client may ask; without bound if absent.
    pub rate: Option<Rate>,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a request's headers, and for a kept connection to be idle.
    pub headers: Duration,
    /// For a measurement device's kept connection to be idle: it asks for consent once in a quarter of an
    /// hour, and a question that needs no handshake costs both ends a quarter.
    pub idle: Duration,
    /// For a request's body to arrive.
    pub body: Duration,
    /// For a request from its headers to its answer.
    pub request: Duration,
    /// After which a connection is closed behind the request that it is at; a measurement device's after
    /// twelve times `idle`.
    pub connection_age: Duration,
    /// The timeout for requests in progress when the server is stopped.
    pub drain: Duration,
    /// Large uploads that are unpacked and read at the same time.
    pub unpacking: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            connections_per_address: 512,
            rate: Some(Rate { per_second: 50, burst: 500 }),
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(30),
            idle: Duration::from_secs(20 * 60),
            body: Duration::from_secs(30),
            request: Duration::from_secs(60),
            connection_age: Duration::from_secs(3600),
            drain: Duration::from_secs(10),
            unpacking: 4,
        }
    }
}

/// How long a device's certificate is valid by default.
const DEVICE_CERTIFICATES: Duration = Duration::from_secs(90 * 86_400);

/// The survey's time zone by default.
pub(crate) const ZONE: &str = "Europe/Berlin";

/// The settings of [`serve`](crate::serve()).
#[derive(Clone)]
pub struct Settings {
    /// The default folder.
    pub data: PathBuf,
    /// The folder in which the errors of the server's program are counted.
    pub errors: PathBuf,
    /// The database.
    pub database: Database,
    /// The authority's folder.
    pub authority: PathBuf,
    /// How long a device's certificate is valid; the device renews it at two thirds of that.
    pub device_certificates: Duration,
    /// The server's certificate chain (PEM).
    pub certificate: PathBuf,
    /// The server's private key (PEM).
    pub key: PathBuf,
    /// The hashes of the shared secrets.
    pub secrets: PathBuf,
    /// Which bearer tokens are accepted, if any.
    pub tokens: Option<TokenSettings>,
    /// What households are masked by when they revoke their consent.
    pub masking: MaskingFiles,
    /// The folder of the repository of the program's releases, if there is one.
    pub releases: Option<PathBuf>,
    /// How the location of an address is found that is registered without one; not at all if absent.
    pub geocoding: Option<GeocodingSettings>,
    /// Host names and IP addresses that clients reach it by; its certificate carries them.
    pub hostnames: Vec<String>,
    /// Bounds of what clients may take up.
    pub limits: Limits,
    /// How many measurements of a meter are stored; any number if absent.
    pub quota: Option<Quota>,
    /// How often the survey's devices measure and report.
    pub cycles: SurveyCycles,
    /// How jobs are done.
    pub jobs: JobSettings,
    /// The survey's time zone, by its IANA name: energy is given by its days.
    pub zone: String,
    /// What the survey says of itself.
    pub survey: SurveyInformation,
    /// The folder of the texts that participants agree to, if there are any.
    pub texts: Option<PathBuf>,
    /// The file of what electricity costs in each quarter of an hour, if there is one.
    pub quarter_prices: Option<PathBuf>,
    /// How devices are watched and administrators are told; not at all if absent.
    pub alerts: Option<AlertSettings>,
    /// How devices' tunnels are kept.
    pub tunnel: TunnelSettings,
    /// How the pages of researchers and administrators are served.
    pub web: Option<WebSettings>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Whether the clock is set right by the database's, where that has one: what servers of one
    /// database stamp then agrees, and a server whose clock is far off answers nothing.
    pub trust_database_clock: bool,
}

impl Settings {
    /// Everything in one folder: `ebp.sqlite`, `authority/`, `server.pem`, `server.key`,
    /// `secrets.toml`.
    #[must_use]
    pub fn in_folder(data: &Path, hostnames: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            data: data.to_owned(),
            errors: data.join("errors"),
            database: Database::Sqlite(data.join("ebp.sqlite")),
            authority: data.join("authority"),
            device_certificates: DEVICE_CERTIFICATES,
            certificate: data.join("server.pem"),
            key: data.join("server.key"),
            secrets: data.join("secrets.toml"),
            tokens: None,
            masking: MaskingFiles::default(),
            releases: None,
            geocoding: None,
            hostnames,
            limits: Limits::default(),
            quota: None,
            cycles: SurveyCycles::default(),
            jobs: JobSettings { folder: data.join("jobs"), ..JobSettings::default() },
            zone: ZONE.to_owned(),
            survey: SurveyInformation::default(),
            texts: None,
            quarter_prices: None,
            alerts: None,
            tunnel: TunnelSettings::default(),
            web: None,
            clock,
            trust_database_clock: false,
        }
    }
}
