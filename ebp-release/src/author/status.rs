//! What a repository's roles are: versions, validity, signatures.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use semver::Version;

use super::{
    AuthorError, ReleaseFolder,
    files::RoleFile,
    sign::{Requirement, requirements},
};
use crate::{
    role::{Role, RoleName, Root, TargetsRole},
    target::Target,
};

/// Whether clients know a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Clients get it.
    Published,
    /// It is a draft.
    Draft,
}

/// A role as it is in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleStatus {
    /// Which.
    pub role: RoleName,
    /// Whether clients know it.
    pub stage: Stage,
    /// Its version.
    pub version: u64,
    /// Until when it is valid.
    pub expires: Timestamp,
    /// The signatures that it needs and has.
    pub requirements: Vec<Requirement>,
}

impl ReleaseFolder {
    /// The versions that are published, and whether each is recalled. The signatures are not checked:
    /// devices do that.
    ///
    /// # Errors
    /// Returns [`AuthorError::NoRepository`] if nothing is published, and an error if files cannot be
    /// read or are damaged.
    pub fn published_versions(&self) -> Result<BTreeMap<Version, bool>, AuthorError> {
        let targets = self.published_targets()?;
        let targets = targets.ok_or_else(|| AuthorError::NoRepository(self.path.clone()))?;
        let releases = targets.role.releases.values();
        let recalled: BTreeSet<&Version> =
            releases.clone().flat_map(|target| &target.recalled).collect();
        let state = |target: &Target| (target.version.clone(), recalled.contains(&target.version));
        Ok(releases.map(state).collect())
    }

    /// The roles that are published, then the drafts.
    ///
    /// # Errors
    /// Returns [`AuthorError::NoRepository`] if there is neither a repository nor a draft, and an error
    /// if files cannot be read or are damaged.
    pub fn status(&self) -> Result<Vec<RoleStatus>, AuthorError> {
        let published = self.published_root()?;
        let draft = self.draft::<Root>()?;
        let mut status = Vec::new();
        if let Some(root) = &published {
            status.push(describe(root, Stage::Published, None, &root.role));
            let rows = [
                self.published_targets()?.map(|file| published_row(&file, &root.role)),
                self.published_snapshot()?.map(|file| published_row(&file, &root.role)),
                self.published_timestamp()?.map(|file| published_row(&file, &root.role)),
            ];
            status.extend(rows.into_iter().flatten());
        }
        let old = published.as_ref().map(|root| &root.role);
        if let Some(draft) = &draft {
            status.push(describe(draft, Stage::Draft, old, &draft.role));
        }
        let in_force = draft.as_ref().map(|draft| &draft.role).or(old);
        if let (Some(targets), Some(root)) = (self.draft::<TargetsRole>()?, in_force) {
            status.push(describe(&targets, Stage::Draft, None, root));
        }
        match status.is_empty() {
            true => Err(AuthorError::NoRepository(self.path.clone())),
            false => Ok(status),
        }
    }
}

fn published_row<R: Role>(file: &RoleFile<R>, root: &Root) -> RoleStatus {
    describe(file, Stage::Published, None, root)
}

fn describe<R: Role>(
    file: &RoleFile<R>,
    stage: Stage,
    old: Option<&Root>,
    root: &Root,
) -> RoleStatus {
    RoleStatus {
        role: R::NAME,
        stage,
        version: file.version(),
        expires: file.role.header().expires,
        requirements: requirements(R::NAME, &file.envelope, old, root),
    }
}
