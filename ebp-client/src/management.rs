//! The requests of researchers and administrators, with their group's secret.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    Method,
    blocking::RequestBuilder,
    header::{self, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Client, ClientError, ClientOptions, PageRequest, Trust, client::set_up};
use ebp_core::{
    contract::{
        EnrolmentRequest, EnrolmentToken, HouseholdChange, HouseholdHealth, LABEL_HEADER, Listing,
        Made, ManagedCertificate, ManagedDevice, ManagedHousehold, MeasurementPage, MeterChange,
        NewDevice, NewMeter, NewPvSystem, NewSignInCode, PvSystemChange, Registered, Registration,
        RevokedDevice, paths,
    },
    scope::Group,
};

/// A client that acts for a group. `Debug` shows no secret.
pub struct Manager {
    pub(crate) client: Client,
    group: Group,
    label: Option<String>,
    version: Option<String>,
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Manager {
    /// A client of the Data API at `base_url` that authenticates with the group's secret (HTTP
    /// Basic with the group's name as user). Nothing is sent yet.
    ///
    /// # Errors
    /// Returns [`ClientError::InvalidUrl`] if the address is no HTTPS address, and
    /// [`ClientError::SetUp`] if TLS cannot be set up.
    pub fn new(
        base_url: &str,
        trust: &Trust,
        group: Group,
        secret: &str,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        let failed = |reason: String| set_up(base_url, reason);
        let (tls, _) =
            trust.client_config(options.clock.clone()).map_err(|e| failed(e.to_string()))?;
        let credentials = BASE64_STANDARD.encode(format!("{group}:{secret}"));
        let mut header = HeaderValue::from_str(&format!("Basic {credentials}"))
            .map_err(|e| failed(e.to_string()))?;
        header.set_sensitive(true);
        let client = Client::with_tls(base_url, tls, Some(header), options)?;
        Ok(Self { client, group, label: None, version: None })
    }

    /// The same, with initials that the history of registrations has with each change.
    #[must_use]
    pub fn with_label(self, label: Option<String>) -> Self {
        Self { label, ..self }
    }

    /// The same, which changes a household only if that is its version
    /// ([`Self::registration_version`]); otherwise the server answers 412.
    #[must_use]
    pub fn with_version(self, version: Option<String>) -> Self {
        Self { version, ..self }
    }

    /// Makes another sign-in code for a device's page.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such device.
    pub fn sign_in_code(&self, device: Uuid) -> Result<NewSignInCode, ClientError> {
        let path = paths::MANAGED_SIGN_IN_CODE.replace("{uuid}", &device.to_string());
        self.client.send(Method::POST, &path)
    }

    /// Registers a household; with `further` even if the participant has one at the same address.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. A problem
    /// of status 400 or 422 lists every fault; one of status 409 names the participant's household
    /// at that address ([`ClientError::registered_already`]).
    pub fn register(
        &self,
        registration: &Registration,
        further: bool,
    ) -> Result<Registered, ClientError> {
        let query = if further { "?further=true" } else { "" };
        let path = format!("{}{query}", paths::MANAGEMENT_HOUSEHOLD);
        self.send(Method::POST, &path, registration)
    }

    /// Checks whether a registration would be accepted; nothing is stored.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::register`].
    pub fn check(&self, registration: &Registration, further: bool) -> Result<(), ClientError> {
        let query = if further { "?further=true" } else { "" };
        let path = format!("{}{query}", paths::REGISTRATION_CHECK);
        let request = self.client.request(Method::POST, &path).json(registration);
        self.client.receive(&path, request).map(drop)
    }

    /// Removes a household that was registered by mistake.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 409 if it has measurements.
    pub fn remove_household(&self, household: Uuid) -> Result<(), ClientError> {
        self.remove(&fill_path(paths::MANAGED_HOUSEHOLD, household, None))
    }

    /// A page of a meter's measurements, oldest first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such household or meter.
    pub fn measurements_page(
        &self,
        household: Uuid,
        meter: Uuid,
        request: &PageRequest,
    ) -> Result<MeasurementPage, ClientError> {
        self.client.page(&fill_path(paths::MANAGED_MEASUREMENT, household, Some(meter)), request)
    }

    /// A registration with all that belongs to it.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is none.
    pub fn registration(&self, household: Uuid) -> Result<ManagedHousehold, ClientError> {
        self.client.get(&fill_path(paths::MANAGED_HOUSEHOLD, household, None))
    }

    /// Changes a household's members.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. A problem
    /// of status 400 or 422 lists every fault.
    pub fn change(
        &self,
        household: Uuid,
        change: &HouseholdChange,
    ) -> Result<ManagedHousehold, ClientError> {
        self.send(Method::PATCH, &fill_path(paths::MANAGED_HOUSEHOLD, household, None), change)
    }

    /// Adds a meter.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::change`].
    pub fn add_meter(&self, household: Uuid, meter: &NewMeter) -> Result<Made, ClientError> {
        self.send(Method::POST, &fill_path(paths::MANAGED_METERS, household, None), meter)
    }

    /// Changes a meter.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::change`].
    pub fn change_meter(
        &self,
        household: Uuid,
        meter: Uuid,
        change: &MeterChange,
    ) -> Result<ManagedHousehold, ClientError> {
        self.send(Method::PATCH, &fill_path(paths::MANAGED_METER, household, Some(meter)), change)
    }

    /// Adds a photovoltaic system.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::change`].
    pub fn add_pv_system(
        &self,
        household: Uuid,
        system: &NewPvSystem,
    ) -> Result<Made, ClientError> {
        self.send(Method::POST, &fill_path(paths::MANAGED_PV_SYSTEMS, household, None), system)
    }

    /// Changes a photovoltaic system.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::change`].
    pub fn change_pv_system(
        &self,
        household: Uuid,
        system: Uuid,
        change: &PvSystemChange,
    ) -> Result<ManagedHousehold, ClientError> {
        self.send(
            Method::PATCH,
            &fill_path(paths::MANAGED_PV_SYSTEM, household, Some(system)),
            change,
        )
    }

    /// Removes a meter that was registered by mistake.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 409 if it has measurements or is connected.
    pub fn remove_meter(&self, household: Uuid, meter: Uuid) -> Result<(), ClientError> {
        self.remove(&fill_path(paths::MANAGED_METER, household, Some(meter)))
    }

    /// Removes a photovoltaic system that was registered by mistake.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 409 if its meter has measurements.
    pub fn remove_pv_system(&self, household: Uuid, system: Uuid) -> Result<(), ClientError> {
        self.remove(&fill_path(paths::MANAGED_PV_SYSTEM, household, Some(system)))
    }

    /// For administrators: a page of a device's certificates, oldest first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such device.
    pub fn certificates(
        &self,
        device: Uuid,
        cursor: Option<&str>,
    ) -> Result<Listing<ManagedCertificate>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", certificates_of(device)))
    }

