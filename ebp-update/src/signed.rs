//! Releases that a group has signed, from a repository of The Update Framework.
//!
//! Enters: a client of the repository, which version is wanted, which one runs. Leaves: a release that
//! signed metadata list, and its bytes. Absent: who signs, which is `ebp-release`'s.
//!
//! What is wanted need not be signed: it is bounded by what is. A version that is lower than the one
//! that runs is had only if signed metadata recall that one.

use std::{fs::File, io, os::unix::fs::FileExt};

use ebp_release::{Client, Folder, KnownTime, Refusal, Repository, Target, Targets, TrustError};

use crate::{
    release::{Digest, Release, Supply, SupplyError},
    version::Version,
    wish::Wish,
};

/// A repository whose programs can be read from any place on.
pub trait Files: Repository {
    /// Reads bytes of the file of that path from `offset` on, as many as there are up to the buffer's
    /// length; 0 at its end.
    ///
    /// # Errors
    /// Fails if they cannot be read now.
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Files for Folder {
    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        File::open(self.0.join(path))?.read_at(buffer, offset)
    }
}

/// What is wanted, in versions as releases have them.
#[derive(Debug, PartialEq, Eq)]
enum SignedWish {
    Newest,
    Pinned(ebp_release::Version),
    Offered(ebp_release::Version),
    Stay,
}

/// The releases of a repository for a machine.
#[derive(Debug)]
pub struct SignedSupply<R> {
    client: Client,
    repository: R,
    time: KnownTime,
    architecture: String,
    running: ebp_release::Version,
    wish: SignedWish,
    chosen: Option<Target>,
}

impl<R: Files> SignedSupply<R> {
    /// Those of that repository for a machine of that architecture, on which `running` runs.
    ///
    /// # Errors
    /// Returns [`SupplyError::Wrong`] if either is no version as releases have one.
    pub fn new(
        client: Client,
        repository: R,
        time: KnownTime,
        architecture: &str,
        (running, wish): (&Version, &Wish),
    ) -> Result<Self, SupplyError> {
        let parse = |version: &Version| {
            ebp_release::parse_version(version.as_str()).ok_or_else(|| SupplyError::Wrong {
                place: format!("version {version}"),
                reason: "signed releases have versions of three numbers, such as 1.4.2".to_owned(),
            })
        };
        let running = parse(running)?;
        let wish = match wish {
            Wish::Newest => SignedWish::Newest,
            Wish::Pinned(version) => SignedWish::Pinned(parse(version)?),
            Wish::Offered(version) => SignedWish::Offered(parse(version)?),
            Wish::Stay => SignedWish::Stay,
        };
        let architecture = architecture.to_owned();
        Ok(Self { client, repository, time, architecture, running, wish, chosen: None })
    }

    fn choose(&self, targets: &Targets) -> Result<Option<Target>, SupplyError> {
        let (running, architecture) = (&self.running, self.architecture.as_str());
        let is_recalled = targets.recalled().contains(running);
        let newest = |is_meant: &dyn Fn(&ebp_release::Version) -> bool| {
            targets
                .iter()
                .filter(|own| own.version.pre.is_empty() && is_meant(&own.version))
                .filter_map(|own| targets.choose(&own.version, running, architecture).ok())
                .max_by(|one, other| one.version.cmp(&other.version))
                .filter(|newest| newest.version != self.running)
                .cloned()
        };
        match &self.wish {
            SignedWish::Pinned(wanted) | SignedWish::Offered(wanted)
                if wanted == running && !is_recalled =>
            {
                Ok(None)
            }
            // Others go over to it; this device has a newer one already.
            SignedWish::Offered(wanted) if wanted < running && !is_recalled => Ok(None),
            // What the server offered, and runs here, was recalled since: the server need not know.
            SignedWish::Offered(wanted) if is_recalled && targets.recalled().contains(wanted) => {
                Ok(newest(&|version| version < running))
            }
            SignedWish::Pinned(wanted) | SignedWish::Offered(wanted) => {
                match targets.choose(wanted, running, architecture) {
                    Ok(target) => Ok(Some(target.clone())),
                    Err(refusal) => Err(refuse(&refusal)),
                }
            }
            SignedWish::Newest => Ok(newest(&|_| true)),
            // People who sign have recalled what runs: the one before it, not one that waits to be
            // rolled out.
            SignedWish::Stay if is_recalled => Ok(newest(&|version| version < running)),
            SignedWish::Stay => Ok(None),
        }
    }
}

fn refuse(refusal: &Refusal) -> SupplyError {
    let reason = refusal.to_string();
    SupplyError::Wrong { place: "the signed metadata".to_owned(), reason }
}

