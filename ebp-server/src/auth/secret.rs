//! The shared secrets of researchers and administrators (thesis 4.3.1).
//!
//! A request carries one as HTTP Basic authentication (RFC 7617) with the group's name as user:
//! every HTTP client and every browser supports it, and the name says which hash to try. The file
//! holds argon2id hashes and is read again when it changes. What was verified once is remembered,
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
    time::SystemTime,
};

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ebp_core::{private_file, scope::Group};
use jiff::{SignedDuration, Timestamp};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use ebp_store::{Store, TryLimits, TrySource};
use ebp_survey::atomic_file::write_atomic;

use crate::problem::ApiError;

/// How many wrong secrets an address has (an IPv6 network, /64), and how long it waits then.
const OF_ADDRESS: TryLimits = TryLimits {
    free: 10,
    first_pause: SignedDuration::from_secs(2),
    longest_pause: SignedDuration::from_mins(15),
    memory: SignedDuration::from_hours(1),
};
/// The same of a network (/24, IPv6: /56): more, and shorter pauses, since others are in it, too.
const OF_NETWORK: TryLimits = TryLimits {
    free: 150,
    first_pause: SignedDuration::from_secs(1),
    longest_pause: SignedDuration::from_mins(1),
    memory: SignedDuration::from_hours(1),
};
/// How many hashes are computed at the same time; each takes 19 MiB.
const HASHING: usize = 2;
/// The shortest secret that is taken.
const SHORTEST: usize = 12;

/// Why a secret cannot be set.
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

/// Sets a group's secret; servers go by it from the next request on.
///
/// # Errors
/// If it is too short or the file cannot be written.
pub fn set_secret(path: &Path, group: Group, secret: &str) -> Result<(), SecretError> {
    if secret.chars().count() < SHORTEST {
        return Err(SecretError::TooShort);
    }
    let hash = Argon2::default()
        .hash_password(secret.as_bytes(), &SaltString::generate(&mut OsRng))
        .map_err(|_| SecretError::Hash)?
        .to_string();
    let mut hashes = Hashes::read(path)?;
    *hashes.hash_mut(group) = Some(hash);
    let failed = |reason: String| SecretError::File { path: path.to_owned(), reason };
    let text = toml::to_string(&hashes).map_err(|e| failed(e.to_string()))?;
    write_atomic(path, text.as_bytes(), 0o600).map_err(|e| failed(e.to_string()))
}

/// The server's view of the secrets.
pub struct Secrets {
    path: PathBuf,
    read: Mutex<Read>,
    hashing: Arc<Semaphore>,
    /// Of this process alone: what it is used for says nothing about a secret elsewhere.
    key: Option<hmac::Key>,
}

#[derive(Default)]
struct Read {
    version: Option<(SystemTime, u64)>,
    hashes: Hashes,
    /// What was verified against these hashes.
    verified: Vec<(Group, hmac::Tag)>,
}

impl Secrets {
    /// Those in the file at `path`, which may come into being later.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let mut key = [0; 32];
        // Without randomness nothing is remembered and every request is hashed.
        let key = SystemRandom::new().fill(&mut key).is_ok().then_some(key);
        Self {
            path,
            read: Mutex::default(),
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
        const WRONG: ApiError = ApiError::Unauthenticated("the group's secret is wrong");
        let (group, secret) = parse(credentials).ok_or(ApiError::Unauthenticated(
            "the credentials are not of the form of HTTP Basic",
        ))?;
        let hash = self.hash(group)?;
        let tag = self.key.as_ref().map(|key| hmac::sign(key, secret.as_bytes()));
        if hash.is_some() && self.remembers(group, tag.as_ref()) {
            return Ok(group);
        }
        let sources = counted(source);
        if let Some(until) = store.begin_try(&sources, now).await? {
            let wait = until.duration_since(now).as_secs().max(1);
            return Err(ApiError::TooManyTries(wait.unsigned_abs()));
        }
        let Some(hash) = hash else { return Err(WRONG) };
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
        self.remember(group, &hash, tag);
        Ok(group)
    }

    /// The group's hash as the file says it now.
    fn hash(&self, group: Group) -> Result<Option<String>, ApiError> {
        let version = fs::metadata(&self.path)
            .and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
            .ok();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.version != version || version.is_none() {
            if let Some(exposed) = private_file::exposure(&self.path) {
                tracing::warn!("the hashes of the secrets may be known to others: {exposed}");
            }
            let hashes = Hashes::read(&self.path).map_err(|e| ApiError::Internal(e.to_string()))?;
            *read = Read { version, hashes, verified: Vec::new() };
        }
        Ok(read.hashes.hash_mut(group).clone())
    }

    fn remembers(&self, group: Group, tag: Option<&hmac::Tag>) -> bool {
        let Some(tag) = tag else { return false };
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Tags are computed with a secret key: comparing them reveals nothing.
        read.verified.iter().any(|(known, of)| *known == group && of.as_ref() == tag.as_ref())
    }

    fn remember(&self, group: Group, hash: &str, tag: Option<hmac::Tag>) {
        let Some(tag) = tag else { return };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Not if the secret was changed meanwhile.
        if read.hashes.hash_mut(group).as_deref() == Some(hash) {
            read.verified.retain(|(known, _)| *known != group);
            read.verified.push((group, tag));
        }
    }
}

fn parse(credentials: &str) -> Option<(Group, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (group, secret) = text.split_once(':')?;
    Some((group.parse().ok()?, secret.to_owned()))
}

/// The sources under which an address is counted: the address, and its network. Whoever has one
/// IPv6 address has its network's (RFC 4291, 2.5.1), and a subscriber 256 networks or more (RFC
/// 6177).
fn counted(source: IpAddr) -> [TrySource; 2] {
    let (address, network) = match source.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            (address.to_string(), format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            let subscriber = d & 0xff00;
            (
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"),
                format!("{a:x}:{b:x}:{c:x}:{subscriber:x}::/56"),
            )
        }
    };
    [
        TrySource { name: address, limits: OF_ADDRESS },
        TrySource { name: network, limits: OF_NETWORK },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let of = |text: &str| counted(text.parse().unwrap()).map(|source| source.name);
        assert_eq!(of("192.0.2.7"), ["192.0.2.7", "192.0.2.0/24"]);
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_eq!(of("2001:db8:1:2::"), ["2001:db8:1:2::/64", "2001:db8:1:0::/56"]);
        assert_ne!(of("2001:db8:1:2::")[0], of("2001:db8:1:3::")[0]);
        assert_eq!(of("2001:db8:1:2::")[1], of("2001:db8:1:ff::")[1]);
        assert_ne!(of("2001:db8:1:2::")[1], of("2001:db8:1:102::")[1]);
    }

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
        let short = set_secret(&path, Group::Researchers, "short");
        assert!(matches!(short, Err(SecretError::TooShort)));
        for group in Group::ALL {
            set_secret(&path, group, &format!("the secret of {group}")).unwrap();
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
