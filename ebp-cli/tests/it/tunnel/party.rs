//! Who takes part: a service, a device with its tunnel, an administrator, a path between them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    operate::people::Participant,
    support::{ebp, process::Running, server::Server, wait_for},
};

/// A service that answers with what it was sent, once that has ended.
pub struct Echo {
    address: SocketAddr,
}

impl Echo {
    pub fn start() -> Self {
        Self::serve(|stream| {
            let mut all = Vec::new();
            if (&stream).read_to_end(&mut all).is_ok() {
                let _ = (&stream).write_all(&all);
            }
        })
    }

    /// One that speaks first, and then answers piece by piece.
    pub fn greeting(text: &'static [u8]) -> Self {
        Self::serve(move |stream| {
            let _ = (&stream).write_all(text);
            let mut piece = [0; 4096];
            while let Ok(length) = (&stream).read(&mut piece) {
                if length == 0 || (&stream).write_all(&piece[..length]).is_err() {
                    break;
                }
            }
        })
    }

    fn serve(answer: impl Fn(TcpStream) + Send + Clone + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                thread::spawn(move || answer(stream));
            }
        });
        Self { address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The line of the configuration.
    pub fn allow(&self) -> String {
        format!("allow = [\"{}\"]", self.address)
    }
}

/// A device whose tunnel is held.
pub struct Device {
    pub participant: Arc<Participant>,
    folder: TempDir,
    process: Option<Running>,
}

impl Device {
    /// Registers a household, and starts its device with these lines below `[tunnel]`.
    pub fn start(server: &Server, url: &str, lines: &str) -> Self {
        let email = "erika@example.org";
        let participant = Arc::new(Participant::register(server, "Erika Beispiel", email));
        let mut device = Self::with_copy(participant, &server.ca(), url, lines);
        device.process().wait_for("the tunnel is held");
        device
    }

    /// Starts the device of a participant, without waiting.
    pub fn with_copy(participant: Arc<Participant>, ca: &Path, url: &str, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = &participant.device_certificate;
        let text = format!(
            "spool = \"spool\"\n[api]\nurl = {url:?}\nca = {ca:?}\ncertificate = {:?}\n\
             key = {:?}\n[[meter]]\nuuid = \"{}\"\nmodel = \"MT175\"\nport = \"nowhere\"\n\
             [tunnel]\nheartbeat = \"10s\"\nsocket = \"tunnel.sock\"\n{lines}\n",
            certificate.chain, certificate.key, participant.meter
        );
        std::fs::write(folder.path().join("device.toml"), text).unwrap();
        let mut device = Self { participant, folder, process: None };
        device.go_on();
        device
    }

    /// Starts its tunnel again.
    pub fn go_on(&mut self) {
        let mut command = ebp();
        command.args(["tunnel", "--config"]).arg(self.folder.path().join("device.toml"));
        self.process = Some(Running::start(command));
    }

    /// Starts its tunnel anew where names have the addresses that this file says: in a view of the
    /// file system of its own.
    pub fn go_on_with_names(&mut self, hosts: &Path) {
        let mut command = std::process::Command::new("unshare");
        let script = "mount --bind \"$0\" /etc/hosts && exec \"$1\" tunnel --config \"$2\"";
        command.args(["--mount", "sh", "-c", script]).arg(hosts);
        command.arg(env!("CARGO_BIN_EXE_ebp")).arg(self.folder.path().join("device.toml"));
        self.process = Some(Running::start(crate::support::clean(command)));
    }

