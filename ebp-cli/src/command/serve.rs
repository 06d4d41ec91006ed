//! `ebp serve`: the Data API.

use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
};

use clap::Subcommand;
use ebp_core::{clock::SystemClock, scope::Group};
use ebp_server::{
    EXAMPLE, ServeError,
    auth::{SecretError, set_secret},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{read::quiet_at_closed_pipe, secret, server_data::ServerData};
use crate::exit::{Context, Failure, Outcome};
use crate::tell::tell;

/// Serve the Data API over mutual TLS.
///
/// Needs a certificate authority (`ebp ca init`) in its data folder. Ends with Ctrl-C or SIGTERM,
/// after requests in flight are answered.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: ServerData,

    /// Where to listen, instead of where the configuration says.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Print a commented configuration that says what the defaults are, and end.
    #[arg(long)]
    print_config: bool,

    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The shared secrets of researchers and administrators.
    Secret {
        #[command(subcommand)]
        action: SecretAction,
    },
}

#[derive(Debug, Subcommand)]
enum SecretAction {
    /// Set a group's secret: asked for on the terminal, or the first line of standard input.
    ///
    /// Only its argon2id hash is kept. A running server goes by it at once.
    Set {
        /// researchers or administrators.
        group: Group,
    },
}

/// Serves until told to end, or does what the action says.
pub fn run(arguments: &Arguments) -> Outcome {
    if let Some(Action::Secret { action: SecretAction::Set { group } }) = &arguments.action {
        return set(*group, &arguments.data);
    }
    if arguments.print_config {
        return quiet_at_closed_pipe(io::stdout().lock().write_all(EXAMPLE.as_bytes()));
    }
    let config = arguments.data.load()?;
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
        let shutdown = async move {
            // Asked for the first time when authority and store are there.
            tell!("ebp: serving https://{address} from {}", config.data.display());
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        ebp_server::serve(settings, listener, shutdown).await.map_err(explain)
    })
}

fn set(group: Group, data: &ServerData) -> Outcome {
    let path = data.settings()?.secrets;
    let secret = secret::ask(&format!("the secret of the {group}"), true)?;
    set_secret(&path, group, &secret).map_err(|error| {
        let failure = Failure::failed(crate::exit::chain(&error));
        match error {
            SecretError::TooShort => failure.remedy("`openssl rand -base64 24` makes a good one"),
            _ => failure.remedy("check the data folder (--data or --config) and its permissions"),
        }
    })?;
    tell!("ebp: the secret of the {group} is set in {}", path.display());
    Ok(())
}

/// The server's errors with their remedies.
pub fn explain(error: ServeError) -> Failure {
    match error {
        ServeError::Authority(error) => super::ca::explain(error),
        other => Failure::failed(crate::exit::chain(&other)),
    }
}
