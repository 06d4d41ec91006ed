//! A measurement device: its configuration, spool, identity and clocks.
//!
//! Enters: a configuration. Leaves: what both daemons work with, opened. Absent: the daemons.

use std::{path::Path, sync::Arc};

use ebp_client::{
    ClientError, Validity, ValidityError,
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
    /// Its certificate was not renewed, or a renewal that was broken off cannot be finished.
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

/// What became of a device's certificate in a cycle.
#[derive(Debug)]
pub enum Certificate {
    /// It is valid for long enough.
    Unchanged,
    /// There is another one now, of this device or of another process's doing.
    Changed {
        /// Until when it is valid.
        until: Timestamp,
        /// Where others may know the key.
        exposed: Option<Exposed>,
    },
}

/// What a measurement device works with.
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
}

impl Device {
    /// Opens what a configuration file names, on this machine's clocks and network.
    ///
    /// # Errors
    /// [`DeviceError`], naming the file concerned.
    pub fn open(path: &Path) -> Result<Self, DeviceError> {
        let config = DeviceConfig::load(path)?;
        let clock = Arc::new(DeviceSystemClock::new(config.clock));
        let options = config.api.client_options();
        let connect = Arc::new(Network { url: config.api.url.clone(), options });
        Self::open_with(config, clock, connect)
    }

    /// Opens what a configuration names, with clocks and network of the caller's.
    ///
    /// # Errors
    /// [`DeviceError`], naming the file concerned.
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
        Ok(Self { config, spool, clock, api: connection, connect, validity })
    }

    /// The Data API, with the present certificate.
    #[must_use]
    pub fn api(&self) -> &Arc<dyn DeviceApi> {
        &self.api
    }

    /// Opens the spool again: a damaged one is set aside, one that another process set aside is
    /// left, and one that could only be read can be written to if that is over.
    pub fn reopen_spool(&mut self) {
        // Where it cannot be, its next use says why. A new one has to remember that the clock is right.
        if self.spool.reopen().is_ok() {
            let _ = self.spool.knows_the_time(&*self.clock);
        }
    }

    /// Renews the certificate if that is due, and takes up one that another process renewed; the
    /// daemons call it in every cycle. A failure costs nothing yet: a third of the lifetime is
    /// left, and the next cycle tries again.
    ///
    /// # Errors
    /// [`DeviceError`] when the server does not give one, or a file cannot be read or written.
    pub fn keep_identity(&mut self) -> Result<Certificate, DeviceError> {
        let api = &self.config.api;
        let is_due = |validity: Validity| self.clock.now() >= validity.due_at();
        if is_due(Validity::from_file(&api.certificate)?) {
            let _lock = renewal::lock(&api.key)?;
            renewal::settle(&api.certificate, &api.key)?;
            // Another process may have done it meanwhile.
            if is_due(Validity::from_file(&api.certificate)?) {
                renewal::renew(|key| self.api.renew(key), &api.certificate, &api.key)?;
            }
        }
        let current = Validity::from_file(&api.certificate)?;
        if current == self.validity {
            return Ok(Certificate::Unchanged);
        }
        let (loaded, exposed) = Identity::load_anyway(&api.certificate, &api.key, &api.ca)?;
        self.api = self.connect.connect(&loaded)?;
        self.validity = current;
        Ok(Certificate::Changed { until: current.not_after, exposed })
    }

    /// Whether the device may measure now. While the server cannot be asked, what it said last holds.
    ///
    /// # Errors
    /// [`SpoolError`] where the spool does not say what was heard last.
    pub fn may_measure(&self) -> Result<Decision, SpoolError> {
        Gate::decide(&self.spool, || self.api.consent(), &*self.clock)
    }
}