impl<R: Files> Supply for SignedSupply<R> {
    fn desired(&mut self) -> Result<Option<Release>, SupplyError> {
        self.chosen = None;
        let targets = self.client.refresh(&self.repository, self.time).map_err(untrusted)?;
        let Some(target) = self.choose(&targets)? else { return Ok(None) };
        let place = target.name();
        let version = target.version.to_string().parse::<Version>();
        let version = version.map_err(|error| SupplyError::Wrong {
            place: place.clone(),
            reason: error.to_string(),
        })?;
        let (length, sha256) = (target.length, Digest(target.sha256));
        self.chosen = Some(target);
        Ok(Some(Release { version, architecture: self.architecture.clone(), length, sha256 }))
    }

    fn read(
        &mut self,
        release: &Release,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, SupplyError> {
        let unavailable = |reason: String| SupplyError::Unavailable {
            place: format!("version {}", release.version),
            reason,
        };
        let target = self.chosen.as_ref().filter(|target| Digest(target.sha256) == release.sha256);
        let target = target.ok_or_else(|| unavailable("not wanted any more".to_owned()))?;
        let read = self.repository.read_at(&target.path(), offset, buffer);
        read.map_err(|error| unavailable(error.to_string()))
    }
}

fn untrusted(error: TrustError) -> SupplyError {
    let place = "the repository of releases".to_owned();
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        reason.push_str(&format!(": {error}"));
        cause = error.source();
    }
    match error.is_passing() {
        true => SupplyError::Unavailable { place, reason },
        false => SupplyError::Wrong { place, reason },
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use ebp_release::author::{FirstKeys, NewRelease, ReleaseFolder, SigningKey};
    use jiff::Timestamp;

    use super::*;

    fn now() -> Timestamp {
        "2026-12-01T12:00:00Z".parse().unwrap()
    }

    /// A repository whose roles one key signs each.
    struct Group {
        place: tempfile::TempDir,
        keys: [SigningKey; 3],
    }

    impl Group {
        fn new() -> Self {
            let keys = [(); 3].map(|()| SigningKey::generate().unwrap().0);
            let group = Self { place: tempfile::tempdir().unwrap(), keys };
            let [root, targets, online] = [0, 1, 2].map(|i| group.keys[i].public(None).unwrap());
            let keys = FirstKeys { root: (vec![root], 1), targets: (vec![targets], 1), online };
            group.folder().init(&keys, now()).unwrap();
            group
        }

        fn path(&self) -> &Path {
            self.place.path()
        }

        fn folder(&self) -> ReleaseFolder {
            ReleaseFolder::new(self.path().join("releases"))
        }

        fn add(&self, version: &str, needs: Option<&str>) {
            let program = self.path().join("program");
            fs::write(&program, format!("the program {version}")).unwrap();
            let release = NewRelease {
                version: version.parse().unwrap(),
                architecture: "aarch64".into(),
                needs: needs.map(|version| version.parse().unwrap()),
                program: &program,
            };
            self.folder().add(&release, now()).unwrap();
        }

        fn publish(&self) {
            for key in &self.keys[..2] {
                // Not every publication drafts each role.
                let _ = self.folder().sign(key, None);
            }
            self.folder().publish(&self.keys[2], now()).unwrap();
        }

        fn supply(&self, running: &str, wish: &Wish) -> SignedSupply<Folder> {
            let client =
                Client::open(self.path().join("device"), &self.folder().first_root().unwrap());
            let time = KnownTime { now: Some(now()), built: now() };
            let versions = (&running.parse().unwrap(), wish);
            let repository = self.folder().repository();
            SignedSupply::new(client.unwrap(), repository, time, "aarch64", versions).unwrap()
        }

        fn desired(&self, running: &str, wanted: Option<&str>) -> Result<Option<String>, String> {
            let pinned = |version: &str| Wish::Pinned(version.parse().unwrap());
            self.wished(running, &wanted.map_or(Wish::Newest, pinned))
        }

        fn wished(&self, running: &str, wish: &Wish) -> Result<Option<String>, String> {
            let desired = self.supply(running, wish).desired();
            desired
                .map(|release| release.map(|release| release.version.to_string()))
                .map_err(|error| error.to_string())
        }
    }

    fn is(version: &str) -> Result<Option<String>, String> {
        Ok(Some(version.to_owned()))
    }

    #[test]
    fn only_what_is_signed_runs_and_nothing_older_unless_recalled() {
        let group = Group::new();
        group.add("1.4.0", None);
        group.add("1.4.2", None);
        group.add("1.5.0-rc.1", None);
        group.publish();
        assert_eq!(group.desired("1.4.0", None), is("1.4.2"), "the newest, and no pre-release");
        assert_eq!(group.desired("1.4.2", None), Ok(None));
        assert_eq!(group.desired("1.4.0", Some("1.5.0-rc.1")), is("1.5.0-rc.1"));
        assert_eq!(group.desired("1.4.0", Some("1.4.0")), Ok(None));
        let refused = |running: &str, wanted: &str, word: &str| {
            let error = group.desired(running, Some(wanted)).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        refused("1.4.2", "1.4.0", "not recalled");
        refused("1.4.0", "9.9.9", "no signed release 9.9.9");

        group.folder().recall(&"1.4.2".parse().unwrap(), now()).unwrap();
        group.publish();
        assert_eq!(group.desired("1.4.2", None), is("1.4.0"));
        refused("1.4.0", "1.4.2", "recalled");

        group.add("2.0.0", Some("1.4.1"));
        group.add("1.4.3", None);
        group.publish();
        assert_eq!(group.desired("1.4.0", None), is("1.4.3"), "2.0.0 needs another one before it");
        assert_eq!(group.desired("1.4.3", None), is("2.0.0"));
        refused("1.4.0", "2.0.0", "needs at least 1.4.1");
    }

    /// A server that was taken over can offer what is signed, and nothing else.
    #[test]
    fn what_a_server_offers_is_bounded_by_what_is_signed() {
        let group = Group::new();
        for version in ["1.4.0", "1.4.1", "1.4.2", "1.5.0"] {
            group.add(version, None);
        }
        group.publish();
        let offered = |version: &str| Wish::Offered(version.parse().unwrap());
        assert_eq!(group.wished("1.4.0", &offered("1.4.2")), is("1.4.2"));
        assert_eq!(group.wished("1.4.2", &offered("1.4.2")), Ok(None));
        assert_eq!(group.wished("1.4.2", &offered("1.4.0")), Ok(None), "nothing older");
        assert!(group.wished("1.4.0", &offered("9.9.9")).is_err(), "nothing unsigned");
        assert_eq!(group.wished("1.4.0", &Wish::Stay), Ok(None));

        group.folder().recall(&"1.4.2".parse().unwrap(), now()).unwrap();
        group.publish();
        assert!(group.wished("1.4.0", &offered("1.4.2")).is_err(), "nothing recalled");
        assert_eq!(group.wished("1.4.2", &offered("1.4.1")), is("1.4.1"));
        let again = group.wished("1.4.2", &offered("1.4.2"));
        assert_eq!(again, is("1.4.1"), "what was offered and runs is recalled");
        assert_eq!(group.wished("1.4.2", &Wish::Stay), is("1.4.1"), "not 1.5.0");
        assert_eq!(group.wished("1.4.1", &Wish::Stay), Ok(None));
    }

    #[test]
    fn bytes_are_read_from_any_place_on_and_only_of_what_was_chosen() {
        let group = Group::new();
        group.add("1.4.2", None);
        group.publish();
        let mut supply = group.supply("1.4.0", &Wish::Newest);
        let release = supply.desired().unwrap().unwrap();
        assert_eq!(release.length, "the program 1.4.2".len() as u64);
        let mut buffer = [0; 5];
        assert_eq!(supply.read(&release, 12, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer, b"1.4.2");
        assert_eq!(supply.read(&release, 17, &mut buffer).unwrap(), 0);
        let other = Release { sha256: Digest([7; 32]), ..release };
        assert!(matches!(
            supply.read(&other, 0, &mut buffer),
            Err(SupplyError::Unavailable { .. })
        ));
    }

    /// A repository that is away says nothing about releases; one that is forged does.
    #[test]
    fn away_and_forged_are_told_apart() {
        let group = Group::new();
        group.add("1.4.2", None);
        group.publish();
        let timestamp = group.path().join("releases/metadata/timestamp.json");
        let text = fs::read_to_string(&timestamp).unwrap();
        fs::write(&timestamp, text.replace("\"version\":1", "\"version\":7")).unwrap();
        let mut forged = group.supply("1.4.0", &Wish::Newest);
        assert!(matches!(forged.desired(), Err(SupplyError::Wrong { .. })));
        fs::remove_file(&timestamp).unwrap();
        fs::create_dir(&timestamp).unwrap();
        let mut away = group.supply("1.4.0", &Wish::Newest);
        let error = away.desired().unwrap_err();
        assert!(matches!(error, SupplyError::Unavailable { .. }), "{error}");
    }
}
