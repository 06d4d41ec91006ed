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
