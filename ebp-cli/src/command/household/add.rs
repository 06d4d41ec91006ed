//! `ebp household add`: one registration, over the Data API or into the database of this machine.

use std::path::PathBuf;

use ebp_core::{
    contract::{Registered, Registration, RegistrationMeter},
    scope::Group,
};
use ebp_survey::{NewHousehold, Survey};

use super::{
    doubts,
    locate::{ByHand, Locating, PATIENCE, tell_located},
    refusal::refused,
};
use crate::{
    command::{
        group_api::GroupApi, heading::OUTPUT, local_survey::with_survey, server_data::ServerData,
    },
    exit::{CommandResult, Failure, server},
    file::load,
    output::{TableFormat, new_table},
    owner,
    stdout::{print, print_json},
};

/// A registration with a comment on each member.
const EXAMPLE: &str = include_str!("../../registration.example.toml");

/// What is registered, and where its location is from.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The registration, TOML or JSON; --print-example shows one.
    #[arg(required_unless_present = "print_example")]
    file: Option<PathBuf>,

    /// Print a commented registration with every member that it may have, and exit.
    #[arg(long, conflicts_with = "file")]
    print_example: bool,

    /// Register it even if the participant has a household at the same address.
    #[arg(long)]
    further: bool,

    /// How the identifiers are printed.
    #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
    format: TableFormat,

    #[command(flatten)]
    by_hand: ByHand,

    #[command(flatten)]
    locating: Locating,
}

impl Add {
    /// Registers it, and warns of likely problems.
    pub fn run(&self, data: &ServerData, api: &GroupApi) -> CommandResult {
        let Some(file) = self.file.as_deref().filter(|_| !self.print_example) else {
            return print(EXAMPLE);
        };
        let mut registration: Registration = load(file)?;
        self.by_hand.apply(&mut registration)?;
        let meters = registration.meters.clone();
        doubts::tell_unknown_models(meters.iter().map(|meter| meter.model.as_str()));
        let registered = match api.url {
            Some(_) => {
                self.locating.geocoder()?.locate(&mut registration);
                let has_location = registration.location.is_some();
                let manager = api.connect(Group::Researchers)?;
                let registered = manager.register(&registration, self.further).map_err(refused)?;
                // The server may have found it.
                if !has_location
                    && manager
                        .registration(registered.household)
                        .map_err(refused)?
                        .location
                        .is_none()
                {
                    doubts::tell_no_location(registered.household);
                }
                registered
            }
            None => {
                let has_location = registration.location.is_some();
                let NewHousehold { registered, located } =
                    self.register_here(data, registration)?;
                if let Some(located) = &located {
                    tell_located(located);
                }
                let found = located.is_some_and(|located| located.location.is_some());
                if !has_location && !found {
                    doubts::tell_no_location(registered.household);
                }
                registered
            }
        };
        print_registered(registered, &meters, self.format)
    }

    fn register_here(
        &self,
        data: &ServerData,
        registration: Registration,
    ) -> Result<NewHousehold, Failure> {
        let settings = data.settings()?;
        let geocoder = self.locating.geocoder_here(data)?.into_geocoder();
        let locating = |survey: Survey| survey.with_geocoder(geocoder).with_patience(PATIENCE);
        let new = with_survey(&settings, locating, async |survey| {
            survey.register(registration, self.further, None).await.map_err(server::survey)
        })?;
        owner::give_to_owner_of(&settings.data);
        Ok(new)
    }
}

fn print_registered(
    registered: Registered,
    meters: &[RegistrationMeter],
    format: TableFormat,
) -> CommandResult {
    let text = match format {
        TableFormat::Json => return print_json(&registered),
        TableFormat::Table => {
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
