//! Endpoints 3 and 4: granting and revoking consent, and reading it.
//!
//! After revocation every endpoint answers 410 to the household's devices, this one included: a
//! second `DELETE` has the same effect as the first, none, and the same final word as all others.
//! A participant's own certificate hears the same, with what was done, unless they have another
//! household: of the participant nothing is kept but a digest of the identifier in it.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use ebp_core::contract::Consent;

use crate::{
    App,
    api::{finish::finish, management::household::forget_address},
    auth::Caller,
    problem::ApiError,
};

/// `GET /household/consent`: where consent stands.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Consent>, ApiError> {
    Ok(Json(app.store.consent(caller.household()?).await?))
}

/// `POST /household/consent`: grants it, once (201); later 409.
pub async fn grant(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<(StatusCode, Json<Consent>), ApiError> {
    let consent = app.store.grant_consent(caller.household()?, app.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(consent)))
}

/// `DELETE /household/consent`: revokes it for good; 409 if it was never granted.
pub async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Consent>, ApiError> {
    let household = caller.household()?;
    let address = match &app.geocoder {
        Some(_) => app.store.household(household).await?.address,
        None => None,
    };
    let revoking = async move {
        let revoked = app.store.revoke_consent(household, app.clock.now()).await?;
        app.revocations.complete(&*app.store).await;
        if let Some(address) = address {
            forget_address(&app, address).await;
        }
        Ok(Json(revoked))
    };
    // Also for a client that hangs up.
    finish(revoking).await
}
