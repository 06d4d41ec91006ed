//! A measurement device: its configuration, spool, identity and clocks.
//!
//! Enters: a configuration. Leaves: spool, identity and clocks, opened for both daemons. Absent:
//! the daemons.

use std::{path::Path, sync::Arc, time::Duration};

use ebp_client::{
    ClientError, ClientOptions, KeyKind, Validity, ValidityError,
    identity::{Identity, IdentityError},
    renewal::{self, RenewalError},
};
use ebp_core::{clock::DeviceClock, private_file::Exposed};
use jiff::Timestamp;

use crate::{
    clock::DeviceSystemClock,
    config::{ConfigError, DeviceConfig},
    connection::{Connect, DeviceApi, Network},
    consent::{Decision, Gate},
    spool::{Spool, SpoolError, SpoolOptions},
};

/// Why a device cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Its configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its certificate was not renewed, or an interrupted renewal cannot be finished.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// Certificate, key or authority cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The Data API's client cannot be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Its spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl From<ValidityError> for DeviceError {
    fn from(error: ValidityError) -> Self {
        Self::Renewal(error.into())
    }
}

/// The result of renewing a device's certificate in a cycle.
#[derive(Debug)]
pub enum Certificate {
    /// It is valid for long enough.
    Unchanged,
    /// It was renewed, by this process or by another one of the device.
    Changed {
        /// Until when it is valid.
        until: Timestamp,
        /// Set if others may have read the key.
        exposed: Option<Exposed>,
    },
}

/// A measurement device, opened.
pub struct Device {
    /// Its configuration.
    pub config: DeviceConfig,
    /// Its spool.
    pub spool: Spool,
    /// Its clocks.
    pub clock: Arc<dyn DeviceClock>,
    api: Arc<dyn DeviceApi>,
    connect: Arc<dyn Connect>,
    validity: Validity,
    /// When the page's files are looked at again, since the machine's start.
    frontend_at: Duration,
}

/// How long the measuring daemon keeps its connection to the Data API, which it asks once in a quarter of
/// an hour. The server ends one after 20 minutes (`idle_seconds`).
const KEPT: Duration = Duration::from_secs(19 * 60);

/// How often the page's files are looked at.
const FRONTEND_EVERY: Duration = Duration::from_secs(3600);

impl Device {
    /// Opens what a configuration file names, on this machine's clocks and network.
    ///
    /// # Errors
    /// Returns [`DeviceError`], naming the file concerned.
    pub fn open(path: &Path) -> Result<Self, DeviceError> {
        Self::open_on_network(path, None)
    }

    /// The same for measuring: the connection to the Data API is kept from slot to slot.
    ///
    /// # Errors
    /// Returns [`DeviceError`], naming the file concerned.
    pub fn open_for_measuring(path: &Path) -> Result<Self, DeviceError> {
        Self::open_on_network(path, Some(KEPT))
    }

    fn open_on_network(path: &Path, kept: Option<Duration>) -> Result<Self, DeviceError> {
        let config = DeviceConfig::load(path)?;
        let clock = Arc::new(DeviceSystemClock::new(config.clock));
        let options = ClientOptions { kept, ..config.api.client_options() };
        let connect = Arc::new(Network { url: config.api.url.clone(), options });
        Self::open_with(config, clock, connect)
    }

    /// Opens what a configuration names, with the caller's clocks and network.
    ///
    /// # Errors
    /// Returns [`DeviceError`], naming the file concerned.
    pub fn open_with(
        config: DeviceConfig,
        clock: Arc<dyn DeviceClock>,
        connect: Arc<dyn Connect>,
    ) -> Result<Self, DeviceError> {
        let api = &config.api;
        renewal::settle(&api.certificate, &api.key)?;
        let identity = Identity::load(&api.certificate, &api.key, &api.ca)?;
        let validity = Validity::from_file(&api.certificate)?;
        let connection = connect.connect(&identity)?;
        let options = SpoolOptions { clock: clock.clone(), ..config.spool_options() };
        let spool = Spool::open_with(&config.spool, options)?;
        let frontend_at = Duration::ZERO;
        Ok(Self { config, spool, clock, api: connection, connect, validity, frontend_at })
    }

