//! `ebp serve`: the Data API.
//!
//! Enters: a server's configuration. Leaves: a server until a signal; secrets, backups. Absent: what is
//! answered to whom.

mod backup;
pub mod pages;
mod session;
mod sign_in_link;
mod texts;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Subcommand;
use ebp_core::{clock::SystemClock, scope::Group};
use ebp_errors::Component;
use ebp_server::{
    EXAMPLE, LogFormat,
    auth::{SecretError, remove_secret, set_secret},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{local_store::with_store, local_survey::with_survey, secret, server_data::ServerData};
use crate::{
    error_report::Reported,
    exit::{CommandResult, Context, Failure, chain, server},
    output::phrase::counted_as,
    owner,
    stdout::print,
    tell::tell,
};

/// Serve the Data API over mutual TLS.
///
/// Needs a certificate authority (`ebp ca init`) in its data folder. Ends with Ctrl-C or SIGTERM,
/// after answering the requests that are in progress.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

    /// The address and port to listen at, overrides the configuration.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Print a commented configuration with every default, and exit.
    #[arg(long)]
    print_config: bool,

    /// The format of log lines, overrides the configuration.
    #[arg(long, value_name = "FORM")]
    log_format: Option<LogForm>,

    #[command(subcommand)]
    action: Option<Action>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line, with every request.
    Json,
}

impl Arguments {
    /// The format of log lines. Errors of the configuration are reported when it is used.
    pub fn log_format(&self) -> LogFormat {
        match self.log_format {
            Some(LogForm::Text) => LogFormat::Text,
            Some(LogForm::Json) => LogFormat::Json,
            // Only the server itself logs; its subcommands print messages for people.
            None if self.action.is_some() || self.print_config => LogFormat::Text,
            None => self.data.load().map_or(LogFormat::Text, |config| config.log),
        }
    }
}

impl Arguments {
    /// Where errors of the server, or of the page, are reported.
    pub fn reported(&self) -> Option<Reported> {
        match &self.action {
            #[cfg(feature = "device-web")]
            Some(Action::Device(arguments)) => {
                Reported::from_file(Component::Page, arguments.config()?).ok()
            }
            Some(_) => None,
            None if self.print_config => None,
            None => {
                let config = self.data.load().ok()?;
                Some(Reported::new(Component::Server, config.errors, &config.data))
            }
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The shared secrets of researchers and administrators.
    Secret {
        #[command(subcommand)]
        action: SecretAction,
    },
    /// Copy the SQLite database to a file while the server is running.
    ///
    /// The copy is checked. It lacks the revocations after it: see `ebp serve revocations`.
    Backup {
        /// The file; it must not exist.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Replace the SQLite database by a backup, while no server is running.
    ///
    /// Revocations that are in the replaced database or in the file are applied again. The replaced
    /// database is kept beside it.
    Restore {
        /// The backup.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,

        /// The output of `ebp serve revocations list`.
        #[arg(long, value_name = "FILE")]
        revocations: Option<PathBuf>,
    },
    #[cfg(feature = "device-web")]
    Device(super::device_page::Arguments),
    /// The list of revocations, for a database that is restored from a backup.
    Revocations {
        #[command(subcommand)]
        action: backup::RevocationsAction,
    },
    /// The texts that participants agree to.
    Texts {
        #[command(subcommand)]
        action: texts::TextsAction,
    },
    SignInLink(sign_in_link::Arguments),
    /// Sessions of researchers and administrators in the pages.
    Session {
        #[command(subcommand)]
        action: session::SessionAction,
    },
}

#[derive(Debug, Subcommand)]
enum SecretAction {
    /// Set a group's secret: asked for on the terminal, or the first line of standard input.
    ///
    /// Only its argon2id hash is stored. It takes effect at once, also in a running server.
    Set {
        /// researchers or administrators.
        group: Group,
    },
    /// Remove a group's secret: nobody is of the group until one is set again.
    ///
    /// It takes effect at once, also in running servers of the same database.
    Remove {
        /// researchers or administrators.
        group: Group,
    },
    /// Unblock all addresses that are blocked after wrong secrets.
    ///
    /// Run it on the server's machine; it takes effect at once, also in other servers of the same
    /// database.
    Unblock,
}

/// Serves until stopped, or runs the subcommand.
pub fn run(arguments: &Arguments) -> CommandResult {
    let data = &arguments.data;
    match &arguments.action {
        Some(Action::Secret { action: SecretAction::Set { group } }) => return set(*group, data),
        Some(Action::Secret { action: SecretAction::Remove { group } }) => {
            return remove(*group, data);
        }
        Some(Action::Secret { action: SecretAction::Unblock }) => return unblock(data),
        Some(Action::Backup { output }) => return backup::back_up(data, output),
        Some(Action::Restore { input, revocations }) => {
            return backup::restore(data, input, revocations.as_deref());
        }
        #[cfg(feature = "device-web")]
        Some(Action::Device(arguments)) => return super::device_page::run(arguments),
        Some(Action::Revocations { action }) => return action.run(data),
        Some(Action::Texts { action }) => return action.run(),
        Some(Action::SignInLink(arguments)) => return sign_in_link::run(arguments, data),
        Some(Action::Session { action }) => return action.run(data),
        None => {}
    }
    if arguments.print_config {
        return print(EXAMPLE);
    }
    let config = data.load()?;
    let address = arguments.listen.unwrap_or(config.listen);
    let settings = config.settings(Arc::new(SystemClock));
    let runtime = crate::runtime::on_all_cores()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).or_failed("signals")?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::failed(format!("cannot listen on {address}: {error}"))
                .remedy("choose another address with --listen or `listen` in the configuration")
        })?;
        let address = listener.local_addr().or_failed("the listener")?;
        let pages = match &config.web {
            Some(web) => Some(pages::bind(web.listen).await?),
            None => None,
        };
        let (own_pages, pages_at) = pages.unzip();
        let scheme = settings.web.as_ref().map_or("http", ebp_server::WebSettings::scheme);
        let shutdown = async move {
            // Called for the first time when authority and store are open.
            crate::log::tell(format_args!(
                "serving https://{address} from {}",
                config.data.display()
            ));
            if let Some(at) = pages_at {
                crate::log::tell(format_args!("serving pages at {scheme}://{at}/"));
            }
            let by = super::geodata::masks(config.regions.as_deref());
            crate::log::tell(format_args!("households that revoke their consent are {by}"));
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        let serving = ebp_server::serve_with_pages(settings, listener, own_pages, shutdown);
        serving.await.map_err(server::serve)
    })
}

