//! A device's certificates: the first ones by a one-time token, the next by the ones before; by what
//! its page's sign-in code is verified, and which meters it reads.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use ebp_core::{
    contract::{DeviceCertificate, EnrollRequest, FrontendRequest, RenewRequest, SignIn},
    model::Meter,
};
use ebp_survey::{CertificateHolder, Survey, authority::CertificateRequest};

use super::{body, intake::Intake};
use crate::{
    auth::{DeviceHolder, Requester},
    database_clock::DatabaseClock,
    problem::ApiError,
};

/// `POST /device/enroll`: the first certificate, and that of the device's page if it is requested. A
/// token is valid for one key of each: a device that lost the answer may send the same request again.
pub async fn enroll(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    State(clock): State<Arc<DatabaseClock>>,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    clock.require()?;
    let EnrollRequest { token, csr, frontend_csr } = body::json(&intake, request).await?;
    let request = CertificateRequest::parse(&csr)?;
    let frontend = frontend_csr.as_deref().map(CertificateRequest::parse).transpose();
    let frontend = frontend.map_err(|error| ApiError::of_request("/frontend_csr", error))?;
    let certificate = survey.enroll(&token, &request, frontend.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(certificate)))
}

/// `POST /device/renew`: the next certificate, which says the same as the one that asks. That one
/// stays valid until it expires or is revoked, since the answer may be lost; any other one of its
/// scopes ends.
pub async fn renew(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    holder: DeviceHolder,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    let RenewRequest { csr } = body::json(&intake, request).await?;
    let request = CertificateRequest::parse(&csr)?;
    Ok((StatusCode::CREATED, Json(survey.renew(&holder.into(), &request).await?)))
}

/// `POST /device/frontend`: the first certificate of the device's page, for the holder of the device's
/// own; a further one if that is lost.
pub async fn frontend(
    State(survey): State<Arc<Survey>>,
    State(intake): State<Arc<Intake>>,
    holder: DeviceHolder,
    request: Request,
) -> Result<(StatusCode, Json<DeviceCertificate>), ApiError> {
    let FrontendRequest { csr } = body::json(&intake, request).await?;
    let request = CertificateRequest::parse(&csr)?;
    Ok((StatusCode::CREATED, Json(survey.issue_frontend(&holder.into(), &request).await?)))
}

/// `GET /device/sign-in`: by what the sign-in code for the device's page is verified.
pub async fn sign_in(
    State(survey): State<Arc<Survey>>,
    DeviceHolder { device, .. }: DeviceHolder,
) -> Result<Json<SignIn>, ApiError> {
    Ok(Json(survey.sign_in(device).await?))
}

impl From<DeviceHolder> for CertificateHolder {
    fn from(DeviceHolder { device, certificate }: DeviceHolder) -> Self {
        Self {
            device,
            names: certificate.names.clone(),
            scopes: certificate.scopes.clone(),
            serial: certificate.serial,
        }
    }
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