    /// For administrators: revokes every certificate of a device and invalidates its one-time
    /// tokens, permanently and from the next request on.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such device.
    pub fn revoke_device(&self, device: Uuid) -> Result<RevokedDevice, ClientError> {
        self.client.send(Method::DELETE, &certificates_of(device))
    }

    /// For administrators: a page of all devices.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn devices(&self, cursor: Option<&str>) -> Result<Listing<ManagedDevice>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", paths::MANAGEMENT_DEVICE))
    }

    /// For administrators: the health of the devices and meters of a page of households.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn health(&self, cursor: Option<&str>) -> Result<Listing<HouseholdHealth>, ClientError> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        self.client.get(&format!("{}{query}", paths::MANAGEMENT_HOUSEHOLD))
    }

    /// For administrators: a device.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such device.
    pub fn device(&self, device: Uuid) -> Result<ManagedDevice, ClientError> {
        self.client.get(&device_path(device))
    }

    /// For administrators: adds a device to a household.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such household, or it has no such meter.
    pub fn add_device(&self, device: &NewDevice) -> Result<Made, ClientError> {
        self.send(Method::POST, paths::MANAGEMENT_DEVICE, device)
    }

    /// For administrators: removes a device that was added by mistake.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 409 if it is still used.
    pub fn remove_device(&self, device: Uuid) -> Result<(), ClientError> {
        self.remove(&device_path(device))
    }

    /// For administrators: creates a one-time token with which a device is enrolled. An earlier one
    /// that was not used becomes invalid.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 404 if there is no such device.
    pub fn enrolment(
        &self,
        device: Uuid,
        request: &EnrolmentRequest,
    ) -> Result<EnrolmentToken, ClientError> {
        let path = paths::MANAGED_ENROLMENT.replace("{uuid}", &device.to_string());
        self.send(Method::POST, &path, request)
    }

    fn remove(&self, path: &str) -> Result<(), ClientError> {
        self.client.receive(path, self.headed(self.client.request(Method::DELETE, path))).map(drop)
    }

    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.client.answer(path, self.headed(self.client.request(method, path)).json(body))
    }

    /// A request with the initials, and with the version that it is meant for.
    fn headed(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(label) = &self.label {
            // Of any letters, as the server reads them.
            request = request.header(LABEL_HEADER, label.as_bytes());
        }
        if let Some(version) = &self.version {
            request = request.header(header::IF_MATCH, version);
        }
        request
    }
}

fn device_path(device: Uuid) -> String {
    paths::MANAGED_DEVICE.replace("{uuid}", &device.to_string())
}

fn certificates_of(device: Uuid) -> String {
    paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string())
}

pub(crate) fn fill_path(template: &str, household: Uuid, member: Option<Uuid>) -> String {
    let path = template.replace("{household}", &household.to_string());
    match member {
        Some(uuid) => path.replace("{uuid}", &uuid.to_string()),
        None => path,
    }
}
