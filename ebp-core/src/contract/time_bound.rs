//! The beginning or the end of a stretch, as people write it: a day or an instant.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The beginning or the end of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// That instant.
    At(Timestamp),
    /// The first instant of that day of the time zone that is meant.
    Midnight(Date),
}

/// A text is neither a day nor an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a day (2026-01-31) or an RFC 3339 time (2026-01-31T12:00:00Z)")]
pub struct NoTimeBound;

impl FromStr for TimeBound {
    type Err = NoTimeBound;

    fn from_str(text: &str) -> Result<Self, NoTimeBound> {
        // A day with a time behind it is no day.
        let day = text.parse().ok().filter(|_| text.len() <= "-999999-12-31".len());
        match day {
            Some(day) => Ok(Self::Midnight(day)),
            None => text.parse().map(Self::At).map_err(|_| NoTimeBound),
        }
    }
}

impl fmt::Display for TimeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => at.fmt(f),
            Self::Midnight(day) => day.fmt(f),
        }
    }
}

impl From<Timestamp> for TimeBound {
    fn from(at: Timestamp) -> Self {
        Self::At(at)
    }
}

impl Serialize for TimeBound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeBound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for TimeBound {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
        let of = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
        };
        OneOfBuilder::new()
            .item(of(KnownFormat::Date))
            .item(of(KnownFormat::DateTime))
            .description(Some("A day of the survey's time zone, or an instant"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for TimeBound {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_told_apart() {
        let day = TimeBound::Midnight("2026-03-01".parse().unwrap());
        let at = TimeBound::At("2026-03-01T12:00:00Z".parse().unwrap());
        for (text, bound) in
            [("2026-03-01", day), ("2026-03-01T12:00:00Z", at), ("2026-03-01T13:00:00+01:00", at)]
        {
            assert_eq!(text.parse(), Ok(bound), "{text}");
        }
        for text in ["", "2026-03-01T00:00:00", "2026-02-30", "today", "2026-3-1"] {
            assert_eq!(text.parse::<TimeBound>(), Err(NoTimeBound), "{text}");
        }
        for (bound, json) in [(day, r#""2026-03-01""#), (at, r#""2026-03-01T12:00:00Z""#)] {
            assert_eq!(serde_json::to_string(&bound).unwrap(), json);
            assert_eq!(serde_json::from_str::<TimeBound>(json).unwrap(), bound);
        }
        assert!(serde_json::from_str::<TimeBound>("1").is_err());
    }
}
