//! The root role: which keys sign which role, and how many of them must.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    header::{Header, Role},
    name::RoleName,
};
use crate::{
    json::Json,
    key::{KeyId, PublicKey},
};

/// The most keys that a root role may list.
const MOST_KEYS: usize = 64;

/// The keys that may sign a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKeys {
    /// Those that are known here, each once. Keys of other kinds than Ed25519 are left out.
    pub keys: Vec<PublicKey>,
    /// How many of them must sign; at least one.
    pub threshold: usize,
}

/// A root role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    header: Header,
    roles: BTreeMap<RoleName, RoleKeys>,
}

impl Root {
    /// The keys of a role.
    #[must_use]
    pub fn keys(&self, role: RoleName) -> &RoleKeys {
        // `from_signed` has put each of the four in.
        &self.roles[&role]
    }
}

impl Role for Root {
    const NAME: RoleName = RoleName::Root;

    fn from_signed(header: Header, signed: &Json) -> Result<Self, String> {
        if signed.get("consistent_snapshot") != Some(&Json::Bool(true)) {
            return Err("its repository has no consistent snapshots".to_owned());
        }
        let listed = signed.get("keys").and_then(Json::members).ok_or("`keys` is missing")?;
        if listed.len() > MOST_KEYS {
            return Err(format!("more than {MOST_KEYS} keys"));
        }
        let mut keys = BTreeMap::new();
        for (id, key) in listed {
            if let Some(key) = PublicKey::from_json(key) {
                if key.id().as_str() != id {
                    return Err("a key's identifier is not that of the key".to_owned());
                }
                keys.insert(key.id(), key);
            }
        }
        let roles = signed.get("roles").ok_or("`roles` is missing")?;
        let roles = RoleName::ALL
            .into_iter()
            .map(|name| Ok((name, role_keys(&keys, roles.get(name.name()), name)?)))
            .collect::<Result<_, String>>()?;
        Ok(Self { header, roles })
    }

    fn header(&self) -> &Header {
        &self.header
    }
}

fn role_keys(
    keys: &BTreeMap<KeyId, PublicKey>,
    role: Option<&Json>,
    name: RoleName,
) -> Result<RoleKeys, String> {
    let role = role.ok_or_else(|| format!("the role {name} is missing"))?;
    let listed = role.get("keyids").and_then(Json::items).ok_or("`keyids` is missing")?;
    if listed.len() > MOST_KEYS {
        return Err(format!("more than {MOST_KEYS} keys of the role {name}"));
    }
    let threshold = role.get("threshold").and_then(Json::positive);
    let threshold = threshold.and_then(|number| usize::try_from(number).ok());
    let threshold = threshold.ok_or("`threshold` is no number from 1")?;
    let mut ids = BTreeSet::new();
    for id in listed {
        let id = id.text().ok_or("a key's identifier is no text")?;
        if !ids.insert(KeyId(id.to_owned())) {
            return Err(format!("a key is there twice in the role {name}"));
        }
    }
    let keys = ids.iter().filter_map(|id| keys.get(id).cloned()).collect();
    Ok(RoleKeys { keys, threshold })
}
