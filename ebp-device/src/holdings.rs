//! What a device keeps of a household, and where: one list, by which everything is wiped.
//!
//! A file that the device's programs write has to be declared here. Tests run a device and fail for a
//! file in its folders that is not on the list.
//!
//! Enters: the configuration, the folders of the page and of updates. Leaves: [`Holding`]s and the files
//! that are there ([`Holdings::find`]). Absent: removing them (`wipe.rs`).

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
};

use crate::{config::DeviceConfig, frontend::FrontendConfig, spool::FILE_NAME};

/// What a file is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A private key or a certificate of the device or its page, and the hash of the sign-in code.
    Identity,
    /// The PIN of a meter.
    Pin,
    /// A password of the household's own broker or database.
    Password,
    /// Measurements, incidents, consent: the spool.
    Spool,
    /// Who was connected to the device from afar.
    SessionLog,
    /// Who is signed in at the page, and that consent was revoked.
    Page,
    /// Errors that were counted, and those that wait to be sent.
    Errors,
    /// What was tried to unlock the meters.
    Attempts,
    /// Readings and figures that were written for the household's own tools.
    Outputs,
    /// What is known of updates.
    Updates,
}

impl Kind {
    /// Its name for people, in the plural.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "keys and certificates",
            Self::Pin => "PINs",
            Self::Password => "passwords",
            Self::Spool => "spool",
            Self::SessionLog => "log of remote sessions",
            Self::Page => "state of the page",
            Self::Errors => "errors",
            Self::Attempts => "attempts to unlock",
            Self::Outputs => "readings for own tools",
            Self::Updates => "state of updates",
        }
    }
}

/// A file with those that are written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// What it is of.
    pub kind: Kind,
    /// The folder that it is in.
    pub folder: PathBuf,
    /// What its name begins with; empty for every file of the folder.
    name: OsString,
    /// What its name may go on with: nothing, or one of these. A `*` at the end stands for anything.
    endings: &'static [&'static str],
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// What it is of.
    pub kind: Kind,
    /// The folder that it is in.
    pub folder: PathBuf,
    /// Its name there.
    pub name: OsString,
    /// Its size, bytes.
    pub bytes: u64,
}

impl Found {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }
}

/// What SQLite writes beside a database.
const SQLITE: &[&str] = &["-wal", "-shm", "-journal"];
/// The same, with what a spool that was damaged left.
const SPOOL: &[&str] = &["-wal", "-shm", "-journal", ".lock", ".damaged-*"];
/// What a renewal writes beside certificate and key.
const RENEWAL: &[&str] = &[".next", ".tmp", ".next.tmp", ".lock"];
/// What a file is written as before it is moved into place.
const PART: &[&str] = &[".part"];
/// The same of files whose own ending is replaced.
const NEW: &[&str] = &[".new"];

/// Everything that a device keeps of a household.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    all: Vec<Holding>,
    /// Folders that hold nothing else, the inner ones first.
    folders: Vec<PathBuf>,
}

/// The files of a device's page, which has a configuration of its own.
#[derive(Debug, Clone)]
pub struct PageFiles {
    /// The folder of its state.
    pub state: PathBuf,
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The hash of its sign-in code.
    pub sign_in: PathBuf,
    /// The folder of its errors.
    pub errors: PathBuf,
}

impl Holdings {
    /// What a device with that configuration keeps; `state` is the folder of attempts to unlock, where
    /// the configuration names none.
    #[must_use]
    pub fn from_config(config: &DeviceConfig, state: &Path) -> Self {
        let mut own = Self::default();
        for file in [&config.api.key, &config.api.certificate] {
            own.file(Kind::Identity, file, RENEWAL);
        }
        if let Some(frontend) = &config.frontend {
            own.frontend(frontend);
        }
        for pin in config.meters.iter().filter_map(|meter| meter.pin_file.as_ref()) {
            own.file(Kind::Pin, pin, &[]);
        }
        own.outputs(config);
        own.add(Kind::Spool, &config.spool, FILE_NAME, SPOOL);
        for name in ["consent", "revoked"] {
            own.add(Kind::Spool, &config.spool, name, NEW);
        }
        own.add(Kind::SessionLog, &config.spool, "tunnel.sqlite", SQLITE);
        let errors = config.errors.folder.clone();
        own.errors(&errors.unwrap_or_else(|| config.spool.join("errors")));
        let state = config.state.as_deref().unwrap_or(state);
        own.add(Kind::Attempts, state, "unlock-tries", &[".json", ".json.new", ".lock"]);
        own.folders.push(config.spool.clone());
        own
    }

    /// Those of its page as well.
    #[must_use]
    pub fn with_page(mut self, page: &PageFiles) -> Self {
        for file in [&page.key, &page.certificate, &page.sign_in] {
            self.file(Kind::Identity, file, RENEWAL);
        }
        for name in ["sessions", "consent-revoked"] {
            self.add(Kind::Page, &page.state, name, &[".json", ".new"]);
        }
        self.errors(&page.errors);
        self
    }

    /// Those of its updates as well, in that folder. Programs and what was signed of them stay: they are
    /// the same on every device.
    #[must_use]
    pub fn with_updates(mut self, folder: &Path) -> Self {
        self.add(Kind::Updates, folder, "state", &[".json", ".json.new", ".damaged"]);
        self.add(Kind::Updates, folder, "rounds", NEW);
        self.add(Kind::Updates, folder, "pause", &["-api", "-api.new", "-files", "-files.new"]);
        self.errors(&folder.join("errors"));
        self
    }

