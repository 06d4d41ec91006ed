//! `ebp ca`: the certificate authority of mutual TLS.
//!
//! Enters: a server's data folder. Leaves: certificates, lists of them, and the list of revoked ones.
//! Absent: how they are made, which [`ebp_survey::authority`] knows.

mod issue;
mod list;

use std::sync::Arc;

use clap::Subcommand;
use ebp_core::clock::SystemClock;
use ebp_server::Settings;
use ebp_store::Serial;
use ebp_survey::{
    Survey, SurveyError,
    authority::{Authority, AuthorityError},
};

use super::{
    local_survey::{self, with_survey},
    server_data::ServerData,
};
use crate::{
    exit::{CommandResult, Failure, server},
    output::Format,
    owner,
    stdout::print,
    tell::tell,
};
use issue::Issue;
pub use issue::usual_scopes;

/// Issue and revoke the certificates with which devices and the server authenticate.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create the authority.
    Init {
        /// Its name, as certificates show it.
        #[arg(long, default_value = "ebp certificate authority")]
        name: String,
    },
    /// Issue a certificate to a participant or one of their devices.
    Issue(Issue),
    /// Revoke a certificate: the server rejects it from the next request on.
    Revoke {
        /// Its serial number, as `ebp ca list` shows it.
        serial: Serial,
    },
    /// List the certificates that were issued: by this authority, and by servers of the database,
    /// with the household and device of each.
    List {
        /// How they are printed.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print the signed list of revoked certificates (PEM), those of the database included, for
    /// other servers.
    Crl,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    let settings = arguments.data.settings()?;
    let dir = &settings.authority;
    let clock = Arc::new(SystemClock);
    if let Action::Init { name } = &arguments.action {
        let data = dir.parent().unwrap_or(dir);
        let own = owner::is_own(data, &[]);
        let authority = Authority::init(dir, name, clock).map_err(server::authority)?;
        owner::give(data, own, &[]);
        owner::give_to_owner_of(data);
        tell!("ebp: the authority's certificate is {}", dir.join("ca.pem").display());
        tell!(
            "ebp: its SHA-256 fingerprint is {}",
            authority.fingerprint().map_err(server::authority)?
        );
        return Ok(());
    }
    let authority = Authority::open(dir, clock).map_err(server::authority)?;
    match &arguments.action {
        Action::Init { .. } => Ok(()),
        Action::Issue(issue) => {
            authority.require_private_key().map_err(server::authority)?;
            issue.run(authority, &settings)
        }
        Action::Revoke { serial } => {
            with_register(
                authority,
                &settings,
                |authority| authority.revoke(serial).map(drop),
                async |survey| survey.revoke_certificate(*serial).await,
            )?;
            tell!("ebp: {serial} is revoked");
            Ok(())
        }
        Action::List { format } => {
            let entries = with_register(
                authority,
                &settings,
                |authority| authority.list(),
                async |survey| survey.all_certificates().await,
            )?;
            list::list(entries, &settings.database, *format)
        }
        Action::Crl => {
            authority.require_private_key().map_err(server::authority)?;
            let crl = with_register(
                authority,
                &settings,
                |authority| authority.crl(&[]),
                async |survey| survey.crl().await,
            )?;
            print(&crl.pem)
        }
    }
}

/// Works on the register: the database's, or the folder's own where no server has worked, since an
/// authority may live on a machine of its own.
fn with_register<T>(
    authority: Authority,
    settings: &Settings,
    in_folder: impl FnOnce(&Authority) -> Result<T, AuthorityError>,
    in_database: impl AsyncFnOnce(&Survey) -> Result<T, SurveyError>,
) -> Result<T, Failure> {
    if !local_survey::exists(settings) {
        local_survey::require_no_server(settings)?;
        return in_folder(&authority).map_err(server::authority);
    }
    let issuing = |survey: Survey| survey.with_authority(authority, settings.device_certificates);
    with_survey(settings, issuing, async |survey| in_database(survey).await.map_err(server::survey))
}