    /// Changes its configuration, from its next start on.
    pub fn replace(&self, before: &str, after: &str) {
        let file = self.folder.path().join("device.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(before), "{text}");
        std::fs::write(&file, text.replace(before, after)).unwrap();
    }

    /// Adds a line to its section `[tunnel]`.
    pub fn add_line(&self, line: &str) {
        self.replace("[tunnel]\n", &format!("[tunnel]\n{line}\n"));
    }

    /// Lets it connect to another address, from its next start on.
    pub fn set_url(&self, before: &str, url: &str) {
        self.replace(&format!("url = {before:?}"), &format!("url = {url:?}"));
    }

    /// Reports once, as the reporting daemon does.
    pub fn report(&self) -> crate::support::process::Run {
        let mut command = ebp();
        command.args(["transmit", "--config"]).arg(self.folder.path().join("device.toml"));
        crate::support::process::run(command, b"")
    }

    pub fn process(&mut self) -> &mut Running {
        self.process.as_mut().unwrap()
    }

    /// Ends its tunnel without a chance to clean up.
    pub fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    pub fn uuid(&self) -> String {
        self.participant.device.to_string()
    }

    /// What the socket answers.
    pub fn ask(&self, request: &str) -> Value {
        let socket = UnixStream::connect(self.folder.path().join("tunnel.sock")).unwrap();
        (&socket).write_all(format!("{request}\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(&socket).read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// How often it has built its tunnel.
    pub fn held(&self) -> usize {
        let lines = self.process.as_ref().unwrap().stderr();
        lines.iter().filter(|line| line.contains("the tunnel is held")).count()
    }
}

/// A person with a certificate for remote access.
pub struct Administrator {
    folder: TempDir,
    name: String,
    pub serial: String,
}

impl Administrator {
    pub fn new(server: &Server, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let issue = ["ca", "issue", "--administrator", name, "--output", path];
        let run = server.run(issue, "").done();
        let line = run.stdout.lines().find(|line| line.starts_with("serial")).unwrap();
        let serial = line.split_whitespace().nth(1).unwrap().to_owned();
        Self { folder, name: name.to_owned(), serial }
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join(format!("administrator-{}.pem", self.name))
    }

    fn command(&self, url: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = ebp();
        command.arg("tunnel").args(arguments);
        command.args(["--url", url]).arg("--certificate").arg(self.certificate());
        command
    }

    /// A whole session: what is sent, then what comes back.
    pub fn connect(&self, url: &str, device: String, more: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(url, &["connect", &device]);
        command.args(more);
        let command = assert_cmd::Command::from_std(command);
        let mut command = command;
        command.write_stdin(input).timeout(Duration::from_secs(120)).output().unwrap()
    }

    /// A session that stays open.
    pub fn open(&self, url: &str, device: String) -> Session {
        let mut command = self.command(url, &["connect", &device]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Session { child, input, output }
    }

    /// Ends a session.
    pub fn end(&self, url: &str, session: &str) -> crate::support::process::Run {
        crate::support::process::run(self.command(url, &["end", session]), b"")
    }

    /// What `ebp tunnel ssh-config` prints.
    pub fn ssh_config(&self, url: &str, known_hosts: &Path) -> String {
        let mut command = self.command(url, &["ssh-config"]);
        command.arg("--known-hosts").arg(known_hosts);
        crate::support::process::run(command, b"").done().stdout
    }

    /// What `ebp tunnel list` or `log` prints.
    pub fn list(&self, url: &str, what: &str) -> Vec<Value> {
        let command = self.command(url, &[what, "--format", "json"]);
        crate::support::process::run(command, b"").done().json()
    }
}

/// A session that is open.
pub struct Session {
    child: Child,
    pub input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Session {
    pub fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads what it told, once it has ended.
    pub fn read_told(&mut self) -> String {
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        told
    }

    /// Waits until it has ended, for so long at most.
    pub fn wait(&mut self, most: Duration) -> Option<i32> {
        let begun = std::time::Instant::now();
        while begun.elapsed() < most {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the session has not ended within {most:?}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A path to a server that can be turned to another one, or forget its connections as a router does:
/// nothing passes any more, and nobody is told.
pub struct Passage {
    port: u16,
    target: Arc<AtomicU16>,
    frozen: Arc<AtomicBool>,
    passed: Arc<AtomicUsize>,
}

impl Passage {
    pub fn to(port: u16) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), port)
    }

    /// The same at that address.
    pub fn at(address: SocketAddr, port: u16) -> Self {
        Self::from_listener(TcpListener::bind(address).unwrap(), port)
    }

    /// The same for connections that this takes.
    pub fn from_listener(listener: TcpListener, port: u16) -> Self {
        let own = listener.local_addr().unwrap().port();
        let (target, frozen) = (Arc::new(AtomicU16::new(port)), Arc::<AtomicBool>::default());
        let passed = Arc::<AtomicUsize>::default();
        let (to, is_frozen, count) = (target.clone(), frozen.clone(), passed.clone());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", to.load(Ordering::Relaxed))) else {
                    continue;
                };
                count.fetch_add(1, Ordering::Relaxed);
                // Connections of before a freeze stay dead; later ones pass.
                let dead = Arc::<AtomicBool>::default();
                for (from, into) in
                    [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)]
                {
                    let (frozen, dead) = (is_frozen.clone(), dead.clone());
                    thread::spawn(move || pass(&from, &into, &frozen, &dead));
                }
            }
        });
        Self { port: own, target, frozen, passed }
    }

    /// How many connections it passed on.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::Relaxed)
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub fn turn_to(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }

    /// Forgets all connections that there are.
    pub fn forget(&self) {
        self.frozen.store(true, Ordering::Relaxed);
        // Each direction looks at least that often.
        thread::sleep(Duration::from_millis(300));
        self.frozen.store(false, Ordering::Relaxed);
    }
}

fn pass(mut from: &TcpStream, mut into: &TcpStream, frozen: &AtomicBool, dead: &AtomicBool) {
    from.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer);
        if frozen.load(Ordering::Relaxed) {
            dead.store(true, Ordering::Relaxed);
        }
        if dead.load(Ordering::Relaxed) {
            // The sockets stay open, and nothing is said.
            thread::sleep(Duration::from_secs(3_600));
        }
        match read {
            Ok(0) => break drop(into.shutdown(Shutdown::Write)),
            Ok(length) => {
                if into.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            Err(error)
                if [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut]
                    .contains(&error.kind()) => {}
            Err(_) => break drop(into.shutdown(Shutdown::Both)),
        }
    }
}

/// Waits until the device has a tunnel at the server.
pub fn wait_for_tunnel(erika: &Administrator, url: &str) {
    wait_for("the device's tunnel", || {
        let list = erika.list(url, "list");
        list.first().is_some_and(|tunnel| tunnel["connected"] == true).then_some(())
    });
}
