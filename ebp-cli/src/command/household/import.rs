//! `ebp household import`: many registrations, of which those that are stored already stay as they
//! are.
//!
//! Enters: JSON Lines or CSV. Leaves: a line for each registration, stored or refused. Absent: what one
//! registration must hold.

use std::{collections::HashMap, path::PathBuf};

use ebp_client::{ClientError, Manager};
use ebp_core::{
    contract::{LineFault, ManagedHousehold, Registered, Registration},
    model::Participant,
    scope::Group,
};
use ebp_store::address::normalised;
use ebp_survey::import::lines;
use serde::Serialize;
use uuid::Uuid;

use super::{
    doubts,
    locate::{Locating, Locator},
    refusal::refused,
};
use crate::{
    command::{group_api::GroupApi, heading::OUTPUT},
    exit::{CommandResult, Failure},
    file::read_text,
    output::{
        TableFormat, new_table,
        phrase::{counted, counted_as},
    },
    stdout::{print, print_json},
    tell::tell,
};

/// A file of two registrations.
const EXAMPLE: &str = include_str!("../../registrations.example.csv");

/// What is imported.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file: JSON Lines, one registration a line, or CSV with a header such as
    /// participant.name,participant.email,address.street,meters.0.type,meters.0.model; --print-example
    /// shows one.
    #[arg(required_unless_present = "print_example")]
    file: Option<PathBuf>,

    /// Print a CSV file with every column that a registration may have, and exit. JSON Lines have
    /// the same members.
    #[arg(long, conflicts_with = "file")]
    print_example: bool,

    /// Store nothing, and locate no address: report what would be registered and what is wrong.
    #[arg(long)]
    dry_run: bool,

    /// How the lines are printed; JSON is one object for each.
    #[arg(long, value_enum, default_value_t = TableFormat::Json, help_heading = OUTPUT)]
    format: TableFormat,

    #[command(flatten)]
    locating: Locating,
}

/// The result of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Become {
    /// It is registered by this.
    Registered,
    /// It was registered before, and stays as it is.
    Known,
    /// It would be registered.
    New,
}

impl Become {
    const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Known => "known",
            Self::New => "new",
        }
    }
}

/// A line as it is printed.
#[derive(Debug, Serialize)]
struct Imported {
    line: u64,
    outcome: Become,
    name: String,
    email: String,
    /// The line before that is of the same participant and address.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as_line: Option<u64>,
    #[serde(flatten)]
    identifiers: Option<Registered>,
}

impl Import {
    /// Registers line by line; a refused one does not hold up the others.
    pub fn run(&self, api: &GroupApi) -> CommandResult {
        let Some(file) = self.file.as_deref().filter(|_| !self.print_example) else {
            return print(EXAMPLE);
        };
        let locator = &self.locating.geocoder()?;
        let manager = &api.connect(Group::Researchers)?;
        let (text, path) = (read_text(file)?, file.display());
        let mut lines = lines(&text)
            .map_err(|error| Failure::usage(format!("{path}:{}: {}", error.line, error.reason)))?;
        doubts::tell_unknown_models(lines.iter().flat_map(|(_, parsed)| {
            parsed.iter().flat_map(|registration| {
                registration.meters.iter().map(|meter| meter.model.as_str())
            })
        }));
        let mut importer =
            Importer { manager, locator, dry_run: self.dry_run, seen: HashMap::new() };
        let (mut done, mut failed, mut halted) = (Vec::new(), 0, None);
        for (line, parsed) in &mut lines {
            let imported = match parsed {
                Ok(registration) => importer.import(*line, registration),
                Err(faults) => Err(Halt::Line(Failure::failed(LineFault::list(faults)))),
            };
            match imported {
                Ok(imported) if self.format == TableFormat::Json => print_json(&imported)?,
                Ok(imported) => done.push(imported),
                Err(Halt::Line(failure)) => {
                    tell!("ebp: {path}:{line}: {}", failure.message);
                    failed += 1;
                }
                Err(Halt::All(failure)) => {
                    halted = Some(failure);
                    break;
                }
            }
        }
        if self.format == TableFormat::Table {
            print(table(&done))?;
        }
        if let Some(failure) = halted {
            return Err(failure);
        }
        match failed {
            0 => Ok(()),
            _ if self.dry_run => Err(Failure::failed(format!(
                "{} would be refused",
                counted(failed, "registration")
            ))
            .remedy("correct those lines; nothing was stored")),
            _ => Err(Failure::failed(counted_as(
                failed,
                "registration was refused",
                "registrations were refused",
            ))
            .remedy(
                "correct those lines and import the file again: what is stored stays as it is",
            )),
        }
    }
}

