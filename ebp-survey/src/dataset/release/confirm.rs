//! A second person confirms a draft: it gets its row in the ledger.

use std::{fs, path::Path, sync::Arc};

use ebp_core::{clock::Clock, contract::ReleaseTier};
use ebp_dataset::{
    files::{check_folder, hash_file},
    release::{Check, Rule},
};
use ebp_store::{DataRelease, HouseholdId, Store, StoreError};
use serde_json::json;

use super::{
    super::ExportError,
    Person,
    draft::{Draft, draft_path},
    person::verify,
};

/// What was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The release's number.
    pub number: u64,
    /// Who made it.
    pub made_by: String,
}

/// Whether the ledger has this very release.
async fn is_there(store: &Arc<dyn Store>, draft: &Draft) -> Result<bool, StoreError> {
    let all = store.data_releases().await?;
    Ok(all.iter().any(|one| one.number == draft.number && one.digest == draft.digest))
}

/// Confirms a draft.
///
/// # Errors
/// [`ExportError::Rule`] with R14 for the person who made it, or where the folder is not what was
/// sealed; with R2 if a household's consent ended meanwhile; with R13 if another release was confirmed
/// meanwhile.
pub async fn confirm(
    store: &Arc<dyn Store>,
    path: &Path,
    person: &Person,
    clock: &dyn Clock,
) -> Result<Confirmed, ExportError> {
    let draft = Draft::load(path)?;
    let broken = |rule: Rule, found: String| ExportError::from(Check::failed(rule, found));
    if draft.made_by == person.name() || draft.made_key == person.public_key() {
        return Err(broken(Rule::R14, format!("{} made the draft", draft.made_by)));
    }
    verify(&draft.made_by, &draft.made_key, &draft.signed(), &draft.made_signature)?;
    if hash_file(&path.join("SHA256SUMS"))? != draft.digest {
        return Err(broken(Rule::R14, "the files are not those that were sealed".into()));
    }
    let mut verdict = check_folder(path)?;
    verdict.findings.retain(|finding| finding.file != "RELEASE.json");
    if let Some(finding) = verdict.findings.first() {
        return Err(broken(Rule::R14, finding.to_string()));
    }
    for (household, _) in &draft.households {
        let now = store.household(HouseholdId(*household)).await;
        let holds = match now {
            Ok(now) => draft.tier == ReleaseTier::Public || now.consent.revoked_at.is_none(),
            Err(StoreError::NotFound | StoreError::ConsentRevoked) => false,
            Err(error) => return Err(error.into()),
        };
        if !holds {
            return Err(broken(Rule::R2, "a household's consent ended since the draft".into()));
        }
    }
    let signature = person.sign(&draft.signed())?;
    let release = DataRelease {
        number: draft.number,
        name: draft.name.clone(),
        tier: draft.tier,
        recipient: draft.recipient.clone(),
        as_of: draft.as_of,
        finest: draft.finest.clone(),
        households: draft.households.len() as u64,
        seed_fingerprint: draft.seed_fingerprint.clone(),
        digest: draft.digest.clone(),
        made_by: draft.made_by.clone(),
        made_signature: draft.made_signature.clone(),
        confirmed_by: person.name().to_owned(),
        confirmed_signature: signature.clone(),
        confirmed_at: clock.now(),
    };
    match store.add_data_release(release, draft.households.clone()).await {
        Ok(()) => {}
        // Killed between the ledger and the folder.
        Err(StoreError::Changed) if is_there(store, &draft).await? => {}
        Err(StoreError::Changed) => {
            let found = "another release was confirmed since the draft".to_owned();
            return Err(broken(Rule::R13, found));
        }
        Err(error) => return Err(error.into()),
    }
    // Whoever has the files sees that two persons signed, not who.
    let about = json!({
        "release": draft.number,
        "tier": draft.tier,
        "signed": draft.signed(),
        "signatures": [
            { "public_key": draft.made_key, "signature": draft.made_signature },
            { "public_key": person.public_key(), "signature": signature },
        ],
    });
    let file = path.join("RELEASE.json");
    let aside = path.join("RELEASE.part");
    let text = format!("{about:#}\n");
    ebp_core::private_file::replace(&file, &aside, text.as_bytes())
        .map_err(|error| ExportError::system(&file, error))?;
    let draft_file = draft_path(path);
    fs::remove_file(&draft_file).map_err(|error| ExportError::system(&draft_file, error))?;
    Ok(Confirmed { number: draft.number, made_by: draft.made_by })
}
