//! Where the instants to evaluate come from: a server's database, or a table.
//!
//! Enters: the server's configuration, or a CSV. Leaves: each meter's record. Absent: evaluating.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use ebp_core::evaluation::{MeterRecord, Observation, Terms};
use ebp_server::{
    open_store,
    store::{EvaluatedMeter, Store, StoreError},
};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{
    command::server_data::ServerData,
    exit::{Failure, chain},
};

/// Meters and their measurements' instants.
pub enum Source {
    /// A server's database, read meter by meter.
    Database { runtime: Runtime, store: Arc<dyn Store>, meters: Vec<EvaluatedMeter> },
    /// A table, read whole.
    Table(Vec<MeterRecord>),
}

impl Source {
    /// The database that the server's configuration names.
    pub fn database(data: &ServerData) -> Result<Self, Failure> {
        let settings = data.settings()?;
        if let ebp_server::store::Database::Sqlite(path) = &settings.database
            && !path.exists()
        {
            return Err(Failure::usage(format!("{} does not exist", path.display()))
                .remedy("name the server's folder with --data, or a table with --input"));
        }
        let runtime = crate::runtime::on_this_thread()?;
        let (store, meters) = runtime
            .block_on(async {
                let store = open_store(&settings.database).await?;
                let meters = store.evaluated_meters().await?;
                Ok((store, meters))
            })
            .map_err(failed)?;
        Ok(Self::Database { runtime, store, meters })
    }

    /// A table with a header; `-` is standard input.
    pub fn table(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return parse("standard input", io::stdin().lock()).map(Self::Table);
        }
        let file = File::open(path)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        parse(&path.display().to_string(), file).map(Self::Table)
    }

    /// When the first and the last measurement was made.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last): (Vec<_>, Vec<_>) = match self {
            Self::Database { meters, .. } => meters.iter().map(|m| (m.first, m.last)).unzip(),
            Self::Table(records) => records
                .iter()
                .flat_map(|record| &record.observations)
                .map(|o| (o.measured_at, o.measured_at))
                .unzip(),
        };
        first.into_iter().min().zip(last.into_iter().max())
    }

    /// Gives each meter's record: its measurements in the window, and those a report cycle before
    /// it, which came with the first report.
    pub fn each(
        &mut self,
        terms: &Terms,
        mut take: impl FnMut(MeterRecord),
    ) -> Result<(), Failure> {
        match self {
            Self::Table(records) => records.drain(..).for_each(take),
            Self::Database { runtime, store, meters } => {
                let window = terms.window();
                let slack = SignedDuration::try_from(terms.report_cycle().duration())
                    .unwrap_or(SignedDuration::ZERO);
                let from = window.from.checked_sub(slack).unwrap_or(window.from);
                for EvaluatedMeter { uuid, model, .. } in meters.drain(..) {
                    let observations = runtime
                        .block_on(store.observations(uuid, from, window.to))
                        .map_err(failed)?;
                    take(MeterRecord { meter: uuid, model, observations, ..Default::default() });
                }
            }
        }
        Ok(())
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::failed(chain(&error)).remedy("check the database that the configuration names")
}

/// Reads the table; every wrong row is an error that names its line.
fn parse(name: &str, table: impl Read) -> Result<Vec<MeterRecord>, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(table);
    let unreadable = |error: csv::Error| Failure::usage(format!("{name}: {error}"));
    let header = reader.headers().map_err(unreadable)?.clone();
    let column = |wanted: &str| {
        header.iter().position(|heading| heading.trim_start_matches('\u{feff}') == wanted)
    };
    let needed = |wanted: &str| {
        column(wanted).ok_or_else(|| {
            Failure::usage(format!("{name} has no column {wanted}"))
                .remedy("it takes meter, measured_at and received_at, and may have model")
        })
    };
    let (meter, measured, received) =
        (needed("meter")?, needed("measured_at")?, needed("received_at")?);
    let model = column("model");
    let mut records: Vec<MeterRecord> = Vec::new();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(unreadable)?;
        let line = row.position().map_or(0, csv::Position::line);
        let wrong = |what: &str| Failure::usage(format!("{name}:{line}: {what}"));
        let cell = |column: usize| row.get(column).unwrap_or_default();
        let uuid: Uuid = cell(meter).parse().map_err(|_| wrong("`meter` is no UUID"))?;
        let instant = |column: usize, what: &str| {
            cell(column)
                .parse::<Timestamp>()
                .map_err(|_| wrong(&format!("`{what}` is no instant such as 2026-03-01T12:00:00Z")))
        };
        let observation = Observation {
            measured_at: instant(measured, "measured_at")?,
            received_at: instant(received, "received_at")?,
        };
        let place = *places.entry(uuid).or_insert_with(|| {
            let model = model.map(cell).unwrap_or_default().to_owned();
            records.push(MeterRecord { meter: uuid, model, ..Default::default() });
            records.len() - 1
        });
        records[place].observations.push(observation);
    }
    Ok(records)
}
