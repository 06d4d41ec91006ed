//! The survey's data set: files that researchers load in one line, made of a database.
//!
//! Enters: an open store, an [`ExportOrder`], a folder. Leaves: the files that `ebp_dataset::files`
//! describes, or nothing that looks complete. Absent: the command line; which release tier a recipient
//! may have.
//!
//! Three parts, each of which begins where a killed run ended: every household is read once
//! (`collect.rs`) and its quarter hours kept aside by months (`scratch.rs`); each month's files are
//! made of these (`month.rs`); then come the tables of households and the descriptions
//! (`finish.rs`). How it works together: `docs/decisions/dataset.md`. What may leave the research group
//! is made by [`release`].

mod archive;
mod collect;
pub mod columns;
mod error;
mod facts;
mod finish;
mod folder;
mod lines;
mod lock;
mod month;
mod order;
mod plan;
mod progress;
mod reading;
pub mod release;
mod request;
mod scratch;
mod step;

use std::{path::Path, sync::Arc};

use ebp_dataset::Calendar;
use ebp_store::Store;
use uuid::Uuid;

pub use archive::{Packed, pack};
pub use error::ExportError;
pub use order::{ExportOrder, LEAST_AGE, Resolution};
pub use progress::{Progress, Tell};
pub use request::{PUBLISHER, default_name, latest, stretch};

use folder::Folder;
pub use folder::begun_as_of;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The households in the set.
    pub households: Vec<Uuid>,
    /// Rows in all tables.
    pub rows: u64,
    /// Files of tables.
    pub files: u64,
    /// Whether an export that was begun before was finished.
    pub resumed: bool,
}

/// Exports the survey into a folder, which is made if it is not there. What an interrupted export with
/// the same order left there is continued.
///
/// # Errors
/// [`ExportError::Revoked`] if a household revoked its consent meanwhile: nothing of the export is
/// left then. [`ExportError::Busy`] if another process is at it. Everything else is left as it is, to
/// be continued; what `tell` returns, too.
pub async fn export(
    store: &Arc<dyn Store>,
    order: &ExportOrder,
    path: &Path,
    tell: &mut Tell<'_>,
) -> Result<Exported, ExportError> {
    let calendar = Calendar::bundled(&order.zone)?;
    let plan = plan::plan(store, order).await?;
    let mut folder = Folder::open(path, order.parameters(), &plan)?;
    let resumed = folder.is_resumed();
    if let Err(error) = collect::collect(store, order, &calendar, &plan, &mut folder, tell).await {
        // Nothing stays of a household that is not there any more.
        if plan.is_still(store, order).await? {
            return Err(error);
        }
        folder.discard()?;
        return Err(ExportError::Revoked);
    }
    match order.resolution {
        Resolution::Quarter => month::write(order, &calendar, &mut folder, tell)?,
        Resolution::Hour | Resolution::Day => step::write(order, &calendar, &mut folder, tell)?,
    }
    let notices = finish::notices(store, &folder).await?;
    finish::write(order, &plan, notices, &mut folder)?;
    if !plan.is_still(store, order).await? {
        folder.discard()?;
        return Err(ExportError::Revoked);
    }
    folder.complete()?;
    Ok(Exported {
        households: plan.households.iter().map(|(household, _)| *household).collect(),
        rows: folder.files().iter().map(|file| file.rows).sum(),
        files: folder.files().len() as u64,
        resumed,
    })
}
