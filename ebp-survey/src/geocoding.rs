//! Finds the location of an address when a household is registered without one (thesis figure 4.7).
//!
//! Enters: addresses. Leaves: locations that say how well they are known, or none: an address that
//! is not found stops nothing. Absent: addresses in errors and logs; asking anybody unless an
//! operator named a service.
//!
//! A service like Nominatim is used according to OpenStreetMap's usage policy: one request a second
//! at most, of all processes that share a cache; by a name and with a contact; each address once.
//! What it does not find is looked for in a table of postal codes, if there is one.

mod cache;
mod error;
mod nominatim;
mod turn;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use ebp_anon::geocode::PostalCodes;
use ebp_core::{
    clock::Clock,
    model::{Address, Location, Precision},
};

use cache::Cache;
use ebp_store::masking::load_postal_codes;
pub use error::GeocodeError;
use nominatim::{Answer, Service};

/// How addresses are located.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeocodingSettings {
    /// The service's address.
    pub url: Option<String>,
    /// Whom its operator may write to.
    pub contact: Option<String>,
    /// A table of postal codes and their points.
    pub postal_codes: Option<PathBuf>,
    /// The folder of what was answered, and of whose turn it is.
    pub cache: PathBuf,
}

/// What came of looking an address up.
#[derive(Debug)]
pub struct Located {
    /// The location, if it was found.
    pub location: Option<Location>,
    /// What went wrong on the way, if anything.
    pub trouble: Option<GeocodeError>,
}

impl Located {
    /// Logs what went wrong, if anything. The log does not say which address it was.
    pub fn log_trouble(&self) {
        if let Some(error) = &self.trouble {
            tracing::warn!(%error, "an address was not looked up");
        }
    }
}

/// Finds addresses, and remembers what it found until it is to forget it.
pub trait Geocode: Send + Sync {
    /// Looks up an address; waits at most that long for its turn. Errors are returned beside what
    /// was found nevertheless.
    #[must_use]
    fn locate(&self, address: &Address, patience: Duration) -> Located;

    /// Forgets what was answered for an address that has ended: its household revoked its consent,
    /// has moved, or was removed.
    fn forget(&self, address: &Address);

    /// Forgets all answers.
    fn forget_all(&self);

    /// How many addresses had ended when it last remembered none of them
    /// ([`Store::ended_addresses`](ebp_store::Store::ended_addresses)), if that was ever noted.
    fn ended(&self) -> Option<u64>;

    /// Notes that it remembers none of the addresses that have ended, which are that many.
    fn note_ended(&self, count: u64);
}

/// Asks a service like Nominatim, and then a table of postal codes.
pub struct Geocoder {
    service: Option<Service>,
    cache: Option<Cache>,
    postal_codes: Option<PostalCodes>,
}

impl Geocoder {
    /// As these settings say. Nobody is asked yet.
    ///
    /// # Errors
    /// [`GeocodeError`] if something of it cannot be used.
    pub fn new(settings: GeocodingSettings, clock: Arc<dyn Clock>) -> Result<Self, GeocodeError> {
        let GeocodingSettings { url, contact, postal_codes, cache } = settings;
        let postal_codes = postal_codes.as_deref().map(load_postal_codes).transpose()?;
        let (mut service, mut answers) = (None, None);
        if let Some(url) = url {
            let contact = contact.ok_or(GeocodeError::NoContact)?;
            let failed =
                |source| GeocodeError::Cache { path: cache.clone(), source: Arc::new(source) };
            answers = Some(Cache::open(&cache, &url, clock.clone()).map_err(failed)?);
            service = Some(Service::new(&url, &contact, &cache, clock)?);
        }
        Ok(Self { service, cache: answers, postal_codes })
    }

    /// The same for an asynchronous caller, which must not wait for the service's client.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn open(
        settings: GeocodingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GeocodeError> {
        let opened = tokio::task::spawn_blocking(move || Self::new(settings, clock)).await;
        opened.map_err(|error| GeocodeError::SetUp(error.to_string()))?
    }

    fn ask(&self, address: &Address, patience: Duration) -> Result<Option<Location>, GeocodeError> {
        let (Some(service), Some(cache)) = (&self.service, &self.cache) else { return Ok(None) };
        if let Some(answer) = cache.get(address) {
            return Ok(answer);
        }
        let until = Instant::now() + patience;
        let mut answer = service.ask(address, until)?;
        // Put off, there may still be time for another try.
        if let Answer::PutOff(_) = answer {
            answer = service.ask(address, until)?;
        }
        match answer {
            Answer::Found(location) => {
                cache.put(address, location.as_ref());
                Ok(location)
            }
            Answer::PutOff(status) => Err(GeocodeError::Status(status)),
        }
    }

    fn by_postal_code(&self, address: &Address) -> Option<Location> {
        // The table has no countries, and five digits are a postal code in many.
        let codes = self.postal_codes.as_ref().filter(|_| address.country == "DE")?;
        let position = codes.find(&address.postal_code)?.position;
        Some(Location {
            precision: Some(Precision::PostalCode),
            ..Location::entered(position.latitude(), position.longitude())
        })
    }
}

impl Geocode for Geocoder {
    fn locate(&self, address: &Address, patience: Duration) -> Located {
        let (found, trouble) = match self.ask(address, patience) {
            Ok(found) => (found, None),
            Err(trouble) => (None, Some(trouble)),
        };
        Located { location: found.or_else(|| self.by_postal_code(address)), trouble }
    }

    fn forget(&self, address: &Address) {
        if let Some(cache) = &self.cache {
            cache.forget(address);
        }
    }

    fn forget_all(&self) {
        if let Some(cache) = &self.cache {
            cache.forget_all();
        }
    }

    fn ended(&self) -> Option<u64> {
        self.cache.as_ref().and_then(Cache::ended)
    }

    fn note_ended(&self, count: u64) {
        if let Some(cache) = &self.cache {
            cache.note_ended(count);
        }
    }
}
