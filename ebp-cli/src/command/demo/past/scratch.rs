//! The folder in which the past is made before it is put into the demo's own.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use ebp_core::clock::SystemClock;
use ebp_server::ServerConfig;
use ebp_store::Database;
use std::sync::Arc;
use uuid::Uuid;

use super::super::households::DemoHousehold;
use crate::exit::{CommandResult, Context, Failure};

/// Where files are in memory, if there is such a place.
const MEMORY: &str = "/dev/shm";
/// The folder beside the demo's other things, where there is none.
const BESIDE: &str = "past";
/// The namespace of the folders' names (UUID version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x5b1c_7f0e_93a4_4d0b_8f51_6f0d_2c3b_9a77);

/// The folder. It is removed when it is dropped, and otherwise by the next start.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder for the past of that demo, readable by its owner alone.
    ///
    /// # Errors
    /// Returns an error if none can be made.
    pub fn new(folder: &Path) -> Result<Self, Failure> {
        let mut result = Err(io::Error::from(io::ErrorKind::NotFound));
        for place in places(folder) {
            result = DirBuilder::new().mode(0o700).create(&place).map(|()| Self(place));
            if result.is_ok() {
                break;
            }
        }
        let scratch = result.or_failed(folder.join(BESIDE).display())?;
        DirBuilder::new()
            .mode(0o700)
            .create(scratch.server())
            .or_failed(scratch.server().display())?;
        Ok(scratch)
    }

    /// The server's folder.
    pub fn server(&self) -> PathBuf {
        self.0.join("server")
    }

    /// The server's database.
    pub fn database(&self) -> PathBuf {
        self.server().join("ebp.sqlite")
    }

    /// The spool of a household's device.
    pub fn spool(&self, household: &DemoHousehold) -> PathBuf {
        self.0.join(format!("spool-{}", household.number))
    }

    /// The registers of a meter.
    pub fn registers(&self, model: &str) -> PathBuf {
        self.0.join(format!("{model}.json"))
    }

    /// A file that only its owner may read.
    pub fn private(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Copies what was made into the demo's folder, the database last.
    ///
    /// # Errors
    /// Returns an error if something cannot be copied.
    pub fn put_into(
        &self,
        folder: &Path,
        server: &ServerConfig,
        households: &[DemoHousehold],
    ) -> CommandResult {
        for household in households {
            let spool = household.folder().join("spool");
            DirBuilder::new().mode(0o700).create(&spool).or_failed(spool.display())?;
            copy_all(&self.spool(household), &spool, |_| true).or_failed(spool.display())?;
            for meter in &household.meters {
                copy(&self.registers(meter.model), &meter.registers)
                    .or_failed(meter.registers.display())?;
            }
        }
        let Database::Sqlite(database) = server.settings(Arc::new(SystemClock)).database else {
            return Err(Failure::failed(format!(
                "{} has no database of its own",
                folder.display()
            )));
        };
        let context = || database.display().to_string();
        let own = database.parent().unwrap_or(folder);
        copy_all(&self.server(), own, |name| !name.starts_with("ebp.sqlite"))
            .or_failed(context())?;
        let beside = database.with_extension("sqlite.new");
        copy(&self.database(), &beside)
            .and_then(|()| fs::rename(&beside, &database))
            .and_then(|()| File::open(own)?.sync_all())
            .or_failed(context())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next start.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes what was left of another one for that demo.
pub fn discard(folder: &Path) -> CommandResult {
    for place in places(folder) {
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // Somebody else's, in a folder that is everybody's.
                tracing::debug!(%error, "{} stays", place.display());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where it may be: the same for each start of a demo, which holds the lock of its folder.
fn places(folder: &Path) -> [PathBuf; 2] {
    let name = Uuid::new_v5(&NAMESPACE, folder.as_os_str().as_encoded_bytes());
    [Path::new(MEMORY).join(format!("ebp-demo-{name}")), folder.join(BESIDE)]
}

fn copy_all(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_file() && wanted(&name.to_string_lossy()) {
            copy(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

/// A copy with the same mode that is on the disk.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}
