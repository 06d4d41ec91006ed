//! Locates a household that is registered without a location: by hand, or by its address.
//!
//! Enters: arguments, registrations. Leaves: registrations with a location, or without: an address
//! that is not found is reported and stops nothing. Absent: the search, which `ebp-survey` has.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ebp_core::{
    clock::SystemClock,
    contract::Registration,
    model::{Location, Precision},
};
use ebp_survey::geocoding::{Geocode, GeocodeError, Geocoder, GeocodingSettings, Located};

use crate::{
    command::{heading::LOCATION, server_data::ServerData},
    exit::{Failure, chain},
    tell::tell,
};

/// How long one address is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Coordinates that were entered by hand.
#[derive(Debug, clap::Args)]
pub struct ByHand {
    /// Degrees north (WGS 84) of the household, overrides the file.
    #[arg(long, value_name = "DEGREES", requires = "longitude", allow_negative_numbers = true, help_heading = LOCATION)]
    latitude: Option<String>,

    /// Degrees east (WGS 84).
    #[arg(long, value_name = "DEGREES", requires = "latitude", allow_negative_numbers = true, help_heading = LOCATION)]
    longitude: Option<String>,
}

impl ByHand {
    /// Puts them into the registration.
    pub fn apply(&self, registration: &mut Registration) -> Result<(), Failure> {
        if let (Some(latitude), Some(longitude)) = (&self.latitude, &self.longitude) {
            let entered =
                ebp_anon::geocode::entered(latitude, longitude).map_err(Failure::usage)?.position;
            let location = Location::entered(entered.latitude(), entered.longitude());
            registration.location = Some(location);
        }
        Ok(())
    }
}

/// How addresses are located here, instead of by the server.
#[derive(Debug, clap::Args)]
pub struct Locating {
    /// A geocoding service like Nominatim, to locate addresses without a location. It receives
    /// these addresses, at most one a second.
    #[arg(long, value_name = "URL", requires = "geocoder_contact", help_heading = LOCATION)]
    geocoder: Option<String>,

    /// The contact for the service's operator: an e-mail or web address.
    #[arg(long, value_name = "CONTACT", requires = "geocoder", help_heading = LOCATION)]
    geocoder_contact: Option<String>,

    /// The folder in which answers are stored for a month, encrypted. The default is
    /// `ebp/geocoding` in the user's cache folder.
    #[arg(long, value_name = "FOLDER", requires = "geocoder", help_heading = LOCATION)]
    geocoder_cache: Option<PathBuf>,

    /// Postal codes with their points (CSV with plz, lat, lon), for addresses that are not found
    /// otherwise; such a location is marked as approximate.
    #[arg(long, value_name = "FILE", help_heading = LOCATION)]
    postal_codes: Option<PathBuf>,
}

impl Locating {
    /// From the arguments; without any, no address is looked up.
    pub fn geocoder(&self) -> Result<Locator, Failure> {
        if self.geocoder.is_none() && self.postal_codes.is_none() {
            return Ok(Locator(None));
        }
        let cache = match (&self.geocoder_cache, &self.geocoder) {
            (Some(cache), _) => cache.clone(),
            (None, None) => PathBuf::new(),
            (None, Some(_)) => user_cache().ok_or_else(|| {
                Failure::usage("there is no folder of caches, since HOME is not set")
                    .remedy("name one with --geocoder-cache")
            })?,
        };
        Locator::new(GeocodingSettings {
            url: self.geocoder.clone(),
            contact: self.geocoder_contact.clone(),
            postal_codes: self.postal_codes.clone(),
            cache,
        })
    }

    /// The same; without arguments from the server's configuration.
    pub fn geocoder_here(&self, data: &ServerData) -> Result<Locator, Failure> {
        match data.settings()?.geocoding {
            Some(settings) if self.geocoder.is_none() && self.postal_codes.is_none() => {
                Locator::new(settings)
            }
            _ => self.geocoder(),
        }
    }
}

fn user_cache() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let caches = named("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(named("HOME")?).join(".cache")))?;
    Some(caches.join("ebp/geocoding"))
}

/// Finds locations, or not.
pub struct Locator(Option<Arc<dyn Geocode>>);

impl Locator {
    fn new(settings: GeocodingSettings) -> Result<Self, Failure> {
        let geocoder = Geocoder::new(settings, Arc::new(SystemClock)).map_err(|error| {
            let failure = Failure::usage(chain(&error));
            match error {
                GeocodeError::PostalCodes(error) => {
                    Failure::failed(chain(&error)).remedy("check --postal-codes")
                }
                _ => failure,
            }
        })?;
        Ok(Self(Some(Arc::new(geocoder))))
    }

    /// Looks up a registration's address if it has no location, and reports the result.
    pub fn locate(&self, registration: &mut Registration) {
        let (Some(geocoder), None) = (&self.0, &registration.location) else { return };
        let located = geocoder.locate(&registration.address, PATIENCE);
        tell_located(&located);
        registration.location = located.location;
    }

    /// What finds them, for a survey.
    pub fn into_geocoder(self) -> Option<Arc<dyn Geocode>> {
        self.0
    }
}

/// Tells what came of looking an address up.
pub fn tell_located(located: &Located) {
    if let Some(error) = &located.trouble {
        tell!("ebp: {}", chain(error));
    }
    match located.location.as_ref().and_then(|location| location.precision) {
        None => tell!("ebp: the address was not found; `ebp household edit` adds a location"),
        Some(Precision::PostalCode) => {
            tell!("ebp: only the postal code was found: the location is an approximation");
        }
        Some(Precision::Street) => tell!("ebp: only the street was found"),
        Some(Precision::Address | Precision::Entered) => {}
    }
}
