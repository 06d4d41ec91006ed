//! A household's energy by quarter hours, hours, days and months, and its figures.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use ebp_core::contract::{EnergySeries, EnergyStep, EnergySummary, TimeBound};
use ebp_store::HouseholdId;
use ebp_survey::{SeriesParts, SeriesQuery, Survey};

use super::{query, uuid};
use crate::{auth::Requester, problem::ApiError};

/// `GET /household/series?from&to&step&zone&meters&bounds`: a row for each step, from `from` on and
/// before `to`.
pub async fn series(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    uri: Uri,
) -> Result<Json<EnergySeries>, ApiError> {
    let (query, step, parts) = series_query(&uri)?;
    Ok(Json(survey.energy_series(caller.household()?, &query, step, parts).await?))
}

/// `GET /household/summary?from&to&zone`: what is known of a stretch of days.
pub async fn summary(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    uri: Uri,
) -> Result<Json<EnergySummary>, ApiError> {
    let query = summary_query(&uri)?;
    Ok(Json(survey.energy_summary(caller.household()?, &query).await?))
}

/// `GET /management/household/{household}/series`: the same for researchers. One that is withheld is
/// unknown.
pub async fn managed_series(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
    uri: Uri,
) -> Result<Json<EnergySeries>, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let (query, step, parts) = series_query(&uri)?;
    survey.store().registration(household).await?;
    Ok(Json(survey.energy_series(household, &query, step, parts).await?))
}

/// `GET /management/household/{household}/summary`: the same for researchers.
pub async fn managed_summary(
    State(survey): State<Arc<Survey>>,
    Path(household): Path<String>,
    uri: Uri,
) -> Result<Json<EnergySummary>, ApiError> {
    let household = HouseholdId(uuid(&household)?);
    let query = summary_query(&uri)?;
    survey.store().registration(household).await?;
    Ok(Json(survey.energy_summary(household, &query).await?))
}

fn series_query(uri: &Uri) -> Result<(SeriesQuery, EnergyStep, SeriesParts), ApiError> {
    let (mut asked, mut step, mut parts) = (Stretch::default(), None, SeriesParts::default());
    let known = ["from", "to", "step", "zone", "meters", "bounds"];
    query::read(uri, &known, |name, value| {
        match name {
            "step" => step = Some(step_of(value)?),
            "meters" => parts.meters = flag(name, value)?,
            "bounds" => parts.bounds = flag(name, value)?,
            _ => asked.take(name, value)?,
        }
        Ok(())
    })?;
    let step = step.ok_or_else(|| ApiError::Invalid(STEP.to_owned()))?;
    Ok((asked.query()?, step, parts))
}

fn summary_query(uri: &Uri) -> Result<SeriesQuery, ApiError> {
    let mut asked = Stretch::default();
    query::read(uri, &["from", "to", "zone"], |name, value| asked.take(name, value))?;
    asked.query()
}

#[derive(Default)]
struct Stretch {
    from: Option<TimeBound>,
    to: Option<TimeBound>,
    zone: Option<String>,
}

impl Stretch {
    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "from" => self.from = Some(value.parse().map_err(|_| form_of(name))?),
            "to" => self.to = Some(value.parse().map_err(|_| form_of(name))?),
            _ => self.zone = Some(value.to_owned()),
        }
        Ok(())
    }

    fn query(self) -> Result<SeriesQuery, ApiError> {
        let need = |name: &str, bound: Option<TimeBound>| {
            let missing = || ApiError::Invalid(format!("`{name}` is missing: {}", form_of(name)));
            bound.ok_or_else(missing)
        };
        let (from, to) = (need("from", self.from)?, need("to", self.to)?);
        Ok(SeriesQuery { from, to, zone: self.zone })
    }
}

fn form_of(name: &str) -> String {
    format!("`{name}` must be a day (2026-01-31), or an RFC 3339 time at which a row begins")
}

/// What a step has to be.
const STEP: &str = "`step` must be PT15M, PT1H, P1D or P1M";

fn step_of(value: &str) -> Result<EnergyStep, String> {
    let step = EnergyStep::ALL.into_iter().find(|step| step.name() == value);
    step.ok_or_else(|| STEP.to_owned())
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{name}` must be true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let parse = |text: &str| {
            let uri = format!("/s?{text}").parse().unwrap();
            series_query(&uri).map_err(|error| error.to_string())
        };
        let (query, step, parts) =
            parse("from=2026-01-01&to=2026-02-01T00:00:00%2B01:00&step=P1D&meters=true").unwrap();
        assert_eq!(query.from, TimeBound::Midnight("2026-01-01".parse().unwrap()));
        assert_eq!(query.to, TimeBound::At("2026-01-31T23:00:00Z".parse().unwrap()));
        assert_eq!((step, parts.meters, parts.bounds), (EnergyStep::Day, true, false));
        let wrong = [
            ("from=2026-01-01&to=2026-02-01", "`step` must be"),
            ("from=2026-01-01&step=P1D", "`to` is missing: `to` must be a day"),
            ("to=2026-01-01&step=P1D", "`from` is missing"),
            ("from=secret&to=2026-02-01&step=P1D", "`from` must be a day (2026-01-31)"),
            ("from=2026-01-01T00:00:00&to=2026-02-01&step=P1D", "`from` must be a day"),
            ("from=2026-01-01&to=2026-02-01&step=secret", "`step` must be PT15M, PT1H, P1D"),
            ("from=2026-01-01&to=2026-02-01&step=P1D&meters=secret", "`meters` must be true"),
            ("from=2026-01-01&to=2026-02-01&step=P1D&secret=1", "the query knows from, to"),
        ];
        for (text, expected) in wrong {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("malformed: ") && error.contains(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
