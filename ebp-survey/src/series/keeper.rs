//! Keeps the days of all meters, so that no request has to read a year of measurements.

use std::time::{Duration, Instant};

use ebp_dataset::Calendar;
use ebp_store::{SeriesPlace, StoreError};

use super::{
    interrupted::{Interrupted, TRIES},
    query::{DAY, SeriesFault},
    run::{Maker, basis},
};
use crate::{Survey, SurveyError};

/// Meters that are asked for at a time.
const MANY: u32 = 200;

/// A day is kept two days after its end; one that is older is due.
const DUE: i64 = 4 * DAY;

/// What a pass over all meters has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeriesKept {
    /// Meters whose series were continued.
    pub meters: usize,
    /// Days that were kept.
    pub days: usize,
    /// Meters that could not be continued; the log says why.
    pub failed: usize,
}

impl Survey {
    /// Continues the series of all meters of which days are due. After each meter it waits `rest`
    /// times as long as that took, so that requests go first.
    ///
    /// # Errors
    /// If the store cannot list the meters.
    pub async fn keep_series(&self, rest: u32) -> Result<SeriesKept, SurveyError> {
        let mut done = SeriesKept::default();
        let mut after = 0;
        loop {
            let places = self.store().series_places(after, MANY).await?;
            for place in &places {
                let now = self.clock().now().as_microsecond();
                if place.kept_to.is_some_and(|to| to > now - DUE) {
                    continue;
                }
                let start = Instant::now();
                match self.keep_meter(place).await {
                    Ok(days) => (done.meters, done.days) = (done.meters + 1, done.days + days),
                    Err(error) => {
                        tracing::warn!(%error, "the days of a meter cannot be kept");
                        done.failed += 1;
                    }
                }
                tokio::time::sleep(start.elapsed().saturating_mul(rest).max(LEAST)).await;
            }
            match places.last() {
                Some(last) => after = last.meter,
                None => return Ok(done),
            }
        }
    }

    async fn keep_meter(&self, place: &SeriesPlace) -> Result<usize, SurveyError> {
        let calendar = Calendar::new(self.zone()).map_err(SeriesFault::from)?;
        let basis = basis(self.zone());
        for _ in 0..TRIES {
            let household = match self.store().series_household(place.household).await {
                // It was revoked, and has another identifier from then on.
                Err(StoreError::ConsentRevoked | StoreError::NotFound) => return Ok(0),
                household => household?,
            };
            let meter = household.meters.iter().find(|meter| meter.number == place.meter);
            let Some(meter) = meter else { return Ok(0) };
            let maker = Maker {
                store: self.store(),
                calendar: &calendar,
                basis: &basis,
                now: self.clock().now(),
                household: place.household,
            };
            match maker.run(meter).await {
                Ok(run) => return Ok(run.kept),
                Err(Interrupted::Changed) => {}
                Err(Interrupted::Failed(error)) => return Err(error),
            }
        }
        Ok(0)
    }
}

/// The shortest rest.
const LEAST: Duration = Duration::from_millis(1);
