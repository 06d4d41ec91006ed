//! `ebp serve backup`, `restore` and `revocations`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use ebp_server::{
    Applied, KeptRevocations, Revocations, Settings, geocoding::Geocoder, masking::MaskingFiles,
};
use ebp_store::{Database, Restoration, Store, StoreError, backup};

use crate::{
    command::server_data::ServerData,
    exit::{CommandResult, Failure, chain, server},
    file::read_text,
    output::phrase::counted,
    stdout::print,
    tell::tell,
};

/// What was revoked, as lines that can be kept and applied.
#[derive(Debug, Subcommand)]
pub enum RevocationsAction {
    /// Print what was revoked: new identifiers, months and masked locations, no names, and nothing
    /// that everybody does not see. One JSON object a line.
    ///
    /// Keep it beside the backups, and newer than they: it is what a restored backup lacks.
    List,
    /// Revoke the same in a database that was restored from a backup, before it is served.
    ///
    /// Households get the same identifiers and masked locations. What is revoked there already stays
    /// as it is.
    Apply {
        /// What `list` printed.
        file: PathBuf,
    },
}

/// Copies the database while the server goes on.
pub fn back_up(data: &ServerData, output: &Path) -> CommandResult {
    let database = sqlite(data, "pg_dump --format=custom --file=FILE DATABASE")?;
    backup::backup(&database, output).map_err(explain)?;
    tell!(
        "ebp: {} is a whole copy; it holds names and addresses: keep it as safe",
        output.display()
    );
    Ok(())
}

/// Puts a copy in the database's place, without what was revoked since.
pub fn restore(data: &ServerData, input: &Path, revocations: Option<&Path>) -> CommandResult {
    let restored = "pg_restore --dbname=DATABASE FILE` and then `ebp serve revocations apply FILE";
    let database = sqlite(data, restored)?;
    let settings = data.settings()?;
    let given = match revocations {
        Some(path) => parse(path)?,
        None => Revocations::default(),
    };
    let kept = KeptRevocations::in_folder(&settings.data);
    let kept = kept.read().map_err(|error| server::serve(error.into()))?;
    let restoration = Restoration::begin(input, &database).map_err(explain)?;
    let (applied, known) = crate::runtime::on_this_thread()?.block_on(async {
        // What is replaced may know of more than what was kept.
        let known = database.exists() || !kept.is_empty();
        let mut revocations = given.and(kept);
        if database.exists() {
            revocations =
                revocations.and(read_revocations(&Database::Sqlite(database.clone())).await?);
        }
        let copy = Database::Sqlite(restoration.copy().to_owned());
        let store = open_to_revoke(&copy, &settings.masking).await?;
        let applied = revocations.apply(&*store).await.map_err(failed)?;
        store.close().await.map_err(failed)?;
        Ok::<_, Failure>((applied, known))
    })?;
    forget(&settings, &applied);
    let replaced = restoration.finish().map_err(explain)?;
    tell!("ebp: {} is restored", database.display());
    tell_applied(&applied);
    if !known && revocations.is_none() {
        tell!(
            "ebp: nothing is known of what was revoked since the backup: what participants had \
             removed is there again unless `ebp serve revocations apply` removes it"
        );
    }
    if let Some(replaced) = replaced {
        tell!("ebp: what was there is {}; delete it when it is not needed", replaced.display());
    }
    Ok(())
}

impl RevocationsAction {
    /// Lists or applies.
    pub fn run(&self, data: &ServerData) -> CommandResult {
        let settings = data.settings()?;
        let (database, by) = (&settings.database, &settings.masking);
        let runtime = crate::runtime::on_this_thread()?;
        match self {
            Self::List => {
                let lines = runtime
                    .block_on(read_revocations(database))?
                    .to_lines()
                    .map_err(Failure::failed)?;
                print(&lines)
            }
            Self::Apply { file } => {
                let revocations = parse(file)?;
                let applied = runtime.block_on(async {
                    let store = open_to_revoke(database, by).await?;
                    let applied = revocations.apply(&*store).await.map_err(failed)?;
                    store.close().await.map_err(failed)?;
                    Ok::<_, Failure>(applied)
                })?;
                forget(&settings, &applied);
                tell_applied(&applied);
                Ok(())
            }
        }
    }
}

/// What was answered for the addresses that were removed goes, too.
fn forget(settings: &Settings, applied: &Applied) {
    let Some(geocoding) = settings.geocoding.clone() else { return };
    if applied.addresses.is_empty() {
        return;
    }
    match Geocoder::new(geocoding, settings.clock.clone()) {
        Ok(geocoder) => applied.addresses.iter().for_each(|address| geocoder.forget(address)),
        Err(error) => tell!(
            "ebp: answers of the geocoding service are not removed: {}; delete its folder",
            chain(&error)
        ),
    }
}

async fn read_revocations(database: &Database) -> Result<Revocations, Failure> {
    let store = open(database).await?;
    let revocations = Revocations::of(&*store).await.map_err(failed)?;
    store.close().await.map_err(failed)?;
    Ok(revocations)
}

/// As a server opens it, so that what is revoked is masked at once. Otherwise it is withheld until a
/// server starts.
async fn open_to_revoke(database: &Database, by: &MaskingFiles) -> Result<Arc<dyn Store>, Failure> {
    let store = open(database).await?;
    if let Err(error) = ebp_server::masking::mask_by(&store, by, false).await {
        let why = chain(&error);
        tell!("ebp: households that are revoked are withheld until a server masks them: {why}");
    }
    Ok(store)
}

async fn open(database: &Database) -> Result<Arc<dyn Store>, Failure> {
    ebp_store::open_store(database).await.map_err(failed)
}

fn tell_applied(applied: &Applied) {
    let Applied { households, certificates, already, unknown, .. } = applied;
    let (households, certificates) =
        (counted(*households, "household"), counted(*certificates, "certificate"));
    let were = if *already == 1 { "was" } else { "were" };
    let are = if *unknown == 1 { "is" } else { "are" };
    tell!(
        "ebp: revoked again: {households}, {certificates}; {already} {were} already, {unknown} {are} \
         not in the database"
    );
}

fn parse(path: &Path) -> Result<Revocations, Failure> {
    Revocations::parse(&read_text(path)?)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

/// The SQLite file, or what to use instead.
fn sqlite(data: &ServerData, instead: &str) -> Result<PathBuf, Failure> {
    match data.settings()?.database {
        Database::Sqlite(path) => Ok(path),
        Database::Postgres(_) => Err(Failure::usage("PostgreSQL has its own tools for this")
            .remedy(format!("use `{instead}`; docs/src/server.md tells more"))),
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::failed(chain(&error))
}

fn explain(error: backup::BackupError) -> Failure {
    use backup::BackupError as Error;
    let remedy = match &error {
        Error::Missing { .. } => Some("check the path, and --data or --config"),
        Error::Exists { .. } => Some("move it away, or choose another name"),
        Error::InUse { .. } => Some("end the server first"),
        Error::Damaged { .. } => Some("use another backup"),
        _ => None,
    };
    let failure = Failure::failed(chain(&error));
    match remedy {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}
