//! `ebp tunnel ports`: a port of this machine for each device, as in the thesis (Figure 4.14).

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    thread,
    time::Duration,
};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    administrator::{Administrator, refused},
    connect::{listen, session_path},
};
use crate::{
    exit::{CommandResult, Context, Failure},
    file::write_whole,
    tell::tell,
};

/// How often new devices are looked for.
const LOOK: Duration = Duration::from_secs(30);

/// Where, and from which port on.
#[derive(Debug, clap::Args)]
pub struct Ports {
    #[command(flatten)]
    administrator: Administrator,

    /// The address at which the ports are. Whoever reaches it can reach the devices' services.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,

    /// The first port.
    #[arg(long, value_name = "PORT", default_value_t = 20_000)]
    from: u16,

    /// The service.
    #[arg(long, default_value = "ssh")]
    service: String,

    /// The file that keeps which port is whose: a port is never another device's.
    #[arg(long, value_name = "FILE", default_value = "tunnel-ports.json")]
    state: PathBuf,
}

impl Ports {
    /// Listens for every device until it is stopped.
    pub fn run(&self) -> CommandResult {
        let (client, dial) = (self.administrator.client()?, self.administrator.dial()?);
        let mut ports = self.load()?;
        let (sender, mut opened) = mpsc::unbounded_channel::<(Uuid, u16)>();
        let (bind, service) = (self.bind, self.service.clone());
        let runtime = crate::runtime::on_this_thread()?;
        let serve = move || {
            runtime.block_on(async {
                while let Some((device, port)) = opened.recv().await {
                    let (dial, path) = (dial.clone(), session_path(device, &service));
                    tokio::spawn(async move {
                        if let Err(failure) = listen(SocketAddr::new(bind, port), dial, path).await
                        {
                            tell!("ebp: device {device}: {failure}");
                        }
                    });
                }
            });
        };
        thread::Builder::new().name("ports".into()).spawn(serve).or_failed("a thread")?;
        let mut listening = BTreeMap::new();
        let mut is_first = true;
        loop {
            match client.tunnels() {
                Ok(tunnels) => {
                    for tunnel in tunnels {
                        let port = self.port_of(tunnel.device, &mut ports)?;
                        if listening.insert(tunnel.device, port).is_none() {
                            tell!("ebp: device {} is at {}:{port}", tunnel.device, self.bind);
                            let _ = sender.send((tunnel.device, port));
                        }
                    }
                }
                Err(error) if is_first => return Err(refused(error)),
                Err(error) => tell!("ebp: {}", refused(error)),
            }
            is_first = false;
            thread::sleep(LOOK);
        }
    }

    fn load(&self) -> Result<BTreeMap<Uuid, u16>, Failure> {
        let text = match fs::read(&self.state) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeMap::new());
            }
            text => text.or_failed(self.state.display())?,
        };
        serde_json::from_slice(&text).or_failed(self.state.display())
    }

    /// The device's port; a new one is stored before it is used.
    fn port_of(&self, device: Uuid, ports: &mut BTreeMap<Uuid, u16>) -> Result<u16, Failure> {
        if let Some(port) = ports.get(&device) {
            return Ok(*port);
        }
        let port = match ports.values().max() {
            Some(last) => last.checked_add(1),
            None => Some(self.from),
        };
        let port = port.ok_or_else(|| Failure::failed("there is no port left"))?;
        ports.insert(device, port);
        let text = serde_json::to_vec_pretty(ports).or_failed(self.state.display())?;
        write_whole(&self.state, &text)?;
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        ports: Ports,
    }

    #[test]
    fn a_port_stays_a_devices_own() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("ports.json");
        let typed = ["x", "--url", "https://h", "--certificate", "c.pem", "--state"];
        let Typed { ports } = Typed::parse_from(
            typed.map(str::to_owned).into_iter().chain([state.display().to_string()]),
        );
        let devices = [1, 2, 3].map(Uuid::from_u128);
        let mut known = ports.load().unwrap();
        let first = devices.map(|device| ports.port_of(device, &mut known).unwrap());
        assert_eq!(first, [20_000, 20_001, 20_002]);
        let mut kept = ports.load().unwrap();
        assert_eq!(ports.port_of(devices[1], &mut kept).unwrap(), 20_001);
        assert_eq!(ports.port_of(Uuid::from_u128(9), &mut kept).unwrap(), 20_003);
    }
}
