//! A device's certificates: those that servers issued, and those of the authority's own file.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use ebp_core::contract::ManagedCertificate;
use uuid::Uuid;

use crate::{
    App,
    api::uuid,
    authority::{RegisterEntry, Serial},
    problem::ApiError,
};

/// `GET /management/device/{uuid}/certificate`: oldest first.
pub async fn list(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
) -> Result<Json<Vec<ManagedCertificate>>, ApiError> {
    Ok(Json(certificates(&app, uuid(&device)?).await?.iter().map(told).collect()))
}

/// `DELETE /management/device/{uuid}/certificate/{serial}`: revokes it, for good and from the next
/// request on.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Path((device, serial)): Path<(String, String)>,
) -> Result<Json<ManagedCertificate>, ApiError> {
    let serial: Serial = serial.parse().map_err(|_| ApiError::NotFound)?;
    let entry = certificates(&app, uuid(&device)?)
        .await?
        .into_iter()
        .find(|entry| entry.serial == serial)
        .ok_or(ApiError::NotFound)?;
    // The store first: every server goes by it.
    let revoked = app.store.revoke_certificate(entry, app.clock.now()).await?;
    if app.authority.list()?.iter().any(|entry| entry.serial == serial) {
        app.authority.revoke(&serial)?;
    }
    Ok(Json(told(&revoked)))
}

async fn certificates(app: &App, device: Uuid) -> Result<Vec<RegisterEntry>, ApiError> {
    // 404 if there is no such device.
    app.store.managed_device(device).await?;
    let mut entries = app.store.certificates(device).await?;
    for entry in app.authority.list()? {
        if entry.device == Some(device) && !entries.iter().any(|e| e.serial == entry.serial) {
            entries.push(entry);
        }
    }
    entries.sort_by_key(|entry| entry.not_before);
    Ok(entries)
}

fn told(entry: &RegisterEntry) -> ManagedCertificate {
    ManagedCertificate {
        serial: entry.serial.to_string(),
        scopes: entry.scopes.to_string(),
        not_before: entry.not_before,
        not_after: entry.not_after,
        revoked_at: entry.revoked_at,
    }
}
