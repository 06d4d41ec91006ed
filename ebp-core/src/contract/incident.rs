//! Bodies of endpoints 12 and 13.

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
}
