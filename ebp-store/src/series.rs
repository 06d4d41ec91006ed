//! Days and states of energy series, kept so that a year is read without its measurements.
//!
//! Enters: what whoever applies the rules of energy has made of a meter's measurements, as texts.
//! Leaves: the same, as long as no measurement has come that changes it. Absent: the rules of energy
//! themselves. How it works together: `docs/decisions/energy-series.md`.

use async_trait::async_trait;
use ebp_core::model::{Battery, GenerationRegister, MeterType, MeteringConcept};
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::{HouseholdId, StoreError};

/// What of a household its energies depend on, besides its measurements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesHousehold {
    /// Whether it has a battery.
    pub home_battery: bool,
    /// Where it is connected.
    pub battery: Battery,
    /// How its photovoltaic systems feed in.
    pub metering_concept: MeteringConcept,
    /// Whether it has revoked its consent: when meters were removed is not known any more.
    pub is_revoked: bool,
    /// Its photovoltaic systems.
    pub systems: Vec<SeriesSystem>,
    /// Its meters, in the registration's order.
    pub meters: Vec<SeriesMeter>,
}

/// A photovoltaic system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesSystem {
    /// The meter that counts what it generates.
    pub meter: Option<Uuid>,
    /// When it was installed.
    pub installed_on: Date,
}

/// A meter, and what is kept of its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesMeter {
    /// Its number in the database.
    pub number: i32,
    /// Its identifier.
    pub uuid: Uuid,
    /// What it counts.
    pub kind: MeterType,
    /// When it was removed, if it was.
    pub removed_at: Option<Timestamp>,
    /// Which register of a generation meter counts what is generated, as registered.
    pub generation_register: Option<GenerationRegister>,
    /// What is kept of it, if anything ever was.
    pub kept: Option<KeptSeries>,
}

/// What is kept of a meter's series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSeries {
    /// What the days were made by.
    pub basis: String,
    /// How often days were removed.
    pub generation: i64,
    /// The series as all measurements before that instant leave it (microseconds since the Unix
    /// epoch).
    pub state: Option<(i64, String)>,
    /// The last day: its end, and what it is.
    pub last: Option<(i64, String)>,
}

/// A day to keep. Instants are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDay {
    /// Its first instant, which is the end of the day before.
    pub starts: i64,
    /// Its end.
    pub ends: i64,
    /// No measurement at this instant or later changes it.
    pub reach: i64,
    /// What it is.
    pub day: String,
    /// The series as all measurements before the day leave it.
    pub state: Option<String>,
}

/// Days to keep of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDays {
    /// The meter's number.
    pub meter: i32,
    /// The generation before the measurements were read.
    pub generation: i64,
    /// The days, without gaps, from the last kept one on.
    pub days: Vec<KeptDay>,
    /// The series as all measurements before the end of the last of them leave it.
    pub state: Option<(i64, String)>,
}

/// Where a meter's series stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesPlace {
    /// The meter's number.
    pub meter: i32,
    /// Its household.
    pub household: HouseholdId,
    /// The end of its last kept day, microseconds since the Unix epoch.
    pub kept_to: Option<i64>,
}

/// The part of a [`Store`](super::Store) that keeps energy series. Whatever is inserted removes, in
/// the same transaction, the days that it changes.
#[async_trait]
pub trait SeriesStore: Send + Sync {
    /// The household's meters and what is kept of them.
    ///
    /// # Errors
    /// Returns [`StoreError::ConsentRevoked`] if there is no such household (any more).
    async fn series_household(&self, household: HouseholdId)
    -> Result<SeriesHousehold, StoreError>;

    /// Begins to keep days of a meter, and returns the generation. Days of another basis are removed.
    /// Measurements that are inserted from now on count for the generation.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if the household has no such meter.
    async fn begin_series(
        &self,
        household: HouseholdId,
        meter: i32,
        basis: &str,
    ) -> Result<i64, StoreError>;

    /// Keeps days, durably; false if days were removed since the generation was noted, or the days
    /// do not follow the last kept one. Those that are kept already stay as they are.
    async fn keep_days(&self, days: NewDays) -> Result<bool, StoreError>;

    /// The kept days of a meter that begin from `from` on and before `to` (microseconds since the Unix
    /// epoch), in order.
    async fn kept_days(&self, meter: i32, from: i64, to: i64) -> Result<Vec<String>, StoreError>;

    /// The last state with a day that begins at that instant or before, and when that day begins.
    async fn kept_state(&self, meter: i32, at: i64) -> Result<Option<(i64, String)>, StoreError>;

    /// How often days of these meters were removed, for those of which days are kept.
    async fn series_generations(&self, meters: &[i32]) -> Result<Vec<(i32, i64)>, StoreError>;

    /// Meters that were measured, ordered by their numbers, after that one.
    async fn series_places(&self, after: i32, limit: u32) -> Result<Vec<SeriesPlace>, StoreError>;
}
