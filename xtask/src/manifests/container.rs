//! A container without a run-time: a root folder with what is mounted in it, and a command with the user and
//! the variables that a manifest says.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::object::Workload;
use crate::run::{succeed, works};

/// The user of images and pods.
pub const USER: u32 = 65532;

/// What a cluster knows and no manifest says.
#[derive(Debug, Default)]
pub struct Given {
    /// Files of secrets, by the secret's name and theirs.
    pub secrets: BTreeMap<(String, String), Vec<u8>>,
    /// What of variables is different here: texts, and what stands instead.
    pub instead: Vec<(String, String)>,
}

/// A folder that is a container's root.
pub struct Root {
    folder: tempfile::TempDir,
}

impl Root {
    /// As the image has it; for a program that is not static with the libraries that it loads.
    pub fn make(program: &Path) -> Result<Self> {
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

    pub fn inside(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    fn copy(&self, from: &Path, to: &str) -> Result<()> {
        let to = self.inside(to);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        fs::copy(from, &to).with_context(|| from.display().to_string())?;
        Ok(())
    }

    /// Puts what is mounted where it is mounted, with the owners and modes that a kubelet gives it.
    pub fn provide(&self, workload: &Workload<'_>, objects: &[Value], given: &Given) -> Result<()> {
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
                    let own = given.secrets.iter().filter(|((secret, _), _)| *secret == name);
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

    /// What the container runs.
    pub fn command(&self, container: &Value, given: &Given) -> Result<Command> {
        let mut variables = BTreeMap::from([
            // The image's own.
            ("EBP_SERVER_DATA".to_owned(), "/var/lib/ebp".to_owned()),
            ("EBP_SERVER_LISTEN".to_owned(), "[::]:8443".to_owned()),
        ]);
        for own in container["env"].as_array().into_iter().flatten() {
            let name = own["name"].as_str().context("a variable without a name")?;
            let field = own["valueFrom"]["fieldRef"]["fieldPath"].as_str();
            let secret = &own["valueFrom"]["secretKeyRef"];
            let key = [&secret["name"], &secret["key"]]
                .map(|part| part.as_str().unwrap_or_default().to_owned());
            let value = match (own["value"].as_str(), field) {
                (Some(value), _) => expand(value, &variables),
                (_, Some("status.podIP")) => "127.0.0.1".to_owned(),
                (_, Some("metadata.name")) => "ebp-backup-29412345-x7k2p".to_owned(),
                _ => match given.secrets.get(&key.into()) {
                    Some(value) => String::from_utf8(value.clone())?,
                    None => bail!("where does {name} come from?"),
                },
            };
            variables.insert(name.to_owned(), value);
        }
        for value in variables.values_mut() {
            for (said, own) in &given.instead {
                *value = value.replace(said, own);
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
    pub fn prune(&self, container: &Value) -> Result<bool> {
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