    /// Each of them, keys first: a device without them sends nothing more.
    #[must_use]
    pub fn all(&self) -> &[Holding] {
        &self.all
    }

    /// Folders that hold nothing else, the inner ones first.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Whether a file of that name in that folder is on the list.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
        self.all.iter().any(|own| own.folder == folder && own.matches(name))
    }

    /// The files that are there, in the order in which they are wiped. What a symbolic link leads to is
    /// none of them; the link itself is.
    ///
    /// # Errors
    /// Returns the error with its folder when a folder is there and cannot be read.
    pub fn find(&self) -> Result<Vec<Found>, (PathBuf, io::Error)> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for own in &self.all {
            for (name, bytes) in files(&own.folder).map_err(|e| (own.folder.clone(), e))? {
                if own.matches(&name) && seen.insert(own.folder.join(&name)) {
                    found.push(Found { kind: own.kind, folder: own.folder.clone(), name, bytes });
                }
            }
        }
        Ok(found)
    }

    fn add(
        &mut self,
        kind: Kind,
        folder: &Path,
        name: impl Into<OsString>,
        endings: &'static [&'static str],
    ) {
        let own = Holding { kind, folder: folder.to_owned(), name: name.into(), endings };
        if !self.all.contains(&own) {
            self.all.push(own);
        }
    }

    /// A file that is named whole.
    fn file(&mut self, kind: Kind, path: &Path, endings: &'static [&'static str]) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            let folder = if folder == Path::new("") { Path::new(".") } else { folder };
            self.add(kind, folder, name, endings);
        }
    }

    fn frontend(&mut self, frontend: &FrontendConfig) {
        let files =
            [frontend.key(), frontend.certificate(), frontend.sign_in(), frontend.authority()];
        for file in &files {
            self.file(Kind::Identity, file, RENEWAL);
        }
        self.folders.push(frontend.folder.clone());
    }

    fn errors(&mut self, folder: &Path) {
        for name in ["ledger", "lock", "sending"] {
            self.add(Kind::Errors, folder, name, &[".json", ".part"]);
        }
        let queue = folder.join("queue");
        self.add(Kind::Errors, &queue, "", &["*"]);
        self.folders.extend([queue, folder.to_owned()]);
    }

    /// What outputs for the household's own tools read and write.
    fn outputs(&mut self, config: &DeviceConfig) {
        let mqtt = config.mqtt.as_ref().and_then(|own| own.password_file.as_ref());
        let influx = config.influx.as_ref().and_then(|own| own.password_file.as_ref());
        for password in mqtt.into_iter().chain(influx) {
            self.file(Kind::Password, password, &[]);
        }
        let prometheus = config.prometheus.as_ref().and_then(|own| own.file.as_ref());
        let mut lines = config.influx.clone();
        let lines = lines.as_mut().and_then(|own| own.to.file_mut()).cloned();
        for file in [config.metrics_file.as_ref(), prometheus, lines.as_ref()].into_iter().flatten()
        {
            self.file(Kind::Outputs, file, PART);
        }
    }
}

impl Holding {
    fn matches(&self, name: &OsStr) -> bool {
        let (Some(name), Some(own)) = (name.to_str(), self.name.to_str()) else {
            return name == self.name;
        };
        let Some(rest) = name.strip_prefix(own) else { return false };
        rest.is_empty()
            || self.endings.iter().any(|ending| match ending.strip_suffix('*') {
                Some(start) => rest.starts_with(start),
                None => rest == *ending,
            })
    }
}

/// The files and links of a folder with their sizes; none if there is no folder, or a link in its place.
fn files(folder: &Path) -> io::Result<Vec<(OsString, u64)>> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            // A file may leave while its folder is read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) => found.push((entry.file_name(), metadata.len())),
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(name: &str, endings: &'static [&'static str]) -> Holding {
        Holding { kind: Kind::Spool, folder: "/s".into(), name: name.into(), endings }
    }

    #[test]
    fn a_name_is_one_of_ours_or_not() {
        let spool = holding(FILE_NAME, SPOOL);
        for ours in ["", "-wal", "-shm", ".lock", ".damaged-20261202T000000Z-2-wal"] {
            assert!(spool.matches(OsStr::new(&format!("{FILE_NAME}{ours}"))), "{ours}");
        }
        for other in ["spool.sqlite.bak", "spool", "my-spool.sqlite", "spool.sqlite-wal2"] {
            assert!(!spool.matches(OsStr::new(other)), "{other}");
        }
        let key = holding("device.key", RENEWAL);
        assert!(key.matches(OsStr::new("device.key.next.tmp")));
        assert!(!key.matches(OsStr::new("device.key.old")));
    }

    #[test]
    fn a_folder_that_is_a_link_has_no_files_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::write(folder.path().join("elsewhere/spool.sqlite"), "theirs").unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.path().join("spool")).unwrap();
        assert_eq!(files(&folder.path().join("spool")).unwrap(), []);
        assert_eq!(files(&folder.path().join("elsewhere")).unwrap().len(), 1);
    }
}
