//! Values as SQLite keeps them, and back.

use ebp_core::{
    contract::{GrantChannel, Language, MessageAbout, TunnelSessionEnd, WithdrawalChannel},
    model::{Battery, GenerationRegister, IncidentType, MeterType, MeteringConcept},
};
use jiff::{Timestamp, civil::Date};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A UUID as its 16 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?).map(Self).map_err(FromSqlError::other)
    }
}

/// An instant as microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

impl ToSql for Instant {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Instant {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_microsecond(value.as_i64()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A value as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<T>(pub T);

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl ToSql for Text<$type> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.to_string().into())
            }
        }
        impl FromSql for Text<$type> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
            }
        }
    )*};
}
as_text!(Decimal, Date, IncidentType, Language, MessageAbout, TunnelSessionEnd, WithdrawalChannel);

macro_rules! as_name {
    ($($type:ty),*) => {$(
        impl ToSql for Name<$type> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.name().into())
            }
        }
        impl FromSql for Name<$type> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <$type>::named(value.as_str()?).map(Self).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}
as_name!(MeteringConcept, Battery, GenerationRegister, GrantChannel);

/// A value as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<T>(pub T);

/// A meter's type as its constant's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub MeterType);

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.name().into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        [MeterType::Electricity, MeterType::PvGeneration]
            .into_iter()
            .find(|kind| kind.name() == name)
            .map(Self)
            .ok_or(FromSqlError::InvalidType)
    }
}
