//! `ebp household`: registrations, over the Data API or on the server's own machine.

mod locate;
mod mask;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ebp_core::{
    client::{ClientError, Manager},
    clock::{Clock, SystemClock},
    contract::{
        HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange, Registered,
        Registration, RegistrationEntry, RegistrationMeter,
    },
    scope::Group,
};
use ebp_server::store::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    group_api::{self, GroupApi},
    server_data::ServerData,
};
use crate::{
    config::{read_text, wrong_toml},
    exit::{Failure, Outcome, chain},
    output::new_table,
    stdout::print,
    tell::tell,
};
use locate::{ByHand, Locating, Locator};
use mask::Mask;

/// Register households, see and change them, as a researcher.
///
/// With --url all goes through the Data API, with the researchers' secret. Without it `add` works
/// on the database of this machine.
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
    Add {
        /// The registration, TOML or JSON; docs/src/server.md shows one.
        file: PathBuf,

        /// How the identifiers are printed.
        #[arg(long, value_enum, default_value_t = Shape::Table)]
        format: Shape,

        #[command(flatten)]
        by_hand: ByHand,

        #[command(flatten)]
        locating: Locating,
    },
    /// List registrations and consents.
    List {
        /// How they are printed; JSON is one object a line.
        #[arg(long, value_enum, default_value_t = Shape::Table)]
        format: Shape,
    },
    /// Show a registration with all that belongs to it, as JSON.
    Show {
        /// The household.
        household: Uuid,
    },
    /// Change a household, or a meter or photovoltaic system of it, and show it as JSON.
    Edit(Edit),
    /// Remove a meter or photovoltaic system that was registered by mistake.
    ///
    /// What has measurements stays.
    Remove(Remove),
    /// Register many households: one registration a line (JSON Lines).
    ///
    /// Prints one JSON object for each that was registered. Those that were refused are told with
    /// their line, and the others go on.
    Import {
        /// The file.
        file: PathBuf,

        #[command(flatten)]
        locating: Locating,
    },
    /// Mask households that revoked their consent and are withheld, on the server's own machine.
    ///
    /// `ebp serve` does the same at its start. Prints how many are masked and how many still wait.
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Mask(Mask),
}

#[derive(Debug, clap::Args)]
struct Edit {
    /// The household.
    household: Uuid,

    /// What changes, TOML or JSON: participant, address, location, metadata, each whole; or with
    /// one of the options below the members of a meter or photovoltaic system.
    file: PathBuf,

    /// The meter that changes.
    #[arg(long, value_name = "UUID", group = "member")]
    meter: Option<Uuid>,

    /// The photovoltaic system that changes.
    #[arg(long, value_name = "UUID", group = "member")]
    pv_system: Option<Uuid>,

    /// The file holds a further meter.
    #[arg(long, group = "member")]
    new_meter: bool,

    /// The file holds a further photovoltaic system.
    #[arg(long, group = "member")]
    new_pv_system: bool,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The household.
    household: Uuid,

    /// The meter that goes.
    #[arg(long, value_name = "UUID", required_unless_present = "pv_system")]
    meter: Option<Uuid>,

    /// The photovoltaic system that goes.
    #[arg(long, value_name = "UUID", conflicts_with = "meter")]
    pv_system: Option<Uuid>,
}

/// The client's errors, for a researcher.
fn refused(error: ClientError) -> Failure {
    group_api::refused(Group::Researchers, error)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A table for people.
    Table,
    /// A JSON object.
    Json,
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    let api = &arguments.api;
    match &arguments.action {
        Action::Add { file, format, by_hand, locating } => {
            let mut registration: Registration = load(file)?;
            by_hand.apply(&mut registration)?;
            let meters = registration.meters.clone();
            let registered = match api.url {
                Some(_) => {
                    locating.geocoder()?.locate(&mut registration);
                    api.connect(Group::Researchers)?.register(&registration).map_err(refused)?
                }
                None => {
                    locating.geocoder_here(&arguments.data)?.locate(&mut registration);
                    register_here(&arguments.data, registration)?
                }
            };
            print_registered(registered, &meters, *format)
        }
        Action::List { format } => list(&api.connect(Group::Researchers)?, *format),
        Action::Show { household } => {
            print_json(&api.connect(Group::Researchers)?.registration(*household).map_err(refused)?)
        }
        Action::Edit(edit) => edit.run(api),
        Action::Remove(remove) => remove.run(&api.connect(Group::Researchers)?),
        Action::Import { file, locating } => {
            let locator = locating.geocoder()?;
            import(&api.connect(Group::Researchers)?, file, &locator)
        }
        Action::Mask(mask) => mask.run(&arguments.data),
    }
}

