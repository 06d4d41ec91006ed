//! `ebp serve`: the Data API.

use std::net::SocketAddr;
use std::sync::Arc;

use ebp_core::clock::SystemClock;
use ebp_server::ServeError;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::server_data::ServerData;
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
}

/// Serves until told to end.
pub fn run(arguments: &Arguments) -> Outcome {
    let config = arguments.data.load()?;
    let address = arguments.listen.unwrap_or(config.listen);
    let settings = config.settings(Arc::new(SystemClock));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().or_failed("tokio")?;
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

/// The server's errors with their remedies.
pub fn explain(error: ServeError) -> Failure {
    match error {
        ServeError::Authority(error) => super::ca::explain(error),
        other => Failure::failed(crate::exit::chain(&other)),
    }
}
