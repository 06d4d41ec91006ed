//! What is to be released, and what was released before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ebp_core::contract::{Household, ReleaseTier};
use ebp_dataset::{
    files::{Tier, hex},
    release::{Check, Counts, Detail, Register, Rule},
};
use ebp_store::{DataRelease, ReleasedHousehold, Store};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{ExportError, ExportOrder};

/// What is to be released.
#[derive(Debug, Clone)]
pub struct ReleaseOrder {
    /// How far it goes.
    pub tier: ReleaseTier,
    /// Who receives it, for a research file.
    pub recipient: Option<String>,
    /// No household is shown finer.
    pub finest: Detail,
    /// The households whose consent covers it, where their texts do not say so.
    pub households: Option<BTreeSet<Uuid>>,
    /// The population's systems, if they were counted.
    pub register: Option<Register>,
    /// Whether the list of numbers and identifiers is kept beside the folder.
    pub keep_ids: bool,
}

impl ReleaseOrder {
    /// How many households share each combination.
    #[must_use]
    pub const fn k(&self) -> usize {
        match self.tier {
            ReleaseTier::Research => 5,
            ReleaseTier::Public => 10,
        }
    }

    /// How files tell counts of households.
    pub(super) const fn counts(&self) -> Counts {
        match self.tier {
            ReleaseTier::Research => Counts::Exact,
            ReleaseTier::Public => Counts::Rounded,
        }
    }

    /// The tier that stands in the files.
    pub(super) const fn tier_of_files(&self) -> Tier {
        tier_of_files(self.tier)
    }

    /// What decides about the bytes beside the data, for continuing the same draft.
    pub(super) fn parameters(&self, export: &ExportOrder, number: u64) -> Value {
        let register = self.register.as_ref().map(|register| format!("{register:?}"));
        let mut parameters = export.parameters();
        parameters["release"] = json!({
            "number": number,
            "tier": self.tier.name(),
            "recipient": self.recipient,
            "finest": self.finest.name(),
            "households": self.households,
            "register": register.map(|text| hex(digest(&SHA256, text.as_bytes()).as_ref())),
            "keep_ids": self.keep_ids,
        });
        parameters
    }

    /// What was released before.
    ///
    /// # Errors
    /// [`ExportError::Rule`] if an earlier release had to be coarser than this one may be.
    pub(super) async fn history(&self, store: &Arc<dyn Store>) -> Result<History, ExportError> {
        let releases = store.data_releases().await?;
        let details = releases.iter().filter_map(|one| Detail::from_name(&one.finest));
        let coarsest = details.max();
        if let Some(coarsest) = coarsest.filter(|coarsest| *coarsest > self.finest) {
            let found = format!(
                "an earlier release showed {} at finest, this one would show {}",
                coarsest.name(),
                self.finest.name()
            );
            return Err(Check::failed(Rule::R13, found).into());
        }
        Ok(History::from_ledger(&releases, &store.released_households().await?))
    }
}

/// The tier that stands in the files of a release.
pub(super) const fn tier_of_files(tier: ReleaseTier) -> Tier {
    match tier {
        ReleaseTier::Research => Tier::Research,
        ReleaseTier::Public => Tier::Public,
    }
}

/// What was released before.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// The number of the next release.
    pub number: u64,
    /// The coarsest that each household was shown.
    pub floors: BTreeMap<Uuid, Detail>,
    /// The finest that a household may be shown which has revoked its consent: the ledger has forgotten
    /// how fine it was shown before.
    pub of_revoked: Detail,
}

impl History {
    fn from_ledger(releases: &[DataRelease], shown: &[ReleasedHousehold]) -> Self {
        let mut floors: BTreeMap<Uuid, Detail> = BTreeMap::new();
        for one in shown {
            let floor = floors.entry(one.household).or_insert(Detail::Nuts3);
            *floor = (*floor).max(detail_of(one));
        }
        let number = releases.last().map_or(0, |last| last.number) + 1;
        let lost = releases.iter().filter_map(|release| coarsest_forgotten(release, shown));
        Self { number, floors, of_revoked: lost.max().unwrap_or(Detail::Nuts3) }
    }

