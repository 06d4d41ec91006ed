//! Signing drafts, one person after the other.

use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};

use super::{AuthorError, ReleaseFolder, SigningKey, files::RoleFile};
use crate::{
    envelope::Envelope,
    hex,
    key::PublicKey,
    role::{Role, RoleName, Root, TargetsRole},
};

/// Signatures that a role needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The version of the root role whose keys must sign.
    pub root: u64,
    /// How many have signed.
    pub valid: usize,
    /// How many must.
    pub needed: usize,
    /// The keys that have signed, by their owners' names and their first digits.
    pub signed: Vec<String>,
    /// The keys that have not.
    pub waiting: Vec<String>,
}

/// A draft that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDraft {
    /// Which role.
    pub role: RoleName,
    /// Its version.
    pub version: u64,
    /// SHA-256 of what the signature is of.
    pub sha256: [u8; 32],
    /// What it changes, a sentence each: what was signed.
    pub changes: Vec<String>,
    /// What it needs, with this signature.
    pub requirements: Vec<Requirement>,
}

impl ReleaseFolder {
    /// Signs every draft that the key may sign, or that of one role.
    ///
    /// # Errors
    /// Returns [`AuthorError::NoDraft`] if there is none, [`AuthorError::NotASigner`] if the key may
    /// sign none of them, and an error if files cannot be read or written.
    pub fn sign(
        &self,
        key: &SigningKey,
        only: Option<RoleName>,
    ) -> Result<Vec<SignedDraft>, AuthorError> {
        self.sign_unless(key, only, |_| None)
    }

    /// Signs as [`sign`](Self::sign) does, but nothing that was not read: `read` is what
    /// [`preview`](Self::preview) gave.
    ///
    /// # Errors
    /// Returns [`AuthorError::DraftChanged`] if a draft is not as it was read, and the errors of
    /// [`sign`](Self::sign). Nothing is signed then.
    pub fn sign_read(
        &self,
        key: &SigningKey,
        only: Option<RoleName>,
        read: &[SignedDraft],
    ) -> Result<Vec<SignedDraft>, AuthorError> {
        let was_read = |draft: &SignedDraft| {
            read.iter().any(|known| known.role == draft.role && known.sha256 == draft.sha256)
        };
        self.sign_unless(key, only, |draft| {
            (!was_read(draft)).then_some(AuthorError::DraftChanged(draft.role))
        })
    }

    fn sign_unless(
        &self,
        key: &SigningKey,
        only: Option<RoleName>,
        refuse: impl Fn(&SignedDraft) -> Option<AuthorError>,
    ) -> Result<Vec<SignedDraft>, AuthorError> {
        let _lock = self.lock()?;
        let signed = self.sign_all(key, only)?;
        if let Some(refused) = signed.iter().find_map(|(draft, _)| refuse(draft)) {
            return Err(refused);
        }
        for (draft, envelope) in &signed {
            self.write_draft(draft.role, envelope)?;
        }
        Ok(signed.into_iter().map(|(draft, _)| draft).collect())
    }

    /// What [`sign`](Self::sign) would sign: for people to read before they do.
    ///
    /// # Errors
    /// Returns the same errors as [`sign`](Self::sign).
    pub fn preview(
        &self,
        key: &SigningKey,
        only: Option<RoleName>,
    ) -> Result<Vec<SignedDraft>, AuthorError> {
        Ok(self.sign_all(key, only)?.into_iter().map(|(draft, _)| draft).collect())
    }

    fn sign_all(
        &self,
        key: &SigningKey,
        only: Option<RoleName>,
    ) -> Result<Vec<(SignedDraft, Envelope)>, AuthorError> {
        let published = self.published_root()?;
        let root = self.draft::<Root>()?;
        let targets = self.draft::<TargetsRole>()?;
        if root.is_none() && targets.is_none() {
            return Err(AuthorError::NoDraft);
        }
        let wanted = |role| only.is_none_or(|only| only == role);
        let old = published.as_ref();
        let mut signed = Vec::new();
        if let Some(draft) = root.as_ref().filter(|_| wanted(RoleName::Root)) {
            let changes = root_changes(old.map(|old| &old.role), &draft.role);
            signed.extend(sign_draft(key, draft, old, &draft.role, changes));
        }
        if let Some(draft) = targets.as_ref().filter(|_| wanted(RoleName::Targets)) {
            let Some(root) = root.as_ref().or(old) else { return Err(AuthorError::NoDraft) };
            let known = self.published_targets()?;
            let changes = target_changes(known.as_ref().map(|known| &known.role), &draft.role);
            signed.extend(sign_draft(key, draft, None, &root.role, changes));
        }
        if signed.is_empty() {
            return Err(AuthorError::NotASigner(key.id()));
        }
        Ok(signed)
    }
}

