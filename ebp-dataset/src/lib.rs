//! Energy between the readings of electricity meters: per quarter hour, hour, local day and month,
//! with guaranteed bounds, and what a household draws, feeds in and consumes itself.
//!
//! Enters: the readings of a meter in the order of time ([`Reading`]), and how its household's
//! meters are connected ([`MeterFacts`]). Leaves: [`Quarter`]s, [`Period`]s, [`Span`]s and
//! [`Balance`]s. Absent: files, databases, HTTP, the clock; floating point.
//!
//! All quantities are integers in units of 10^-8 kWh and of microseconds, and products have 128
//! bits. A boundary's value is rounded once, so that sums over neighbouring intervals telescope
//! exactly.
//!
//! Features: `files` writes and checks the data set's tables (Parquet and CSV) with their descriptions.
//!
//! The rules: `docs/decisions/energy-series.md`.
//!
//! ```
//! use ebp_dataset::{Energy, MeterSeries, Quality, Reading, Register, Rules};
//!
//! let quarter = 15 * 60 * 1_000_000;
//! let mut series = MeterSeries::new(Rules::default());
//! let mut rows = Vec::new();
//! for (at, shown) in [(1, "12345.6000"), (2, "12345.7520"), (3, "12345.9000")] {
//!     let import = Register::from_decimal(shown.parse().unwrap());
//!     let reading = Reading { import, ..Reading::at(at * quarter + 1_000_000) };
//!     series.push(&reading, &mut |row| rows.push(row)).unwrap();
//! }
//! series.finish(&mut |row| rows.push(row));
//! let row = rows[1].import.interval();
//! assert_eq!((row.quality, row.energy), (Quality::Measured, Some(Energy(14_800_000))));
//! ```

mod balance;
mod boundary;
mod calendar;
mod day;
mod energy;
#[cfg(feature = "files")]
pub mod files;
mod flag;
mod household;
mod join;
mod known;
mod meter;
mod period;
mod quarter;
mod reading;
mod register;
#[cfg(feature = "files")]
pub mod release;
mod role;
mod rules;
mod segment;
mod sign;
mod slot;
mod span;
mod total;

pub use balance::{Balance, Figures, NoRatio, figures};
pub use boundary::{Boundary, Interval, boundary, interval};
pub use calendar::{Calendar, CalendarError, LocalQuarter, day_number, day_of};
pub use day::{Day, Days, RegisterDay};
pub use ebp_core::contract::EnergyStep;
pub use ebp_core::model::{Battery, GenerationRegister, MeteringConcept};
pub use energy::Energy;
pub use flag::{BALANCE_VIOLATED, Flag, Flags, Quality};
pub use household::{HouseholdPeriod, HouseholdPeriods};
pub use join::{Joined, Stretches, intervals};
pub use known::{KnownPart, Part, Registers};
pub use meter::{MeterSeries, OutOfOrder, Window};
pub use period::{Period, Periods};
pub use quarter::{Quarter, RegisterQuarter};
pub use reading::{Reading, Register};
pub use role::{
    MeterFacts, MeterKind, MeterRole, PhaseSumming, Roles, Topology, Used, assign_roles,
};
pub use rules::{QUARTER, Rules};
pub use segment::{Past, Point};
pub use sign::SignCheck;
pub use span::{Span, Spans};
pub use total::Total;
