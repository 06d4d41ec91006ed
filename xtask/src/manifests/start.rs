//! The server of the overlay for one machine, started as its manifest says: its arguments, variables,
//! files and user, in a root folder of its own; then the job that backs it up.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::Client;
use serde_json::Value;

use super::{has_kubectl, object::Workload, render};
use crate::run::{output, succeed, works};

const OVERLAY: &str = "deploy/kustomize/overlays/single-sqlite";
const USER: u32 = 65532;
/// How long a server may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts it, asks its probes, backs it up and ends it; skipped, loudly, where that cannot be.
pub fn run(program: &Path) -> Result<()> {
    let is_root = output(Command::new("id").arg("-u"))? == "0";
    if !is_root || !has_kubectl() || !works(Command::new("ldd").arg("--version")) {
        eprintln!("\n*** SKIPPED: a server started by its manifest (root, kubectl, ldd). ***\n");
        return Ok(());
    }
    let objects = render(OVERLAY)?;
    let find = |kind: &str| {
        let mut all = Workload::all(&objects);
        all.find(|own| own.object["kind"] == kind).with_context(|| format!("no {kind}"))
    };
    let (server, backup) = (find("StatefulSet")?, find("CronJob")?);
    let root = Root::make(program)?;
    let files = secrets(program, root.folder.path())?;
    root.provide(&server, &objects, &files)?;
    let container = &server.pod()["containers"][0];
    let ports =
        [8443, 8444].map(|port| Ok((port, free_port()?))).into_iter().collect::<Result<_>>()?;
    let mut running = Running(root.command(container, &ports)?.spawn()?);
    for name in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = container[name]["httpGet"]["path"].as_str().context("a probe without a path")?;
        ask(ports[&8443], path, &mut running)?;
    }
    println!("images: the server of {OVERLAY} starts as user {USER} and answers its probes");
    ask(ports[&8444], "/", &mut running)?;
    println!("images: it serves pages with the secret's certificate");
    root.provide(&backup, &objects, &files)?;
    for container in backup.containers() {
        let name = container["name"].as_str().unwrap_or("?");
        let taken = match name {
            // Another image's program: this machine has the same.
            "prune" => root.prune(container)?,
            _ => works(&mut root.command(container, &BTreeMap::new())?),
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

/// What whoever deploys puts into secrets, by secret and file.
fn secrets(program: &Path, folder: &Path) -> Result<BTreeMap<(String, String), Vec<u8>>> {
    let data = folder.join("authority-data");
    succeed(Command::new(program).args(["ca", "init", "--data"]).arg(&data).stdout(Stdio::null()))?;
    let mut files = BTreeMap::new();
    for name in ["ca.pem", "ca.key"] {
        let bytes = fs::read(data.join("authority").join(name))?;
        files.insert(("ebp-authority".to_owned(), name.to_owned()), bytes);
    }
    fs::remove_dir_all(data)?;
    let pages = rcgen::generate_simple_self_signed(["ebp.example.org".to_owned()])?;
    let mut add = |name: &str, text: String| {
        files.insert(("ebp-pages".to_owned(), name.to_owned()), text.into_bytes())
    };
    add("tls.crt", pages.cert.pem());
    add("tls.key", pages.signing_key.serialize_pem());
    Ok(files)
}

/// A folder that is a container's root.
struct Root {
    folder: tempfile::TempDir,
}

impl Root {
    /// As the image has it; for a program that is not static with the libraries that it loads.
    fn make(program: &Path) -> Result<Self> {
        let root = Self { folder: tempfile::tempdir()? };
        // The machine's user has to enter it.
        fs::set_permissions(root.folder.path(), fs::Permissions::from_mode(0o755))?;
        root.copy(program, "/usr/bin/ebp")?;
        let libraries = Command::new("ldd").arg(program).output()?;
        for word in String::from_utf8_lossy(&libraries.stdout).split_whitespace() {
            if word.starts_with('/') {
                root.copy(Path::new(word), word)?;
            }
        }
        Ok(root)
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    fn copy(&self, from: &Path, to: &str) -> Result<()> {
        let to = self.inside(to);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        fs::copy(from, &to).with_context(|| from.display().to_string())?;
        Ok(())
    }

    /// Puts what is mounted where it is mounted, with the owners and modes that a kubelet gives it.
    fn provide(
        &self,
        workload: &Workload<'_>,
        objects: &[Value],
        secrets: &BTreeMap<(String, String), Vec<u8>>,
    ) -> Result<()> {
        let empty = Vec::new();
        let volumes = workload.pod()["volumes"].as_array().unwrap_or(&empty);
        for container in workload.containers() {
            for mount in container["volumeMounts"].as_array().unwrap_or(&empty) {
                let path = mount["mountPath"].as_str().context("a mount without a path")?;
                let place = self.inside(path);
                if place.exists() {
                    continue;
                }
                fs::create_dir_all(&place)?;
                let volume = volumes.iter().find(|own| own["name"] == mount["name"]);
                let text = |name: &str, field: &str| {
                    volume.and_then(|own| own[name][field].as_str()).map(str::to_owned)
                };
                if let Some(name) = text("secret", "secretName") {
                    let own = secrets.iter().filter(|((secret, _), _)| *secret == name);
                    let own: Vec<_> =
                        own.map(|((_, name), bytes)| (name.as_str(), bytes.as_slice())).collect();
                    ensure!(!own.is_empty(), "nothing is known of the secret {name}");
                    write_mount(&place, &own, 0o440)?;
                } else if let Some(name) = text("configMap", "name") {
                    let map = objects.iter().find(|own| {
                        own["kind"] == "ConfigMap" && own["metadata"]["name"] == name.as_str()
                    });
                    let data =
                        map.and_then(|own| own["data"].as_object()).context("no such ConfigMap")?;
                    let own = data.iter().map(|(name, text)| {
                        (name.as_str(), text.as_str().unwrap_or_default().as_bytes())
                    });
                    write_mount(&place, &own.collect::<Vec<_>>(), 0o644)?;
                } else {
                    let is_empty = volume.is_some_and(|own| !own["emptyDir"].is_null());
                    chown(&place, Some(0), Some(USER))?;
                    let mode = if is_empty { 0o2777 } else { 0o2775 };
                    fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
                }
            }
        }
        Ok(())
    }

    /// What the container runs, with other ports than those of the manifest.
    fn command(&self, container: &Value, ports: &BTreeMap<u16, u16>) -> Result<Command> {
        let mut variables = BTreeMap::from([
            // The image's own.
            ("EBP_SERVER_DATA".to_owned(), "/var/lib/ebp".to_owned()),
            ("EBP_SERVER_LISTEN".to_owned(), "[::]:8443".to_owned()),
        ]);
        for own in container["env"].as_array().into_iter().flatten() {
            let name = own["name"].as_str().context("a variable without a name")?;
            let field = own["valueFrom"]["fieldRef"]["fieldPath"].as_str();
            let value = match (own["value"].as_str(), field) {
                (Some(value), _) => expand(value, &variables),
                (_, Some("status.podIP")) => "127.0.0.1".to_owned(),
                (_, Some("metadata.name")) => "ebp-backup-29412345-x7k2p".to_owned(),
                _ => bail!("where does {name} come from?"),
            };
            variables.insert(name.to_owned(), value);
        }
        for value in variables.values_mut() {
            for (said, own) in ports {
                *value = value.replace(&format!(":{said}"), &format!(":{own}"));
            }
        }
        let mut command = Command::new("/usr/sbin/chroot");
        command.arg(format!("--userspec={USER}:{USER}")).arg(format!("--groups={USER}"));
        command.arg(self.folder.path()).arg("/usr/bin/ebp");
        for argument in container["args"].as_array().into_iter().flatten() {
            command.arg(expand(argument.as_str().context("no text")?, &variables));
        }
        command.env_clear().env("PATH", "/usr/bin").envs(&variables);
        Ok(command)
    }

    /// Runs what removes old backups, with one that is old.
    fn prune(&self, container: &Value) -> Result<bool> {
        let old = self.inside("/backup/ebp-backup-1.sqlite");
        fs::write(&old, "")?;
        succeed(Command::new("touch").args(["-d", "31 days ago"]).arg(&old))?;
        let words = container["command"].as_array().context("no command")?;
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        let (program, arguments) = words.split_first().context("no program")?;
        ensure!(*program == "/bin/find", "what is {program}?");
        let mut command = Command::new("find");
        for argument in arguments {
            match *argument {
                "/backup" => command.arg(self.inside("/backup")),
                other => command.arg(other),
            };
        }
        Ok(works(&mut command) && !old.exists())
    }
}

/// As a kubelet mounts it: a folder of links to the files of a folder that can be replaced whole.
fn write_mount(place: &Path, files: &[(&str, &[u8])], mode: u32) -> Result<()> {
    let own = place.join("..2026_01_01");
    fs::create_dir(&own)?;
    symlink("..2026_01_01", place.join("..data"))?;
    for (name, bytes) in files {
        let path = own.join(name);
        fs::write(&path, bytes)?;
        chown(&path, Some(0), Some(USER))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        symlink(Path::new("..data").join(name), place.join(name))?;
    }
    Ok(())
}

/// With `$(NAME)` replaced by what stands before.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    variables
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value))
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
