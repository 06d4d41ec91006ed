//! Bodies under `/geo`.

use serde::{Deserialize, Serialize};

/// A region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegionName {
    /// Its NUTS-3 code.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Z]{2}[A-Z0-9]{1,6}$"))]
    pub nuts3: String,
    /// Its name, in its own language.
    pub name: String,
}

/// Where a location lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LocatedRegion {
    /// The region; none for a location outside of all of them, or if the server has no regions.
    pub region: Option<RegionName>,
}
