//! Regions for pages: their outlines, which hold nothing of the survey, and the region of a location.
//!
//! The outlines are official data, the same for everybody, and pages show them before anybody has
//! signed in: they need no identity. The location that is asked about is a household's: only
//! researchers ask, who know it anyway.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{Uri, header},
    response::{IntoResponse, Response},
};
use ebp_anon::{Position, RegionCode};
use ebp_core::contract::LocatedRegion;
use ebp_survey::Survey;

use super::query;
use crate::problem::ApiError;

/// `GET /geo/regions.svg`: all regions, borders simplified by 2 km.
pub async fn regions(State(survey): State<Arc<Survey>>) -> Result<Response, ApiError> {
    let svg = survey.outlines().await?.ok_or(ApiError::NotFound)?;
    Ok(picture(svg.to_string()))
}

/// `GET /geo/region/{code}.svg`: one region with all of its corners.
pub async fn region(
    State(survey): State<Arc<Survey>>,
    Path(file): Path<String>,
) -> Result<Response, ApiError> {
    let code = file.strip_suffix(".svg").ok_or(ApiError::NotFound)?;
    let code = RegionCode::new(code).map_err(|_| ApiError::NotFound)?;
    Ok(picture(survey.outline(code).ok_or(ApiError::NotFound)?))
}

/// `GET /geo/locate?lat&lon`: the region that a location lies in, degrees.
pub async fn locate(
    State(survey): State<Arc<Survey>>,
    uri: Uri,
) -> Result<Json<LocatedRegion>, ApiError> {
    let (mut latitude, mut longitude) = (None, None);
    query::read(&uri, &["lat", "lon"], |name, value| {
        let (place, most) =
            if name == "lat" { (&mut latitude, 90.0) } else { (&mut longitude, 180.0) };
        let degrees = value.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
        *place =
            Some(degrees.ok_or_else(|| format!("`{name}` must be a number of -{most} to {most}"))?);
        Ok(())
    })?;
    let (Some(latitude), Some(longitude)) = (latitude, longitude) else {
        return Err(ApiError::Invalid("`lat` and `lon` are needed".to_owned()));
    };
    let position = Position::new(latitude, longitude)
        .map_err(|_| ApiError::Invalid("`lat` and `lon` are no position".to_owned()))?;
    Ok(Json(LocatedRegion { region: survey.region_at(position) }))
}

/// A picture without any script, whatever geodata say.
fn picture(svg: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, svg).into_response()
}
