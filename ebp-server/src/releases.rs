//! The repository of the program's releases, for whoever asks devices to run one.

use std::{path::PathBuf, sync::Arc};

use ebp_release::author::{AuthorError, ReleaseFolder};
use ebp_survey::{PublishedReleases, ReleaseState};

/// The releases of a folder. It is read anew each time: it is changed by another program.
struct Releases(ReleaseFolder);

/// The releases in that folder.
pub(crate) fn in_folder(path: PathBuf) -> Arc<dyn PublishedReleases> {
    Arc::new(Releases(ReleaseFolder::new(path)))
}

impl PublishedReleases for Releases {
    fn state(&self, version: &str) -> ReleaseState {
        let published = match self.0.published_versions() {
            Ok(published) => published,
            Err(AuthorError::NoRepository(_)) => return ReleaseState::Unknown,
            Err(error) => {
                tracing::warn!(%error, "the releases of the program cannot be read");
                return ReleaseState::Unreadable;
            }
        };
        match published.iter().find(|(known, _)| known.to_string() == version) {
            None => ReleaseState::Unknown,
            Some((_, true)) => ReleaseState::Recalled,
            Some((_, false)) => ReleaseState::Published,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ebp_core::clock::{Clock, SystemClock};
    use ebp_release::author::{FirstKeys, NewRelease, SigningKey};

    use super::*;

    #[test]
    fn what_is_published_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let (path, program) = (folder.path().join("releases"), folder.path().join("program"));
        let releases = in_folder(path.clone());
        assert_eq!(releases.state("1.4.2"), ReleaseState::Unknown, "there is no folder");
        let key = || SigningKey::generate().unwrap().0;
        let (root, targets, online) = (key(), key(), key());
        let public = |key: &SigningKey| key.public(None).unwrap();
        let author = ReleaseFolder::new(&path);
        let now = SystemClock.now();
        let keys = FirstKeys {
            root: (vec![public(&root)], 1),
            targets: (vec![public(&targets)], 1),
            online: public(&online),
        };
        author.init(&keys, now).unwrap();
        fs::write(&program, "the program").unwrap();
        let add = |version: &str| {
            let (version, architecture) = (version.parse().unwrap(), "aarch64".to_owned());
            let release = NewRelease { version, architecture, needs: None, program: &program };
            author.add(&release, now).unwrap();
        };
        let publish = || {
            for key in [&root, &targets] {
                // Not each of them may sign each draft.
                drop(author.sign(key, None));
            }
            author.publish(&online, now).unwrap();
        };
        add("1.4.1");
        add("1.4.2");
        assert_eq!(releases.state("1.4.2"), ReleaseState::Unknown, "it is a draft");
        publish();
        assert_eq!(releases.state("1.4.2"), ReleaseState::Published);
        assert_eq!(releases.state("1.4.3"), ReleaseState::Unknown);
        author.recall(&"1.4.2".parse().unwrap(), now).unwrap();
        publish();
        assert_eq!(releases.state("1.4.2"), ReleaseState::Recalled);
        assert_eq!(releases.state("1.4.1"), ReleaseState::Published);
        fs::write(path.join("metadata/timestamp.json"), "{").unwrap();
        assert_eq!(releases.state("1.4.1"), ReleaseState::Unreadable);
    }
}