    /// The Data API, with the present certificate.
    #[must_use]
    pub fn api(&self) -> &Arc<dyn DeviceApi> {
        &self.api
    }

    /// Opens the spool again: a damaged file is moved aside, a file that another process moved
    /// aside is closed, and a file that was read-only can be written to if it is writable again.
    pub fn reopen_spool(&mut self) {
        // If it cannot be opened, its next use returns the error. In a new one it has to be stored
        // that the clock is right.
        if self.spool.reopen().is_ok() {
            let _ = self.spool.knows_the_time(&*self.clock);
        }
    }

    /// Renews the certificate if that is due, and loads one that another process renewed; the
    /// daemons call it in every cycle. A failure has no effect yet: a third of the lifetime is
    /// left, and the next cycle tries again.
    ///
    /// # Errors
    /// Returns [`DeviceError`] when the server does not give one, or a file cannot be read or
    /// written.
    pub fn keep_identity(&mut self) -> Result<Certificate, DeviceError> {
        let api = &self.config.api;
        let is_due = |validity: Validity| self.clock.now() >= validity.due_at();
        let mut current = Validity::from_file(&api.certificate)?;
        if is_due(current) {
            let _lock = renewal::lock(&api.key)?;
            renewal::settle(&api.certificate, &api.key)?;
            // Another process may have renewed it meanwhile.
            if is_due(Validity::from_file(&api.certificate)?) {
                renewal::renew(|key| self.api.renew(key), &api.certificate, &api.key)?;
            }
            current = Validity::from_file(&api.certificate)?;
        }
        if current == self.validity {
            return Ok(Certificate::Unchanged);
        }
        let (loaded, exposed) = Identity::load_anyway(&api.certificate, &api.key, &api.ca)?;
        self.api = self.connect.connect(&loaded)?;
        self.validity = current;
        Ok(Certificate::Changed { until: current.not_after, exposed })
    }

    /// Renews the certificate of the device's page if that is due, gets the first one if there is
    /// none, and stores the hash of its sign-in code; the daemons call it in every cycle, and once an
    /// hour it does something. Returns until when a new certificate is valid. A server of an older
    /// version gives none, which is no error.
    ///
    /// # Errors
    /// Returns [`DeviceError`] when the server does not give one, or a file cannot be read, written or
    /// given to its owner; the device's own certificate is not concerned.
    pub fn keep_frontend(&mut self) -> Result<Option<Timestamp>, DeviceError> {
        let Some(frontend) = &self.config.frontend else { return Ok(None) };
        let now = self.clock.since_boot();
        if now < self.frontend_at {
            return Ok(None);
        }
        self.frontend_at = now.saturating_add(FRONTEND_EVERY);
        frontend.make_folder()?;
        frontend.keep_authority(&self.config.api.ca)?;
        let (certificate, key) = (frontend.certificate(), frontend.key());
        // Beside the device's own key: the page's folder is another user's.
        let _lock = renewal::lock(&self.config.api.key)?;
        renewal::settle(&certificate, &key)?;
        if frontend.is_due(self.clock.now())? {
            let until = frontend.obtain(KeyKind::default(), |key| self.api.frontend(key));
            return or_unknown(until.map_err(DeviceError::from));
        }
        let sign_in = or_unknown(self.api.sign_in().map_err(DeviceError::from))?;
        if let Some(hash) = sign_in.and_then(|sign_in| sign_in.sign_in_hash) {
            frontend.keep_sign_in(&hash)?;
        }
        Ok(None)
    }

    /// Whether the device may measure now. While the server cannot be reached, its last answer
    /// remains valid.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool does not say what was heard last.
    pub fn may_measure(&self) -> Result<Decision, SpoolError> {
        Gate::decide(&self.spool, || self.api.consent(), &*self.clock)
    }
}

/// Nothing, if the server does not know what it was asked for, since it is of an older version.
fn or_unknown<T>(answer: Result<T, DeviceError>) -> Result<Option<T>, DeviceError> {
    let is_unknown =
        |error: &ClientError| matches!(error, ClientError::Problem { status: 404, .. });
    match answer {
        Err(DeviceError::Renewal(RenewalError::Client(error))) if is_unknown(&error) => Ok(None),
        Err(DeviceError::Client(error)) if is_unknown(&error) => Ok(None),
        answer => answer.map(Some),
    }
}
