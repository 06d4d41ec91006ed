//! Error reports to any Sentry-compatible service, by its DSN; off unless one is configured.
//!
//! Enters: panics, errors that end a command or a cycle, `tracing` events of level ERROR, the section
//! `[errors]` of a configuration ([`ErrorsConfig`]). Leaves: a ledger of groups and a bounded queue of
//! events in a private folder, and envelopes to the service. Absent: messages with values, people,
//! addresses, meters' numbers, host names and IP addresses: an event has no field for them.
//!
//! What an event says: release, component, architecture, the device's name where one is configured, the
//! types of an error and its causes (names of types and variants, never their values), file and line,
//! and for panics the names of the functions. The same type at the same place is a group. A group sends
//! ten events an hour at most; the next one after that says how many were left out.
//!
//! | part | does |
//! |---|---|
//! | [`Reporter`] | takes reports of a process and writes them down before it returns |
//! | [`Folder`] | the ledger and the queue, shared by all processes of a device |
//! | [`Transmission`] | sends what is queued, an event a step; neither waits nor reads a clock |
//! | [`ErrorLayer`] | turns `tracing` events of level ERROR into reports |
//! | [`catch_panics`] | turns panics into reports |
//!
//! Features: all but the configuration is behind `report`, so that libraries that only read a
//! configuration do not pay for it.
//!
//! ```
//! # #[cfg(feature = "report")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Duration};
//! use ebp_core::clock::SystemClock;
//! use ebp_errors::{Component, Folder, Release, Reporter, ReporterSettings};
//!
//! let place = tempfile::tempdir()?;
//! let folder = Folder::new(place.path().to_owned());
//! let release = Release { version: "1.0.0", component: Component::Command, device: None };
//! let reporter = Reporter::start(ReporterSettings {
//!     release,
//!     folder: folder.clone(),
//!     // Counted here, and sent nowhere.
//!     service: None,
//!     clock: Arc::new(SystemClock),
//!     hear: Box::new(|text| eprintln!("{text}")),
//! });
//! reporter.report_error(&"12,5".parse::<f64>().unwrap_err());
//! reporter.finish(Duration::from_secs(1));
//! // Its type is kept, never its value.
//! assert_eq!(folder.ledger()?.groups.len(), 1);
//! # Ok(()) }
//! # #[cfg(not(feature = "report"))]
//! # fn main() {}
//! ```

mod config;
mod dsn;

#[cfg(feature = "report")]
mod event;
#[cfg(feature = "report")]
mod folder;
#[cfg(feature = "report")]
mod layer;
#[cfg(feature = "report")]
mod ledger;
#[cfg(feature = "report")]
mod limit;
#[cfg(feature = "report")]
mod origin;
#[cfg(feature = "report")]
mod panic;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "report")]
mod reporter;
#[cfg(feature = "report")]
mod service;
#[cfg(feature = "report")]
mod stack;
#[cfg(feature = "report")]
mod summary;
#[cfg(feature = "report")]
mod transmission;
#[cfg(feature = "report")]
mod types;

pub use config::{DSN_VARIABLE, DeviceName, ErrorsConfig, ErrorsConfigError};
pub use dsn::{Dsn, DsnError};

#[cfg(feature = "report")]
pub use event::Release;
#[cfg(feature = "report")]
pub use folder::{Admission, Folder, FolderError, MOST_BYTES, MOST_FILES};
#[cfg(feature = "report")]
pub use layer::ErrorLayer;
#[cfg(feature = "report")]
pub use ledger::{Group, Ledger, MOST_AN_HOUR};
#[cfg(feature = "report")]
pub use limit::rate_limit;
#[cfg(feature = "report")]
pub use origin::Place;
#[cfg(feature = "report")]
pub use panic::catch_panics;
#[cfg(feature = "report")]
pub use report::{Component, Level, Report};
#[cfg(feature = "report")]
pub use reporter::{Reporter, ReporterSettings};
#[cfg(feature = "report")]
pub use service::{Answer, Service, ServiceError};
#[cfg(feature = "report")]
pub use stack::{Frame, current_stack, parse_stack};
#[cfg(feature = "report")]
pub use transmission::{Step, Transmission};
#[cfg(feature = "report")]
pub use types::{error_types, type_name};
