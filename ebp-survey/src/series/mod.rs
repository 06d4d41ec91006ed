//! A household's energy by quarter hours, hours, days and months, and its figures.
//!
//! Enters: a household, a stretch of time. Leaves: the contract's series and summaries. Absent: the
//! rules of energy, which are `ebp-dataset`'s, and SQL.
//!
//! Days of the survey's time zone are kept in the database: a request continues each meter's series
//! from its last kept day to its last measurement, and keeps the days that have become complete
//! ([`run`]). Everything else is made of measurements, from the last kept state on ([`quarters`]).
//! How it works together: `docs/decisions/energy-series.md`.

mod columns;
mod days;
mod interrupted;
mod keeper;
mod known;
mod quarters;
mod query;
mod roles;
mod rows;
mod run;
mod summary;

use ebp_core::contract::{EnergySeries, EnergyStep, EnergySummary};
use ebp_dataset::Calendar;
use ebp_store::HouseholdId;

use crate::{Survey, SurveyError};
use interrupted::{Interrupted, TRIES};
use known::Known;
use query::Asked;
#[cfg(not(feature = "dataset"))]
use roles::{Seen, assign};
use run::Maker;

#[cfg(feature = "dataset")]
pub(crate) use {
    columns::bits,
    roles::{HouseholdRoles, Seen, assign},
};

pub use keeper::SeriesKept;
pub use query::{SeriesFault, SeriesParts, SeriesQuery};

impl Survey {
    /// A household's energy, a row for each step.
    ///
    /// # Errors
    /// [`SurveyError::Series`] says what of the query has to be changed;
    /// [`SurveyError::SeriesChanging`] if late measurements come without end;
    /// [`StoreError::ConsentRevoked`](ebp_store::StoreError::ConsentRevoked) if there is no such household any more.
    pub async fn energy_series(
        &self,
        household: HouseholdId,
        query: &SeriesQuery,
        step: EnergyStep,
        parts: SeriesParts,
    ) -> Result<EnergySeries, SurveyError> {
        let asked = Asked::new(query, step, self.zone())?;
        let edges = asked.edges(step)?;
        for _ in 0..TRIES {
            match self.try_series(household, &asked, &edges, (step, parts)).await {
                Err(Interrupted::Changed) => {}
                Err(Interrupted::Failed(error)) => return Err(error),
                Ok(series) => return Ok(series),
            }
        }
        Err(SurveyError::SeriesChanging)
    }

    async fn try_series(
        &self,
        id: HouseholdId,
        asked: &Asked,
        edges: &[i64],
        (step, parts): (EnergyStep, SeriesParts),
    ) -> Result<EnergySeries, Interrupted> {
        self.with_known(id, async |known| {
            let rows = match step {
                EnergyStep::Day | EnergyStep::Month => {
                    let days = days::of_meters(known, asked).await?;
                    rows::of_days(known, edges, &days)
                }
                EnergyStep::Quarter | EnergyStep::Hour => {
                    rows::of_quarters(known, asked, step, edges).await?
                }
            };
            rows::series(known, asked, edges, &rows, (step, parts))
        })
        .await
    }

    /// A household's figures of a stretch of days: what is known of it.
    ///
    /// # Errors
    /// As [`energy_series`](Self::energy_series).
    pub async fn energy_summary(
        &self,
        household: HouseholdId,
        query: &SeriesQuery,
    ) -> Result<EnergySummary, SurveyError> {
        let asked = Asked::new(query, EnergyStep::Day, self.zone())?;
        for _ in 0..TRIES {
            let made = self.with_known(household, async |known| {
                let days = days::of_meters(known, &asked).await?;
                summary::of_days(known, &asked, &days)
            });
            match made.await {
                Err(Interrupted::Changed) => {}
                Err(Interrupted::Failed(error)) => return Err(error),
                Ok(summary) => return Ok(summary),
            }
        }
        Err(SurveyError::SeriesChanging)
    }

    /// What is made of a household whose series are continued to its last measurements.
    async fn with_known<T>(
        &self,
        id: HouseholdId,
        make: impl AsyncFnOnce(&Known<'_>) -> Result<T, Interrupted>,
    ) -> Result<T, Interrupted> {
        let calendar = Calendar::new(self.zone())?;
        let maker = Maker {
            store: self.store(),
            calendar: &calendar,
            basis: &run::basis(self.zone()),
            now: self.clock().now(),
            household: id,
        };
        let household = self.store().series_household(id).await?;
        let mut runs = Vec::with_capacity(household.meters.len());
        for meter in &household.meters {
            runs.push(maker.run(meter).await?);
        }
        let seen: Vec<_> =
            runs.iter().map(|run| Seen { read: run.read, total: run.total }).collect();
        let roles = assign(maker.calendar, &household, &seen);
        let known = Known { maker: &maker, household: &household, runs: &runs, roles: &roles };
        let made = make(&known).await?;
        if known.is_current().await? { Ok(made) } else { Err(Interrupted::Changed) }
    }
}
