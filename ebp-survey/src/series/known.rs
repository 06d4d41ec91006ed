//! A household whose meters' series are known up to their last measurements.

use ebp_dataset::Stretches;
use ebp_store::{SeriesHousehold, StoreError};

use super::{
    roles::HouseholdRoles,
    run::{Maker, MeterRun},
};

/// What answers are made of.
pub(super) struct Known<'a> {
    pub maker: &'a Maker<'a>,
    pub household: &'a SeriesHousehold,
    pub runs: &'a [MeterRun],
    pub roles: &'a HouseholdRoles,
}

impl Known<'_> {
    /// Whether what is kept is still what was read.
    pub async fn is_current(&self) -> Result<bool, StoreError> {
        let numbers: Vec<_> = self.household.meters.iter().map(|meter| meter.number).collect();
        let now = self.maker.store.series_generations(&numbers).await?;
        let noted = numbers.iter().zip(self.runs).map(|(meter, run)| (*meter, run.generation));
        Ok(noted.into_iter().all(|noted| now.contains(&noted)))
    }

    /// When its meters have rows.
    pub fn stretches(&self) -> Stretches {
        Stretches::new(self.runs.iter().map(|run| run.read))
    }

    /// When the household was first measured.
    pub fn begun(&self) -> Option<i64> {
        self.runs.iter().filter_map(|run| run.read).map(|(first, _)| first).min()
    }
}
