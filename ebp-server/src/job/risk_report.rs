//! The report of how well masked locations hide households.

use async_trait::async_trait;
use ebp_anon::risk::released_risk;
use ebp_core::contract::{HouseholdRisk, JobFault, JobKind, RiskReport, Spread};
use ebp_store::{JobResult, RevokedHousehold, Subject, masking::Masking};
use serde::{Deserialize, Serialize};

use super::{
    kind::{Done, JobContext, JobFailure, Kind},
    progress::Progress,
};

/// Reports on the masked households there are when it is begun.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskReportJob {}

#[async_trait]
impl Kind for RiskReportJob {
    const KIND: JobKind = JobKind::RiskReport;

    async fn run(self, context: &JobContext) -> Result<Done, JobFailure> {
        let JobContext { survey, progress, .. } = context;
        let store = survey.store();
        let masking = store
            .masking()
            .filter(|masking| masking.regions().is_some())
            .ok_or_else(|| JobFailure::of_fault(JobFault::NoRegions, false))?;
        let households = store.revoked_households().await?;
        progress.expect(u64::try_from(households.len()).unwrap_or(u64::MAX));
        let progress = progress.clone();
        let work = move || report(&masking, &households, &progress);
        let report = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| JobFailure::panicked())?
            .ok_or_else(JobFailure::stopped)?;
        let subjects = report.items.iter().map(|item| Subject::Household(item.household)).collect();
        let bytes = serde_json::to_vec(&report)
            .map_err(|_| JobFailure::lasting("the report cannot be written as JSON"))?;
        Ok(Done::Result(JobResult { bytes, subjects }))
    }
}

/// The report; none if the work was told to stop.
fn report(
    masking: &Masking,
    households: &[RevokedHousehold],
    progress: &Progress,
) -> Option<RiskReport> {
    let regions = masking.regions()?;
    let mut report = RiskReport {
        regions: masking.mark().map(|mark| mark.description).unwrap_or_default(),
        households: u64::try_from(households.len()).unwrap_or(u64::MAX),
        without_location: 0,
        outside: 0,
        persons_possible: None,
        items: Vec::new(),
    };
    for RevokedHousehold { household, location, .. } in households {
        match location {
            Some(location) => {
                let nuts3 = location.masked.as_ref().and_then(|masked| masked.nuts3.clone());
                report.outside += u64::from(nuts3.is_none());
                let persons =
                    released_risk(regions, location.latitude, location.longitude).unwrap_or(0.0);
                let persons_possible = persons.round();
                report.items.push(HouseholdRisk { household: *household, nuts3, persons_possible });
            }
            None => report.without_location += 1,
        }
        if !progress.advance() {
            return None;
        }
    }
    report.items.sort_by(|a, b| {
        a.persons_possible.total_cmp(&b.persons_possible).then(a.household.cmp(&b.household))
    });
    report.persons_possible = spread(&report.items);
    Some(report)
}

/// How the values of the items, which are in their order, are spread.
fn spread(items: &[HouseholdRisk]) -> Option<Spread> {
    let at = |percent: usize| {
        let place = (items.len() * percent).div_ceil(100).max(1) - 1;
        items.get(place).map(|item| item.persons_possible)
    };
    Some(Spread { least: at(0)?, low: at(5)?, median: at(50)?, high: at(95)? })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn spreads_are_those_of_the_values_in_order() {
        assert_eq!(spread(&[]), None);
        let items: Vec<HouseholdRisk> = (1..=100)
            .map(|i| HouseholdRisk {
                household: Uuid::from_u128(i),
                nuts3: None,
                persons_possible: i as f64,
            })
            .collect();
        let spread_of = |least, low, median, high| Some(Spread { least, low, median, high });
        assert_eq!(spread(&items), spread_of(1.0, 5.0, 50.0, 95.0));
        assert_eq!(spread(&items[..1]), spread_of(1.0, 1.0, 1.0, 1.0));
    }
}