/// What ends a line, or all of them.
enum Halt {
    Line(Failure),
    All(Failure),
}

impl From<ClientError> for Halt {
    fn from(error: ClientError) -> Self {
        // What does not answer now, or does not let in, does not at the next line either.
        if error.not_authorized() || error.is_temporary() {
            Self::All(refused(error))
        } else {
            Self::Line(refused(error))
        }
    }
}

struct Importer<'a> {
    manager: &'a Manager,
    locator: &'a Locator,
    dry_run: bool,
    /// Participants and addresses, and the lines that they stood in first.
    seen: HashMap<(String, String), u64>,
}

impl Importer<'_> {
    fn import(&mut self, line: u64, registration: &mut Registration) -> Result<Imported, Halt> {
        let Participant { name, email } = registration.participant.clone();
        let key = (email.to_ascii_lowercase(), normalised(&registration.address));
        let same_as_line = self.seen.get(&key).copied();
        self.seen.entry(key).or_insert(line);
        let (outcome, identifiers) = match self.known_or_new(line, registration)? {
            (Become::New, _) if same_as_line.is_some() => (Become::Known, None),
            answer => answer,
        };
        Ok(Imported { line, outcome, name, email, same_as_line, identifiers })
    }

    fn known_or_new(
        &self,
        line: u64,
        registration: &mut Registration,
    ) -> Result<(Become, Option<Registered>), Halt> {
        // Don't look up the address of a household that is registered already.
        if let Err(error) = self.manager.check(registration, false) {
            let Some(household) = error.registered_already() else { return Err(error.into()) };
            return Ok((Become::Known, Some(self.known(line, household, registration)?)));
        }
        if self.dry_run {
            return Ok((Become::New, None));
        }
        self.locator.locate(registration);
        let registered = match self.manager.register(registration, false) {
            Ok(registered) => registered,
            Err(error) => {
                // Another import was faster.
                let Some(household) = error.registered_already() else { return Err(error.into()) };
                return Ok((Become::Known, Some(self.known(line, household, registration)?)));
            }
        };
        if registration.location.is_none()
            && self.manager.registration(registered.household)?.location.is_none()
        {
            doubts::tell_no_location(registered.household);
        }
        Ok((Become::Registered, Some(registered)))
    }

    /// A registered household, with a note if it differs from the line.
    fn known(
        &self,
        line: u64,
        household: Uuid,
        registration: &Registration,
    ) -> Result<Registered, Halt> {
        let known: ManagedHousehold = self.manager.registration(household)?;
        let stored = known.meters.iter().map(|meter| (meter.kind, &meter.model));
        let wanted = registration.meters.iter().map(|meter| (meter.kind, &meter.model));
        if !stored.eq(wanted) || known.pv_systems.len() != registration.pv_systems.len() {
            tell!(
                "ebp: line {line}: household {household} is registered with other meters or \
                 photovoltaic systems, and stays so; `ebp household edit` changes it"
            );
        }
        Ok(Registered {
            household,
            participant: known.participant_uuid.unwrap_or_default(),
            measurement_device: known.measurement_devices.first().copied().unwrap_or_default(),
            meters: known.meters.iter().map(|meter| meter.uuid).collect(),
            pv_systems: known.pv_systems.iter().map(|system| system.uuid).collect(),
        })
    }
}

fn table(lines: &[Imported]) -> String {
    let mut table = new_table();
    table.set_header(["line", "outcome", "participant", "household", "measurement device"]);
    for imported in lines {
        let of = |identifier: fn(&Registered) -> Uuid| {
            imported.identifiers.as_ref().map(identifier).map(|uuid| uuid.to_string())
        };
        table.add_row([
            imported.line.to_string(),
            imported.outcome.name().to_owned(),
            format!("{} <{}>", imported.name, imported.email),
            of(|registered| registered.household).unwrap_or_default(),
            of(|registered| registered.measurement_device).unwrap_or_default(),
        ]);
    }
    format!("{table}\n")
}
