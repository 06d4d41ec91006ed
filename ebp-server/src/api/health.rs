//! Whether the server is running and ready, and its metrics.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use ebp_survey::Survey;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    database_clock::DatabaseClock,
    limit::Connections,
    machine::Machine,
    problem::ApiError,
    telemetry::{Gauges, Telemetry, classic},
};

/// The timeout for the database's answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A device that has not spoken for so long is silent: two report cycles and a bit.
const ACTIVE: SignedDuration = SignedDuration::from_mins(150);

/// `GET /healthz`: answers without a certificate, with the time of the server's clock: devices
/// whose certificate it takes for expired find out whose clock is wrong.
pub async fn show(State(survey): State<Arc<Survey>>) -> Json<Value> {
    Json(json!({ "status": "ok", "time": survey.clock().now() }))
}

/// `GET /readyz`: whether requests would be answered: the database answers, and the clocks agree
/// (503 if not).
pub async fn ready(
    State(survey): State<Arc<Survey>>,
    State(clock): State<Arc<DatabaseClock>>,
) -> Result<Json<Value>, ApiError> {
    clock.require()?;
    match tokio::time::timeout(PATIENCE, survey.store().ping()).await {
        Ok(Ok(())) => Ok(Json(json!({ "status": "ready" }))),
        Ok(Err(error)) => Err(ApiError::Unavailable(error.to_string())),
        Err(_) => Err(ApiError::Unavailable("the database does not answer".to_owned())),
    }
}

/// `GET /metrics`: for Prometheus, which shows the administrators' secret (`basic_auth`).
/// OpenMetrics, or the older text format for clients that accept only that.
pub async fn metrics(
    State(survey): State<Arc<Survey>>,
    State(telemetry): State<Arc<Telemetry>>,
    State(connections): State<Arc<Connections>>,
    State(machine): State<Arc<Machine>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = survey.clock().now();
    let since = now - ACTIVE;
    let looked = tokio::task::spawn_blocking(move || machine.look()).await;
    let text = telemetry
        .text(Gauges {
            devices: survey.store().device_counts(since).await?,
            connections: connections.open(),
            jobs: survey.store().job_counts().await?,
            alerts: survey.store().alert_counts().await?,
            rollout: survey.rollout_figures().await?,
            pool: survey.store().pool(),
            oldest_job: survey.store().oldest_job().await?,
            machine: looked.map_err(|error| ApiError::Internal(error.to_string()))?,
            now,
        })
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|kinds| kinds.contains("text/plain") && !kinds.contains("openmetrics")) {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        return Ok(([(header::CONTENT_TYPE, kind)], classic(&text)).into_response());
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