fn set(group: Group, data: &ServerData) -> CommandResult {
    let settings = data.settings()?;
    let secret = secret::ask(&format!("the secret of the {group}"), true)?;
    with_survey(
        &settings,
        |survey| survey,
        async |survey| {
            let setting = set_secret(&**survey.store(), &settings.secrets, group, &secret);
            setting.await.map_err(refused)
        },
    )?;
    owner::give_to_owner_of(&settings.data);
    tell!("ebp: the secret of the {group} is set, for all servers of the database");
    Ok(())
}

fn remove(group: Group, data: &ServerData) -> CommandResult {
    let settings = data.settings()?;
    let removed = with_survey(
        &settings,
        |survey| survey,
        async |survey| {
            let removing = remove_secret(&**survey.store(), &settings.secrets, group);
            removing.await.map_err(refused)
        },
    )?;
    owner::give_to_owner_of(&settings.data);
    match removed {
        true => {
            tell!("ebp: the secret of the {group} is removed, for all servers of the database");
        }
        false => tell!("ebp: the {group} had no secret"),
    }
    Ok(())
}

fn refused(error: SecretError) -> Failure {
    match error {
        SecretError::Store(error) => server::store(error),
        SecretError::TooShort => {
            Failure::failed(chain(&error)).remedy("`openssl rand -base64 24` makes a good one")
        }
        error => Failure::failed(chain(&error)),
    }
}

fn unblock(data: &ServerData) -> CommandResult {
    let database = data.settings()?.database;
    let forgotten = with_store(&database, async |store| store.forget_tries().await)?;
    let forgotten = forgotten.ok_or_else(|| {
        Failure::failed("there is no database here")
            .remedy("give --data or --config as for `ebp serve`")
    })?;
    let of = counted_as(forgotten, "address or network", "addresses and networks");
    tell!("ebp: wrong secrets are forgotten, of {of}");
    Ok(())
}
