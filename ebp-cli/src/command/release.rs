//! `ebp release`: the repository of releases that devices update from.
//!
//! Enters: a folder, key files, programs. Leaves: files in the folder, what there is to be known about
//! them. Absent: the network; how a repository is made, which [`ebp_release::author`] knows.

mod key;
mod key_file;
mod sign;
mod status;

use std::{fs::File, io::Read, path::PathBuf};

use clap::Subcommand;
use ebp_core::clock::{Clock, SystemClock};
use ebp_release::{
    Version,
    author::{
        FirstKeys, NewRelease, PublishedState, ReleaseFolder, Rotated, Rotation, check_program,
    },
    is_architecture, parse_version,
};

use crate::{
    exit::{
        CommandResult, Context, Failure,
        release::{explain, explain_program, usual_name},
    },
    tell::tell,
};
use key_file::{private_key, public_key, public_keys};

/// Make, sign and publish releases that devices update to.
///
/// A release is signed by several people, one after the other, on machines that need no network: the
/// folder with the repository is carried from one to the next.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Key(key::Key),
    Init(Init),
    Add(Add),
    Sign(sign::Sign),
    Publish(Publish),
    Renew(Renew),
    Rotate(Rotate),
    Recall(Recall),
    Status(status::Status),
}

/// Begin a repository: draft its first root and targets roles.
#[derive(Debug, clap::Args)]
struct Init {
    /// The folder; it is made.
    folder: PathBuf,

    /// The public key of somebody who signs which keys there are; several times.
    #[arg(long, value_name = "FILE", required = true)]
    root: Vec<PathBuf>,

    /// The public key of somebody who signs releases; several times.
    #[arg(long, value_name = "FILE", required = true)]
    targets: Vec<PathBuf>,

    /// The public key of the machine that publishes.
    #[arg(long, value_name = "FILE")]
    online: PathBuf,

    /// How many of the root keys must sign.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    root_threshold: usize,

    /// How many of the targets keys must sign.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    targets_threshold: usize,
}

/// Draft a release: copy a program into the folder and add it to the next targets role.
#[derive(Debug, clap::Args)]
struct Add {
    /// The folder of the repository.
    folder: PathBuf,

    /// The program.
    program: PathBuf,

    /// Its version, such as 1.4.2.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    release: Version,

    /// What it is built for, such as aarch64.
    #[arg(long, value_name = "NAME")]
    architecture: String,

    /// The oldest version that may go over to it directly.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    needs: Option<Version>,

    /// It is a script, whose first line says what runs it (`#!`). Any other program has to have the
    /// header (ELF) of a program for that architecture.
    #[arg(long)]
    script: bool,
}

/// Publish the signed drafts, with a new snapshot and timestamp.
///
/// The new state is tried as a device that knew the old one before anything is written.
#[derive(Debug, clap::Args)]
struct Publish {
    /// The folder of the repository.
    folder: PathBuf,

    /// The private key of the machine that publishes.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Renew a role before it expires.
#[derive(Debug, clap::Args)]
struct Renew {
    /// The folder of the repository.
    folder: PathBuf,

    /// Which: `root` and `targets` are drafted, to be signed and published; `online` is the timestamp,
    /// and the snapshot if it expires soon, renewed at once whatever drafts there are.
    #[arg(value_enum)]
    role: Role,

    /// The private key of the machine that publishes, for `online`.
    #[arg(long, value_name = "FILE", required_if_eq("role", "online"))]
    key: Option<PathBuf>,
}

/// Change the keys of a role: draft the next root role.
///
/// It is signed by enough of the keys from before and enough of those from then on.
#[derive(Debug, clap::Args)]
struct Rotate {
    /// The folder of the repository.
    folder: PathBuf,

    /// Whose keys change; `online` is the machine that publishes.
    #[arg(value_enum)]
    role: Role,

    /// A public key that comes; several times.
    #[arg(long, value_name = "FILE")]
    add: Vec<PathBuf>,

    /// A key that goes, by its owner's name or the first digits of its identifier; several times.
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,

    /// How many of the keys must sign from then on.
    #[arg(long, value_name = "NUMBER")]
    threshold: Option<usize>,
}

/// Recall a release: draft the next targets role, by which devices leave it.
#[derive(Debug, clap::Args)]
struct Recall {
    /// The folder of the repository.
    folder: PathBuf,

    /// The version.
    #[arg(value_parser = version)]
    release: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    Root,
    Targets,
    Online,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::Key(key) => key.run(),
        Action::Init(init) => init.run(),
        Action::Add(add) => add.run(),
        Action::Sign(sign) => sign.run(),
        Action::Publish(publish) => {
            let key = private_key(&publish.key)?;
            let folder = ReleaseFolder::new(&publish.folder);
            let state = folder.publish(&key, SystemClock.now()).map_err(explain)?;
            tell_state(&state);
            Ok(())
        }
        Action::Renew(renew) => renew.run(),
        Action::Rotate(rotate) => rotate.run(),
        Action::Recall(recall) => {
            let folder = ReleaseFolder::new(&recall.folder);
            folder.recall(&recall.release, SystemClock.now()).map_err(explain)?;
            tell_drafts(&folder)
        }
        Action::Status(status) => status.run(),
    }
}

