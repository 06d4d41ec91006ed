//! A device's certificate: the first by a one-time token, the next by the one before; and which
//! meters it reads.
//!
//! The key is made on the device and never leaves it: what arrives is a request signed by it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use ebp_core::{
    contract::{DeviceCertificate, EnrollRequest, RenewRequest},
    model::Meter,
};
use uuid::Uuid;

use super::body;
use crate::{
    App,
    auth::{Caller, ClientCertificate, DeviceHolder},
    authority::{CertificateRequest, ClientRequest},
    problem::ApiError,
};
use ebp_store::{Digest, Issuance, NewCertificate, Origin, StoreError};

/// `POST /device/enroll`: the first certificate. A token serves one key: whoever lost the answer
/// may send the same request again.
pub async fn enroll(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    const UNKNOWN: ApiError = ApiError::Unauthenticated("the token is unknown, used or expired");
    app.database_clock.require()?;
    let EnrollRequest { token, csr } = body::json(&app, request).await?;
    // Nothing is used up by a request that cannot be fulfilled.
    let csr = CertificateRequest::parse(&csr)?;
    if !app.authority.can_issue() {
        return Err(ApiError::CannotIssue);
    }
    let (token, key) = (digest(token.trim().as_bytes()), digest(csr.key()));
    let enrolled = match app.store.redeem_enrolment(token, key, app.clock.now()).await {
        Err(StoreError::NotFound) => return Err(UNKNOWN),
        other => other?,
    };
    let request = ClientRequest {
        participant: enrolled.participant,
        email: enrolled.email,
        device: Some(enrolled.device),
        scopes: enrolled.scopes,
        validity: app.device_certificates,
    };
    let certificate = issue(&app, enrolled.device, &request, &csr, Origin::Enrolment(token));
    Ok((StatusCode::CREATED, Json(certificate.await?.ok_or(UNKNOWN)?)))
}

/// `POST /device/renew`: the next certificate, which says the same as the one that asks. That one
/// stays valid until it expires or is revoked, since the answer may be lost; any other one ends.
pub async fn renew(
    State(app): State<Arc<App>>,
    holder: DeviceHolder,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    let RenewRequest { csr } = body::json(&app, request).await?;
    let csr = CertificateRequest::parse(&csr)?;
    if !app.authority.can_issue() {
        return Err(ApiError::CannotIssue);
    }
    let DeviceHolder { device, certificate } = holder;
    let ClientCertificate { names, scopes, serial, .. } = &*certificate;
    let request = ClientRequest {
        participant: names.participant.unwrap_or_default(),
        email: names.email.clone(),
        device: Some(device),
        scopes: scopes.clone(),
        validity: app.device_certificates,
    };
    const REVOKED: ApiError = ApiError::Unauthenticated("the certificate is revoked");
    let certificate = issue(&app, device, &request, &csr, Origin::Renewal(*serial)).await?;
    Ok((StatusCode::CREATED, Json(certificate.ok_or(REVOKED)?)))
}

/// `GET /device/meter`: the meters that the device is to read, for its configuration.
pub async fn meters(
    State(app): State<Arc<App>>,
    caller: Caller,
    DeviceHolder { device, .. }: DeviceHolder,
) -> Result<Json<Vec<Meter>>, ApiError> {
    let mut meters = app.store.meters(caller.household()?).await?;
    meters.retain(|meter| meter.measurement_device == Some(device));
    Ok(Json(meters))
}

/// Nothing if that by which it was asked for has been revoked meanwhile.
async fn issue(
    app: &App,
    device: Uuid,
    request: &ClientRequest,
    csr: &CertificateRequest,
    origin: Origin,
) -> Result<Option<DeviceCertificate>, ApiError> {
    let now = app.clock.now();
    let certified = app.authority.certify(request, csr)?;
    let not_after = certified.entry.not_after;
    // Before its holder has it: what is not registered is never trusted.
    let new = NewCertificate { entry: certified.entry, device, key: digest(csr.key()), origin };
    match app.store.register_certificate(new, now).await? {
        Issuance::Registered => {
            Ok(Some(DeviceCertificate { device, chain: certified.chain_pem, not_after }))
        }
        Issuance::Ended => Ok(None),
        Issuance::TooEarly(until) => {
            let wait = until.duration_since(now).as_secs().max(1);
            Err(ApiError::RenewedRecently(wait.unsigned_abs()))
        }
    }
}

/// SHA-256. Tokens have 256 random bits: a slow hash would protect nothing.
pub fn digest(bytes: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}
