//! The demo's folder: made once, step by step, so that a kill at any point leaves what the next
//! start completes.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Registration, RegistrationMeter, RegistrationPvSystem},
    cycle::Cycle,
    model::{Address, Location, Metadata, MeterType, Participant},
};
use ebp_server::{
    ServerConfig,
    authority::{Authority, ClientRequest},
    store::{Actor, Database, Names, StoreError},
};
use rust_decimal::Decimal;
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use crate::{
    command::{ca, household},
    config::write_whole,
    exit::{Context, Failure, Outcome, chain},
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
    /// The households.
    pub households: Vec<DemoHousehold>,
    address: SocketAddr,
    listener: TcpListener,
    _lock: File,
}

/// A household of the demo.
pub struct DemoHousehold {
    /// 1 or 2.
    pub number: u8,
    /// Its meters.
    pub meters: Vec<DemoMeter>,
    /// Its device's configuration.
    pub device_config: PathBuf,
    /// The participant's own certificate.
    pub certificate: PathBuf,
    /// The participant's key.
    pub key: PathBuf,
}

/// A meter of the demo.
pub struct DemoMeter {
    /// Its identifier.
    pub uuid: Uuid,
    /// Its model.
    pub model: &'static str,
    /// What it counts.
    pub kind: MeterType,
    /// The link to its pseudoterminal.
    pub link: PathBuf,
    /// Where its registers are kept between runs.
    pub registers: PathBuf,
    /// The recording that stands for it with `--replay`.
    pub recording: &'static str,
}

/// The demo's own identifiers, fixed so that a start continues what an earlier one began.
const fn id(number: u128) -> Uuid {
    Uuid::from_u128(0xeb9d_e301_0000_4000_8000_0000_0000_0000 + number)
}

