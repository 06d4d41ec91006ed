//! The file of `--key-file`, which only its owner may read: two runs over one table agree by it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use ebp_anon::ReleaseKey;

use crate::exit::{Context, Failure};

/// The key in the file, which is made if there is none.
pub fn load_or_make_key(path: &Path) -> Result<ReleaseKey, Failure> {
    match load_key(path)? {
        Some(key) => Ok(key),
        None => make_key(path),
    }
}

/// The key in the file; none if there is no file.
fn load_key(path: &Path) -> Result<Option<ReleaseKey>, Failure> {
    let kind = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.or_failed(path.display())?,
    };
    // A pipe would be waited for without a word.
    if !kind.is_file() {
        return Err(Failure::failed(format!("{} is no regular file", path.display()))
            .remedy("name a file that keeps the key"));
    }
    let text = fs::read_to_string(path).or_failed(path.display())?;
    let mode = kind.permissions().mode();
    if mode & 0o077 != 0 {
        let failure = format!("{} can be read by others than its owner", path.display());
        return Err(Failure::failed(failure)
            .remedy(format!("make it private with `chmod 600 {}`", path.display())));
    }
    let key = text.parse().map_err(|error| {
        Failure::failed(format!("{}: {error}", path.display()))
            .remedy("bring the file back from a backup; a new key would move households anew")
    });
    key.map(Some)
}

/// Makes a key and its file (mode 0600), on the disk when this returns.
fn make_key(path: &Path) -> Result<ReleaseKey, Failure> {
    let key = ReleaseKey::from_os().map_err(Failure::failed)?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        // Written under another name first: the file exists completely or not at all.
        let draft = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", key.to_secret_text())?;
        file.sync_all()?;
        // Creating a link does not replace an existing file.
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked?;
        File::open(folder)?.sync_all()
    };
    match write() {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match load_key(path)? {
            Some(key) => Ok(key),
            None => Err(error).or_failed(path.display()),
        },
        made => made.or_failed(path.display()).map(|()| key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &Path) -> String {
        load_or_make_key(path).ok().unwrap().to_secret_text()
    }

    #[test]
    fn made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        assert_eq!(text(&path), text(&path));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = load_or_make_key(&path).err().unwrap().message;
        assert!(refused.contains("others than its owner"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "ebp-release-key-1:1234").unwrap();
        let refused = load_or_make_key(folder.path()).err().unwrap().message;
        assert!(refused.contains("no regular file"), "{refused}");
        let refused = load_or_make_key(&path).err().unwrap().message;
        assert!(refused.contains("release.key") && !refused.contains("1234"), "{refused}");
    }

    #[test]
    fn of_many_who_make_it_at_once_all_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        let texts: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| text(&path))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(texts.iter().all(|text| *text == texts[0]));
    }
}
