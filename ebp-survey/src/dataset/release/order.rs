//! What is to be released, and what was released before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ebp_core::contract::ReleaseTier;
use ebp_dataset::{
    files::Tier,
    release::{Check, Detail, Register, Rule},
};
use ebp_store::Store;
use uuid::Uuid;

use super::super::ExportError;

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

    /// The tier that stands in the files.
    pub(super) const fn tier_of_files(&self) -> Tier {
        match self.tier {
            ReleaseTier::Research => Tier::Research,
            ReleaseTier::Public => Tier::Public,
        }
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
        let mut floors: BTreeMap<Uuid, Detail> = BTreeMap::new();
        for shown in store.released_households().await? {
            let detail = Detail::from_name(&shown.detail).unwrap_or(Detail::Nothing);
            let floor = floors.entry(shown.household).or_insert(detail);
            *floor = (*floor).max(detail);
        }
        let number = releases.last().map_or(0, |last| last.number) + 1;
        Ok(History { number, floors })
    }
}

/// What was released before.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// The number of the next release.
    pub number: u64,
    /// The coarsest that each household was shown.
    pub floors: BTreeMap<Uuid, Detail>,
}

impl History {
    /// The finest that a household may be shown.
    pub fn floor(&self, household: Uuid) -> Detail {
        self.floors.get(&household).copied().unwrap_or(Detail::Nuts3)
    }
}