impl Init {
    fn run(&self) -> CommandResult {
        let keys = FirstKeys {
            root: (public_keys(&self.root)?, self.root_threshold),
            targets: (public_keys(&self.targets)?, self.targets_threshold),
            online: public_key(&self.online)?,
        };
        let folder = ReleaseFolder::new(&self.folder);
        folder.init(&keys, SystemClock.now()).map_err(explain)?;
        tell_drafts(&folder)
    }
}

impl Add {
    fn run(&self) -> CommandResult {
        let release = NewRelease {
            version: self.release.clone(),
            architecture: self.architecture.clone(),
            needs: self.needs.clone(),
            program: &self.program,
        };
        // Names of architectures and empty files are refused by what adds it.
        if is_architecture(&self.architecture) {
            self.check()?;
        }
        let folder = ReleaseFolder::new(&self.folder);
        let target = folder.add(&release, SystemClock.now()).map_err(explain)?;
        if let Some(usual) = usual_name(&self.architecture) {
            tell!(
                "ebp: devices call that architecture {usual}: none will take a program for {}",
                self.architecture
            );
        }
        tell!("ebp: {} has {} bytes", target.name(), target.length);
        tell_drafts(&folder)
    }
}

impl Add {
    /// Whether machines of that architecture can start the program.
    fn check(&self) -> CommandResult {
        let name = self.program.display();
        let mut first = Vec::new();
        let file = File::open(&self.program).or_failed(&name)?;
        file.take(2).read_to_end(&mut first).or_failed(&name)?;
        if first.is_empty() {
            return Ok(());
        }
        match (self.script, &first[..] == b"#!") {
            (true, true) => Ok(()),
            (true, false) => Err(Failure::usage(format!("{name} does not begin with `#!`"))
                .remedy("leave out --script for a program that was compiled")),
            (false, true) => Err(Failure::usage(format!("{name} is a script"))
                .remedy("add it with --script if devices are to run it")),
            (false, false) => check_program(&self.program, &self.architecture)
                .map_err(|error| explain_program(&self.program, &self.architecture, &error)),
        }
    }
}

impl Renew {
    fn run(&self) -> CommandResult {
        let folder = ReleaseFolder::new(&self.folder);
        let now = SystemClock.now();
        match (self.role, &self.key) {
            (Role::Online, Some(key)) => {
                let state = folder.renew_online(&private_key(key)?, now).map_err(explain)?;
                tell_state(&state);
                Ok(())
            }
            (Role::Online, None) => Err(Failure::usage("`online` is signed with --key")),
            (Role::Root, _) => {
                folder.renew_root(now).map_err(explain)?;
                tell_drafts(&folder)
            }
            (Role::Targets, _) => {
                folder.renew_targets(now).map_err(explain)?;
                tell_drafts(&folder)
            }
        }
    }
}

impl Rotate {
    fn run(&self) -> CommandResult {
        let rotation = Rotation {
            role: match self.role {
                Role::Root => Rotated::Root,
                Role::Targets => Rotated::Targets,
                Role::Online => Rotated::Online,
            },
            add: public_keys(&self.add)?,
            remove: self.remove.clone(),
            threshold: self.threshold,
        };
        if self.add.is_empty() && self.remove.is_empty() && self.threshold.is_none() {
            return Err(Failure::usage("nothing is to change").remedy(
                "give --add, --remove or --threshold; `ebp release renew` changes no keys",
            ));
        }
        let folder = ReleaseFolder::new(&self.folder);
        folder.rotate(&rotation, SystemClock.now()).map_err(explain)?;
        tell_drafts(&folder)
    }
}

/// Says what is to be signed, and by whom.
fn tell_drafts(folder: &ReleaseFolder) -> CommandResult {
    let status = folder.status().map_err(explain)?;
    for role in status.iter().filter(|role| role.stage == ebp_release::author::Stage::Draft) {
        let (name, version) = (role.role, role.version);
        for requirement in &role.requirements {
            let (valid, needed) = (requirement.valid, requirement.needed);
            tell!(
                "ebp: {name} version {version} is a draft with {valid} of {needed} signatures; \
                 it waits for {}",
                requirement.waiting.join(", ")
            );
        }
    }
    Ok(())
}

fn tell_state(state: &PublishedState) {
    for (role, version, is_new) in &state.roles {
        if *is_new {
            tell!("ebp: {role} version {version} is published");
        }
    }
    tell!("ebp: publish or renew again before {}", state.expires);
}

fn version(text: &str) -> Result<Version, String> {
    parse_version(text).ok_or_else(|| "a version is such as 1.4.2 or 2.0.0-rc.1".to_owned())
}
