//! The targets role: which files there are.

use std::collections::BTreeMap;

use super::{
    header::{Header, Role},
    name::RoleName,
};
use crate::{json::Json, target::Target};

/// The most targets that a role may list.
pub const MOST_TARGETS: usize = 4_096;

/// A targets role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetsRole {
    header: Header,
    /// Releases by their names.
    pub releases: BTreeMap<String, Target>,
    /// Names of targets that are no releases as this program knows them.
    pub others: Vec<String>,
}

impl Role for TargetsRole {
    const NAME: RoleName = RoleName::Targets;

    fn from_signed(header: Header, signed: &Json) -> Result<Self, String> {
        let listed = signed.get("targets").and_then(Json::members).ok_or("`targets` is missing")?;
        if listed.len() > MOST_TARGETS {
            return Err(format!("more than {MOST_TARGETS} targets"));
        }
        let mut role = Self { header, releases: BTreeMap::new(), others: Vec::new() };
        for (name, target) in listed {
            match Target::from_json(name, target)? {
                Some(target) => drop(role.releases.insert(name.clone(), target)),
                None => role.others.push(name.clone()),
            }
        }
        Ok(role)
    }

    fn header(&self) -> &Header {
        &self.header
    }
}
