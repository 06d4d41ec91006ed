//! The router's state: each handler and each layer takes the part that it uses.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use ebp_survey::Survey;

use crate::{
    alert::AlertWatch,
    api::{description::Description, intake::Intake},
    auth::Authenticator,
    database_clock::DatabaseClock,
    job::JobAdded,
    limit::Connections,
    machine::Machine,
    rollout::RolloutWatch,
    telemetry::Telemetry,
    tunnel::Tunnels,
};

/// The parts.
#[derive(Clone)]
pub(crate) struct App {
    /// Registrations, consents, devices, measurements.
    pub(crate) survey: Arc<Survey>,
    /// Who asks.
    pub(crate) authenticator: Arc<Authenticator>,
    /// Bounds of bodies and uploads.
    pub(crate) intake: Arc<Intake>,
    /// What wakes a worker of this server.
    pub(crate) job_added: Arc<JobAdded>,
    /// The rules of alerts, and what wakes the loop that watches.
    pub(crate) alert_watch: Arc<AlertWatch>,
    /// What wakes the loop that judges a roll-out.
    pub(crate) rollout_watch: Arc<RolloutWatch>,
    /// Tunnels of devices, and sessions through them.
    pub(crate) tunnels: Arc<Tunnels>,
    /// What is counted.
    pub(crate) telemetry: Arc<Telemetry>,
    /// Connections that are open.
    pub(crate) connections: Arc<Connections>,
    /// The machine, and files that the server depends on.
    pub(crate) machine: Arc<Machine>,
    /// The clock on which the servers of a database agree.
    pub(crate) clock: Arc<DatabaseClock>,
    /// What the API says of itself.
    pub(crate) description: Arc<Description>,
    /// How long a request may take from its headers to its answer.
    pub(crate) patience: Duration,
}

macro_rules! parts {
    ($($field:ident: $part:ty),*) => {$(
        impl FromRef<App> for Arc<$part> {
            fn from_ref(app: &App) -> Self {
                app.$field.clone()
            }
        }
    )*};
}
parts!(
    survey: Survey,
    authenticator: Authenticator,
    intake: Intake,
    job_added: JobAdded,
    alert_watch: AlertWatch,
    rollout_watch: RolloutWatch,
    tunnels: Tunnels,
    telemetry: Telemetry,
    connections: Connections,
    machine: Machine,
    clock: DatabaseClock,
    description: Description
);
