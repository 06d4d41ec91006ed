//! The survey of a server on this machine, for commands that work on it once.

use std::sync::Arc;

use ebp_server::Settings;
use ebp_store::{Database, Store, StoreError};
use ebp_survey::Survey;

use crate::exit::{Failure, server};

/// Whether the server's database is on this machine, or is one that has no file.
pub fn exists(settings: &Settings) -> bool {
    match &settings.database {
        Database::Sqlite(path) => path.exists(),
        Database::Postgres(_) => true,
    }
}

/// Refuses to go by the authority's folder alone where a server has worked with a database: that one
/// has the register of certificates, and it is not here.
///
/// # Errors
/// Returns a failure with the remedy.
pub fn require_no_server(settings: &Settings) -> Result<(), Failure> {
    let kept = settings.data.join("revocations.jsonl");
    let traces = [&settings.key, &settings.certificate, &kept];
    match traces.into_iter().find(|path| path.exists()) {
        None => Ok(()),
        Some(trace) => Err(Failure::failed(format!(
            "a server has worked here ({}), and its database, which has the register of \
             certificates, is not here",
            trace.display()
        ))
        .remedy("give --config, or the variables EBP_SERVER_…, as for `ebp serve`")),
    }
}

/// Opens the survey, does the work, and closes it. `with` gives it what the work needs.
pub fn with_survey<T>(
    settings: &Settings,
    with: impl FnOnce(Survey) -> Survey,
    work: impl AsyncFnOnce(&Arc<Survey>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    opened(settings, ebp_store::open_store(&settings.database), with, work)
}

/// As [`with_survey`], of a database that a server has worked with: one that is missing or empty is
/// refused, and stays as it is.
pub fn with_existing_survey<T>(
    settings: &Settings,
    with: impl FnOnce(Survey) -> Survey,
    work: impl AsyncFnOnce(&Arc<Survey>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    opened(settings, ebp_store::open_existing_store(&settings.database), with, work)
}

fn opened<T>(
    settings: &Settings,
    opening: impl Future<Output = Result<Arc<dyn Store>, StoreError>>,
    with: impl FnOnce(Survey) -> Survey,
    work: impl AsyncFnOnce(&Arc<Survey>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    crate::runtime::on_this_thread()?.block_on(async {
        let store = opening.await.map_err(server::store)?;
        let survey = Arc::new(with(Survey::new(store, settings.clock.clone())));
        let done = work(&survey).await?;
        survey.store().close().await.map_err(server::store)?;
        Ok(done)
    })
}
