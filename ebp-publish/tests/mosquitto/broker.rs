//! A mosquitto of the test's own, and what it has.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// No test waits longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until there is something.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "no {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Authority and certificate for `localhost`.
pub struct Files {
    pub ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    pub fn make(folder: &Path) -> Self {
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        // Named as its issuer it would pass for self-signed.
        own.distinguished_name.push(DnType::CommonName, "localhost");
        let certificate = own.signed_by(&key, &authority).unwrap();
        let files = Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        fs::write(&files.ca, authority.pem()).unwrap();
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

/// A broker; a folder of its own has its settings.
pub struct Broker {
    settings: PathBuf,
    pub port: u16,
    process: Child,
}

impl Broker {
    /// Starts one with further settings.
    pub fn start(folder: &Path, settings: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = folder.join("mosquitto.conf");
        // As root it would become another user, who may not read this folder.
        fs::write(&path, format!("listener {port} 127.0.0.1\nuser root\n{settings}")).unwrap();
        let process = Self::spawn(&path, port);
        Self { settings: path, port, process }
    }

    fn spawn(settings: &Path, port: u16) -> Child {
        let process = Command::new("mosquitto")
            .arg("-c")
            .arg(settings)
            .env("PATH", "/usr/sbin:/usr/bin:/bin")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("broker", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        process
    }

    /// Ends it at once.
    pub fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it anew at the same port; it has forgotten everything.
    pub fn restart(&mut self) {
        self.process = Self::spawn(&self.settings, self.port);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a subscriber hears: topic and payload.
pub struct Subscriber {
    process: Child,
    lines: mpsc::Receiver<(String, String)>,
}

impl Subscriber {
    /// Subscribes to everything.
    pub fn start(port: u16, more: &[&str]) -> Self {
        let mut process = Command::new("mosquitto_sub")
            .args(["-h", "localhost", "-p", &port.to_string(), "-t", "#", "-F", "%t %p"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let (topic, payload) = line.split_once(' ').unwrap_or((&line, ""));
                if sender.send((topic.to_owned(), payload.to_owned())).is_err() {
                    return;
                }
            }
        });
        Self { process, lines }
    }

    /// The next message on a topic that ends so, after those on others.
    #[track_caller]
    pub fn next(&self, end: &str) -> String {
        loop {
            let (topic, payload) =
                self.lines.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("no {end}"));
            if topic.ends_with(end) {
                return payload;
            }
        }
    }

    /// What came on topics that end so, until nothing came for a while.
    pub fn rest(&self, end: &str) -> Vec<String> {
        let mut rest = Vec::new();
        while let Ok((topic, payload)) = self.lines.recv_timeout(Duration::from_millis(700)) {
            if topic.ends_with(end) {
                rest.push(payload);
            }
        }
        rest
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Files {
    /// The broker's settings for TLS.
    pub fn settings(&self) -> String {
        format!("certfile {}\nkeyfile {}\n", self.certificate.display(), self.key.display())
    }
}
