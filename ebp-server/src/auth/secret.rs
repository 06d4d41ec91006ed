//! The shared secrets of researchers and administrators (thesis 4.3.1).
//!
//! A request carries one as HTTP Basic authentication (RFC 7617) with the group's name as user:
//! every HTTP client and every browser supports it, and the name says which hash to try. The
//! database has argon2id hashes, for all servers; a group that has none there gets the one of the
//! file `secrets.toml`, in which programs of before kept them. What was verified once is remembered,
//! so that argon2's cost is paid by those who guess and not by those who know.
//!
//! Wrong ones are counted in the store, so that all servers count together: by address and by
//! network, each of which has to wait longer and longer. They are never counted over all sources,
//! since then an attacker who guesses could lock out the others.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ebp_core::{private_file, scope::Group};
use jiff::Timestamp;
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use ebp_store::{Store, StoreError};
use ebp_survey::atomic_file::write_atomic;

use super::try_source::counted;
use crate::problem::ApiError;

/// How many hashes are computed at the same time; each takes 19 MiB.
const HASHING: usize = 2;
/// The shortest secret that is taken.
const SHORTEST: usize = 12;

/// What the database has for a group whose secret was removed: the hash of no secret, which keeps the
/// file's from taking its place.
const REMOVED: &str = "removed";

/// Why a secret cannot be set or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It can be guessed.
    #[error("the secret must have at least {SHORTEST} characters")]
    TooShort,
    /// The file cannot be read or written.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The hash cannot be computed.
    #[error("the secret cannot be hashed")]
    Hash,
    /// The hash cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SecretError> for ApiError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Store(error) => error.into(),
            error => Self::Internal(error.to_string()),
        }
    }
}

/// The file's content: a PHC string for each group.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Hashes {
    #[serde(skip_serializing_if = "Option::is_none")]
    researchers: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    administrators: Option<String>,
}

