//! Releases of the data set, as a household that is in them sees them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ReleaseTier;

/// `GET /household/release`: a release of the data set that the household is in. Who made and confirmed
/// it is the researchers' own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HouseholdRelease {
    /// Counts the survey's releases from 1.
    pub number: u64,
    /// The name of the set.
    pub name: String,
    /// How far it went.
    pub tier: ReleaseTier,
    /// Who received it; nobody in particular where it is public.
    pub recipient: Option<String>,
    /// Measurements that were received later are not in it.
    pub as_of: Timestamp,
    /// When it was confirmed: from then on it may have left the research group.
    pub confirmed_at: Timestamp,
    /// The finest that was shown of the household: `nuts3`, `nuts2`, `nuts1` or `country` for the region
    /// with all classes, `no-year`, `no-tilt`, `no-azimuth`, `no-persons` or `no-power` for the country
    /// with ever fewer of them, `nothing` for the series alone.
    pub detail: String,
}
