//! A household's participant, address, location and metadata. `Debug` shows none of their values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The contact of a household.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Participant {
    /// Full name.
    pub name: String,
    /// E-mail address, unique among participants.
    pub email: String,
}

/// A postal address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// Postal code.
    pub postal_code: String,
    /// City.
    pub city: String,
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
}

/// A geographic position, WGS 84 degrees.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}
redacted!(Participant, Address, Location);

/// Answers of the registration form that say how the household lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(clippy::struct_excessive_bools, reason = "the form asks these three questions")]
pub struct Metadata {
    /// Children in the household.
    pub children: u8,
    /// Adults in the household.
    pub adults: u8,
    /// How many of the adults have a job.
    pub adults_with_job: u8,
    /// Is there an electric vehicle charger?
    pub electric_vehicle_charger: bool,
    /// Is there a heat pump?
    pub heat_pump: bool,
    /// Is there a home battery?
    pub home_battery: bool,
}
