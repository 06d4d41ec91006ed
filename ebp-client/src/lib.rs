//! Client of the Data API of the `ebp` measurement system.
//!
//! Enters: the server's address, a certificate and its key, or a group's secret. Leaves: the
//! contract's bodies, or a [`ClientError`] that says whether to retry later, to ask a person, or to
//! give up. Absent: retrying and waiting, which the report cycle does; storage; meters.
//!
//! A client blocks its thread; it must not be used on a thread of an asynchronous runtime.
//!
//! Features: `pkcs12` writes an identity as one file for other programs, which devices do without.
//!
//! ```
//! use std::path::Path;
//! use ebp_client::{Client, ClientOptions, identity::Identity};
//!
//! fn household(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
//!     let file = |name| folder.join(name);
//!     let identity = Identity::load(&file("device.pem"), &file("device.key"), &file("ca.pem"))?;
//!     let client = Client::new("https://ebp.example.org:8443", &identity, ClientOptions::default())?;
//!     println!("{} meters", client.meters()?.len());
//!     Ok(())
//! }
//! let error = household(Path::new("/nowhere")).unwrap_err();
//! assert!(error.to_string().contains("device.pem"));
//! ```

mod alert;
mod archive;
mod client;
mod energy;
mod enrolment;
mod error;
mod fleet;
mod household;
pub mod identity;
mod incidents;
mod job;
mod kept;
mod management;
mod measurements;
mod message;
mod registrations;
pub mod renewal;
mod rollout;
mod server_clock;
pub mod server_rule;
mod status;
mod trust;
mod tunnel;
mod validity;
mod web_files;

pub use archive::sha256_of;
pub use client::{Client, ClientOptions};
pub use enrolment::{DeviceKey, Enrolled, KeyError, KeyKind, enroll};
pub use error::{ClientError, TlsRefusal};
pub use fleet::FleetRequest;
pub use management::Manager;
pub use measurements::{Measurements, PageRequest};
pub use trust::{InvalidFingerprint, Trust};
pub use validity::{Validity, ValidityError};
pub use web_files::{WebFiles, WebRefusal};
