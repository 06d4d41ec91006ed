//! Whose consent covers a release (rule R2).

use std::{collections::BTreeMap, sync::Arc};

use ebp_core::contract::ReleaseTier;
use ebp_dataset::release::{Check, Rule};
use ebp_store::{HouseholdId, Store};

use super::{
    super::{ExportError, ExportOrder, plan::Plan},
    ReleaseOrder,
};

/// The households of a release, in the order of their registration.
pub(super) async fn plan(
    store: &Arc<dyn Store>,
    export: &ExportOrder,
    order: &ReleaseOrder,
) -> Result<Plan, ExportError> {
    let mut seen = BTreeMap::new();
    let mut plan = Plan { households: Vec::new(), not_granted: 0, withheld: 0 };
    let mut tiers: BTreeMap<u32, Option<ReleaseTier>> = BTreeMap::new();
    for meter in store.evaluated_meters().await? {
        let household = meter.household.0;
        if seen.insert(household, ()).is_some() {
            continue;
        }
        if meter.withheld {
            plan.withheld += 1;
            continue;
        }
        let is_granted = meter.granted_at.is_some_and(|at| at <= export.as_of);
        let is_revoked = meter.revoked_at.is_some();
        let may_be_revoked = order.tier == ReleaseTier::Public;
        let is_covered = match &order.households {
            Some(named) => named.contains(&household),
            None => {
                let consent = store.household(HouseholdId(household)).await?.consent;
                covers(store, &mut tiers, consent.text.map(|it| it.version), order.tier).await?
            }
        };
        if is_granted && is_covered && (!is_revoked || may_be_revoked) {
            plan.households.push((household, is_revoked));
        } else {
            plan.not_granted += 1;
        }
    }
    if plan.households.is_empty() {
        return Err(Check::failed(Rule::R2, "no household's consent covers it").into());
    }
    Ok(plan)
}

/// Whether data of those who agreed to a version may go so far.
async fn covers(
    store: &Arc<dyn Store>,
    tiers: &mut BTreeMap<u32, Option<ReleaseTier>>,
    version: Option<u32>,
    tier: ReleaseTier,
) -> Result<bool, ExportError> {
    let Some(version) = version else { return Ok(false) };
    let known = match tiers.get(&version) {
        Some(known) => *known,
        None => {
            let texts = store.survey_texts(version).await?;
            // Where languages differ, none counts.
            let first = texts.first().and_then(|text| text.release);
            let known = first.filter(|_| texts.iter().all(|text| text.release == first));
            tiers.insert(version, known);
            known
        }
    };
    // Who lets single households go lets aggregates go, but not the other way.
    Ok(match (known, tier) {
        (Some(ReleaseTier::Research), _) => true,
        (Some(ReleaseTier::Public), tier) => tier == ReleaseTier::Public,
        (None, _) => false,
    })
}

/// Rule R2: asked again at the end.
pub(super) async fn check(
    store: &Arc<dyn Store>,
    export: &ExportOrder,
    order: &ReleaseOrder,
    before: &Plan,
) -> Result<Check, ExportError> {
    let now = match plan(store, export, order).await {
        Ok(now) => now,
        Err(ExportError::Rule(check)) => return Ok(*check),
        Err(error) => return Err(error),
    };
    // Households that were added meanwhile change nothing.
    let is_same = before.households.iter().all(|one| now.households.contains(one));
    let by = if order.households.is_some() { "a list" } else { "the text that was agreed to" };
    let told = |count: u64| order.counts().tell(usize::try_from(count).unwrap_or(usize::MAX));
    let found = format!(
        "{} households, by {by}; {} without such consent, {} withheld",
        order.counts().tell(before.households.len()),
        told(before.not_granted),
        told(before.withheld)
    );
    Ok(Check::judge(Rule::R2, is_same, found))
}
