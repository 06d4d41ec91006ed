//! Reads the instants to evaluate, from a server's database or a table.
//!
//! Enters: the server's configuration, or a CSV. Leaves: each meter's record. Absent: evaluating.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    evaluation::{MeterRecord, Observation, Terms},
};
use ebp_store::{EvaluatedMeter, Store, StoreError, open_store};
use jiff::Timestamp;
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
        if let ebp_store::Database::Sqlite(path) = &settings.database
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

    /// When the first measurement was made, and the last one made and received.
    pub fn span(&self) -> Option<(Timestamp, Observation)> {
        let (first, last): (Vec<_>, Vec<_>) = match self {
            Self::Database { meters, .. } => {
                meters.iter().filter_map(|meter| meter.first.zip(meter.last)).unzip()
            }
            Self::Table(records) => records
                .iter()
                .flat_map(|record| &record.observations)
                .map(|one| (one.measured_at, *one))
                .unzip(),
        };
        first.into_iter().min().zip(last.into_iter().max())
    }

    /// The present, for a database that may still be written to; a table is of some time ago.
    pub fn now(&self) -> Option<Timestamp> {
        matches!(self, Self::Database { .. }).then(|| SystemClock.now())
    }

    /// Of how many households meters are counted and not named.
    pub fn withheld_households(&self) -> usize {
        match self {
            Self::Table(_) => 0,
            Self::Database { meters, .. } => {
                let withheld = meters.iter().filter(|meter| meter.withheld);
                withheld.map(|meter| meter.household).collect::<HashSet<_>>().len()
            }
        }
    }

    /// By which regions households were masked that revoked their consent, if there are any.
    pub fn masked_by(&self) -> Result<Option<String>, Failure> {
        let Self::Database { runtime, store, .. } = self else { return Ok(None) };
        runtime
            .block_on(async {
                if store.revoked_households().await?.iter().all(|one| one.location.is_none()) {
                    return Ok(None);
                }
                Ok(store.masked_by().await?.map(|mark| mark.description))
            })
            .map_err(failed)
    }

    /// Gives each meter's record, with the measurements that count.
    pub fn each(self, terms: &Terms, mut take: impl FnMut(MeterRecord)) -> Result<(), Failure> {
        match self {
            Self::Table(records) => records.into_iter().for_each(take),
            Self::Database { runtime, store, meters } => {
                for meter in meters {
                    let observations = runtime
                        .block_on(store.observations(meter.uuid, terms.window(), terms.reception()))
                        .map_err(failed)?;
                    // Nothing may be measured without consent.
                    let allowed = Some(meter.allowed());
                    let EvaluatedMeter { uuid, model, withheld, first, .. } = meter;
                    take(MeterRecord {
                        meter: uuid,
                        model,
                        observations,
                        first,
                        allowed,
                        withheld,
                        ..Default::default()
                    });
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
        // A meter that was never measured is named by a row without instants.
        let is_empty = cell(measured).is_empty() && cell(received).is_empty();
        let observation = if is_empty {
            None
        } else {
            Some(Observation {
                measured_at: instant(measured, "measured_at")?,
                received_at: instant(received, "received_at")?,
            })
        };
        let place = *places.entry(uuid).or_insert_with(|| {
            let model = model.map(cell).unwrap_or_default().to_owned();
            records.push(MeterRecord { meter: uuid, model, ..Default::default() });
            records.len() - 1
        });
        records[place].observations.extend(observation);
    }
    Ok(records)
}
