//! What the ledger needs of a draft: it stands beside the folder until a second person confirms.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ebp_core::{contract::ReleaseTier, private_file};
use ebp_dataset::files::signed_text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{ExportError, ExportOrder},
    Person, ReleaseOrder,
    classify::Cast,
    order::tier_of_files,
    seed::Seed,
};

/// A draft. It names households: only its owner may read it, and it goes when the release is confirmed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Draft {
    pub number: u64,
    pub name: String,
    pub tier: ReleaseTier,
    pub recipient: Option<String>,
    pub as_of: Timestamp,
    pub finest: String,
    pub seed_fingerprint: String,
    /// The SHA-256 of the list of sums.
    pub digest: String,
    pub made_by: String,
    pub made_key: String,
    pub made_signature: String,
    /// Whether consent was taken from a list, which is asked for no more.
    pub by_list: bool,
    /// Each household, and how fine it is shown.
    pub households: Vec<(Uuid, String)>,
}

impl Draft {
    pub fn new(
        (export, order, number): (&ExportOrder, &ReleaseOrder, u64),
        seed: &Seed,
        digest: String,
        maker: &Person,
        cast: &Cast,
    ) -> Self {
        let mut households: Vec<_> =
            cast.released.iter().map(|one| (one.uuid, one.detail.name().to_owned())).collect();
        // Not in the order of their numbers.
        households.sort_unstable();
        Self {
            number,
            name: export.name.clone(),
            tier: order.tier,
            recipient: order.recipient.clone(),
            as_of: export.as_of,
            finest: order.finest.name().to_owned(),
            seed_fingerprint: seed.fingerprint().to_owned(),
            made_by: maker.name().to_owned(),
            made_key: maker.public_key(),
            made_signature: String::new(),
            digest,
            by_list: order.households.is_some(),
            households,
        }
    }

    /// Writes it, and the list of numbers if that is kept.
    pub fn save(
        mut self,
        path: &Path,
        keep_ids: bool,
        cast: &Cast,
        maker: &Person,
    ) -> Result<(), ExportError> {
        self.made_signature = maker.sign(&self.signed())?;
        let text = serde_json::to_string_pretty(&self).map_err(|_| self.damaged(path))?;
        write(&draft_path(path), &text)?;
        if keep_ids && self.tier == ReleaseTier::Research {
            let mut text = String::from("number,household\r\n");
            for one in &cast.released {
                text.push_str(&format!("{},{}\r\n", one.name, one.uuid));
            }
            write(&ids_path(path), &text)?;
        }
        Ok(())
    }

    /// What both persons sign: the digest of the checks and files, and whom it is for.
    pub fn signed(&self) -> String {
        let tier = tier_of_files(self.tier);
        signed_text(self.number, tier, &self.digest, self.recipient.as_deref())
    }

    fn damaged(&self, path: &Path) -> ExportError {
        ExportError::Damaged(draft_path(path))
    }

    /// Reads it.
    pub fn load(path: &Path) -> Result<Self, ExportError> {
        let file = draft_path(path);
        let text =
            private_file::read_to_string(&file).map_err(|_| ExportError::NoDraft(path.into()))?;
        serde_json::from_str(&text).map_err(|_| ExportError::Damaged(file))
    }
}

fn write(path: &Path, text: &str) -> Result<(), ExportError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".part");
    private_file::replace(path, Path::new(&aside), text.as_bytes())
        .map_err(|error| ExportError::system(path, error))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Where the draft of a folder is.
#[must_use]
pub fn draft_path(path: &Path) -> PathBuf {
    beside(path, ".draft.json")
}

/// Where the list of numbers and identifiers of a folder is.
fn ids_path(path: &Path) -> PathBuf {
    beside(path, ".ids.csv")
}

/// Removes what stands beside a draft that is not made.
pub(super) fn remove(path: &Path) {
    let _ = fs::remove_file(draft_path(path));
    let _ = fs::remove_file(ids_path(path));
}
