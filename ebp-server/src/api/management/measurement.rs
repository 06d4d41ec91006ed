//! A meter's measurements for researchers, a page at a time.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use ebp_core::contract::MeasurementPage;
use ebp_store::HouseholdId;
use ebp_survey::Survey;

use crate::{
    api::{measurement::page_query, uuid},
    problem::ApiError,
};

/// `GET /management/household/{household}/meter/{uuid}/measurement?from&to&limit&cursor`: oldest
/// first, `from` included, `to` not.
///
/// Measurements lie within consent. Once it is revoked they are those of a masked household; one
/// that is withheld is unknown.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Path((household, meter)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<MeasurementPage>, ApiError> {
    let (household, meter) = (HouseholdId(uuid(&household)?), uuid(&meter)?);
    let query = page_query(&uri)?;
    // 404 if it is withheld. One that is revoked meanwhile has other identifiers from then on.
    survey.store().registration(household).await?;
    let page = survey.store().measurements_page(household, meter, query).await?;
    Ok(Json(MeasurementPage {
        items: page.items,
        next: page.next.map(|cursor| cursor.to_string()),
    }))
}
