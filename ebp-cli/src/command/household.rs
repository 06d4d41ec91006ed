//! `ebp household`: registrations, over the Data API or on the server's own machine.
//!
//! Enters: registrations and changes, TOML, JSON or CSV. Leaves: households with their identifiers,
//! measurements. Absent: what a registration must hold, which the store's validators know.

mod add;
mod doubts;
mod edit;
mod import;
mod list;
mod locate;
mod mask;
mod measurements;
mod refusal;
mod revoke;

use clap::Subcommand;
use ebp_core::scope::Group;
use uuid::Uuid;

use super::{group_api::GroupApi, local_store::with_store, server_data::ServerData};
use crate::{
    exit::{CommandResult, Failure},
    output::phrase::counted_as,
    stdout::print_json,
    tell::tell,
};
use add::Add;
use edit::{Edit, Remove};
use import::Import;
use mask::Mask;
use measurements::Measurements;
use refusal::refused;
use revoke::Revoke;

/// Register, show and change households, as a researcher.
///
/// With --url the Data API is used, with the researchers' secret. Without it `add` uses the
/// database of this machine.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

    #[command(flatten)]
    api: GroupApi,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register a household with its participant, meters and photovoltaic systems.
    ///
    /// A household of the same participant at the same address is rejected, however the address is
    /// spelt, unless --further is given.
    Add(Add),
    /// List registrations and consents.
    List(list::List),
    /// List what was changed in a registration, when and by whom, without any value.
    History(list::History),
    /// Delete the initials in the histories of all households, on the server's own machine, as at the
    /// end of the survey.
    ForgetLabels,
    /// Show a registration with all that belongs to it, as JSON, and its version for
    /// `ebp household edit --if-match`.
    Show {
        /// The household.
        household: Uuid,
    },
    /// Change a household, or a meter or photovoltaic system of it, and show it as JSON.
    Edit(Edit),
    /// Remove a household, or a meter or photovoltaic system of it, that was registered by mistake.
    ///
    /// Anything that has measurements cannot be removed.
    Remove(Remove),
    /// Record that a household withdrew its consent elsewhere, for example by letter.
    ///
    /// Consent is revoked for good. How and in which month the withdrawal came is kept, without
    /// whose it was. Prints what is left of the consent, as JSON.
    Revoke(Revoke),
    /// Register many households, from JSON Lines or CSV.
    ///
    /// Prints line, participant and identifiers of each. A household that is registered already is
    /// not changed, so that a file can be imported again. Each rejected one is reported with its
    /// line, and the others are imported.
    Import(Import),
    /// Print the measurements of a household that its consent covers.
    ///
    /// A household that revoked its consent has a new identifier once it is masked.
    Measurements(Measurements),
    /// Mask households that revoked their consent and are withheld, on the server's own machine.
    ///
    /// `ebp serve` does the same at its start. Prints how many were masked and how many could not
    /// be masked yet.
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Mask(Mask),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    let api = &arguments.api;
    match &arguments.action {
        Action::Add(add) => add.run(&arguments.data, api),
        Action::List(list) => list.run(&api.connect(Group::Researchers)?),
        Action::History(history) => history.run(&api.connect(Group::Researchers)?),
        Action::ForgetLabels => forget_labels(&arguments.data),
        Action::Show { household } => {
            let manager = api.connect(Group::Researchers)?;
            let (shown, version) = manager.registration_version(*household).map_err(refused)?;
            print_json(&shown)?;
            if let Some(version) = version {
                tell!("ebp: its version is {version}");
            }
            Ok(())
        }
        Action::Edit(edit) => edit.run(api),
        Action::Remove(remove) => remove.run(api.connect(Group::Researchers)?),
        Action::Revoke(revoke) => revoke.run(&api.connect(Group::Researchers)?),
        Action::Import(import) => import.run(api),
        Action::Measurements(measurements) => measurements.run(&api.connect(Group::Researchers)?),
        Action::Mask(mask) => mask.run(&arguments.data),
    }
}

/// Deletes the initials in all histories.
fn forget_labels(data: &ServerData) -> CommandResult {
    let database = data.settings()?.database;
    let labels = with_store(&database, async |store| store.forget_labels().await)?;
    let labels = labels.ok_or_else(|| {
        Failure::failed("there is no database here")
            .remedy("give --data or --config as for `ebp serve`")
    })?;
    tell!(
        "ebp: {} forgotten",
        counted_as(labels, "change's initials are", "changes' initials are")
    );
    Ok(())
}
