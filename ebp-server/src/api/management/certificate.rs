//! A device's certificates: those that servers issued, and those of the authority's own file.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use ebp_core::contract::{Listing, ManagedCertificate, RevokedDevice};
use uuid::Uuid;

use super::{list_query, listing};
use crate::{App, api::uuid, problem::ApiError};
use ebp_store::{ListCursor, ListPage, ListQuery, RegisterEntry, Serial};

/// `GET /management/device/{uuid}/certificate?limit&cursor`: oldest first.
pub async fn list(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
    uri: Uri,
) -> Result<Json<Listing<ManagedCertificate>>, ApiError> {
    let (device, query) = (uuid(&device)?, list_query(&uri)?);
    // 404 if there is no such device.
    app.store.managed_device(device).await?;
    let page = app.store.certificates(device, query).await?;
    let page = merge(page, of_device(&app, device)?, query);
    let items = page.items.iter().map(managed).collect();
    Ok(Json(listing(ListPage { items, next: page.next })))
}

/// `DELETE /management/device/{uuid}/certificate`: revokes all of them, and voids the device's
/// one-time tokens, for good and from the next request on.
pub async fn revoke_all(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
) -> Result<Json<RevokedDevice>, ApiError> {
    let device = uuid(&device)?;
    // The store first: every server goes by it.
    let known = of_device(&app, device)?;
    let revoked = app.store.revoke_device(device, known, app.clock.now()).await?;
    app.revocations.complete(&*app.store).await;
    if let Err(error) = app.authority.revoke_device(device) {
        tracing::warn!(%error, "the authority's register does not tell of revoked certificates");
    }
    Ok(Json(RevokedDevice { device, revoked }))
}

/// `DELETE /management/device/{uuid}/certificate/{serial}`: revokes it, for good and from the next
/// request on.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Path((device, serial)): Path<(String, String)>,
) -> Result<Json<ManagedCertificate>, ApiError> {
    let device = uuid(&device)?;
    let serial: Serial = serial.parse().map_err(|_| ApiError::NotFound)?;
    let in_file = of_device(&app, device)?.into_iter().find(|entry| entry.serial == serial);
    let in_store = app.store.certificate(serial).await?;
    let entry = in_store.filter(|entry| entry.device == Some(device)).or(in_file.clone());
    // The store first: every server goes by it.
    let entry = entry.ok_or(ApiError::NotFound)?;
    let revoked = app.store.revoke_certificate(entry, app.clock.now()).await?;
    app.revocations.complete(&*app.store).await;
    if in_file.is_some() {
        app.authority.revoke(&serial)?;
    }
    Ok(Json(managed(&revoked)))
}

/// Those of the authority's own file.
fn of_device(app: &App, device: Uuid) -> Result<Vec<RegisterEntry>, ApiError> {
    let mut entries = app.authority.list()?;
    entries.retain(|entry| entry.device == Some(device));
    Ok(entries)
}

/// A part of what the store has and of what the authority's file has. What both have, the store
/// tells: revocations are there first.
fn merge(
    page: ListPage<RegisterEntry>,
    in_file: Vec<RegisterEntry>,
    query: ListQuery,
) -> ListPage<RegisterEntry> {
    let place = |entry: &RegisterEntry| {
        let ListCursor { registered_at, uuid } = ListCursor::of_certificate(entry);
        (registered_at, uuid)
    };
    let after = query.after.map(|after| (after.registered_at, after.uuid));
    let mut items = page.items;
    for entry in in_file {
        let known = items.iter().any(|item| item.serial == entry.serial);
        if !known && after.is_none_or(|after| place(&entry) > after) {
            items.push(entry);
        }
    }
    items.sort_by_key(place);
    let more = page.next.is_some() || items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(ListCursor::of_certificate);
    ListPage { items, next }
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
