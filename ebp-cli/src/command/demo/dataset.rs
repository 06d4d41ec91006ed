//! The end of the demo: its data set, and how it is loaded.
//!
//! Enters: the demo's state. Leaves: a folder beside it, and a text. Absent: what is exported.

use std::{fs, path::Path};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::ExportRequest,
};
use ebp_survey::dataset::{ExportOrder, Exported};

use super::state::State;
use crate::{
    command::export::write,
    exit::{CommandResult, Context, export::failed},
    stdout::print,
};

/// The folder of the set, in that of the demo.
const FOLDER: &str = "dataset";

/// Exports what was received until ten minutes ago, and says how to load it. Nothing is exported of a
/// demo without a history: all it has is younger.
pub fn export(state: &State) -> CommandResult {
    if super::past::end(&state.folder).is_none() {
        return Ok(());
    }
    let folder = state.folder.join(FOLDER);
    if folder.join("EXPORT.json").exists() {
        fs::remove_dir_all(&folder).or_failed(format!("cannot replace {}", folder.display()))?;
    }
    let request =
        ExportRequest { publisher: Some("ebp demo".to_owned()), ..ExportRequest::default() };
    let zone = state.server.settings(std::sync::Arc::new(SystemClock)).zone;
    let order = ExportOrder::from_request(&request, SystemClock.now(), &zone);
    let order = order.map_err(|error| failed(error.into()))?;
    let exported = write(&state.database, &order, &folder)?;
    print(tell_of(exported, &folder))
}

fn tell_of(exported: Exported, folder: &Path) -> String {
    let energy = folder.join("energy");
    let energy = energy.display();
    format!(
        "\nThe data set of the households with a history: {} rows in {}\n\
         Load it in one line:\n  \
         pandas.read_parquet(\"{energy}\")\n  \
         polars.read_parquet(\"{energy}/*.parquet\")\n  \
         duckdb.sql(\"from '{energy}/*.parquet'\")\n",
        exported.rows,
        folder.display(),
    )
}
