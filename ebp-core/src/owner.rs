//! The users of this machine, to whom files are given.

use std::{fs, io, path::Path};

/// A user's and its group's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// Its group.
    pub group: u32,
}

impl Owner {
    /// The user of that name in `/etc/passwd`.
    ///
    /// # Errors
    /// Returns an error if there is none, or the file cannot be read.
    pub fn named(name: &str) -> io::Result<Self> {
        let unknown = || io::Error::new(io::ErrorKind::NotFound, format!("no user `{name}`"));
        Self::in_passwd(&fs::read_to_string("/etc/passwd")?, name).ok_or_else(unknown)
    }

    /// A user in the text of such a file.
    #[must_use]
    pub fn in_passwd(text: &str, name: &str) -> Option<Self> {
        let mut fields = text
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { user, group })
    }

    /// To whom root gives what it makes in a folder: the folder's owner. None if this process is not
    /// root's, if the folder is, or if there is none.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let metadata = fs::metadata(folder).ok()?;
            let is_others = rustix::process::geteuid().is_root() && metadata.uid() != 0;
            is_others.then(|| Self { user: metadata.uid(), group: metadata.gid() })
        }
        #[cfg(not(unix))]
        {
            let _ = folder;
            None
        }
    }

    /// Gives the user what belongs to root below the folder; `failed` is told what cannot be given. A
    /// file with several links stays root's: it may be one of another folder.
    pub fn give_below(self, folder: &Path, failed: &mut dyn FnMut(&Path, &io::Error)) {
        #[cfg(unix)]
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            use std::os::unix::fs::MetadataExt;
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            if metadata.is_dir() {
                self.give_below(&path, failed);
            }
            let is_single = metadata.is_dir() || (metadata.is_file() && metadata.nlink() == 1);
            if metadata.uid() == 0
                && is_single
                && let Err(error) = self.give(&path)
            {
                failed(&path, &error);
            }
        }
        #[cfg(not(unix))]
        let _ = (folder, failed);
    }

    /// Gives an open file to the user.
    ///
    /// # Errors
    /// Returns an error if this process may not.
    pub fn give_file(self, file: &fs::File) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::fchown(file, Some(self.user), Some(self.group));
        #[cfg(not(unix))]
        Err(io::Error::new(io::ErrorKind::Unsupported, "files have no owner here"))
    }

    /// Gives a file or folder to the user; a link itself, not where it leads.
    ///
    /// # Errors
    /// Returns an error if this process may not, or there is no such file.
    pub fn give(self, path: &Path) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::lchown(path, Some(self.user), Some(self.group));
        #[cfg(not(unix))]
        Err(io::Error::new(io::ErrorKind::Unsupported, "files have no owner here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_found_by_its_whole_name() {
        let text = "root:x:0:0::/root:/bin/sh\nebpx:x:1:1::/:/x\nebp:x:990:991::/nonexistent:/x\n";
        assert_eq!(Owner::in_passwd(text, "ebp"), Some(Owner { user: 990, group: 991 }));
        assert_eq!(Owner::in_passwd("ebp:x:a:b\n", "ebp"), None);
        assert_eq!(Owner::in_passwd("", "ebp"), None);
    }
}
