//! A device's certificates: those that servers issued, and those of the authority's own file.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, Uri},
};
use ebp_core::contract::{Listing, ManagedCertificate, RevokedDevice};
use ebp_store::{ListPage, RegisterEntry, Serial};
use ebp_survey::Survey;

use super::{list_query, listing, revision::revision};
use crate::{api::uuid, auth::Manager, problem::ApiError};

/// `GET /management/device/{uuid}/certificate?limit&cursor`: oldest first.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    Path(device): Path<String>,
    uri: Uri,
) -> Result<Json<Listing<ManagedCertificate>>, ApiError> {
    let page = survey.device_certificates_page(uuid(&device)?, list_query(&uri)?).await?;
    let items = page.items.iter().map(managed).collect();
    Ok(Json(listing(ListPage { items, next: page.next })))
}

/// `DELETE /management/device/{uuid}/certificate`: revokes all of them, and voids the device's
/// one-time tokens, for good and from the next request on.
pub async fn revoke_all(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path(device): Path<String>,
    headers: HeaderMap,
) -> Result<Json<RevokedDevice>, ApiError> {
    let (device, by) = (uuid(&device)?, revision(group, &headers)?);
    Ok(Json(RevokedDevice { device, revoked: survey.revoke_device(device, Some(by)).await? }))
}

/// `DELETE /management/device/{uuid}/certificate/{serial}`: revokes it, for good and from the next
/// request on.
pub async fn revoke(
    State(survey): State<Arc<Survey>>,
    Manager(group): Manager,
    Path((device, serial)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<ManagedCertificate>, ApiError> {
    let (device, by) = (uuid(&device)?, revision(group, &headers)?);
    let serial: Serial = serial.parse().map_err(|_| ApiError::NotFound)?;
    Ok(Json(managed(&survey.revoke_device_certificate(device, serial, Some(by)).await?)))
}

fn managed(entry: &RegisterEntry) -> ManagedCertificate {
    ManagedCertificate {
        serial: entry.serial.to_string(),
        scopes: entry.scopes.to_string(),
        not_before: entry.not_before,
        not_after: entry.not_after,
        revoked_at: entry.revoked_at,
    }
}
