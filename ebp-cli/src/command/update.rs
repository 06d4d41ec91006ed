//! `ebp update`: a device's updates, and the launcher that its services start by.
//!
//! Enters: a device's configuration, the updates' folder. Leaves: another version that services run, or
//! the one before. Absent: when it is switched and judged, which [`ebp_update`] decides.

mod asking;
mod exec;
mod pause;
mod report;
mod source;
mod status;
mod witness;

use std::{
    path::{Path, PathBuf},
    thread,
};

use clap::Subcommand;
use ebp_core::{clock::DeviceClock, owner::Owner};
use ebp_device::{clock::DeviceSystemClock, config::DeviceConfig};
use ebp_errors::Component;
use ebp_update::{
    MachineDisk, MachinePrograms, Manager, Next, Parts, Systemd, UpdateConfig, Updater, Version,
    launcher, layout, retry,
};

use crate::{
    error_report::Reported,
    exit::{CommandResult, Failure, device, update as explain},
    output::TableFormat,
    tell::tell,
};
use asking::{Asking, tell_flux};
use source::ARCHITECTURE;
use witness::DeviceWitness;

/// Update this device's program: look for another version, try it out, keep it or go back.
///
/// The program of the package stays as it is. Another version is fetched beside it, tested, and run by
/// the services. It is kept when everything that worked before works with it; if not within 40 minutes,
/// services go back to what they ran before. One run does what is due now and judges a version on trial
/// to its end; a timer runs it each hour, as root.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    /// The device's configuration.
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,

    /// The program that the package installed, to which a device can always go back.
    #[arg(long, value_name = "FILE", default_value = "/usr/bin/ebp")]
    floor: PathBuf,

    /// The folder with versions and state.
    #[arg(long, value_name = "FOLDER", default_value = layout::FOLDER)]
    folder: PathBuf,

    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Become the version that services are to run, with these arguments.
    ///
    /// That is the version in the folder of updates, or this program if there is none, or if it is of
    /// another architecture, may not be executed, or does not print its version within 5 s.
    Exec(exec::Exec),
    /// Show which version runs, which one is tried out, and what is missing.
    Status(Status),
    /// Let a version be tried again that was reverted.
    Retry(Retry),
}

#[derive(Debug, clap::Args)]
struct Status {
    /// The folder with versions and state.
    #[arg(long, value_name = "FOLDER", default_value = layout::FOLDER)]
    folder: PathBuf,

    /// How to print it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    format: TableFormat,
}

#[derive(Debug, clap::Args)]
struct Retry {
    /// The version.
    #[arg(value_name = "VERSION")]
    refused: Version,

    /// The folder with versions and state.
    #[arg(long, value_name = "FOLDER", default_value = layout::FOLDER)]
    folder: PathBuf,
}

/// Updates this device, or does what is asked for besides.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Some(Action::Exec(exec)) => exec.run(),
        Some(Action::Status(status)) => status::print_status(&status.folder, status.format),
        Some(Action::Retry(retry)) => retry.run(),
        None => arguments.round(),
    }
}

impl Arguments {
    /// Where a round's errors are reported. What it counts is in the folder of updates, which is root's:
    /// root's files beside those of the services would keep these from counting.
    pub fn reported(&self) -> Option<Reported> {
        let reported = Reported::from_file(Component::Updater, self.config.as_deref()?).ok()?;
        Some(Reported { folder: self.folder.join("errors"), ..reported })
    }

    /// Steps until there is nothing to do until the next round.
    fn round(&self) -> CommandResult {
        // Clap demands it.
        let Some(path) = &self.config else { return Ok(()) };
        let config = DeviceConfig::load(path).map_err(device::config)?;
        let update = wanted(path, &config)?;
        if update.managed == Manager::Flux {
            tell!("ebp: Flux updates this device, so nothing is done here");
            tell_flux(&config, update, &self.folder);
            return Ok(());
        }
        if config.socket.is_none() {
            return Err(Failure::usage(format!("{} names no socket", path.display())).remedy(
                "write `socket = \"/run/ebp/read.sock\"`: there it is seen whether meters are read",
            ));
        }
        let named = source::named(path, update)?;
        let (mut disk, _lock) = MachineDisk::lock(&self.folder).map_err(explain::explain)?;
        // Whoever owns the spool runs the services.
        let user = Owner::of_folder(&config.spool).map(|owner| (owner.user, owner.group));
        let mut programs = MachinePrograms::new(&self.folder, &self.floor, path, user)
            .map_err(|error| Failure::failed(format!("the paths of programs: {error}")))?;
        let clock = DeviceSystemClock::new(config.clock);
        let mut asking = Asking::new(&config, update, &self.folder);
        let wish = asking.wish(update, &mut disk, &clock)?;
        let mut supply = source::open(&named, &config, (update, &wish), (&self.folder, &clock))?;
        let mut witness = DeviceWitness::new(config.clone());
        let parts = Parts {
            disk: &mut disk,
            supply: &mut *supply,
            programs: &mut programs,
            services: &mut Systemd::new(update.units.clone()),
            witness: &mut witness,
            clock: &clock as &dyn DeviceClock,
            architecture: ARCHITECTURE,
        };
        let mut updater = Updater::open(parts, update.limits()).map_err(explain::explain)?;
        loop {
            let next = updater.step();
            updater.take_events().iter().for_each(report::tell_event);
            let hindrance = next.as_ref().err().map(ToString::to_string);
            asking.tell(updater.state(), hindrance.as_deref());
            let next = next.map_err(explain::explain)?;
            launcher::round_works(&self.folder);
            match next {
                Next::Now => {}
                Next::In(time) => thread::sleep(time),
                Next::NextRound => return Ok(()),
            }
        }
    }
}

/// What the configuration says of updates.
fn wanted<'a>(path: &Path, config: &'a DeviceConfig) -> Result<&'a UpdateConfig, Failure> {
    config.update.as_ref().ok_or_else(|| {
        Failure::usage(format!("{} has no updates", path.display()))
            .remedy("add a section [update]; the manual's chapter on it says what it needs")
    })
}

impl Retry {
    fn run(&self) -> CommandResult {
        let (mut disk, _lock) = MachineDisk::lock(&self.folder).map_err(explain::explain)?;
        let was_refused =
            retry(&mut disk, &self.refused).map_err(|error| explain::explain(error.into()))?;
        if !was_refused {
            return Err(Failure::failed(format!("version {} is not refused", self.refused))
                .remedy("`ebp update status` shows which versions are"));
        }
        tell!("ebp: version {} is tried again when it is wanted", self.refused);
        Ok(())
    }
}
