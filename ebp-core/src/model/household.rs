//! A household's participant, address, location and metadata. `Debug` shows none of their values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The contact of a household.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Participant {
    /// Full name.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 200,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$",
            examples("Erika Mustermann")
        )
    )]
    pub name: String,
    /// E-mail address, unique among participants.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 254,
            pattern = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$",
            examples("erika@example.org")
        )
    )]
    pub email: String,
}

/// A postal address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    /// Street and number.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 200,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$",
            examples("Heidestraße 17")
        )
    )]
    pub street: String,
    /// Postal code; in Germany (`DE`) five digits.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 2,
            max_length = 10,
            pattern = "^[0-9A-Za-z]([0-9A-Za-z -]*[0-9A-Za-z])?$",
            examples("51147")
        )
    )]
    pub postal_code: String,
    /// City.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 200,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$",
            examples("Köln")
        )
    )]
    pub city: String,
    /// Country, ISO 3166-1 alpha-2.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$", examples("DE"))
    )]
    pub country: String,
}

/// A geographic position, WGS 84 degrees.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Degrees north, -90 to 90.
    #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90, examples(50.85)))]
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180, examples(7.1)))]
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
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 99, examples(1)))]
    pub children: u8,
    /// Adults in the household.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 99, examples(2)))]
    pub adults: u8,
    /// How many of the adults have a job; no more than there are.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 99, examples(1)))]
    pub adults_with_job: u8,
    /// Is there an electric vehicle charger?
    pub electric_vehicle_charger: bool,
    /// Is there a heat pump?
    pub heat_pump: bool,
    /// Is there a home battery?
    pub home_battery: bool,
}
