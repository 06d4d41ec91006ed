//! The servers of overlays, started as their manifests say: arguments, variables, files and user, in a root
//! folder of their own. With SQLite then the job that backs it up; with PostgreSQL by a socket, without the
//! pooler and TLS between.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::Client;
use serde_json::Value;

use super::{
    container::{Given, Root, USER},
    has_kubectl,
    object::Workload,
    render,
};
use crate::{
    contract::cluster::Cluster,
    run::{output, succeed, works},
};

const SQLITE: &str = "deploy/kustomize/overlays/single-sqlite";
const POSTGRESQL: &str = "deploy/kustomize/overlays/cluster-postgresql";
/// How long a server may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts both; skipped, loudly, where that cannot be.
pub fn run(program: &Path) -> Result<()> {
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    if !is_root || !has_kubectl() || !works(Command::new("ldd").arg("--version")) {
        eprintln!("\n*** SKIPPED: servers started by their manifests (root, kubectl, ldd). ***\n");
        return Ok(());
    }
    with_sqlite(program)?;
    let Some(cluster) = Cluster::start()? else {
        eprintln!(
            "\n*** SKIPPED: the cluster's server. It needs PostgreSQL (Debian: postgresql). ***\n"
        );
        return Ok(());
    };
    with_postgresql(program, &cluster)
}

/// The server starts, answers, is backed up, and ends.
fn with_sqlite(program: &Path) -> Result<()> {
    let objects = render(SQLITE)?;
    let (server, backup) = (find(&objects, "StatefulSet")?, find(&objects, "CronJob")?);
    let root = Root::make(program)?;
    let mut given = secrets(program)?;
    root.provide(&server, &objects, &given)?;
    let mut running = start(&root, &server, &mut given)?;
    println!("images: the server of {SQLITE} starts as user {USER} and answers its probes");
    root.provide(&backup, &objects, &given)?;
    for container in backup.containers() {
        let name = container["name"].as_str().unwrap_or("?");
        let taken = match name {
            // Another image's program: this machine has the same.
            "prune" => root.prune(container)?,
            _ => works(&mut root.command(container, &given)?),
        };
        ensure!(taken, "the container {name} of the backup fails");
    }
    let kept = fs::read_dir(root.inside("/backup"))?;
    let kept: Vec<_> = kept.filter_map(|own| Some(own.ok()?.file_name())).collect();
    ensure!(kept.len() == 2, "the backup leaves {kept:?}");
    println!("images: its job leaves a backup and the list of revocations, and removes an old one");
    running.end()?;
    println!("images: it ends by itself when it is told to");
    Ok(())
}

/// The server starts on the database whose user and password a secret has, and answers.
fn with_postgresql(program: &Path, cluster: &Cluster) -> Result<()> {
    let objects = render(POSTGRESQL)?;
    let server = find(&objects, "StatefulSet")?;
    let root = Root::make(program)?;
    let mut given = secrets(program)?;
    let url = cluster.database()?;
    let part = |name: &str| url.split(' ').find_map(|own| own.strip_prefix(name)).context("a URL");
    let authority = given.secrets.get(&("ebp-authority".to_owned(), "ca.pem".to_owned())).cloned();
    for (secret, name, value) in [
        ("ebp-database-app", "username", part("user=")?.as_bytes().to_vec()),
        ("ebp-database-app", "password", b"unused".to_vec()),
        ("ebp-database-ca", "ca.crt", authority.unwrap_or_default()),
    ] {
        given.secrets.insert((secret.to_owned(), name.to_owned()), value);
    }
    root.provide(&server, &objects, &given)?;
    // The database's socket, which has no other place in there.
    let socket = root.inside("/run/postgresql");
    fs::create_dir_all(&socket)?;
    let name = ".s.PGSQL.5432";
    fs::hard_link(Path::new(part("host=")?).join(name), socket.join(name))?;
    let database = format!("dbname={}", part("dbname=")?);
    for (said, own) in [
        ("host=ebp-pooler port=5432", "host=/run/postgresql"),
        ("dbname=ebp", database.as_str()),
        // A socket has no TLS; an empty variable is none.
        ("/run/secrets/ebp/database/ca.crt", ""),
    ] {
        given.instead.push((said.to_owned(), own.to_owned()));
    }
    let mut running = start(&root, &server, &mut given)?;
    running.end()?;
    println!("images: so does the server of {POSTGRESQL}, on a database");
    Ok(())
}

fn find<'a>(objects: &'a [Value], kind: &str) -> Result<Workload<'a>> {
    let mut all = Workload::all(objects);
    all.find(|own| own.object["kind"] == kind).with_context(|| format!("no {kind}"))
}

/// Starts a server at free ports, and asks for its probes and its pages.
fn start(root: &Root, server: &Workload<'_>, given: &mut Given) -> Result<Running> {
    let container = &server.pod()["containers"][0];
    let (api, pages) = (free_port()?, free_port()?);
    for (said, own) in [(8443, api), (8444, pages)] {
        given.instead.push((format!(":{said}"), format!(":{own}")));
    }
    let mut running = Running(root.command(container, given)?.spawn()?);
    for name in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = container[name]["httpGet"]["path"].as_str().context("a probe without a path")?;
        ask(api, path, &mut running)?;
    }
    ask(pages, "/", &mut running)?;
    Ok(running)
}

/// What whoever deploys puts into secrets.
fn secrets(program: &Path) -> Result<Given> {
    let data = tempfile::tempdir()?;
    let mut init = Command::new(program);
    succeed(init.args(["ca", "init", "--data"]).arg(data.path()).stdout(Stdio::null()))?;
    let mut given = Given::default();
    let mut add = |secret: &str, name: &str, bytes: Vec<u8>| {
        given.secrets.insert((secret.to_owned(), name.to_owned()), bytes)
    };
    for name in ["ca.pem", "ca.key"] {
        add("ebp-authority", name, fs::read(data.path().join("authority").join(name))?);
    }
    let pages = rcgen::generate_simple_self_signed(["ebp.example.org".to_owned()])?;
    add("ebp-pages", "tls.crt", pages.cert.pem().into_bytes());
    add("ebp-pages", "tls.key", pages.signing_key.serialize_pem().into_bytes());
    Ok(given)
}

/// A port of this machine that nobody else takes within the next moments.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Asks until it is answered well, as a kubelet does: without looking at the certificate.
pub fn ask(port: u16, path: &str, running: &mut Running) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_danger_accept_invalid_certs(true).build()?;
    let begun = Instant::now();
    loop {
        let answer = client.get(format!("https://127.0.0.1:{port}{path}")).send();
        let seen = match answer {
            Ok(answer) if answer.status().is_success() || answer.status().is_redirection() => {
                return Ok(());
            }
            Ok(answer) => answer.status().to_string(),
            Err(error) => format!("{error:?}"),
        };
        if let Some(status) = running.0.try_wait()? {
            bail!("the server ended ({status})");
        }
        if begun.elapsed() > PATIENCE {
            bail!("{path}: {seen}");
        }
        sleep(Duration::from_millis(100));
    }
}

/// A server, until this is dropped.
pub struct Running(pub Child);

impl Running {
    /// Tells it to end, and waits for that.
    pub fn end(&mut self) -> Result<()> {
        succeed(Command::new("kill").arg(self.0.id().to_string()))?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the server does not end")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
