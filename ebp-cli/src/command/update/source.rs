//! Where a device's releases come from: a repository of signed ones, or a folder that is trusted.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_client::{Trust, WebFiles};
use ebp_core::clock::{DeviceClock, SystemClock};
use ebp_device::config::DeviceConfig;
use ebp_release::{Client, Folder, KnownTime, Repository};
use ebp_update::{
    Files, MachineDisk, SignedSupply, State, Supply, UpdateConfig, Version, folder::FolderSupply,
};
use jiff::Timestamp;

use crate::{
    exit::{Failure, chain, update as explain},
    file::read_text,
};

/// This machine's architecture.
pub const ARCHITECTURE: &str = std::env::consts::ARCH;

/// When this program was built, if whoever built it said so: it cannot be earlier.
const BUILT: Option<&str> = option_env!("SOURCE_DATE_EPOCH");

/// Otherwise it is known only that it cannot be earlier than this code.
const WRITTEN: &str = "2026-12-01T00:00:00Z";

/// Where trust is kept, in the folder of updates.
const TRUST: &str = "tuf";

/// The supply that the configuration names.
pub fn open(
    path: &Path,
    config: &DeviceConfig,
    update: &UpdateConfig,
    (folder, clock): (&Path, &dyn DeviceClock),
) -> Result<Box<dyn Supply>, Failure> {
    match (&update.source, &update.repository) {
        (Some(source), None) => Ok(Box::new(FolderSupply::new(source, ARCHITECTURE))),
        (None, Some(repository)) => signed(path, config, update, repository, (folder, clock)),
        (None, None) => {
            Err(Failure::usage(format!("{} names no source of updates", path.display())).remedy(
                "write `repository = \"https://…\"` and `root = \"root.json\"` under [update], or \
                 `source = \"FOLDER\"`",
            ))
        }
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "{} names both a repository and a folder of updates",
            path.display()
        ))
        .remedy("remove `source` under [update]: what is in it is not signed")),
    }
}

fn signed(
    path: &Path,
    config: &DeviceConfig,
    update: &UpdateConfig,
    repository: &str,
    (folder, clock): (&Path, &dyn DeviceClock),
) -> Result<Box<dyn Supply>, Failure> {
    let Some(root) = &update.root else {
        return Err(Failure::usage(format!("{} names no root role", path.display())).remedy(
            "write `root = \"root.json\"` under [update]: the file 1.root.json of the group's \
             repository, from somebody who signs",
        ));
    };
    let first =
        fs::read(root).map_err(|error| Failure::usage(format!("{}: {error}", root.display())))?;
    let client = Client::open(folder.join(TRUST), &first).map_err(|error| {
        Failure::failed(chain(&error))
            .remedy(format!("check that {} is the root role of the group", root.display()))
    })?;
    let state = State::look(&MachineDisk::at(folder)).map_err(|e| explain::explain(e.into()))?;
    let running = state.committed.map(|release| release.version).or(state.floor);
    let running = match running {
        Some(version) => version,
        None => env!("CARGO_PKG_VERSION").parse::<Version>().map_err(Failure::failed)?,
    };
    let time = KnownTime { now: clock.synchronised().then(|| clock.now()), built: built() };
    let versions = (&running, update.version.as_ref());
    let wrong = |error: ebp_update::SupplyError| explain::explain(error.into());
    if repository.contains("://") {
        let authority = update.authority.as_ref().unwrap_or(&config.api.ca);
        let trust = Trust::Authority(read_text(authority)?);
        let files = WebFiles::new(repository, &trust, Arc::new(SystemClock)).map_err(|error| {
            Failure::usage(chain(&error))
                .remedy("check `repository` and `authority` under [update]")
        })?;
        let supply = SignedSupply::new(client, Web(files), time, ARCHITECTURE, versions);
        return Ok(Box::new(supply.map_err(wrong)?));
    }
    let files = Folder(PathBuf::from(repository));
    let supply = SignedSupply::new(client, files, time, ARCHITECTURE, versions).map_err(wrong)?;
    Ok(Box::new(supply))
}

fn built() -> Timestamp {
    let second = BUILT.and_then(|text| text.parse().ok());
    let built = second.and_then(|second| Timestamp::from_second(second).ok());
    built.or_else(|| WRITTEN.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A repository at a web server.
struct Web(WebFiles);

impl Repository for Web {
    fn fetch(&self, path: &str, _limit: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(self.0.open(path)?.map(|file| Box::new(file) as Box<dyn Read>))
    }
}

impl Files for Web {
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(path, offset, buffer)
    }
}
