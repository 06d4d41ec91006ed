//! `ebp household`: registrations, over the Data API or on the server's own machine.
//!
//! Enters: registrations and changes, TOML, JSON or CSV. Leaves: households with their identifiers,
//! measurements. Absent: what a registration must hold, which the store's validators know.

mod add;
mod doubts;
mod edit;
mod import;
mod locate;
mod mask;
mod measurements;
mod refusal;
mod revoke;

use std::io::Write;

use clap::Subcommand;
use ebp_client::Manager;
use ebp_core::{contract::RegistrationEntry, scope::Group};
use uuid::Uuid;

use super::{group_api::GroupApi, heading::OUTPUT, server_data::ServerData};
use crate::{
    exit::{CommandResult, Failure},
    output::{TableFormat, new_table},
    stdout::{print, print_json},
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
    List {
        /// How they are printed; JSON is one object a line.
        #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
        format: TableFormat,
    },
    /// Show a registration with all that belongs to it, as JSON.
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
        Action::List { format } => list(&api.connect(Group::Researchers)?, *format),
        Action::Show { household } => {
            print_json(&api.connect(Group::Researchers)?.registration(*household).map_err(refused)?)
        }
        Action::Edit(edit) => edit.run(api),
        Action::Remove(remove) => remove.run(&api.connect(Group::Researchers)?),
        Action::Revoke(revoke) => revoke.run(&api.connect(Group::Researchers)?),
        Action::Import(import) => import.run(api),
        Action::Measurements(measurements) => measurements.run(&api.connect(Group::Researchers)?),
        Action::Mask(mask) => mask.run(&arguments.data),
    }
}

fn list(manager: &Manager, format: TableFormat) -> CommandResult {
    let mut entries = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = manager.registrations(cursor.as_deref()).map_err(refused)?;
        entries.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut text = Vec::new();
    match format {
        TableFormat::Json => {
            for entry in &entries {
                serde_json::to_writer(&mut text, entry).map_err(Failure::failed)?;
                text.push(b'\n');
            }
        }
        TableFormat::Table => {
            let mut table = new_table();
            table.set_header(["household", "participant", "email", "consent", "registered"]);
            for RegistrationEntry { uuid, registered_at, participant, consent } in &entries {
                let (name, email) =
                    participant.as_ref().map_or(("", ""), |p| (p.name.as_str(), p.email.as_str()));
                table.add_row([
                    &uuid.to_string(),
                    name,
                    email,
                    consent.state.name(),
                    &registered_at.to_string(),
                ]);
            }
            writeln!(text, "{table}")?;
        }
    }
    print(&text)
}
