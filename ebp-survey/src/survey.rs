//! The survey as it is opened once: what its operations work with.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ebp_core::{
    clock::Clock,
    contract::{SurveyInformation, SurveyText},
};
use ebp_store::{Store, SurveyCycles};
use tokio::sync::Semaphore;

use crate::{
    PublishedReleases, authority::Authority, geocoding::Geocode, outlines::Outlines,
    price::PriceSeries, revocation_notices::RevocationNotices, revocations::KeptRevocations,
};

/// Addresses that are looked up at the same time: each takes a thread.
const LOCATING: usize = 8;

/// How long an operation waits for the location of an address by default.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a device's certificate is valid by default.
const DEVICE_CERTIFICATES: Duration = Duration::from_secs(90 * 86_400);

/// The time zone whose days are kept by default.
const ZONE: &str = "Europe/Berlin";

/// A version of the texts that participants agree to.
pub(crate) type KnownTexts = (u32, Arc<[SurveyText]>);

/// A survey: its store, and what the operations need besides.
pub struct Survey {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    cycles: SurveyCycles,
    authority: Option<Authority>,
    device_certificates: Duration,
    kept: Option<KeptRevocations>,
    geocoder: Option<Arc<dyn Geocode>>,
    patience: Duration,
    locating: Arc<Semaphore>,
    drawn: Outlines,
    zone: Arc<str>,
    about: SurveyInformation,
    quarter_prices: Option<PriceSeries>,
    releases: Option<Arc<dyn PublishedReleases>>,
    texts: Mutex<Option<KnownTexts>>,
    notices: RevocationNotices,
}

impl Survey {
    /// A survey with that store. It neither locates addresses nor issues certificates, and keeps no list
    /// of revocations of its own.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            cycles: SurveyCycles::default(),
            authority: None,
            device_certificates: DEVICE_CERTIFICATES,
            kept: None,
            geocoder: None,
            patience: PATIENCE,
            locating: Arc::new(Semaphore::new(LOCATING)),
            drawn: Outlines::default(),
            zone: ZONE.into(),
            about: SurveyInformation::default(),
            quarter_prices: None,
            releases: None,
            texts: Mutex::default(),
            notices: RevocationNotices::default(),
        }
    }

    /// The same, whose devices measure and report so often.
    #[must_use]
    pub fn with_cycles(self, cycles: SurveyCycles) -> Self {
        Self { cycles, ..self }
    }

    /// The same, which issues and revokes certificates of this authority. Those of devices are valid
    /// for `device_certificates`.
    #[must_use]
    pub fn with_authority(self, authority: Authority, device_certificates: Duration) -> Self {
        Self { authority: Some(authority), device_certificates, ..self }
    }

    /// The same, which locates addresses, and makes the geocoder forget those that end.
    #[must_use]
    pub fn with_geocoder(self, geocoder: Option<Arc<dyn Geocode>>) -> Self {
        Self { geocoder, ..self }
    }

    /// The same, which waits so long for the location of an address.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same, which puts what is revoked on this server's own list.
    #[must_use]
    pub fn with_kept_revocations(self, kept: KeptRevocations) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// The same, whose days are those of that time zone (its IANA name).
    #[must_use]
    pub fn with_zone(self, zone: &str) -> Self {
        Self { zone: zone.into(), ..self }
    }

    /// The same, which says this of itself. Its texts are those that were published.
    #[must_use]
    pub fn with_information(self, about: SurveyInformation) -> Self {
        Self { about, ..self }
    }

    /// The same, whose electricity has a price in each quarter of an hour.
    #[must_use]
    pub fn with_quarter_prices(self, quarter_prices: Option<PriceSeries>) -> Self {
        Self { quarter_prices, ..self }
    }

    /// The same, whose devices are asked to run no version that is not among these releases.
    #[must_use]
    pub fn with_releases(self, releases: Option<Arc<dyn PublishedReleases>>) -> Self {
        Self { releases, ..self }
    }

    /// The releases of the program, if they are known.
    pub(crate) const fn releases(&self) -> Option<&Arc<dyn PublishedReleases>> {
        self.releases.as_ref()
    }

    /// What electricity costs in each quarter of an hour, if the survey has such prices.
    pub(crate) const fn quarter_prices(&self) -> Option<&PriceSeries> {
        self.quarter_prices.as_ref()
    }

    /// Devices that were told that consent is revoked.
    pub(crate) const fn revocation_notices(&self) -> &RevocationNotices {
        &self.notices
    }

    /// What the survey remembers, for whatever is a single call of the store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock that operations are stamped by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The authority, where the survey was opened with one.
    #[must_use]
    pub const fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// The time zone whose days are kept (its IANA name).
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// How often devices measure and report.
    #[must_use]
    pub const fn cycles(&self) -> SurveyCycles {
        self.cycles
    }

    pub(crate) const fn device_certificates(&self) -> Duration {
        self.device_certificates
    }

    pub(crate) const fn kept(&self) -> Option<&KeptRevocations> {
        self.kept.as_ref()
    }

    pub(crate) const fn geocoder(&self) -> Option<&Arc<dyn Geocode>> {
        self.geocoder.as_ref()
    }

    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) const fn drawn(&self) -> &Outlines {
        &self.drawn
    }

    pub(crate) const fn about(&self) -> &SurveyInformation {
        &self.about
    }

    pub(crate) const fn texts(&self) -> &Mutex<Option<KnownTexts>> {
        &self.texts
    }

    pub(crate) const fn locating(&self) -> &Arc<Semaphore> {
        &self.locating
    }
}
