//! The demo's folder: made once, step by step, so that a kill at any point leaves what the next
//! start completes.

use std::{
    fs::{self, File},
    io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{clock::SystemClock, contract::Registration, cycle::Cycle};
use ebp_server::{ServerConfig, Settings};
use ebp_store::{Actor, Database, Names, StoreError};
use ebp_survey::authority::Authority;
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use super::{
    certificates,
    households::{
        self, DemoHousehold, Identifiers, LAST, LEAVING, LEAVING_EMAIL, device_config, registration,
    },
    opening::Opening,
    past,
    timing::CYCLES_PER_REPORT,
};
use crate::{
    command::{local_survey::with_survey, survey_texts},
    exit::{CommandResult, Context, Failure, chain, server},
    file::write_whole,
};

const SERVER: &str = "server.toml";
/// The port that the server had, so that commands from the last run still fit.
const PORT: &str = "port";

/// The demo's folder, ready.
pub struct State {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// The measurement cycle.
    pub cycle: Cycle,
    /// The server's configuration.
    pub server: ServerConfig,
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The households; the last one leaves.
    pub households: Vec<DemoHousehold>,
    /// The server's database.
    pub database: Database,
    address: SocketAddr,
    listener: TcpListener,
    _lock: File,
}

impl State {
    /// Opens the folder, making whatever is missing.
    ///
    /// # Errors
    /// Returns an error if another demo has it, or something in it cannot be made.
    pub fn open(folder: &Path, opening: &Opening<'_>) -> Result<Self, Failure> {
        let cycle = opening.cycle;
        fs::create_dir_all(folder.join("meters"))
            .or_failed(format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize().or_failed(folder.display())?;
        let lock = lock(&folder)?;
        let server = server_config(&folder)?;
        let settings = server.settings(Arc::new(SystemClock));
        let staying = households::staying(&folder, opening.seed);
        // The database is written last: without it the rest is ignored.
        if let Database::Sqlite(database) = &settings.database
            && !database.exists()
        {
            discard(&folder, &settings, &staying)?;
            if let Some(past) = opening.past {
                past.make(&folder, &server, &staying, opening)?;
            }
        }
        let clock = Arc::new(SystemClock);
        let ca = settings.authority.join("ca.pem");
        let authority = if ca.exists() {
            Authority::open(&settings.authority, clock)
        } else {
            Authority::init(&settings.authority, "ebp demo", clock)
        }
        .map_err(server::authority)?;
        let (address, listener) = listen(&folder)?;
        let database = settings.database.clone();
        let mut households = staying;
        households.push(leaving(&folder, &database, opening.seed)?);
        let registrations: Vec<_> = households.iter().map(registration).collect();
        let participants = register(&settings, &registrations)?;
        for ((household, registration), participant) in
            households.iter().zip(&registrations).zip(participants)
        {
            certificates::issue(&authority, household, registration, participant)?;
            device_config(household, &ca, address, cycle)?;
        }
        Ok(Self { folder, cycle, server, ca, households, database, address, listener, _lock: lock })
    }

    /// The socket that the server listens on.
    ///
    /// # Errors
    /// Returns an error if the operating system has none left.
    pub fn listener(&self) -> Result<TcpListener, Failure> {
        let listener = self.listener.try_clone().or_failed("the listener")?;
        listener.set_nonblocking(true).or_failed("the listener")?;
        Ok(listener)
    }

    /// The server's address as clients write it.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The household that leaves, if it is not another one's turn.
    pub fn leaving(&self) -> Option<&DemoHousehold> {
        self.households.iter().find(|household| household.number == LEAVING)
    }

    /// The command that evaluates the survey, as it is typed here: the past, where there is one.
    pub fn report_command(&self) -> String {
        if let Some(end) = past::end(&self.folder) {
            let config = shown(&self.folder.join(SERVER));
            return format!("{} report --config {config} --to {end}", program());
        }
        let cycle = self.cycle;
        let report = cycle.duration().as_secs() * u64::from(CYCLES_PER_REPORT);
        format!(
            "{} report --config {} --measurement-cycle {cycle} --report-cycle {report}s",
            program(),
            shown(&self.folder.join(SERVER))
        )
    }

    /// A command that fetches the same from the server, and where the state is.
    pub fn how_to_look(&self, ended: bool) -> String {
        let household = &self.households[0];
        let program = program();
        let serve = if ended {
            format!(
                "start the server again with\n  {program} serve --config {} --listen {}\nand ",
                shown(&self.folder.join(SERVER)),
                self.address
            )
        } else {
            String::new()
        };
        format!(
            "\nthe state is in {}\n{serve}fetch the same with the participant's certificate:\n  \
             curl --cacert {} --cert {} --key {} {}/household/meter/{}/measurement",
            shown(&self.folder),
            shown(&self.ca),
            shown(&household.certificate),
            shown(&household.key),
            self.url(),
            household.meters[0].uuid
        )
    }
}

/// This program as it was called.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "ebp".to_owned())
}

/// A path as it is shortest to type from here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path).display().to_string()
}

