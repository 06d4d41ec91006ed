//! The device's identity: its certificate, its key and the authority that both sides trust.
//!
//! Enters: three PEM files. Leaves: TLS configurations. Absent: issuing, renewing, and the content
//! of the certificate except the device's identifier: the server reads participant and scopes from
//! it.

mod pem;
#[cfg(feature = "pkcs12")]
mod pkcs12;

pub(crate) use pem::clock_time;
pub use pem::{Identity, IdentityError, device_of};
#[cfg(feature = "pkcs12")]
pub use pkcs12::Pkcs12Error;
