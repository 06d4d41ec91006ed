//! The fleet: what administrators do with devices that stand in households.
//!
//! Today that is the [`tunnel`], by which a device behind a home router is reached: the device
//! holds one outbound connection to the Data API, and a session of an administrator is a stream in
//! it that ends at a service of the device's own list.
//!
//! Enters: a device's configuration, connections that the Data API has upgraded. Leaves: bytes
//! between an administrator and a service, records of sessions. Absent: meters, the spool, pages,
//! the database of the Data API, and commands: a tunnel carries bytes and runs nothing.
//!
//! Features: `device` is the device's end, `server` the Data API's, `connect` what administrators
//! use. Without any there is the [configuration](tunnel::TunnelConfig) alone.
//!
//! ```
//! use ebp_fleet::tunnel::AllowList;
//!
//! let entries = ["127.0.0.1:22".to_owned(), "web=127.0.0.1:80".to_owned()];
//! let services = AllowList::parse(&entries, false).unwrap();
//! assert!(services.find("ssh").is_some() && services.find("web").is_some());
//! // Another machine of the household: only where its owner has allowed that.
//! assert!(AllowList::parse(&["192.168.1.2:22".to_owned()], false).is_err());
//! ```

pub mod tunnel;
