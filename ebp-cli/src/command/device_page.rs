//! `ebp serve device`: the participant's page on a measurement device.
//!
//! Enters: the page's configuration. Leaves: the page until a signal. Absent: the pages, the spool, the
//! device's own certificate.

use std::{
    net::TcpListener,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use ebp_web::device::{EXAMPLE, ServeError, WebConfig, open};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    exit::{Code, CommandResult, Context, Failure, device},
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

    /// Accept connections at the socket that is standard input, instead of at `listen`: a service
    /// manager has opened it (systemd: StandardInput=socket), as port 80, which this process may not.
    #[arg(long)]
    listen_at_stdin: bool,

    /// The server's, which `ebp serve` passes on: the page has none.
    #[arg(id = "data", long = "data", value_name = "FOLDER", hide = true)]
    _data: Option<PathBuf>,
}

impl Arguments {
    /// The page's configuration.
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref().filter(|_| !self.print_config)
    }
}

/// Serves until stopped.
pub fn run(arguments: &Arguments) -> CommandResult {
    let Some(path) = arguments.config() else {
        return print(EXAMPLE);
    };
    let config = WebConfig::load(path).map_err(|error| {
        Failure::failed(error).remedy("`ebp serve device --print-config` shows an example")
    })?;
    let listener = if arguments.listen_at_stdin { inherit() } else { listen(&config) }?;
    let address = listener.local_addr().or_failed("the listener")?;
    serve(&config, listener, async move || {
        let mut terminate = signal(SignalKind::terminate()).or_failed("signals")?;
        tell(format_args!("serving the participant's page at http://{address}"));
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

/// Serves the page at that listener until `shutdown` ends.
///
/// # Errors
/// Returns a failure if a file that the configuration names cannot be used, or the listener fails.
pub fn serve(
    config: &WebConfig,
    listener: TcpListener,
    shutdown: impl AsyncFnOnce() -> CommandResult,
) -> CommandResult {
    let port = listener.local_addr().or_failed("the listener")?.port();
    // Opened and dropped outside of the runtime: the Data API's client has threads of its own.
    let page = open(config, port).map_err(refuse)?;
    let runtime = crate::runtime::on_this_thread()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).or_failed("the listener")?;
        let mut ended = Ok(());
        let shutdown = async { ended = shutdown().await };
        let served = page.serve(listener, shutdown).await.map_err(refuse);
        served.and(ended)
    })
}

fn listen(config: &WebConfig) -> Result<TcpListener, Failure> {
    let address = config.listen;
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        Failure::failed(format!("cannot listen on {address}: {error}"))
            .remedy("choose another address with `listen` in the configuration")
    })
}

/// The socket that is standard input.
fn inherit() -> Result<TcpListener, Failure> {
    let inherited = std::io::stdin().as_fd().try_clone_to_owned().and_then(|socket| {
        let listener = TcpListener::from(socket);
        // Fails for what is no socket of an internet address.
        listener.local_addr()?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    inherited.map_err(|error| {
        Failure::failed(format!("standard input is no socket to listen at: {error}"))
            .remedy("leave out --listen-at-stdin, or start the page by its systemd units")
    })
}

fn refuse(error: ServeError) -> Failure {
    let failure = Failure::caused_by(Code::Failed, &error);
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
