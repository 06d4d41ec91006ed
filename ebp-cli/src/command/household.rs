//! `ebp household`: registrations, on the server's own machine.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Registered, Registration},
};
use ebp_server::store::StoreError;

use super::{read::quiet_at_closed_pipe, server_data::ServerData};
use crate::{
    config::{read_text, wrong_toml},
    exit::{Context, Failure, Outcome},
    output::new_table,
};

/// Register households.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

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
    },
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
    let Action::Add { file, format } = &arguments.action;
    let registration = load(file)?;
    let settings = arguments.data.settings()?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().or_failed("tokio")?;
    let meters = registration.meters.clone();
    let registered = runtime.block_on(async {
        let store = ebp_server::open_store(&settings.database).await.map_err(explain)?;
        let registered = store.register(registration, SystemClock.now()).await.map_err(explain)?;
        store.close().await.map_err(explain)?;
        Ok::<_, Failure>(registered)
    })?;
    let text = match format {
        Shape::Json => {
            let mut text = serde_json::to_string(&registered).map_err(Failure::failed)?;
            text.push('\n');
            text
        }
        Shape::Table => {
            let Registered { household, measurement_device, meters: uuids, .. } = registered;
            let mut table = new_table();
            table.set_header(["what", "uuid"]);
            table.add_row(["household".to_owned(), household.to_string()]);
            table.add_row(["measurement device".to_owned(), measurement_device.to_string()]);
            for (meter, uuid) in meters.iter().zip(uuids) {
                table.add_row([format!("meter {}", meter.model), uuid.to_string()]);
            }
            format!("{table}\n")
        }
    };
    quiet_at_closed_pipe(io::stdout().lock().write_all(text.as_bytes()))
}

/// Reads a registration; JSON where the file's name ends so, otherwise TOML.
fn load(path: &Path) -> Result<Registration, Failure> {
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
    let failure = Failure::failed(crate::exit::chain(&error));
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
