//! A household's participant, address, location and metadata. `Debug` shows none of their values.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::metering::{Battery, MeteringConcept};

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
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$",
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
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$",
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
            pattern = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$",
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
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Degrees north, -90 to 90.
    #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90, examples(50.85)))]
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180, examples(7.1)))]
    pub longitude: f64,
    /// How well the true location is known; `entered` by default. Absent in a masked location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Present if this is the masked location in place of the true one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<Masked>,
}

impl Location {
    /// A position that was entered by hand.
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
    /// Coordinates that were entered by hand.
    Entered,
    /// The address was found, with its number.
    Address,
    /// The street was found: off by some hundred metres.
    Street,
    /// The centre of the postal code area: off by kilometres in rural areas.
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

/// What is published with a masked location. It is computed from the masked location alone and
/// reveals nothing more about the true one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Masked {
    /// The NUTS-3 code of the region that the masked location lies in, which need not be the
    /// household's; absent outside of all regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nuts3: Option<String>,
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

/// Answers of the registration form about the household.
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
    /// How the photovoltaic systems feed in; `unknown` if absent.
    #[serde(default)]
    pub metering_concept: MeteringConcept,
    /// Where the home battery is connected; `unknown` if absent.
    #[serde(default)]
    pub battery: Battery,
}
