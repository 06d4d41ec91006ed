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
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
    /// How well the true location is known; `entered` where nobody said. Absent of a masked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Present if this is not where the household is, but the one location that it was masked by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<Masked>,
}

impl Location {
    /// A position that somebody entered.
    #[must_use]
    pub const fn entered(latitude: f64, longitude: f64) -> Self {
        Self { latitude, longitude, precision: Some(Precision::Entered), masked: None }
    }
}

/// How well a location is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Coordinates that somebody entered.
    Entered,
    /// The address was found, with its number.
    Address,
    /// The street was found: some hundred metres off.
    Street,
    /// A point in the middle of the postal code: kilometres off in the country.
    PostalCode,
}

impl Precision {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Entered, Self::Address, Self::Street, Self::PostalCode];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Address => "address",
            Self::Street => "street",
            Self::PostalCode => "postal-code",
        }
    }
}

/// What is known of a household behind a masked location: it lies in this region, at a distance
/// within these bounds (thesis equation 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Masked {
    /// The region's NUTS-3 code.
    pub nuts3: String,
    /// The region's population density, persons per km².
    pub density: f64,
    /// The least distance, metres.
    pub d_min: f64,
    /// The greatest distance, metres.
    pub d_max: f64,
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
