//! Whether a release arrives: in a registry that runs here for that, and in a repository for Flux.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{Destination, Login, NAMESPACE, Registry, flux, publish};
use crate::{
    image::{Recipe, check},
    run::{output, succeed, works},
};

/// A user of the registry, and what it keeps of the password (bcrypt).
const USER: &str = "publisher";
const PASSWORD: &str = "not-a-secret";
const KEPT: &str = "$2b$05$abcdefghijklmnopqrstuuVPNOToLP9MHdthRCXkVoiIF0qNKnk2G";

/// Publishes small programs twice, and a third time something else.
pub fn run() -> Result<()> {
    if let Some(missing) = missing() {
        eprintln!("\n*** SKIPPED: a release in a registry. It needs {missing}. ***\n");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let server = Server::start(folder)?;
    let mut recipe = Recipe {
        programs: check::test_programs(folder)?,
        version: "1.2.3".to_owned(),
        features: None,
        source: Some("https://example.org/ebp".to_owned()),
        authorities: check::authorities(folder)?,
    };
    let key = folder.join("key");
    let mut command = Command::new("ssh-keygen");
    succeed(command.args(["-q", "-t", "ed25519", "-N", "", "-C", "release", "-f"]).arg(&key))?;
    let target = flux::test_repository(folder)?;
    let image = format!("127.0.0.1:{}/group/ebp", server.port);
    let credentials = server.credentials(folder)?;
    let release = folder.join("release");
    let publish_it = |recipe: &Recipe, credentials: &Path| {
        let host = format!("127.0.0.1:{}", server.port);
        let registry = Registry::new(&image, Some(Login::read(credentials, &host)?), true)?;
        let flux = Some(target.clone());
        publish(recipe, &[], &key, &release, Destination { registry, image: image.clone(), flux })
    };
    let wrong = server.wrong_credentials(folder)?;
    let refused = publish_it(&recipe, &wrong).err().context("a wrong password was taken")?;
    ensure!(format!("{refused:#}").contains("401"), "{refused:#}");
    publish_it(&recipe, &credentials)?;
    println!("images: pushed with a login, refused with another");
    verify(&release, &key, folder)?;
    let digest = pulled(&image, &credentials, folder)?;
    let committed = |format: &str| {
        let mut command = Command::new("git");
        command.args(["--git-dir", &target.repository, "log", format]);
        output(&mut command)
    };
    ensure!(committed("-p")?.contains(&format!("+    digest: {digest}")), "no commit has {digest}");
    let commits = committed("--format=%h")?;
    publish_it(&recipe, &credentials)?;
    ensure!(committed("--format=%h")? == commits, "the same release made another commit");
    println!("images: the commit for Flux has the digest, once");
    recipe.source = None;
    let refused = publish_it(&recipe, &credentials).err().context("a tag was moved")?;
    ensure!(format!("{refused:#}").contains("already"), "{refused:#}");
    println!("images: another image under the same tag is refused");
    Ok(())
}

fn missing() -> Option<&'static str> {
    let has = |tool: &str, argument| works(Command::new(tool).arg(argument));
    if !has("docker-registry", "--version") || !has("skopeo", "--version") {
        Some("docker-registry and skopeo (Debian's packages)")
    } else if !has("git", "--version") || Command::new("ssh-keygen").arg("-?").output().is_err() {
        Some("git and ssh-keygen")
    } else {
        check::missing()
    }
}

/// The checksums hold, and so does the signature; not for a changed list.
fn verify(release: &Path, key: &Path, folder: &Path) -> Result<()> {
    succeed(
        Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(release),
    )?;
    let public = fs::read_to_string(key.with_extension("pub"))?;
    let signers = folder.join("signers");
    fs::write(&signers, format!("release {public}"))?;
    let holds = |list: &Path| -> Result<bool> {
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-I", "release", "-n", NAMESPACE, "-f"]).arg(&signers);
        command.arg("-s").arg(release.join("SHA256SUMS.sig")).stdin(fs::File::open(list)?);
        Ok(works(&mut command))
    };
    let list = release.join("SHA256SUMS");
    ensure!(holds(&list)?, "the signature does not hold");
    let changed = folder.join("changed");
    fs::write(&changed, fs::read_to_string(&list)?.replace('0', "1"))?;
    ensure!(!holds(&changed)?, "the signature holds for a changed list");
    println!("images: checksums and signature hold, not for a changed list");
    Ok(())
}

/// What skopeo pulls: both architectures, bills and checksums; the digest of the image.
fn pulled(image: &str, credentials: &Path, folder: &Path) -> Result<String> {
    let inspect = |reference: &str| {
        let mut command = Command::new("skopeo");
        command.args(["inspect", "--tls-verify=false", "--raw", "--authfile"]).arg(credentials);
        output(command.arg(format!("docker://{reference}")))
    };
    let index = inspect(&format!("{image}:1.2.3"))?;
    let digest = crate::image::layout::digest(index.as_bytes());
    let mut command = Command::new("skopeo");
    command.args(["--insecure-policy", "copy", "--quiet", "--all", "--src-tls-verify=false"]);
    command.arg("--src-authfile").arg(credentials).arg(format!("docker://{image}@{digest}"));
    succeed(command.arg(format!("oci:{}:1.2.3", folder.join("pulled").display())))?;
    let of_index = inspect(&format!("{image}:{}", digest.replace(':', "-")))?;
    ensure!(of_index.contains("checksums"), "no checksums refer to the image: {of_index}");
    let index: serde_json::Value = serde_json::from_str(&index)?;
    let manifests = index["manifests"].as_array().context("no index")?;
    ensure!(manifests.len() == 2, "{index}");
    for manifest in manifests {
        let digest = manifest["digest"].as_str().context("no digest")?;
        let bills = inspect(&format!("{image}:{}", digest.replace(':', "-")))?;
        ensure!(bills.contains("application/vnd.cyclonedx+json"), "no bill for {digest}: {bills}");
    }
    println!("images: skopeo pulls both architectures; bills and checksums refer to them");
    Ok(digest)
}

/// A registry that asks for a password, until this is dropped.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        // Nobody else takes it within these milliseconds.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let users = folder.join("users");
        fs::write(&users, format!("{USER}:{KEPT}\n"))?;
        let configuration = folder.join("registry.yml");
        fs::write(
            &configuration,
            format!(
                "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
                 http: {{addr: '127.0.0.1:{port}', secret: not-one}}\n\
                 auth: {{htpasswd: {{realm: registry, path: {}}}}}\n",
                folder.join("registry").display(),
                users.display()
            ),
        )?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&configuration).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { process: command.spawn().context("docker-registry")?, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > Duration::from_secs(30) || server.process.try_wait()?.is_some() {
                bail!("docker-registry does not start");
            }
            sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn credentials(&self, folder: &Path) -> Result<std::path::PathBuf> {
        self.write(&folder.join("config.json"), PASSWORD)
    }

    fn wrong_credentials(&self, folder: &Path) -> Result<std::path::PathBuf> {
        self.write(&folder.join("wrong.json"), "another")
    }

    fn write(&self, path: &Path, password: &str) -> Result<std::path::PathBuf> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        let host = format!("127.0.0.1:{}", self.port);
        fs::write(path, serde_json::json!({ "auths": { host: { "auth": auth } } }).to_string())?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(path.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