/// The draft with the key's signature, if it may sign it.
fn sign_draft<R: Role>(
    key: &SigningKey,
    draft: &RoleFile<R>,
    old: Option<&RoleFile<Root>>,
    root: &Root,
    changes: Vec<String>,
) -> Option<(SignedDraft, Envelope)> {
    let old = old.map(|old| &old.role);
    let id = key.id();
    let mut keys = old.into_iter().chain([root]).flat_map(|root| &root.keys(R::NAME).keys);
    keys.find(|key| key.id() == id)?;
    let mut envelope = draft.envelope.clone();
    envelope.signatures.insert(id, key.sign(&envelope.signed));
    let requirements = requirements(R::NAME, &envelope, old, root);
    let (role, version) = (R::NAME, draft.version());
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, &envelope.signed.canonical()).as_ref());
    Some((SignedDraft { role, version, sha256, changes, requirements }, envelope))
}

/// What a role needs: a root role also its predecessor's keys, unless they are the same.
pub fn requirements(
    role: RoleName,
    envelope: &Envelope,
    old: Option<&Root>,
    root: &Root,
) -> Vec<Requirement> {
    let own = root.keys(role);
    let old = old.filter(|old| old.keys(role) != own);
    let roots = old.into_iter().chain([root]);
    roots
        .map(|root| {
            let keys = root.keys(role);
            let signers: BTreeSet<_> =
                envelope.signers(keys).into_iter().map(PublicKey::id).collect();
            let (signed, waiting): (Vec<_>, Vec<_>) =
                keys.keys.iter().partition(|key| signers.contains(&key.id()));
            let labels = |keys: Vec<&PublicKey>| {
                let mut labels: Vec<_> = keys.into_iter().map(label).collect();
                labels.sort();
                labels
            };
            Requirement {
                root: root.header().version,
                valid: signers.len(),
                needed: keys.threshold,
                signed: labels(signed),
                waiting: labels(waiting),
            }
        })
        .collect()
}

/// What a person calls a key.
pub fn label(key: &PublicKey) -> String {
    match key.name() {
        Some(name) => format!("{name} ({})", key.id().short()),
        None => key.id().short().to_owned(),
    }
}

fn root_changes(old: Option<&Root>, new: &Root) -> Vec<String> {
    let mut changes = Vec::new();
    for role in RoleName::ALL {
        let keys = new.keys(role);
        let before: &[PublicKey] = old.map_or(&[], |old| &old.keys(role).keys);
        let lacks = |keys: &[PublicKey], key: &PublicKey| keys.iter().all(|k| k.id() != key.id());
        let came = keys.keys.iter().filter(|key| lacks(before, key));
        changes.extend(came.map(|key| format!("{role}: key {} is added", label(key))));
        let went = before.iter().filter(|key| lacks(&keys.keys, key));
        changes.extend(went.map(|key| format!("{role}: key {} is removed", label(key))));
        if old.is_none_or(|old| old.keys(role).threshold != keys.threshold) {
            let count = keys.keys.len();
            changes.push(format!("{role}: {} of {count} keys must sign", keys.threshold));
        }
    }
    changes.push(format!("valid until {}", new.header().expires));
    changes
}

fn target_changes(old: Option<&TargetsRole>, new: &TargetsRole) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, target) in &new.releases {
        let known = old.and_then(|old| old.releases.get(name));
        if known.is_none_or(|known| known.sha256 != target.sha256) {
            let hash = hex::encode(&target.sha256);
            changes.push(format!("{name} is added: {} bytes, SHA-256 {hash}", target.length));
        }
        if known.is_none_or(|known| known.needs != target.needs)
            && let Some(needs) = &target.needs
        {
            changes.push(format!("{name} needs at least {needs} before it"));
        }
        let before = known.map(|known| known.recalled.clone()).unwrap_or_default();
        let recalled = target.recalled.difference(&before);
        changes.extend(recalled.map(|version| format!("{version} is recalled ({name})")));
    }
    let gone = old.iter().flat_map(|old| old.releases.keys());
    let gone = gone.filter(|name| !new.releases.contains_key(*name));
    changes.extend(gone.map(|name| format!("{name} is removed")));
    changes.push(format!("valid until {}", new.header().expires));
    changes
}
