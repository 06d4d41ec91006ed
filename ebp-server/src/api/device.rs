//! A device's certificate: the first by a one-time token, the next by the one before; and which
//! meters it reads.

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
use ebp_survey::{CertificateHolder, Survey, authority::CertificateRequest};

use super::{body, intake::Intake};
use crate::{
    auth::{DeviceHolder, Requester},
    database_clock::DatabaseClock,
    problem::ApiError,
};

/// `POST /device/enroll`: the first certificate. A token is valid for one key: a device that lost
/// the answer may send the same request again.
pub async fn enroll(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(clock): State<Arc<DatabaseClock>>,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    clock.require()?;
    let EnrollRequest { token, csr } = body::json(&intake, request).await?;
    let request = CertificateRequest::parse(&csr)?;
    Ok((StatusCode::CREATED, Json(survey.enroll(&token, &request).await?)))
}

/// `POST /device/renew`: the next certificate, which says the same as the one that asks. That one
/// stays valid until it expires or is revoked, since the answer may be lost; any other one ends.
pub async fn renew(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    DeviceHolder { device, certificate }: DeviceHolder,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    let RenewRequest { csr } = body::json(&intake, request).await?;
    let request = CertificateRequest::parse(&csr)?;
    let holder = CertificateHolder {
        device,
        names: certificate.names.clone(),
        scopes: certificate.scopes.clone(),
        serial: certificate.serial,
    };
    Ok((StatusCode::CREATED, Json(survey.renew(&holder, &request).await?)))
}

/// `GET /device/meter`: the meters that the device is to read, for its configuration.
pub async fn meters(
    State(survey): State<Arc<Survey>>,
    Requester(caller): Requester,
    DeviceHolder { device, .. }: DeviceHolder,
) -> Result<Json<Vec<Meter>>, ApiError> {
    let mut meters = survey.store().meters(caller.household()?).await?;
    meters.retain(|meter| meter.measurement_device == Some(device));
    Ok(Json(meters))
}
