//! Services as systemd keeps them: each is started by the launcher, started again when it ends by
//! itself, and restarted when that is asked for. Their states are files that the script shows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::Device;

/// How long systemd waits before a service that ended is started again; here shorter.
const PAUSE: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(20);

/// Services that run until this is dropped.
pub struct Services {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Services {
    pub fn start(device: &Device, names: &[&str]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = names.iter().map(|name| {
            let mut command = device.launch(&[name, "--every", "--config"]);
            command.arg(&device.config).stdin(Stdio::null());
            let log = fs::File::create(device.folder.path().join(format!("{name}.log"))).unwrap();
            command.stdout(log.try_clone().unwrap()).stderr(log);
            let service = Service {
                command,
                name: format!("{name}.service"),
                folder: device.folder.path().to_owned(),
            };
            let stop = Arc::clone(&stop);
            thread::spawn(move || service.keep_running(&stop))
        });
        Self { threads: threads.collect(), stop }
    }

    /// Kills them, and does not start them again.
    pub fn kill(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Service {
    command: Command,
    name: String,
    folder: PathBuf,
}

impl Service {
    fn keep_running(mut self, stop: &AtomicBool) {
        let mut restarts = 0;
        let mut asked = requests(&self.folder);
        let mut child: Child = self.command.spawn().unwrap();
        self.show(restarts);
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
            let now = requests(&self.folder);
            if now != asked {
                asked = now;
                restarts = 0;
                end(&mut child);
                child = self.command.spawn().unwrap();
                self.show(restarts);
            } else if child.try_wait().unwrap().is_some() {
                restarts += 1;
                self.show(restarts);
                thread::sleep(PAUSE);
                child = self.command.spawn().unwrap();
            }
        }
        end(&mut child);
    }

    /// What `systemctl show` prints of it.
    fn show(&self, restarts: u32) {
        let text = format!("NRestarts={restarts}\nId={}\nActiveState=active\n\n", self.name);
        let path = self.folder.join(format!("{}.state", self.name));
        fs::write(path.with_extension("new"), text).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }
}

/// How often a restart was asked for.
fn requests(folder: &Path) -> u64 {
    fs::metadata(folder.join("requests")).map_or(0, |metadata| metadata.len())
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
