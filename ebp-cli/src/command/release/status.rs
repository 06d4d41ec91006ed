//! `ebp release status`: the roles of a repository.

use std::path::PathBuf;

use ebp_core::clock::{Clock, SystemClock};
use ebp_release::author::{ReleaseFolder, Requirement, RoleStatus, Stage};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    exit::{CommandResult, release::explain},
    output::{Format, list},
    stdout::print,
};

/// Show the roles and drafts: version, until when, signatures.
#[derive(Debug, clap::Args)]
pub struct Status {
    /// The folder of the repository.
    folder: PathBuf,

    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A role as it is listed.
#[derive(Serialize)]
struct Listed {
    role: &'static str,
    state: &'static str,
    version: u64,
    expires: Timestamp,
    /// Whole days; negative once it has expired.
    days_left: i64,
    signatures: Vec<Signatures>,
}

#[derive(Serialize)]
struct Signatures {
    valid: usize,
    needed: usize,
    /// Keys that have signed.
    signed: Vec<String>,
    /// Keys that have not.
    waiting: Vec<String>,
}

const HEADER: [&str; 7] =
    ["role", "state", "version", "expires", "days_left", "signatures", "waits_for"];

impl Status {
    /// Prints it.
    pub fn run(&self) -> CommandResult {
        let now = SystemClock.now();
        let status = ReleaseFolder::new(&self.folder).status().map_err(explain)?;
        let listed: Vec<_> = status.into_iter().map(|role| Listed::new(role, now)).collect();
        print(list::list(self.format, HEADER, true, &listed, row)?)
    }
}

impl Listed {
    fn new(role: RoleStatus, now: Timestamp) -> Self {
        let hours = role.expires.duration_since(now).as_hours();
        let signatures = role.requirements.into_iter().map(|requirement| {
            let Requirement { valid, needed, signed, waiting, .. } = requirement;
            Signatures { valid, needed, signed, waiting }
        });
        Self {
            role: role.role.name(),
            state: match role.stage {
                Stage::Published if role.expires <= now => "expired",
                Stage::Published => "published",
                Stage::Draft => "draft",
            },
            version: role.version,
            expires: role.expires,
            days_left: hours.div_euclid(24),
            signatures: signatures.collect(),
        }
    }
}

fn row(role: &Listed) -> [String; 7] {
    let counts = role.signatures.iter().map(|s| format!("{} of {}", s.valid, s.needed));
    let missing = role.signatures.iter().filter(|signatures| signatures.valid < signatures.needed);
    let mut waiting: Vec<&str> =
        missing.flat_map(|signatures| &signatures.waiting).map(String::as_str).collect();
    waiting.sort_unstable();
    waiting.dedup();
    [
        role.role.to_owned(),
        role.state.to_owned(),
        role.version.to_string(),
        role.expires.to_string(),
        role.days_left.to_string(),
        counts.collect::<Vec<_>>().join(" and "),
        waiting.join(", "),
    ]
}
