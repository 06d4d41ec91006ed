//! A second person confirms a draft: it gets its row in the ledger.

use std::{fs, path::Path, sync::Arc};

use super::{
    super::ExportError,
    Person, PersonError,
    draft::{Draft, draft_path},
};
use ebp_core::{clock::Clock, contract::ReleaseTier};
use ebp_dataset::{
    files::{Confirmation, ReleaseSignature, check_folder, hash_file, is_signed_by},
    release::{Check, Rule},
};
use ebp_store::{DataRelease, HouseholdId, Store, StoreError};

/// What was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The release's number.
    pub number: u64,
    /// Who made it.
    pub made_by: String,
}

/// What can be done about a draft that cannot be confirmed any more.
const ANEW: &str = "remove the draft, and make it anew with `ebp export --release`";

/// Confirms a draft. Where that was interrupted the same person finishes it, with the same bytes.
///
/// # Errors
/// [`ExportError::Rule`] with R14 for the person who made it, where the folder is not what was sealed,
/// or where another person has confirmed it already; with R2 if a household's consent ended meanwhile; with R13 if another release was confirmed
/// meanwhile.
pub async fn confirm(
    store: &Arc<dyn Store>,
    path: &Path,
    person: &Person,
    clock: &dyn Clock,
) -> Result<Confirmed, ExportError> {
    let draft = Draft::load(path)?;
    let broken = |rule: Rule, found: String| ExportError::from(Check::failed(rule, found));
    let outdated = |rule: Rule, found: String| {
        ExportError::from(Check::failed(rule, found).with_way_out(ANEW))
    };
    if draft.made_by == person.name() || draft.made_key == person.public_key() {
        return Err(broken(Rule::R14, format!("{} made the draft", draft.made_by)));
    }
    if !is_signed_by(&draft.made_key, &draft.signed(), &draft.made_signature) {
        return Err(PersonError::Signature(draft.made_by).into());
    }
    if hash_file(&path.join("SHA256SUMS"))? != draft.digest {
        return Err(outdated(Rule::R14, "the files are not those that were sealed".into()));
    }
    let mut verdict = check_folder(path)?;
    verdict.findings.retain(|finding| finding.file != "RELEASE.json");
    if let Some(finding) = verdict.findings.first() {
        return Err(outdated(Rule::R14, finding.to_string()));
    }
    for (household, _) in &draft.households {
        let now = store.household(HouseholdId(*household)).await;
        let holds = match now {
            Ok(now) => draft.tier == ReleaseTier::Public || now.consent.revoked_at.is_none(),
            Err(StoreError::NotFound | StoreError::ConsentRevoked) => false,
            Err(error) => return Err(error.into()),
        };
        if !holds {
            return Err(outdated(Rule::R2, "a household's consent ended since the draft".into()));
        }
    }
    let signature = match in_ledger(store, &draft, person).await? {
        Some(signature) => signature,
        None => enter(store, &draft, person, clock).await?,
    };
    // Whoever has the files sees that two persons signed, not who.
    let about = Confirmation {
        release: draft.number,
        tier: draft.tier.name().to_owned(),
        signed: draft.signed(),
        signatures: vec![
            ReleaseSignature {
                public_key: draft.made_key.clone(),
                signature: draft.made_signature.clone(),
            },
            ReleaseSignature { public_key: person.public_key(), signature },
        ],
    };
    let file = path.join("RELEASE.json");
    let aside = path.join("RELEASE.part");
    let text =
        serde_json::to_string_pretty(&about).map_err(|_| ExportError::Damaged(file.clone()))?;
    let text = format!("{text}\n");
    ebp_core::private_file::replace(&file, &aside, text.as_bytes())
        .map_err(|error| ExportError::system(&file, error))?;
    let draft_file = draft_path(path);
    fs::remove_file(&draft_file).map_err(|error| ExportError::system(&draft_file, error))?;
    Ok(Confirmed { number: draft.number, made_by: draft.made_by })
}

/// The signature with which the ledger has this very release: its confirmation was killed before the
/// folder had it.
async fn in_ledger(
    store: &Arc<dyn Store>,
    draft: &Draft,
    person: &Person,
) -> Result<Option<String>, ExportError> {
    let all = store.data_releases().await?;
    let same = |one: &DataRelease| one.number == draft.number && one.digest == draft.digest;
    let Some(entry) = all.into_iter().find(same) else { return Ok(None) };
    let is_own = entry.confirmed_by == person.name()
        && is_signed_by(&person.public_key(), &draft.signed(), &entry.confirmed_signature);
    if is_own {
        return Ok(Some(entry.confirmed_signature));
    }
    let found = format!(
        "{} has confirmed it, with a signature that is in the ledger; only the same certificate can \
         finish it",
        entry.confirmed_by
    );
    let check = Check::failed(Rule::R14, found);
    Err(check.with_way_out("give --certificate and --key of whoever has confirmed it").into())
}

/// Signs the draft, and enters the release into the ledger.
async fn enter(
    store: &Arc<dyn Store>,
    draft: &Draft,
    person: &Person,
    clock: &dyn Clock,
) -> Result<String, ExportError> {
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
        Ok(()) => Ok(signature),
        Err(StoreError::Changed) => {
            let found = "another release was confirmed since the draft".to_owned();
            Err(Check::failed(Rule::R13, found).with_way_out(ANEW).into())
        }
        Err(error) => Err(error.into()),
    }
}
