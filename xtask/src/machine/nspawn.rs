//! A machine of `systemd-nspawn`: unpacked, booted, and programs that run in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::run::succeed;

/// How long it may take until systemd has started everything.
const BOOT: Duration = Duration::from_secs(120);
/// How long it may take until it has ended everything.
const END: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// What programs in the machine find in their environment.
const ENVIRONMENT: [&str; 4] = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
];

/// A machine with a folder of its own as its disk.
pub struct Machine {
    disk: PathBuf,
    log: PathBuf,
    /// What it is called.
    name: String,
    /// The machine whose network it shares, by its first process.
    network: Option<String>,
    /// Folders of this machine that it sees, with their places.
    lent: Vec<String>,
    nspawn: Option<Child>,
}

impl Machine {
    /// A new disk in that folder, whose name is the machine's.
    pub fn unpack(archive: &Path, disk: &Path) -> Result<Self> {
        let log = disk.with_extension("log");
        let name = disk.file_name().context("a disk without a name")?.to_string_lossy();
        let machine = Self {
            disk: disk.to_owned(),
            log,
            name: name.clone().into_owned(),
            network: None,
            lent: Vec::new(),
            nspawn: None,
        };
        machine.clear()?;
        fs::create_dir_all(disk)?;
        let mut command = Command::new("tar");
        command.args(["--numeric-owner", "--xattrs", "-xf"]).arg(archive).arg("-C").arg(disk);
        succeed(&mut command)?;
        fs::write(disk.join("etc/hostname"), format!("{name}\n"))?;
        let hosts = format!("127.0.0.1 localhost {name}\n::1 localhost\n");
        fs::write(disk.join("etc/hosts"), hosts)?;
        Ok(machine)
    }

    /// Shares the network of another one, which has booted.
    pub fn join(&mut self, other: &Self) -> Result<()> {
        self.network = Some(other.systemd()?);
        Ok(())
    }

    /// Lets it see a folder of this machine in that place.
    pub fn lend(&mut self, folder: &Path, place: &str) {
        self.lent.push(format!("--bind={}:{place}", folder.display()));
    }

    /// Copies a file to a place in the machine.
    pub fn bring(&self, file: &Path, place: &str) -> Result<()> {
        let to = self.disk.join(place);
        fs::create_dir_all(to.parent().context("a place without a folder")?)?;
        fs::copy(file, &to).with_context(|| file.display().to_string())?;
        Ok(())
    }

    /// Starts systemd, without a network but its own loopback, and waits for it. The kernel may be asked
    /// for its clock, which the container's own filter forbids otherwise.
    pub fn boot(&mut self) -> Result<()> {
        let log = fs::File::create(&self.log)?;
        let mut command = Command::new("systemd-nspawn");
        command.args(["--quiet", "--register=no", "--keep-unit", "--boot"]);
        command.args(["--console=pipe", "--link-journal=no"]);
        command.arg(format!("--machine={}", self.name)).args(&self.lent);
        match &self.network {
            Some(process) => {
                command.arg(format!("--network-namespace-path=/proc/{process}/ns/net"))
            }
            None => command.arg("--private-network"),
        };
        command
            .args(["--system-call-filter=adjtimex clock_adjtime", "--directory"])
            .arg(&self.disk);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.nspawn = Some(command.spawn().context("systemd-nspawn")?);
        let start = Instant::now();
        while start.elapsed() < BOOT {
            thread::sleep(PAUSE);
            if self.has_booted() {
                return Ok(());
            }
        }
        bail!("{}the machine has not booted in {} s", self.log(), BOOT.as_secs())
    }

    /// Whether systemd has started everything, whether or not all of it works.
    fn has_booted(&self) -> bool {
        let Ok(mut command) = self.command() else { return false };
        let output = command.args(["systemctl", "is-system-running"]).output();
        output.is_ok_and(|output| {
            let state = String::from_utf8_lossy(&output.stdout);
            ["running", "degraded"].contains(&state.trim())
        })
    }

    /// Runs a script in it, as root: whether it succeeded, and what it printed.
    pub fn run(&mut self, script: &str) -> Result<(bool, String)> {
        let output = self.command()?.args(["sh", script]).stdin(Stdio::null()).output()?;
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // A script that ends with this asks for a new start of the machine.
        const REBOOT: i32 = 100;
        if output.status.code() == Some(REBOOT) {
            self.shut_down()?;
            self.boot()?;
            let (succeeded, text) = self.run(&script.replace(".sh", "-after.sh"))?;
            return Ok((succeeded, format!("{out}{err}{text}")));
        }
        Ok((output.status.success(), format!("{out}{err}")))
    }

    /// Types a text into a shell of root's: whether it succeeded, and what it printed, in its order.
    pub fn type_in(&self, text: &str, most: Duration) -> Result<(bool, String)> {
        let mut command = self.command()?;
        command.args(["timeout", &most.as_secs().to_string(), "bash", "-euo", "pipefail", "-c"]);
        command.arg(format!("cd /root\nexec 2>&1\n{text}")).stdin(Stdio::null());
        let output = command.output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// The machine's first process, as it is called outside.
    fn systemd(&self) -> Result<String> {
        let nspawn = self.nspawn.as_ref().context("the machine does not run")?.id();
        let children = format!("/proc/{nspawn}/task/{nspawn}/children");
        let children = fs::read_to_string(&children).context(children)?;
        let systemd = children.split_whitespace().next().context("the machine has not begun")?;
        Ok(systemd.to_owned())
    }

    /// A command whose arguments are run in the machine.
    fn command(&self) -> Result<Command> {
        let mut command = Command::new("nsenter");
        command.args(["--all", "--target", &self.systemd()?, "--", "env", "-i"]).args(ENVIRONMENT);
        Ok(command)
    }

    /// Lets systemd end everything.
    fn shut_down(&mut self) -> Result<()> {
        // Its connection ends with it.
        let _ = self.command()?.args(["systemctl", "poweroff"]).output();
        let Some(mut nspawn) = self.nspawn.take() else { return Ok(()) };
        let start = Instant::now();
        while start.elapsed() < END {
            if nspawn.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        nspawn.kill()?;
        nspawn.wait()?;
        bail!("{}the machine has not shut down in {} s", self.log(), END.as_secs())
    }

    /// The end of what the machine's console showed.
    pub fn log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let from = text.lines().count().saturating_sub(20);
        text.lines().skip(from).map(|line| format!("{line}\n")).collect()
    }

    /// Ends it and removes its disk.
    pub fn remove(mut self) -> Result<()> {
        self.shut_down()?;
        self.clear()
    }

    fn clear(&self) -> Result<()> {
        match fs::remove_dir_all(&self.disk) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| self.disk.display().to_string())
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With its first process all others of the machine end; they would outlive nspawn.
        if let Ok(systemd) = self.systemd() {
            let _ = Command::new("kill").args(["-KILL", &systemd]).status();
        }
        if let Some(nspawn) = &mut self.nspawn {
            let _ = nspawn.kill();
            let _ = nspawn.wait();
        }
    }
}
