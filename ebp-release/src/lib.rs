//! Which releases of the program a device may trust: a client of [The Update Framework], and with the
//! feature `author` what a group signs and publishes releases with.
//!
//! Enters: a first root role, the files of a repository from wherever ([`Repository`]), what is known
//! of the time ([`KnownTime`]). Leaves: releases that as many people have signed as must
//! ([`Targets`]), verified bytes of one of them ([`Target::copy_verified`]), or why there are none
//! ([`TrustError`]). Absent: the network; what a device does with a release; delegations, other
//! signatures than Ed25519.
//!
//! A repository has four roles. `root` names the keys of all of them and how many must sign, `targets`
//! lists the releases; people sign both, away from the network. `snapshot` and `timestamp` say which
//! of these files are the newest; a server signs them. Whoever holds the server, its key and the
//! network can withhold releases for as long as the timestamp is valid, and nothing else.
//!
//! ```
//! use ebp_release::{Client, Folder, KnownTime};
//!
//! fn newest(first_root: &[u8], time: KnownTime) -> Result<(), ebp_release::TrustError> {
//!     let mut client = Client::open("/var/lib/ebp-update/tuf", first_root)?;
//!     let targets = client.refresh(&Folder("/media/usb/releases".into()), time)?;
//!     for target in targets.iter() {
//!         println!("{}: {} bytes", target.name(), target.length);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [The Update Framework]: https://theupdateframework.github.io/specification/latest/

#[cfg(feature = "author")]
pub mod author;
mod client;
mod dates;
mod envelope;
mod error;
mod hex;
mod json;
mod key;
mod repository;
mod role;
mod target;
mod targets;
#[cfg(all(test, feature = "author"))]
mod tests;
mod trusted;

pub use client::Client;
pub use dates::{Judged, KnownTime};
pub use error::TrustError;
pub use key::{KeyId, PublicKey};
pub use repository::{Folder, Repository};
pub use role::RoleName;
pub use semver::Version;
pub use target::{CopyError, Target, is_architecture, parse_version};
pub use targets::{Refusal, Targets};
pub use trusted::LONGEST_CHAIN;
