//! `ebp serve device`: the participant's page on a measurement device.
//!
//! Enters: the page's configuration. Leaves: the page until a signal. Absent: the pages, the spool, the
//! device's own certificate.

use std::path::PathBuf;

use ebp_web::device::{EXAMPLE, ServeError, WebConfig, open};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    exit::{CommandResult, Context, Failure, chain, device},
    log::tell,
    stdout::print,
};

/// Serve the participant's page in the home network.
///
/// It has a certificate of its own, and opens neither the spool nor a reading head: what the device
/// measures it learns from the socket of `ebp read --every`. Ends with Ctrl-C or SIGTERM.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The page's configuration; --print-config shows an example.
    #[arg(long, value_name = "FILE", required_unless_present = "print_config")]
    config: Option<PathBuf>,

    /// Print a commented configuration with every default, and exit.
    #[arg(long)]
    print_config: bool,

    /// The server's, which `ebp serve` passes on: the page has none.
    #[arg(id = "data", long = "data", value_name = "FOLDER", hide = true)]
    _data: Option<PathBuf>,
}

/// Serves until stopped.
pub fn run(arguments: &Arguments) -> CommandResult {
    let Some(path) = arguments.config.as_ref().filter(|_| !arguments.print_config) else {
        return print(EXAMPLE);
    };
    let config = WebConfig::load(path).map_err(|error| {
        Failure::failed(error).remedy("`ebp serve device --print-config` shows an example")
    })?;
    // Opened and dropped outside of the runtime: the Data API's client has threads of its own.
    let page = open(&config).map_err(refuse)?;
    let runtime = crate::runtime::on_this_thread()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).or_failed("signals")?;
        let address = config.listen;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Failure::failed(format!("cannot listen on {address}: {error}"))
                .remedy("choose another address with `listen` in the configuration")
        })?;
        let address = listener.local_addr().unwrap_or(address);
        tell(format_args!("serving the participant's page at http://{address}"));
        let shutdown = async move {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        page.serve(listener, shutdown).await.map_err(refuse)
    })
}

fn refuse(error: ServeError) -> Failure {
    let failure = Failure::failed(chain(&error));
    match error {
        ServeError::Identity(error) => device::identity(error),
        ServeError::Client(error) => device::client(error),
        ServeError::Zone(_) => failure.remedy("write a name such as Europe/Berlin"),
        ServeError::State { .. } => {
            failure.remedy("`state` is a folder that belongs to the page's user alone")
        }
        ServeError::Listener(_) => failure,
    }
}
