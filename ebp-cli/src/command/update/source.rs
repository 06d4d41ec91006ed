//! Where a device's releases come from: a repository of signed ones, or a folder that is trusted.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use ebp_client::{Trust, WebFiles, WebRefusal};
use ebp_core::clock::{Clock, DeviceClock, SystemClock};
use ebp_device::config::DeviceConfig;
use ebp_release::{Client, Folder, KnownTime, Repository};
use ebp_update::{
    Files, MachineDisk, SignedSupply, State, Supply, UpdateConfig, Version, Wish,
    folder::FolderSupply,
};
use jiff::Timestamp;

use super::pause::Pause;
use crate::{
    exit::{Failure, chain, update as explain},
    file::read_text,
};

/// This machine's architecture.
pub const ARCHITECTURE: &str = std::env::consts::ARCH;

/// When this program was built, if whoever built it said so, as `cargo xtask` does: it cannot be earlier.
const BUILT: Option<&str> = option_env!("SOURCE_DATE_EPOCH");

/// Otherwise it is known only that it cannot be earlier than this code. It is a lower bound that is too
/// low, so that it never makes valid metadata expire. A device that does not know the time, and has not
/// seen a signed timestamp yet, takes metadata that expired after it.
const WRITTEN: &str = "2026-12-01T00:00:00Z";

/// Where trust is kept, in the folder of updates.
const TRUST: &str = "tuf";

/// What a configuration names as the source of releases.
pub enum Named<'a> {
    /// A folder in which nothing is signed.
    Folder(&'a Path),
    /// A repository, and the root role that is trusted first.
    Repository(&'a str, &'a Path),
}

/// The source that the configuration names.
pub fn named<'a>(path: &Path, update: &'a UpdateConfig) -> Result<Named<'a>, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{} names {what}", path.display()));
    match (&update.source, &update.repository, &update.root) {
        (Some(source), None, _) => Ok(Named::Folder(source)),
        (None, Some(repository), Some(root)) => Ok(Named::Repository(repository, root)),
        (None, Some(_), None) => Err(wrong("no root role").remedy(
            "write `root = \"root.json\"` under [update]: the file 1.root.json of the group's \
             repository, from somebody who signs",
        )),
        (None, None, _) => Err(wrong("no source of updates").remedy(
            "write `repository = \"https://…\"` and `root = \"root.json\"` under [update], or \
             `source = \"FOLDER\"`",
        )),
        (Some(_), Some(_), _) => Err(wrong("both a repository and a folder of updates")
            .remedy("remove `source` under [update]: what is in it is not signed")),
    }
}

/// The supply from there.
pub fn open(
    named: &Named<'_>,
    config: &DeviceConfig,
    (update, wish): (&UpdateConfig, &Wish),
    (folder, clock): (&Path, &dyn DeviceClock),
) -> Result<Box<dyn Supply>, Failure> {
    let (repository, root) = match *named {
        Named::Folder(source) => return Ok(Box::new(FolderSupply::new(source, ARCHITECTURE))),
        Named::Repository(repository, root) => (repository, root),
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
    let time = KnownTime { now: clock.synchronised().then(|| clock.now()), built: built(BUILT) };
    let versions = (&running, wish);
    let wrong = |error: ebp_update::SupplyError| explain::explain(error.into());
    if repository.contains("://") {
        let authority = update.authority.as_ref().unwrap_or(&config.api.ca);
        let is_secure = repository.starts_with("https:");
        let authority = if is_secure { read_text(authority)? } else { String::new() };
        let trust = Trust::Authority(authority);
        let files = WebFiles::new(repository, &trust, Arc::new(SystemClock)).map_err(|error| {
            Failure::usage(chain(&error))
                .remedy("check `repository` and `authority` under [update]")
        })?;
        let web = Web { files, pause: Pause::of_files(folder) };
        let supply = SignedSupply::new(client, web, time, ARCHITECTURE, versions);
        return Ok(Box::new(supply.map_err(wrong)?));
    }
    let files = Folder(PathBuf::from(repository));
    let supply = SignedSupply::new(client, files, time, ARCHITECTURE, versions).map_err(wrong)?;
    Ok(Box::new(supply))
}

/// The lower bound of the time.
fn built(said: Option<&str>) -> Timestamp {
    let second = said.and_then(|text| text.parse().ok());
    let built = second.and_then(|second| Timestamp::from_second(second).ok());
    let written = WRITTEN.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    built.map_or(written, |built| built.max(written))
}

/// A repository at a web server, which may ask not to be called for a while.
struct Web {
    files: WebFiles,
    pause: Pause,
}

impl Web {
    fn call<T>(&self, call: impl FnOnce(&WebFiles) -> io::Result<T>) -> io::Result<T> {
        let now = SystemClock.now();
        if let Some(end) = self.pause.end(now) {
            return Err(io::Error::other(format!("it asked not to be called before {end}")));
        }
        let answer = call(&self.files);
        let refusal =
            |error: &io::Error| error.get_ref()?.downcast_ref::<WebRefusal>()?.retry_after;
        if let Some(wait) = answer.as_ref().err().and_then(refusal) {
            self.pause.begin(wait, now);
        }
        answer
    }
}

impl Repository for Web {
    fn fetch(&self, path: &str, _limit: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        let file = self.call(|files| files.open(path))?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read>))
    }
}

impl Files for Web {
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(|files| files.read_at(path, offset, buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that was built at the beginning of time, as some reproducible builds say, is not older
    /// than its code.
    #[test]
    fn a_program_is_never_older_than_its_code() {
        let written: Timestamp = WRITTEN.parse().unwrap();
        for said in [None, Some(""), Some("yesterday"), Some("0"), Some("1")] {
            assert_eq!(built(said), written, "{said:?}");
        }
        assert_eq!(built(Some("1893456000")), "2030-01-01T00:00:00Z".parse().unwrap());
    }
}
