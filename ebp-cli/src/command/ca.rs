//! `ebp ca`: the certificate authority of mutual TLS.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Subcommand;
use ebp_core::{
    clock::{Clock, SystemClock},
    scope::{Scope, Scopes},
};
use ebp_server::{
    authority::{Authority, AuthorityError, ClientRequest, RegisterEntry, Serial},
    store::{Actor, Database, Names, Store, StoreError},
};
use uuid::Uuid;

use super::server_data::ServerData;
use crate::{
    exit::{Failure, Outcome},
    output::{Format, new_table},
    stdout::print,
    tell::tell,
};

/// Issue and revoke the certificates by which devices and the server know each other.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Found the authority.
    Init {
        /// Its name, as certificates show it.
        #[arg(long, default_value = "ebp certificate authority")]
        name: String,
    },
    /// Issue a certificate to a participant or one of their devices.
    Issue(Issue),
    /// Revoke a certificate: the server refuses it from the next request on.
    Revoke {
        /// Its serial number, as `ebp ca list` shows it.
        serial: Serial,
    },
    /// List the certificates that were issued: by this authority, and by servers of the database.
    List {
        /// How they are printed.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print the signed list of revoked certificates (PEM), those of the database included, for
    /// other servers.
    Crl,
}

#[derive(Debug, clap::Args)]
struct Issue {
    /// The participant's e-mail address, as registered.
    #[arg(long)]
    email: String,

    /// The participant's identifier, as `ebp household add` and `show` print it; without it the
    /// server's database is asked for the one with that address.
    #[arg(long, value_name = "UUID")]
    participant: Option<Uuid>,

    /// The device that will hold it; without one it is the participant's own.
    #[arg(long, value_name = "UUID")]
    device: Option<Uuid>,

    /// What it permits: account, household, consent, measurement-read, measurement-write. A device's
    /// has consent and measurement-write without this, a participant's own all but measurement-write.
    #[arg(long, value_delimiter = ',', value_name = "SCOPE")]
    scope: Vec<Scope>,

    /// How long it is valid.
    #[arg(long, default_value = "397d", value_parser = humantime::parse_duration)]
    validity: Duration,

    /// Where certificate and key go; names of their own in the current folder without this.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    let settings = arguments.data.settings()?;
    let (dir, database) = (settings.authority, settings.database);
    let clock = Arc::new(SystemClock);
    if let Action::Init { name } = &arguments.action {
        let authority = Authority::init(&dir, name, clock).map_err(explain)?;
        tell!("ebp: the authority's certificate is {}", dir.join("ca.pem").display());
        tell!("ebp: its SHA-256 fingerprint is {}", authority.fingerprint().map_err(explain)?);
        return Ok(());
    }
    let authority = Authority::open(&dir, clock).map_err(explain)?;
    match &arguments.action {
        Action::Init { .. } => Ok(()),
        Action::Issue(issue) => {
            authority.require_private_key().map_err(explain)?;
            issue.run(&authority, &database)
        }
        Action::Revoke { serial } => {
            revoke(&authority, &database, serial)?;
            tell!("ebp: {serial} is revoked");
            Ok(())
        }
        Action::List { format } => {
            let mut entries = authority.list().map_err(explain)?;
            for entry in issued_by_servers(&database)? {
                match entries.iter_mut().find(|known| known.serial == entry.serial) {
                    // What a server revoked counts, whatever the register says of it.
                    Some(known) => known.revoked_at = known.revoked_at.or(entry.revoked_at),
                    None => entries.push(entry),
                }
            }
            entries.sort_by_key(|entry| entry.not_before);
            list(&entries, *format)
        }
        Action::Crl => {
            authority.require_private_key().map_err(explain)?;
            let crl = authority.crl(&issued_by_servers(&database)?).map_err(explain)?;
            print(&crl.pem)
        }
    }
}

/// The certificates that servers issued by enrolment or renewal: they are in the database.
fn issued_by_servers(database: &Database) -> Result<Vec<RegisterEntry>, Failure> {
    with_store(database, async |store| Ok(ebp_server::issued(store).await?))
        .map(Option::unwrap_or_default)
}

/// Revokes a certificate wherever it is known.
fn revoke(authority: &Authority, database: &Database, serial: &Serial) -> Outcome {
    let entry = match authority.revoke(serial) {
        Ok(_) => return Ok(()),
        Err(AuthorityError::UnknownSerial(_)) => with_store(database, async |store| {
            let Some(entry) = store.certificate(*serial).await? else { return Ok(None) };
            store.revoke_certificate(entry, SystemClock.now()).await.map(Some)
        })?,
        Err(error) => return Err(explain(error)),
    };
    match entry.flatten() {
        Some(_) => Ok(()),
        None => Err(explain(AuthorityError::UnknownSerial(*serial))),
    }
}

/// Asks the server's database, if there is one: an authority may live on a machine of its own.
pub fn with_store<T>(
    database: &Database,
    ask: impl AsyncFnOnce(&dyn Store) -> Result<T, StoreError>,
) -> Result<Option<T>, Failure> {
    if let Database::Sqlite(path) = database
        && !path.exists()
    {
        return Ok(None);
    }
    crate::runtime::on_this_thread()?
        .block_on(async {
            let store = ebp_server::open_store(database).await?;
            let answer = ask(&*store).await?;
            store.close().await?;
            Ok(Some(answer))
        })
        .map_err(|error: StoreError| Failure::failed(crate::exit::chain(&error)))
}