impl Edit {
    fn run(&self, api: &GroupApi) -> Outcome {
        let (household, file) = (self.household, &self.file);
        // The file is read before the secret is asked for.
        if let Some(meter) = self.meter {
            let change: MeterChange = load(file)?;
            return print_json(
                &api.connect(Group::Researchers)?
                    .change_meter(household, meter, &change)
                    .map_err(refused)?,
            );
        }
        if let Some(system) = self.pv_system {
            let change: PvSystemChange = load(file)?;
            return print_json(
                &api.connect(Group::Researchers)?
                    .change_pv_system(household, system, &change)
                    .map_err(refused)?,
            );
        }
        if self.new_meter {
            let meter: NewMeter = load(file)?;
            return print_json(
                &api.connect(Group::Researchers)?.add_meter(household, &meter).map_err(refused)?,
            );
        }
        if self.new_pv_system {
            let system: NewPvSystem = load(file)?;
            return print_json(
                &api.connect(Group::Researchers)?
                    .add_pv_system(household, &system)
                    .map_err(refused)?,
            );
        }
        let change: HouseholdChange = load(file)?;
        print_json(&api.connect(Group::Researchers)?.change(household, &change).map_err(refused)?)
    }
}

impl Remove {
    fn run(&self, manager: &Manager) -> Outcome {
        if let Some(meter) = self.meter {
            manager.remove_meter(self.household, meter).map_err(refused)?;
        }
        if let Some(system) = self.pv_system {
            manager.remove_pv_system(self.household, system).map_err(refused)?;
        }
        Ok(())
    }
}

fn register_here(data: &ServerData, registration: Registration) -> Result<Registered, Failure> {
    let settings = data.settings()?;
    let runtime = crate::runtime::on_this_thread()?;
    runtime.block_on(async {
        let store = ebp_server::open_store(&settings.database).await.map_err(explain)?;
        let registered = store.register(registration, SystemClock.now()).await.map_err(explain)?;
        store.close().await.map_err(explain)?;
        Ok(registered)
    })
}

fn list(manager: &Manager, format: Shape) -> Outcome {
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
        Shape::Json => {
            for entry in &entries {
                serde_json::to_writer(&mut text, entry).map_err(Failure::failed)?;
                text.push(b'\n');
            }
        }
        Shape::Table => {
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

/// One registration a line; a refused one does not hold up the others.
fn import(manager: &Manager, path: &Path, locator: &Locator) -> Outcome {
    let text = read_text(path)?;
    let mut failed = 0;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{}:{}", path.display(), index + 1);
        let registered = match serde_json::from_str::<Registration>(line) {
            Err(error) => Err(Failure::failed(error)),
            Ok(mut registration) => {
                locator.locate(&mut registration);
                match manager.register(&registration) {
                    Err(error) if error.not_authorized() || error.is_temporary() => {
                        return Err(refused(error));
                    }
                    other => other.map_err(refused),
                }
            }
        };
        match registered {
            Ok(registered) => print_json(&registered)?,
            Err(failure) => {
                tell!("ebp: {place}: {}", failure.message);
                failed += 1;
            }
        }
    }
    if failed > 0 {
        return Err(Failure::failed(format!("{failed} registrations were refused"))
            .remedy("correct those lines and import only them; the others are stored"));
    }
    Ok(())
}

fn print_json(value: &impl Serialize) -> Outcome {
    let mut text = serde_json::to_string(value).map_err(Failure::failed)?;
    text.push('\n');
    print(&text)
}

fn print_registered(
    registered: Registered,
    meters: &[RegistrationMeter],
    format: Shape,
) -> Outcome {
    let text = match format {
        Shape::Json => return print_json(&registered),
        Shape::Table => {
            let Registered { household, participant, measurement_device, meters: uuids, .. } =
                registered;
            let mut table = new_table();
            table.set_header(["what", "uuid"]);
            table.add_row(["household".to_owned(), household.to_string()]);
            table.add_row(["participant".to_owned(), participant.to_string()]);
            table.add_row(["measurement device".to_owned(), measurement_device.to_string()]);
            for (meter, uuid) in meters.iter().zip(uuids) {
                table.add_row([format!("meter {}", meter.model), uuid.to_string()]);
            }
            format!("{table}\n")
        }
    };
    print(&text)
}

/// Reads what a file holds; JSON where its name ends so, otherwise TOML.
fn load<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = read_text(path)?;
    if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{}:{}: {error}", path.display(), error.line()))
        })
    } else {
        toml::from_str(&text).map_err(|error| wrong_toml(path, &text, &error))
    }
}

/// The store's errors with their remedies.
pub fn explain(error: StoreError) -> Failure {
    let failure = Failure::failed(chain(&error));
    match error {
        StoreError::Registration(_) => {
            failure.remedy("correct the file and try again; nothing was stored")
        }
        StoreError::Open { .. } | StoreError::File { .. } => {
            failure.remedy("check the data folder (--data or --config) and its permissions")
        }
        StoreError::Newer { .. } => {
            failure.remedy("use the version of ebp that wrote it, or a later one")
        }
        _ => failure,
    }
}
