//! A household's energy: series and figures.

use ebp_core::contract::{EnergySeries, EnergyStep, EnergySummary, paths};
use jiff::civil::Date;

use crate::{Client, ClientError};

impl Client {
    /// The household's energy from the midnight before `from` to the midnight before `to`, a row for
    /// each step, in the days of that zone.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404
    /// from a server that is older than these figures.
    pub fn energy_series(
        &self,
        from: Date,
        to: Date,
        step: EnergyStep,
        zone: &str,
    ) -> Result<EnergySeries, ClientError> {
        let days = days(from, to, zone);
        self.get(&format!("{}?{days}&step={}", paths::SERIES, step.name()))
    }

    /// The figures of those days.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::energy_series`].
    pub fn energy_summary(
        &self,
        from: Date,
        to: Date,
        zone: &str,
    ) -> Result<EnergySummary, ClientError> {
        self.get(&format!("{}?{}", paths::SUMMARY, days(from, to, zone)))
    }
}

/// Names of zones are letters, digits and `/_+-`; a plus would be a space.
fn days(from: Date, to: Date, zone: &str) -> String {
    format!("from={from}&to={to}&zone={}", zone.replace('+', "%2B"))
}