/// The scopes of a certificate that asks for none: what its holder needs and nothing more
/// (thesis 4.3.1: the participant sees and controls everything but writes no measurements).
pub fn usual_scopes(is_device: bool) -> Scopes {
    if is_device {
        return Scopes::of_a_device();
    }
    Scope::ALL.into_iter().filter(|scope| *scope != Scope::MeasurementWrite).collect()
}

impl Issue {
    /// Who is registered with that address; and the device, if there is one, is theirs.
    fn registered(&self, database: &Database) -> Result<Uuid, Failure> {
        let found = with_store(database, async |store| {
            let participant = match store.participant(&self.email).await {
                Err(StoreError::NotFound) => return Ok(None),
                found => found?,
            };
            let names = Names {
                participant: Some(participant),
                email: self.email.clone(),
                device: self.device,
            };
            Ok(Some((participant, store.actor(&names).await?)))
        })?;
        match found {
            None => Err(Failure::failed("there is no database here that knows the participant")
                .remedy("give --participant, as `ebp household add` and `show` print it")),
            Some(None) => Err(Failure::failed("nobody is registered with that e-mail address")
                .remedy("write it as registered, or register the household first")),
            Some(Some((participant, Actor::Participant { .. }))) => Ok(participant),
            Some(Some(_)) => {
                Err(Failure::failed("the device is not of that participant's household")
                    .remedy("`ebp household show` tells a household's devices"))
            }
        }
    }

    fn run(&self, authority: &Authority, database: &Database) -> Outcome {
        let scopes = match self.scope.as_slice() {
            [] => usual_scopes(self.device.is_some()),
            scopes => scopes.iter().copied().collect(),
        };
        let participant = match self.participant {
            Some(participant) => participant,
            None => self.registered(database)?,
        };
        let issued = authority
            .issue(&ClientRequest {
                participant,
                email: self.email.clone(),
                device: self.device,
                scopes: scopes.clone(),
                validity: self.validity,
            })
            .map_err(explain)?;
        let serial = &issued.entry.serial;
        let name = self
            .device
            .map_or_else(|| format!("participant-{serial}"), |device| device.to_string());
        let file = |ending: &str| self.output.join(format!("{name}.{ending}"));
        let (chain, key) = (file("pem"), file("key"));
        refuse_to_overwrite(&chain)?;
        refuse_to_overwrite(&key)?;
        issued.save(&chain, &key).map_err(explain)?;
        let text = format!(
            "serial       {serial}\nscopes       {scopes}\nvalid until  {}\ncertificate  {}\nkey          {}\n",
            issued.entry.not_after,
            chain.display(),
            key.display()
        );
        print(&text)
    }
}

fn refuse_to_overwrite(path: &Path) -> Outcome {
    if path.exists() {
        return Err(Failure::failed(format!("{} exists already", path.display()))
            .remedy("move it away, or choose another folder with --output"));
    }
    Ok(())
}

fn list(entries: &[RegisterEntry], format: Format) -> Outcome {
    let rows = entries.iter().map(|entry| {
        [
            entry.serial.to_string(),
            entry.kind.name().to_owned(),
            entry.device.map(|device| device.to_string()).unwrap_or_default(),
            entry.scopes.to_string(),
            entry.not_after.to_string(),
            entry.revoked_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    });
    let header = ["serial", "kind", "device", "scopes", "not_after", "revoked_at"];
    let mut text = Vec::new();
    match format {
        Format::Json => {
            for entry in entries {
                serde_json::to_writer(&mut text, entry).map_err(Failure::failed)?;
                text.push(b'\n');
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut text);
            csv.write_record(header).map_err(Failure::failed)?;
            for row in rows {
                csv.write_record(row).map_err(Failure::failed)?;
            }
            csv.flush()?;
            drop(csv);
        }
        Format::Table => {
            let mut table = new_table();
            table.set_header(header).add_rows(rows);
            writeln!(text, "{table}")?;
        }
    }
    print(&text)
}

/// The authority's errors with their remedies.
pub fn explain(error: AuthorityError) -> Failure {
    let remedy = match &error {
        AuthorityError::Exists { .. } => Some("use it, or choose another folder with --data"),
        AuthorityError::Missing { .. } => Some("found one with `ebp ca init`"),
        AuthorityError::UnknownSerial(_) => Some("`ebp ca list` shows those that were"),
        AuthorityError::InvalidEmail => {
            Some("write it as registered; a domain with umlauts in its xn-- form")
        }
        AuthorityError::OutlivesAuthority(_) => Some("choose a shorter --validity"),
        AuthorityError::ClockBehind { .. } => Some("set this machine's clock, then try again"),
        AuthorityError::Expired(_) => {
            Some("found another one in a new folder; devices are enrolled anew with it")
        }
        _ => None,
    };
    let failure = Failure::failed(crate::exit::chain(&error));
    match remedy {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}
