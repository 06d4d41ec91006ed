//! `ebp ca`: the certificate authority of mutual TLS.

mod issue;
mod list;

use std::sync::Arc;

use clap::Subcommand;
use ebp_core::clock::{Clock, SystemClock};
use ebp_server::authority::{Authority, AuthorityError};
use ebp_store::{Database, RegisterEntry, Serial, Store, StoreError};

use super::server_data::ServerData;
use crate::{
    exit::{Failure, Outcome},
    output::Format,
    owner,
    stdout::print,
    tell::tell,
};
use issue::Issue;
pub use issue::usual_scopes;

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
    /// List the certificates that were issued: by this authority, and by servers of the database,
    /// with the household and device that each is of.
    List {
        /// How they are printed.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print the signed list of revoked certificates (PEM), those of the database included, for
    /// other servers.
    Crl,
}

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    let settings = arguments.data.settings()?;
    let (dir, database) = (settings.authority, settings.database);
    let clock = Arc::new(SystemClock);
    if let Action::Init { name } = &arguments.action {
        let data = dir.parent().unwrap_or(&dir);
        let own = owner::is_own(data, &[]);
        let authority = Authority::init(&dir, name, clock).map_err(explain)?;
        owner::give(data, own, &[]);
        owner::give_to_owner_of(data);
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
            list::list(entries, &database, *format)
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
            let store = ebp_store::open_store(database).await?;
            let answer = ask(&*store).await?;
            store.close().await?;
            Ok(Some(answer))
        })
        .map_err(|error: StoreError| Failure::failed(crate::exit::chain(&error)))
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