impl Hashes {
    fn read(path: &Path) -> Result<Self, SecretError> {
        let failed = |reason: String| SecretError::File { path: path.to_owned(), reason };
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|e| failed(e.message().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn hash_mut(&mut self, group: Group) -> &mut Option<String> {
        match group {
            Group::Researchers => &mut self.researchers,
            Group::Administrators => &mut self.administrators,
        }
    }
}

/// Sets a group's secret; all servers of the database go by it from the next request on. A file of
/// before is changed with it, for servers of the release before, which read it.
///
/// # Errors
/// If it is too short, or its hash cannot be stored.
pub async fn set_secret(
    store: &dyn Store,
    file: &Path,
    group: Group,
    secret: &str,
) -> Result<(), SecretError> {
    let hash = hash_secret(secret)?;
    store.set_group_hash(group, hash.clone()).await?;
    if file.exists()
        && let Err(error) = replace_in_file(file, group, Some(hash))
    {
        tracing::warn!(%error, "servers of the release before still go by the secret of before");
    }
    Ok(())
}

/// Removes a group's secret: nobody is of the group from the next request on, at any server of the
/// database, until one is set again. It is removed from a file of before as well. Whether there was
/// one.
///
/// # Errors
/// If the file cannot be read or written, or the store fails.
pub async fn remove_secret(
    store: &dyn Store,
    file: &Path,
    group: Group,
) -> Result<bool, SecretError> {
    let in_file = Hashes::read(file)?.hash_mut(group).is_some();
    let before = store.group_hash(group).await?;
    store.set_group_hash(group, REMOVED.to_owned()).await?;
    if in_file {
        replace_in_file(file, group, None)?;
    }
    Ok(before.map_or(in_file, |hash| hash != REMOVED))
}

/// The argon2id hash (a PHC string) of a secret.
///
/// # Errors
/// [`SecretError::TooShort`], [`SecretError::Hash`].
pub fn hash_secret(secret: &str) -> Result<String, SecretError> {
    if secret.chars().count() < SHORTEST {
        return Err(SecretError::TooShort);
    }
    let hash = Argon2::default()
        .hash_password(secret.as_bytes(), &SaltString::generate(&mut OsRng))
        .map_err(|_| SecretError::Hash)?
        .to_string();
    Ok(hash)
}

fn replace_in_file(path: &Path, group: Group, hash: Option<String>) -> Result<(), SecretError> {
    let mut hashes = Hashes::read(path)?;
    *hashes.hash_mut(group) = hash;
    let failed = |reason: String| SecretError::File { path: path.to_owned(), reason };
    let text = toml::to_string(&hashes).map_err(|e| failed(e.to_string()))?;
    write_atomic(path, text.as_bytes(), 0o600).map_err(|e| failed(e.to_string()))
}

/// The server's view of the secrets.
pub struct Secrets {
    path: PathBuf,
    verified: Mutex<Vec<Verified>>,
    hashing: Arc<Semaphore>,
    /// Of this process alone: what it is used for says nothing about a secret elsewhere.
    key: Option<hmac::Key>,
}

/// A secret that was verified against a group's hash.
struct Verified {
    group: Group,
    hash: String,
    tag: hmac::Tag,
}

impl Secrets {
    /// Those of the database; a group that has none there gets the one in the file at `path`, which
    /// may come into being later.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let mut key = [0; 32];
        // Without randomness nothing is remembered and every request is hashed.
        let key = SystemRandom::new().fill(&mut key).is_ok().then_some(key);
        Self {
            path,
            verified: Mutex::default(),
            hashing: Arc::new(Semaphore::new(HASHING)),
            key: key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key)),
        }
    }

    /// The group of credentials (the part after `Basic`).
    ///
    /// # Errors
    /// 401 if they are wrong, 429 if there were too many wrong ones before.
    pub async fn verify(
        &self,
        credentials: &str,
        source: IpAddr,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Group, ApiError> {
        let (group, secret) = parse(credentials).ok_or(ApiError::Unauthenticated(
            "the credentials are not of the form of HTTP Basic",
        ))?;
        self.verify_group(group, secret, source, store, now).await?;
        Ok(group)
    }

    /// Whether that is the group's secret.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub async fn verify_group(
        &self,
        group: Group,
        secret: String,
        source: IpAddr,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        const WRONG: ApiError = ApiError::Unauthenticated("the group's secret is wrong");
        let hash = self.hash(group, store).await?;
        let tag = self.key.as_ref().map(|key| hmac::sign(key, secret.as_bytes()));
        if let (Some(hash), Some(tag)) = (&hash, &tag)
            && self.remembers(group, hash, tag)
        {
            return Ok(());
        }
        let sources = counted(source);
        if let Some(until) = store.begin_try(&sources, now).await? {
            let wait = until.duration_since(now).as_secs().max(1);
            return Err(ApiError::TooManyTries(wait.unsigned_abs()));
        }
        let Some(hash) = hash.filter(|hash| hash != REMOVED) else { return Err(WRONG) };
        let permit = self.hashing.clone().acquire_owned().await;
        let holds = {
            let hash = hash.clone();
            move || {
                // Held by the work, which continues if the request is cancelled.
                let _permit = permit;
                PasswordHash::new(&hash).is_ok_and(|hash| {
                    Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok()
                })
            }
        };
        let holds = tokio::task::spawn_blocking(holds)
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))?;
        if !holds {
            tracing::warn!(group = group.name(), "a wrong secret");
            return Err(WRONG);
        }
        store.forgive_try(&sources).await?;
        self.remember(group, hash, tag);
        Ok(())
    }

    /// The group's hash, from the file if the database has none yet.
    async fn hash(&self, group: Group, store: &dyn Store) -> Result<Option<String>, ApiError> {
        if let Some(hash) = store.group_hash(group).await? {
            return Ok(Some(hash));
        }
        self.import(store).await?;
        Ok(store.group_hash(group).await?)
    }

    /// Gives groups that have no hash in the database the one of the file, if there is one.
    ///
    /// # Errors
    /// If the file cannot be read, or the store fails.
    pub async fn import(&self, store: &dyn Store) -> Result<(), SecretError> {
        if let Some(exposed) = private_file::exposure(&self.path) {
            tracing::warn!("the hashes of the secrets may be known to others: {exposed}");
        }
        let mut hashes = Hashes::read(&self.path)?;
        for group in Group::ALL {
            let Some(hash) = hashes.hash_mut(group).take() else { continue };
            if store.add_group_hash(group, hash.clone()).await? {
                tracing::info!(group = group.name(), "the group's secret is that of the file");
            } else if store.group_hash(group).await?.is_some_and(|counts| counts != hash) {
                tracing::warn!(
                    group = group.name(),
                    "the secret in {} does not count: the database has another one, or it was \
                     removed, by `ebp serve secret`",
                    self.path.display()
                );
            }
        }
        Ok(())
    }

    fn remembers(&self, group: Group, hash: &str, tag: &hmac::Tag) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        // Tags are computed with a secret key: comparing them reveals nothing.
        let is_same = |known: &Verified| {
            known.group == group && known.hash == hash && known.tag.as_ref() == tag.as_ref()
        };
        verified.iter().any(is_same)
    }

    fn remember(&self, group: Group, hash: String, tag: Option<hmac::Tag>) {
        let Some(tag) = tag else { return };
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.retain(|known| known.group != group);
        verified.push(Verified { group, hash, tag });
    }
}

fn parse(credentials: &str) -> Option<(Group, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (group, secret) = text.split_once(':')?;
    Some((group.parse().ok()?, secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials() {
        let of = |text: &str| parse(&BASE64_STANDARD.encode(text));
        assert_eq!(of("researchers:a:b"), Some((Group::Researchers, "a:b".into())));
        assert_eq!(of("root:a"), None);
        assert_eq!(of("researchers"), None);
        assert_eq!(parse("%"), None);
    }

    #[test]
    fn each_group_has_its_own_and_the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.toml");
        assert!(matches!(hash_secret("short"), Err(SecretError::TooShort)));
        for group in Group::ALL {
            let hash = hash_secret(&format!("the secret of {group}")).unwrap();
            replace_in_file(&path, group, Some(hash)).unwrap();
        }
        let mut hashes = Hashes::read(&path).unwrap();
        assert_ne!(
            hashes.hash_mut(Group::Researchers).clone(),
            hashes.hash_mut(Group::Administrators).clone()
        );
        assert!(hashes.researchers.unwrap().starts_with("$argon2id$"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
