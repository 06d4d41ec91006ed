//! `ebp demo --tunnel`: a service that is reached through a device's tunnel alone.
//!
//! Enters: the demo's state. Leaves: a device's tunnel until the demo ends, and the line to try it.
//! Absent: sshd; the service answers with what it is sent.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_core::clock::{Clock, SystemClock};
use ebp_device::config::DeviceConfig;
use ebp_fleet::tunnel::{
    AllowList, Heartbeat, TunnelAccess, TunnelConfig,
    device::{SessionLog, run},
};
use ebp_survey::authority::Authority;

use super::{progress::Progress, state::State};
use crate::{
    command::tunnel::device_settings,
    exit::{CommandResult, Context, Failure, chain, device, server},
};

/// The name of the person who connects.
const ADMINISTRATOR: &str = "demo";
/// The name of the service.
const SERVICE: &str = "echo";

/// A tunnel that is held.
pub struct Tunnel {
    thread: thread::JoinHandle<CommandResult>,
}

impl Tunnel {
    /// Holds the tunnel of the first household's device until `stop` is raised, and says how to try it.
    pub fn start(
        state: &State,
        progress: &Progress,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let household = &state.households[0];
        let own = DeviceConfig::load(&household.device_config).map_err(device::config)?;
        let address = serve_echo()?;
        let allow = AllowList::parse(&[format!("{SERVICE}={address}")], false);
        let heartbeat = Heartbeat::from_secs(10);
        let (Ok(allow), Some(heartbeat)) = (allow, heartbeat) else {
            return Err(Failure::failed(format!("{address} cannot be allowed")));
        };
        let config = TunnelConfig {
            enabled: true,
            allow,
            heartbeat,
            proxy: None,
            access: TunnelAccess::Always,
            socket: None,
            host_keys: "nowhere".into(),
        };
        let log = SessionLog::open(&household.folder().join("tunnel.sqlite"), SystemClock.now())
            .map_err(|error| Failure::failed(chain(&error)))?;
        let mut settings = device_settings(config, own.api, Arc::new(SystemClock))?;
        settings.hear = Box::new(|_| {});
        let hold = move || {
            let shutdown = async move {
                while !stop.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            crate::runtime::on_this_thread()?.block_on(run(settings, log, shutdown));
            Ok(())
        };
        let thread =
            thread::Builder::new().name("tunnel".into()).spawn(hold).or_failed("a thread")?;
        let certificate = administrator(state)?;
        progress.tell(&format!(
            "A service answers behind the device of household 1, reached through its tunnel alone:\n\
             echo hello | ebp tunnel connect {} --service {SERVICE} --url {} --certificate {}\n\
             With ssh on a device: ssh -o 'ProxyCommand=ebp tunnel connect %n --url {} --certificate \
             {}' USER@DEVICE",
            household.device,
            state.url(),
            certificate.display(),
            state.url(),
            certificate.display(),
        ));
        Ok(Self { thread })
    }

    /// Waits for its end; the stop flag is set elsewhere.
    pub fn end(self) -> CommandResult {
        self.thread.join().unwrap_or_else(|_| Err(Failure::failed("the tunnel crashed")))
    }
}

/// The certificate of the person who connects, made at the first start.
fn administrator(state: &State) -> Result<PathBuf, Failure> {
    let folder = state.folder.join("administrator");
    let chain = folder.join(format!("administrator-{ADMINISTRATOR}.pem"));
    if chain.exists() {
        return Ok(chain);
    }
    ebp_core::private_file::create_folder(&folder).or_failed(folder.display())?;
    let settings = state.server.settings(Arc::new(SystemClock));
    let authority =
        Authority::open(&settings.authority, Arc::new(SystemClock)).map_err(server::authority)?;
    std::fs::copy(&state.ca, folder.join("ca.pem")).or_failed(folder.display())?;
    let validity = Duration::from_secs(90 * 86_400);
    authority
        .issue_administrator(ADMINISTRATOR, validity)
        .and_then(|issued| issued.save(&chain, &chain.with_extension("key")))
        .map_err(server::authority)?;
    Ok(chain)
}

/// Answers each connection with what it sends, piece by piece.
fn serve_echo() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").or_failed("the echo service")?;
    let address = listener.local_addr().or_failed("the echo service")?;
    let serve = move || {
        for stream in listener.incoming().flatten() {
            // A connection that gets no thread is closed.
            let _ = thread::Builder::new().spawn(move || echo(stream));
        }
    };
    thread::Builder::new().name("echo".into()).spawn(serve).or_failed("a thread")?;
    Ok(address)
}

fn echo(mut stream: TcpStream) {
    let mut piece = [0; 4096];
    while let Ok(length) = stream.read(&mut piece) {
        if length == 0 || stream.write_all(&piece[..length]).is_err() {
            return;
        }
    }
}