/// The household that leaves: the one of a run that was ended before, if it is still there, or
/// another one.
fn leaving(folder: &Path, database: &Database, seed: u64) -> Result<DemoHousehold, Failure> {
    let identifiers = match Identifiers::kept(folder) {
        Some(kept) if is_registered(database, kept.device)? => kept,
        _ => Identifiers::draw(folder)?,
    };
    Ok(households::leaving(folder, &identifiers, seed))
}

/// Whether the household that will revoke is registered with that device.
fn is_registered(database: &Database, device: Uuid) -> Result<bool, Failure> {
    let runtime = crate::runtime::on_this_thread()?;
    runtime.block_on(async {
        let store = ebp_store::open_store(database).await.map_err(server::store)?;
        let names =
            Names { participant: None, email: LEAVING_EMAIL.to_owned(), device: Some(device) };
        let actor = store.actor(&names).await.map_err(server::store)?;
        store.close().await.map_err(server::store)?;
        Ok(matches!(actor, Actor::Participant { .. }))
    })
}

/// One demo at a time in a folder.
fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("lock");
    let file = File::create(&path).or_failed(format!("cannot write {}", path.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        Failure::failed(format!("another demo runs in {}", folder.display()))
            .remedy("end it, or choose another folder with --state")
    })?;
    Ok(file)
}

fn server_config(folder: &Path) -> Result<ServerConfig, Failure> {
    let path = folder.join(SERVER);
    if !path.exists() {
        survey_texts::write_demo(&folder.join("texts"))?;
        let config = format!(
            "data = \"server\"\nhostnames = [\"localhost\", \"127.0.0.1\"]\n\n{}\n[alerts]\n",
            survey_texts::DEMO_CONFIG
        );
        write_whole(&path, config.as_bytes())?;
    }
    // Households' data are for their owner alone.
    let data = folder.join("server");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&data).or_failed(data.display())?;
    ServerConfig::load(Some(&path), &[], None).map_err(|error| Failure::failed(chain(&error)))
}

/// Removes what a first start has left that was ended before its database was there.
fn discard(folder: &Path, settings: &Settings, staying: &[DemoHousehold]) -> CommandResult {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    for number in 1..=LAST {
        let own = households::own(folder, number);
        gone(fs::remove_dir_all(&own)).or_failed(own.display())?;
    }
    gone(fs::remove_dir_all(&settings.authority)).or_failed(settings.authority.display())?;
    let registers = staying.iter().flat_map(|household| &household.meters);
    let registers = registers.map(|meter| &meter.registers);
    for file in [&settings.certificate, &settings.key].into_iter().chain(registers) {
        gone(fs::remove_file(file)).or_failed(file.display())?;
    }
    past::discard(folder)
}

/// The port that a server of that folder had last time, if it is free, or any other.
///
/// # Errors
/// Returns an error if none can be had or it cannot be noted.
pub fn listen(folder: &Path) -> Result<(SocketAddr, TcpListener), Failure> {
    let path = folder.join(PORT);
    let last =
        fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", last))
        .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
        .or_failed("cannot listen on 127.0.0.1")?;
    let address = listener.local_addr().or_failed("the listener")?;
    write_whole(&path, address.port().to_string().as_bytes())?;
    Ok((address, listener))
}

/// Registers those households that are not registered yet, and returns their participants, as far
/// as they exist: not for those that have revoked their consent.
fn register(
    settings: &Settings,
    registrations: &[Registration],
) -> Result<Vec<Option<Uuid>>, Failure> {
    with_survey(
        settings,
        |survey| survey,
        async |survey| {
            let store = survey.store();
            let mut participants = Vec::new();
            for registration in registrations {
                let email = &registration.participant.email;
                let names = Names {
                    participant: None,
                    email: email.clone(),
                    device: registration.measurement_device,
                };
                let actor = store.actor(&names).await.map_err(server::store)?;
                if actor == Actor::Unknown {
                    survey
                        .register(registration.clone(), false, None)
                        .await
                        .map_err(server::survey)?;
                }
                participants.push(match store.participant(email).await {
                    Err(StoreError::NotFound) => None,
                    found => Some(found.map_err(server::store)?),
                });
            }
            Ok(participants)
        },
    )
}
