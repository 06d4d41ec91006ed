//! Which households are exported, and how many are not.

use std::{collections::BTreeMap, sync::Arc};

use ebp_store::Store;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ExportError, ExportOrder};

/// The households of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Each with whether its consent was revoked, by their identifiers.
    pub households: Vec<(Uuid, bool)>,
    /// Households that never granted their consent by then.
    pub not_granted: u64,
    /// Households that are withheld.
    pub withheld: u64,
}

impl Plan {
    /// Whether the same households are there, with the same consents. Others that registered since
    /// change nothing.
    pub async fn is_still(
        &self,
        store: &Arc<dyn Store>,
        order: &ExportOrder,
    ) -> Result<bool, ExportError> {
        match plan(store, order).await {
            Ok(now) => Ok(now.households == self.households),
            Err(ExportError::NoHousehold) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Asks the database.
pub(super) async fn plan(store: &Arc<dyn Store>, order: &ExportOrder) -> Result<Plan, ExportError> {
    let mut all = BTreeMap::new();
    for meter in store.evaluated_meters().await? {
        all.entry(meter.household.0).or_insert((
            meter.withheld,
            meter.granted_at.is_some_and(|at| at <= order.as_of),
            meter.revoked_at.is_some(),
        ));
    }
    let mut plan = Plan { households: Vec::new(), not_granted: 0, withheld: 0 };
    for (household, (is_withheld, is_granted, is_revoked)) in all {
        match (is_withheld, is_granted) {
            (true, _) => plan.withheld += 1,
            (_, false) => plan.not_granted += 1,
            (false, true) => plan.households.push((household, is_revoked)),
        }
    }
    if plan.households.is_empty() {
        return Err(ExportError::NoHousehold);
    }
    Ok(plan)
}
