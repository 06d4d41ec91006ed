//! Headings of options in `--help` that several commands have, so that the same options are under
//! the same words everywhere.

/// Formats, and what is left out or added.
pub const OUTPUT: &str = "What is printed";
/// The Data API's address, by what it is trusted, and who asks.
#[cfg(feature = "server")]
pub const API: &str = "Connection to the Data API";
/// A participant's folder, and which certificate of it.
#[cfg(feature = "server")]
pub const PARTICIPANT: &str = "The participant's certificate";
/// The configuration and the folder of a server on this machine.
#[cfg(feature = "server")]
pub const SERVER_DATA: &str = "Where the server's data is";
/// A household's location: entered, or looked up by its address.
#[cfg(feature = "server")]
pub const LOCATION: &str = "Where the household is";
/// Stored measurements, by meter and time.
#[cfg(feature = "server")]
pub const MEASUREMENTS: &str = "Which measurements";
/// NUTS-3 regions and population densities.
#[cfg(feature = "server")]
pub const REGIONS: &str = "Regions and densities";

/// The heading of the options for protocol and line.
pub const LINE: &str = "Protocol and line";
