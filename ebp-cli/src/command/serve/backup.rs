//! `ebp serve backup`, `restore` and `revocations`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use ebp_server::Settings;
use ebp_store::{Database, backup};
use ebp_survey::{
    Applied, KeptRevocations, OpenError, Restore, RestoreError, Restored, Revocations, Survey,
    geocoding::{Geocode, GeocodeError, Geocoder},
    masking::mask_by,
};

use crate::{
    command::{
        local_survey::{exists, with_existing_survey},
        server_data::ServerData,
    },
    exit::{CommandResult, Failure, chain, server},
    file::{read_text, write_whole},
    output::phrase::counted,
    stdout::print,
    tell::tell,
};

/// What was revoked, as lines that can be kept and applied.
#[derive(Debug, Subcommand)]
pub enum RevocationsAction {
    /// Print the revocations: new identifiers, months and masked locations, digests of further
    /// purposes that were withdrawn, no names; all of it is public. One JSON object a line.
    ///
    /// Keep it with the backups, and newer than they are: a restored backup lacks these
    /// revocations.
    List {
        /// Write them to this file instead, whole or not at all; what it lists already stays listed.
        ///
        /// A database that was put back from a backup lacks revocations, and takes none off the list.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Apply them to a database that was restored from a backup, before it is served.
    ///
    /// Households get the same identifiers and masked locations. What is revoked there already is
    /// not changed.
    Apply {
        /// The output of `list`.
        file: PathBuf,
    },
}

/// Copies the database while the server is running.
pub fn back_up(data: &ServerData, output: &Path) -> CommandResult {
    let database = sqlite(data, "pg_dump --format=custom --file=FILE DATABASE")?;
    backup::backup(&database, output).map_err(explain)?;
    tell!(
        "ebp: {} is a complete copy; it contains names and addresses: keep it as safe",
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
    let kept = kept.read().map_err(|error| server::open(error.into()))?;
    // What is replaced may know of more than what was kept.
    let known = database.exists() || !kept.is_empty();
    let (geocoder, trouble) = geocoder(&settings);
    let restoring = ebp_survey::restore(Restore {
        input,
        database: &database,
        revocations: given.and(kept),
        masking: &settings.masking,
        geocoder,
        clock: settings.clock.clone(),
    });
    let restored = crate::runtime::on_this_thread()?.block_on(restoring);
    let Restored { applied, households, replaced, unmasked } =
        restored.map_err(|error| match error {
            RestoreError::Backup(error) => explain(error),
            RestoreError::Store(error) => server::store(error),
            error => Failure::failed(chain(&error)),
        })?;
    if let Some(error) = unmasked {
        tell_unmasked(&error);
    }
    tell_not_forgotten(trouble, &applied);
    tell!("ebp: {} is restored, with {}", database.display(), counted(households, "household"));
    if households == 0 {
        tell!(
            "ebp: the backup has no households: it was taken of an empty database; restore an \
             older one unless nobody was registered"
        );
    }
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
        match self {
            Self::List { output } => {
                // The list of an empty one would lack everybody.
                if !exists(&settings) {
                    return Err(Failure::failed("there is no database to list revocations of")
                        .remedy("name the server's folder with --data; restore the database first if it is lost"));
                }
                let known = with_existing_survey(
                    &settings,
                    |survey| survey,
                    async |survey| {
                        Revocations::from_store(&**survey.store()).await.map_err(server::store)
                    },
                )?;
                match output {
                    None => print(&known.to_lines().map_err(Failure::failed)?),
                    Some(path) => add_to_list(path, known),
                }
            }
            Self::Apply { file } => {
                let revocations = parse(file)?;
                let (geocoder, trouble) = geocoder(&settings);
                let with_geocoder = |survey: Survey| survey.with_geocoder(geocoder);
                let applied = with_existing_survey(&settings, with_geocoder, async |survey| {
                    // As a server opens it, so that what is revoked is masked at once.
                    if let Err(error) = mask_by(survey.store(), &settings.masking, false).await {
                        tell_unmasked(&error);
                    }
                    survey.apply_revocations(&revocations).await.map_err(server::store)
                })?;
                tell_not_forgotten(trouble, &applied);
                tell_applied(&applied);
                Ok(())
            }
        }
    }
}

/// Writes what the file lists and what is known besides.
fn add_to_list(path: &Path, known: Revocations) -> CommandResult {
    let listed = if path.exists() { parse(path)? } else { Revocations::default() };
    let lines = listed.and(known).to_lines().map_err(Failure::failed)?;
    write_whole(path, lines.as_bytes())
}

/// What remembers addresses as the configuration says, or why it cannot be used.
fn geocoder(settings: &Settings) -> (Option<Arc<dyn Geocode>>, Option<GeocodeError>) {
    let Some(geocoding) = settings.geocoding.clone() else { return (None, None) };
    match Geocoder::new(geocoding, settings.clock.clone()) {
        Ok(geocoder) => (Some(Arc::new(geocoder)), None),
        Err(error) => (None, Some(error)),
    }
}

/// Tells that answers for addresses that were removed are still there.
fn tell_not_forgotten(trouble: Option<GeocodeError>, applied: &Applied) {
    if let Some(error) = trouble.filter(|_| !applied.addresses.is_empty()) {
        tell!(
            "ebp: answers of the geocoding service are not removed: {}; delete its folder",
            chain(&error)
        );
    }
}

/// Tells that households are withheld for now.
fn tell_unmasked(error: &OpenError) {
    let why = chain(error);
    tell!("ebp: households that are revoked are withheld until a server masks them: {why}");
}

fn tell_applied(applied: &Applied) {
    let Applied { households, certificates, purposes, already, unknown, .. } = applied;
    let (households, certificates) =
        (counted(*households, "household"), counted(*certificates, "certificate"));
    let purposes = match purposes {
        0 => String::new(),
        some => format!(", {}", counted(*some, "further purpose")),
    };
    let were = if *already == 1 { "was" } else { "were" };
    let are = if *unknown == 1 { "is" } else { "are" };
    tell!(
        "ebp: revoked again: {households}, {certificates}{purposes}; {already} {were} already, \
         {unknown} {are} not in the database"
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
            .remedy(format!("use `{instead}`; see docs/src/server.md"))),
    }
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
