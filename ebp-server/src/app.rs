//! What handlers share.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use ebp_core::clock::Clock;
use ebp_store::{Quota, Store};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    auth::{RegisterWatch, Secrets, Tokens},
    authority::Authority,
    database_clock::DatabaseClock,
    geocoding::Geocoder,
    limit::{Connections, Requests, Shares, Turns},
    overload::Overload,
    revocations::Keeper,
    settings::Limits,
    telemetry::Telemetry,
};

/// What handlers share.
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) register: RegisterWatch,
    pub(crate) authority: Authority,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) telemetry: Telemetry,
    pub(crate) requests: Requests,
    pub(crate) device_certificates: Duration,
    pub(crate) connections: Arc<Connections>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) database_clock: Arc<DatabaseClock>,
    pub(crate) limits: Limits,
    pub(crate) quota: Option<Quota>,
    pub(crate) geocoder: Option<Arc<Geocoder>>,
    pub(crate) revocations: Arc<Keeper>,
    pub(crate) overload: Overload,
    /// Connections of those who showed a certificate.
    pub(crate) holders: Arc<Shares>,
    /// Bounds the memory that bodies take while they come in.
    pub(crate) receiving: Arc<Shares>,
    /// Bounds the memory that uploads take while they are unpacked and read.
    pub(crate) unpacking: Arc<Turns>,
    /// Bounds the threads that wait for the location of an address.
    pub(crate) locating: Arc<Semaphore>,
    /// What the API says of itself.
    pub(crate) description: LazyLock<Value>,
}
