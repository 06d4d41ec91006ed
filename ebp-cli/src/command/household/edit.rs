//! `ebp household edit` and `remove`.

use std::path::PathBuf;

use ebp_client::Manager;
use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    scope::Group,
};
use uuid::Uuid;

use super::{doubts, refusal::refused};
use crate::{
    command::group_api::GroupApi, exit::CommandResult, file::load, stdout::print_json, tell::tell,
};

/// What changes.
#[derive(Debug, clap::Args)]
pub struct Edit {
    /// The household.
    household: Uuid,

    /// The changes, TOML or JSON: participant, address, location, metadata, each complete; or, with
    /// one of the options below, the members of a meter or photovoltaic system.
    file: PathBuf,

    /// The meter to change.
    #[arg(long, value_name = "UUID", group = "member")]
    meter: Option<Uuid>,

    /// The photovoltaic system to change.
    #[arg(long, value_name = "UUID", group = "member")]
    pv_system: Option<Uuid>,

    /// The file contains a new meter.
    #[arg(long, group = "member")]
    new_meter: bool,

    /// The file contains a new photovoltaic system.
    #[arg(long, group = "member")]
    new_pv_system: bool,

    #[command(flatten)]
    revision: Revision,
}

/// Who changes it, and which version.
#[derive(Debug, clap::Args)]
struct Revision {
    /// Your initials, for the history of the registration.
    #[arg(long, value_name = "INITIALS")]
    label: Option<String>,

    /// Only change this version of the household, which `ebp household show` prints.
    #[arg(long, value_name = "VERSION")]
    if_match: Option<String>,
}

impl Revision {
    /// The client, with initials and version.
    fn apply_to(&self, manager: Manager) -> Manager {
        manager.with_label(self.label.clone()).with_version(self.if_match.clone())
    }
}

/// What goes.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// The household.
    household: Uuid,

    /// The meter to remove.
    #[arg(long, value_name = "UUID")]
    meter: Option<Uuid>,

    /// The photovoltaic system to remove.
    #[arg(long, value_name = "UUID", conflicts_with = "meter")]
    pv_system: Option<Uuid>,

    #[command(flatten)]
    revision: Revision,
}

impl Edit {
    /// Changes it and prints the household.
    pub fn run(&self, api: &GroupApi) -> CommandResult {
        let (household, file) = (self.household, &self.file);
        // The file is read before the secret is asked for.
        let connect =
            || api.connect(Group::Researchers).map(|manager| self.revision.apply_to(manager));
        if let Some(meter) = self.meter {
            let change: MeterChange = load(file)?;
            doubts::tell_unknown_models(change.model.as_deref());
            let changed = connect()?.change_meter(household, meter, &change);
            return print_json(&changed.map_err(refused)?);
        }
        if let Some(system) = self.pv_system {
            let change: PvSystemChange = load(file)?;
            let changed = connect()?.change_pv_system(household, system, &change);
            return print_json(&changed.map_err(refused)?);
        }
        if self.new_meter {
            let meter: NewMeter = load(file)?;
            doubts::tell_unknown_models([meter.model.as_str()]);
            return print_json(&connect()?.add_meter(household, &meter).map_err(refused)?);
        }
        if self.new_pv_system {
            let system: NewPvSystem = load(file)?;
            return print_json(&connect()?.add_pv_system(household, &system).map_err(refused)?);
        }
        let change: HouseholdChange = load(file)?;
        print_json(&connect()?.change(household, &change).map_err(refused)?)
    }
}

impl Remove {
    /// Removes it.
    pub fn run(&self, manager: Manager) -> CommandResult {
        let (manager, household) = (self.revision.apply_to(manager), self.household);
        if let Some(meter) = self.meter {
            return manager.remove_meter(household, meter).map_err(refused);
        }
        if let Some(system) = self.pv_system {
            return manager.remove_pv_system(household, system).map_err(refused);
        }
        manager.remove_household(household).map_err(refused)?;
        tell!("ebp: household {household} is removed, and its devices' certificates are revoked");
        Ok(())
    }
}
