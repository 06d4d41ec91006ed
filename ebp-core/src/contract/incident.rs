//! Bodies of endpoints 12 and 13.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::IncidentType;

/// Endpoints 12 and 13: which incident of the meter is reported or resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IncidentRequest {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: IncidentType,
    /// When it began or ended, UTC, if that was before now; otherwise the server uses its own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}
