//! `ebp release sign`: a signature under drafts, once their changes were read.

use std::path::PathBuf;

use ebp_release::{
    RoleName,
    author::{ReleaseFolder, SignedDraft},
};

use super::key_file::private_key;
use crate::{
    command::confirm::{at_terminal, require_terminal, type_word, unchanged},
    exit::{CommandResult, release::explain},
    tell::tell,
};

/// Sign the drafts that your key may sign, after reading what they change.
#[derive(Debug, clap::Args)]
pub struct Sign {
    /// The folder of the repository.
    folder: PathBuf,

    /// Your private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Sign the draft of this role only.
    #[arg(long, value_enum)]
    role: Option<SignedRole>,

    /// Sign without being asked.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SignedRole {
    Root,
    Targets,
}

impl Sign {
    /// Signs.
    pub fn run(&self) -> CommandResult {
        let key = private_key(&self.key)?;
        let only = self.role.map(|role| match role {
            SignedRole::Root => RoleName::Root,
            SignedRole::Targets => RoleName::Targets,
        });
        let folder = ReleaseFolder::new(&self.folder);
        let read = folder.preview(&key, only).map_err(explain)?;
        for draft in &read {
            tell!("ebp: {} version {}:", draft.role, draft.version);
            for change in &draft.changes {
                tell!("  {change}");
            }
        }
        if !self.yes {
            require_terminal("sign without being asked: --yes")?;
            at_terminal(|terminal| match type_word(terminal, "Type sign to sign this: ")? {
                Some(typed) if typed == "sign" => Ok(()),
                _ => Err(unchanged("sign")),
            })?;
        }
        folder.sign_read(&key, only, &read).map_err(explain)?.iter().for_each(tell_signed);
        Ok(())
    }
}

fn tell_signed(draft: &SignedDraft) {
    let (role, version) = (draft.role, draft.version);
    for requirement in &draft.requirements {
        let (valid, needed) = (requirement.valid, requirement.needed);
        let rest = match valid >= needed {
            true => String::new(),
            false => format!("; it waits for {}", requirement.waiting.join(", ")),
        };
        tell!("ebp: {role} version {version} has {valid} of {needed} signatures{rest}");
    }
}
