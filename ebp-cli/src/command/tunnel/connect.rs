//! `ebp tunnel connect`: a session on standard input and output, or at a port of this machine.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    sync::Arc,
    thread,
};

use ebp_core::contract::paths;
use ebp_fleet::tunnel::{
    Upgraded,
    dial::{Connection, Dial},
    protocol,
    relay::{SessionLimits, splice},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use uuid::Uuid;

use super::administrator::{Administrator, not_connected};
use crate::{
    exit::{CommandResult, Context, Failure},
    tell::tell,
};

/// What is read at once.
const CHUNK: usize = 64 << 10;
/// Pieces that wait for standard output or for the tunnel.
const WAITING: usize = 8;

/// Which device, which service.
#[derive(Debug, clap::Args)]
pub struct Connect {
    /// The device's identifier.
    device: Uuid,

    /// The service, as the device's configuration names it.
    #[arg(long, default_value = "ssh")]
    service: String,

    /// Listen at this address, and open a session for each connection, instead of using standard
    /// input and output.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    #[command(flatten)]
    administrator: Administrator,
}

impl Connect {
    /// Carries one session, or those of a port.
    pub fn run(&self) -> CommandResult {
        if !protocol::is_service_name(&self.service) {
            return Err(Failure::usage(format!("`{}` is no name of a service", self.service)));
        }
        let dial = self.administrator.dial()?;
        let path = session_path(self.device, &self.service);
        crate::runtime::on_this_thread()?.block_on(async {
            match self.listen {
                Some(address) => listen(address, dial, path).await,
                None => join(open(&dial, &path).await?).await,
            }
        })
    }
}

/// Where a session is asked for.
pub fn session_path(device: Uuid, service: &str) -> String {
    let path = paths::TUNNEL_CONNECT.replace("{device}", &device.to_string());
    // A name of a service has brackets and colons at most, which a query may have.
    format!("{path}?service={service}")
}

async fn open(dial: &Dial, path: &str) -> Result<Upgraded<Connection>, Failure> {
    let opened = dial.upgrade(path, protocol::SESSION_PROTOCOL, &[]).await;
    opened.map_err(|error| not_connected(&error))
}

/// Opens a session for each connection to that address.
pub async fn listen(address: SocketAddr, dial: Dial, path: String) -> CommandResult {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("cannot listen on {address}: {error}"))
            .remedy("choose another address with --listen")
    })?;
    tell!("ebp: listening on {}", listener.local_addr().unwrap_or(address));
    loop {
        let (near, _) = listener.accept().await.or_failed("accept")?;
        let (dial, path) = (dial.clone(), path.clone());
        tokio::spawn(async move {
            match open(&dial, &path).await {
                Ok(far) => {
                    splice(near, far, &Arc::default(), SessionLimits::default()).await;
                }
                Err(failure) => tell!("ebp: {failure}"),
            }
        });
    }
}

/// Joins the session with standard input and output, by threads of their own: a pipe cannot be read
/// in any other way without the chance to hang at its end. Ends with what comes from the device.
async fn join(session: Upgraded<Connection>) -> CommandResult {
    let (mut reader, mut writer) = tokio::io::split(session);
    let (input, mut typed) = mpsc::channel::<Vec<u8>>(WAITING);
    let (output, mut arrived) = mpsc::channel::<Vec<u8>>(WAITING);
    thread::spawn(move || {
        let mut input_pipe = io::stdin().lock();
        let mut buffer = vec![0; CHUNK];
        while let Ok(length) = input_pipe.read(&mut buffer)
            && length > 0
            && input.blocking_send(buffer[..length].to_vec()).is_ok()
        {}
    });
    let printing = thread::spawn(move || {
        let mut pipe = io::stdout().lock();
        while let Some(piece) = arrived.blocking_recv() {
            pipe.write_all(&piece)?;
            if arrived.is_empty() {
                pipe.flush()?;
            }
        }
        pipe.flush()
    });
    let sending = async {
        while let Some(piece) = typed.recv().await {
            writer.write_all(&piece).await?;
            if typed.is_empty() {
                writer.flush().await?;
            }
        }
        writer.shutdown().await
    };
    let receiving = async move {
        let mut buffer = vec![0; CHUNK];
        loop {
            let length = reader.read(&mut buffer).await?;
            if length == 0 || output.send(buffer[..length].to_vec()).await.is_err() {
                return Ok::<_, io::Error>(());
            }
        }
    };
    let received = {
        tokio::pin!(sending, receiving);
        let mut is_sending = true;
        loop {
            tokio::select! {
                received = &mut receiving => break received,
                // What cannot be sent any more is known by the end of what is received.
                _ = &mut sending, if is_sending => is_sending = false,
            }
        }
    };
    // Who has closed the pipe has seen enough.
    let _ = printing.join();
    received.map_err(|error| broken_off(&error))
}

/// Why a session ended that its service did not end. Whoever ends one closes the connection, and does
/// not say why; the record of sessions does.
fn broken_off(error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    let failure = match error.kind() {
        Kind::UnexpectedEof
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe => {
            Failure::failed("the session was ended: the server or the device closed the connection")
        }
        _ => Failure::failed(format!("the session broke off: {error}")),
    };
    failure.remedy("`ebp tunnel log` shows how it ended")
}