    /// The finest that a household may be shown.
    pub fn floor(&self, household: &Household) -> Detail {
        let known = self.floors.get(&household.uuid).copied().unwrap_or(Detail::Nuts3);
        match household.consent.revoked_at {
            Some(_) => known.max(self.of_revoked),
            None => known,
        }
    }
}

fn detail_of(shown: &ReleasedHousehold) -> Detail {
    Detail::from_name(&shown.detail).unwrap_or(Detail::Nothing)
}

/// The coarsest that a household may have been shown in a release whose ledger has forgotten some:
/// nothing if it has forgotten none. A research file shows each as fine as it can, so one may have been
/// shown in nothing; public aggregates show all alike.
fn coarsest_forgotten(release: &DataRelease, shown: &[ReleasedHousehold]) -> Option<Detail> {
    let known: Vec<Detail> =
        shown.iter().filter(|one| one.release == release.number).map(detail_of).collect();
    if known.len() as u64 >= release.households {
        return None;
    }
    Some(match release.tier {
        ReleaseTier::Research => Detail::Nothing,
        ReleaseTier::Public => known.into_iter().min().unwrap_or(Detail::Nothing),
    })
}

#[cfg(test)]
mod tests {
    use ebp_core::{contract::Consent, model::ConsentState};

    use super::*;

    fn release(number: u64, tier: ReleaseTier, households: u64) -> DataRelease {
        DataRelease {
            number,
            name: "test".into(),
            tier,
            recipient: None,
            as_of: jiff::Timestamp::UNIX_EPOCH,
            finest: "nuts3".into(),
            households,
            seed_fingerprint: String::new(),
            digest: String::new(),
            made_by: "alice".into(),
            made_signature: String::new(),
            confirmed_by: "bob".into(),
            confirmed_signature: String::new(),
            confirmed_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn shown(release: u64, household: u128, detail: &str) -> ReleasedHousehold {
        let household = Uuid::from_u128(household);
        let tier = ReleaseTier::Research;
        ReleasedHousehold { release, household, tier, detail: detail.into() }
    }

    fn household(number: u128, is_revoked: bool) -> Household {
        let consent = Consent {
            state: if is_revoked { ConsentState::Revoked } else { ConsentState::Granted },
            granted_at: None,
            revoked_at: is_revoked.then_some(jiff::Timestamp::UNIX_EPOCH),
            text: None,
            granted_through: None,
            withdrawal: None,
            purposes: Vec::new(),
        };
        let uuid = Uuid::from_u128(number);
        Household { uuid, address: None, location: None, metadata: None, consent }
    }

    #[test]
    fn a_household_is_shown_as_coarse_as_before() {
        let releases = [release(1, ReleaseTier::Research, 2), release(2, ReleaseTier::Research, 2)];
        let rows = [
            shown(1, 1, "nuts2"),
            shown(1, 2, "country"),
            shown(2, 1, "country"),
            shown(2, 2, "nuts2"),
        ];
        let history = History::from_ledger(&releases, &rows);
        assert_eq!(history.number, 3);
        for number in [1, 2] {
            assert_eq!(history.floor(&household(number, false)), Detail::Country);
        }
        // Nothing is forgotten: one that revoked was in no release.
        for is_revoked in [false, true] {
            assert_eq!(history.floor(&household(3, is_revoked)), Detail::Nuts3);
        }
    }

    #[test]
    fn a_revoked_household_counts_as_coarse_as_any_may_have_been() {
        let research = [release(1, ReleaseTier::Research, 2)];
        let history = History::from_ledger(&research, &[shown(1, 1, "nuts2")]);
        assert_eq!(history.floor(&household(1, false)), Detail::Nuts2);
        assert_eq!(history.floor(&household(3, false)), Detail::Nuts3);
        assert_eq!(history.floor(&household(9, true)), Detail::Nothing);
        // All of public aggregates are shown alike.
        let public = [release(1, ReleaseTier::Public, 3)];
        let rows = [shown(1, 1, "nuts1"), shown(1, 2, "country")];
        let history = History::from_ledger(&public, &rows);
        assert_eq!(history.floor(&household(9, true)), Detail::Nuts1);
        assert_eq!(History::from_ledger(&public, &[]).of_revoked, Detail::Nothing);
    }
}
