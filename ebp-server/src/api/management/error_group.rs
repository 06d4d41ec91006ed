//! Groups of errors: of all devices, and of the server that answers.

use std::sync::Arc;

use axum::{Json, extract::State};
use ebp_core::contract::ErrorGroups;
use ebp_errors::Ledger;
use ebp_survey::Survey;

use crate::{machine::Machine, problem::ApiError};

/// Groups of devices that are listed.
const OF_DEVICES: usize = 200;
/// Groups of the server that are listed.
const OF_SERVER: usize = 50;

/// `GET /management/error-group`: those that occurred last first.
pub async fn list(
    State(survey): State<Arc<Survey>>,
    State(machine): State<Arc<Machine>>,
) -> Result<Json<ErrorGroups>, ApiError> {
    let devices = survey.store().error_groups(OF_DEVICES).await?;
    let server = tokio::task::spawn_blocking(move || {
        Ledger::with_groups(machine.error_groups()).latest(OF_SERVER)
    });
    let server = server.await.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(Json(ErrorGroups { devices, server }))
}
