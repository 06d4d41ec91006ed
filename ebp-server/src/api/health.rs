//! Whether the server lives.

use axum::Json;

/// `GET /healthz`: answers whoever asks, without a certificate, and says nothing else.
pub async fn show() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}