impl State {
    /// Opens the folder, making whatever is missing.
    ///
    /// # Errors
    /// When another demo has it, or something in it cannot be made.
    pub fn open(folder: &Path, cycle: Cycle) -> Result<Self, Failure> {
        fs::create_dir_all(folder.join("meters"))
            .or_failed(format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize().or_failed(folder.display())?;
        let lock = lock(&folder)?;
        let server = server_config(&folder)?;
        let settings = server.settings(Arc::new(SystemClock));
        let clock = Arc::new(SystemClock);
        let ca = settings.authority.join("ca.pem");
        let authority = if ca.exists() {
            Authority::open(&settings.authority, clock)
        } else {
            Authority::init(&settings.authority, "ebp demo", clock)
        }
        .map_err(ca::explain)?;
        let (address, listener) = listen(&folder)?;
        let households = vec![
            household(
                &folder,
                1,
                &[("MT175", MeterType::Electricity), ("EHZ", MeterType::PvGeneration)],
            ),
            household(&folder, 2, &[("MT681", MeterType::Electricity)]),
        ];
        let registrations: Vec<_> = households.iter().map(registration).collect();
        let participants = register(&settings.database, &registrations)?;
        for ((household, registration), participant) in
            households.iter().zip(&registrations).zip(participants)
        {
            certificates(&authority, household, registration, participant)?;
            device_config(household, &ca, address, cycle)?;
        }
        Ok(Self { folder, cycle, server, ca, households, address, listener, _lock: lock })
    }

    /// The socket that the server listens on.
    ///
    /// # Errors
    /// When the system has none left.
    pub fn listener(&self) -> Result<TcpListener, Failure> {
        let listener = self.listener.try_clone().or_failed("the listener")?;
        listener.set_nonblocking(true).or_failed("the listener")?;
        Ok(listener)
    }

    /// The server's address as clients write it.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// A command that fetches the same from the server, and where the state is.
    pub fn how_to_look(&self, ended: bool) -> String {
        let household = &self.households[0];
        let shown = |path: &Path| shorten(path).display().to_string();
        let program = std::env::args().next().unwrap_or_else(|| "ebp".to_owned());
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

/// A path as it is shortest to type from here.
fn shorten(path: &Path) -> &Path {
    std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
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
        write_whole(&path, b"data = \"server\"\nhostnames = [\"localhost\", \"127.0.0.1\"]\n")?;
    }
    fs::create_dir_all(folder.join("server")).or_failed(folder.display())?;
    ServerConfig::load(Some(&path), &[], None).map_err(|error| Failure::failed(chain(&error)))
}

/// The port of last time, if it is free, or any other.
fn listen(folder: &Path) -> Result<(SocketAddr, TcpListener), Failure> {
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

fn household(folder: &Path, number: u8, meters: &[(&'static str, MeterType)]) -> DemoHousehold {
    let own = folder.join(format!("household-{number}"));
    let meters = meters.iter().zip(1..).map(|(&(model, kind), place)| DemoMeter {
        uuid: id(u128::from(number) << 8 | place),
        model,
        kind,
        link: folder.join("meters").join(model),
        registers: folder.join("meters").join(format!("{model}.json")),
        recording: match model {
            "MT175" => "ISKRA_MT175_eHZ.bin",
            "EHZ" => "EMH_eHZ-HW8E2A5L0EK2P.bin",
            _ => "ISKRA_MT631-D1A52-K0z-H01_with_PIN.bin",
        },
    });
    DemoHousehold {
        number,
        meters: meters.collect(),
        device_config: own.join("device.toml"),
        certificate: own.join("participant.pem"),
        key: own.join("participant.key"),
    }
}

/// Invented people in a real town; only the meters' models mean something.
fn registration(household: &DemoHousehold) -> Registration {
    let (name, email, street) = match household.number {
        1 => ("Erika Beispiel", "erika@example.org", "Musterstraße 1"),
        _ => ("Max Beispiel", "max@example.org", "Musterstraße 2"),
    };
    let pv_meter = household.meters.iter().position(|meter| meter.kind == MeterType::PvGeneration);
    Registration {
        participant: Participant { name: name.into(), email: email.into() },
        address: Address {
            street: street.into(),
            postal_code: "65183".into(),
            city: "Wiesbaden".into(),
            country: "DE".into(),
        },
        location: Some(Location::entered(50.0826, 8.2400)),
        metadata: Metadata {
            children: household.number - 1,
            adults: 2,
            adults_with_job: 1,
            electric_vehicle_charger: household.number == 2,
            heat_pump: false,
            home_battery: household.number == 1,
        },
        meters: household
            .meters
            .iter()
            .map(|meter| RegistrationMeter {
                uuid: Some(meter.uuid),
                kind: meter.kind,
                model: meter.model.into(),
            })
            .collect(),
        pv_systems: vec![RegistrationPvSystem {
            nominal_power: Decimal::new(984, 2),
            azimuth: Decimal::new(180, 0),
            tilt: Decimal::new(30, 0),
            installed_on: jiff::civil::date(2019, 6, 14),
            meter: pv_meter,
        }],
        measurement_device: Some(device_id(household)),
    }
}

fn device_id(household: &DemoHousehold) -> Uuid {
    id(u128::from(household.number) << 16)
}

/// Registers those households that are not registered yet, and returns their participants, as far as
/// they are there: not of those that have revoked their consent.
fn register(
    database: &Database,
    registrations: &[Registration],
) -> Result<Vec<Option<Uuid>>, Failure> {
    let runtime = crate::runtime::on_this_thread()?;
    runtime.block_on(async {
        let store = ebp_server::open_store(database).await.map_err(household::explain)?;
        let mut participants = Vec::new();
        for registration in registrations {
            let email = &registration.participant.email;
            let names = Names {
                participant: None,
                email: email.clone(),
                device: registration.measurement_device,
            };
            let actor = store.actor(&names).await.map_err(household::explain)?;
            if actor == Actor::Unknown {
                store
                    .register(registration.clone(), SystemClock.now())
                    .await
                    .map_err(household::explain)?;
            }
            participants.push(match store.participant(email).await {
                Err(StoreError::NotFound) => None,
                found => Some(found.map_err(household::explain)?),
            });
        }
        store.close().await.map_err(household::explain)?;
        Ok(participants)
    })
}

/// A certificate for the participant and one for the device, each with the scopes it needs.
fn certificates(
    authority: &Authority,
    household: &DemoHousehold,
    registration: &Registration,
    participant: Option<Uuid>,
) -> Outcome {
    let folder = household.device_config.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).or_failed(folder.display())?;
    let device = Some(device_id(household));
    for (device, chain, key) in [
        (None, household.certificate.clone(), household.key.clone()),
        (device, folder.join("device.pem"), folder.join("device.key")),
    ] {
        if chain.exists() {
            continue;
        }
        let request = ClientRequest {
            participant: participant.unwrap_or_default(),
            email: registration.participant.email.clone(),
            device,
            scopes: ca::usual_scopes(device.is_some()),
            validity: std::time::Duration::from_secs(397 * 86_400),
        };
        authority
            .issue(&request)
            .and_then(|issued| issued.save(&chain, &key))
            .map_err(ca::explain)?;
    }
    Ok(())
}

/// The file that `ebp read --config` and `ebp transmit --config` take, too.
fn device_config(
    household: &DemoHousehold,
    ca: &Path,
    address: SocketAddr,
    cycle: Cycle,
) -> Outcome {
    let mut text = format!(
        "# A measurement device of the demo. Its cycle of {cycle} stands for a quarter of an hour.\n\
         spool = \"spool\"\nclock = \"trusted\"\n\n[api]\nurl = \"https://localhost:{}\"\nca = {ca:?}\n\
         certificate = \"device.pem\"\nkey = \"device.key\"\n\n\
         [cycle]\nmeasurement = \"{cycle}\"\ntimeout = \"10s\"\n",
        address.port()
    );
    for meter in &household.meters {
        text.push_str(&format!(
            "\n[[meter]]\nuuid = \"{}\"\nmodel = \"{}\"\nport = {:?}\n",
            meter.uuid, meter.model, meter.link
        ));
    }
    write_whole(&household.device_config, text.as_bytes())
}
