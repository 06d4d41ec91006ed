//! Values as PostgreSQL takes and gives them in its binary form.

use std::error::Error;

use bytes::BytesMut;
use ebp_core::model::MeterType;
use jiff::{
    Timestamp,
    civil::{Date, date},
};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

type Failure = Box<dyn Error + Sync + Send>;

/// Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01.
pub const EPOCH: i64 = 946_684_800_000_000;

/// An instant (`timestamptz`), to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

impl Instant {
    /// The nearest to so many microseconds since the Unix epoch within the years 1 to 9999, which
    /// hold all that is kept: PostgreSQL's calendar begins later than the one that clients may ask
    /// by.
    pub fn within(micros: i64) -> Self {
        const FIRST: i64 = -62_135_596_800_000_000;
        let last = Timestamp::MAX.as_microsecond();
        let nearest = Timestamp::from_microsecond(micros.clamp(FIRST, last));
        Self(nearest.unwrap_or(Timestamp::MAX))
    }
}

impl ToSql for Instant {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        (self.0.as_microsecond() - EPOCH).to_sql(ty, out)
    }
    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Instant {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        let since = i64::from_sql(ty, raw)?.checked_add(EPOCH).ok_or("an instant out of range")?;
        Ok(Self(Timestamp::from_microsecond(since)?))
    }
    accepts!(TIMESTAMPTZ);
}

/// A day (`date`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

const FIRST_DAY: Date = date(2000, 1, 1);

impl ToSql for Day {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        FIRST_DAY.until(self.0)?.get_days().to_sql(ty, out)
    }
    accepts!(DATE);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Day {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        let days = jiff::Span::new().try_days(i32::from_sql(ty, raw)?)?;
        Ok(Self(FIRST_DAY.checked_add(days)?))
    }
    accepts!(DATE);
}

/// A meter's type by its constant's name.
pub fn meter_type(name: &str) -> Option<MeterType> {
    [MeterType::Electricity, MeterType::PvGeneration].into_iter().find(|kind| kind.name() == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn instants_round_trip(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let instant = Instant(Timestamp::from_microsecond(micros).unwrap());
            let mut bytes = BytesMut::new();
            instant.to_sql(&Type::TIMESTAMPTZ, &mut bytes).unwrap();
            prop_assert_eq!(Instant::from_sql(&Type::TIMESTAMPTZ, &bytes).unwrap(), instant);
        }

        #[test]
        fn days_round_trip(days in -700_000_i32..2_900_000) {
            let day = Day(FIRST_DAY.checked_add(jiff::Span::new().days(days)).unwrap());
            let mut bytes = BytesMut::new();
            day.to_sql(&Type::DATE, &mut bytes).unwrap();
            prop_assert_eq!(&bytes[..], days.to_be_bytes());
            prop_assert_eq!(Day::from_sql(&Type::DATE, &bytes).unwrap(), day);
        }
    }

    #[test]
    fn an_instant_beyond_the_calendar_is_an_error() {
        // PostgreSQL's `infinity`.
        assert!(Instant::from_sql(&Type::TIMESTAMPTZ, &i64::MAX.to_be_bytes()).is_err());
    }
}
