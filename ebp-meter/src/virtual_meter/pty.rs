//! A pseudoterminal that any program can open as if it were a serial port.
//!
//! Enters: bytes of a meter, light of a reader. Leaves: each at the other side. Absent: pacing;
//! breaks, which no pseudoterminal hands on.
//!
//! Telegrams are light pulses: a reader that is not there misses them. Nothing here waits for a
//! reader; bytes that are unread when the next telegram begins are discarded, so that a reader that
//! comes later gets fresh telegrams and not the four kilobytes that a kernel keeps.

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, fcntl_setfl},
    io::{Errno, FdFlags, fcntl_setfd, ioctl_fionread},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr},
};

/// Why there is no pseudoterminal, or no link to it.
#[derive(Debug, thiserror::Error)]
pub enum PtyError {
    /// The kernel gives none, or closed it.
    #[error("no pseudoterminal: {0}")]
    Io(#[from] io::Error),
    /// Where the link should be is something else.
    #[error("{} is already there and no link of an ended virtual meter", path.display())]
    LinkTaken {
        /// Where.
        path: PathBuf,
    },
    /// The link cannot be made.
    #[error("cannot make the link {}: {source}", path.display())]
    Link {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<Errno> for PtyError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// A pseudoterminal; its link, if it has one, is removed with it.
#[derive(Debug)]
pub struct Pty {
    meter: OwnedFd,
    /// The readers' side, kept open so that the pseudoterminal outlives each of them.
    readers: OwnedFd,
    path: PathBuf,
    link: Option<PathBuf>,
}

impl Pty {
    /// Opens a pseudoterminal in raw mode, and makes a symbolic link to it where one is wanted. A
    /// link that leads nowhere any more is replaced; anything else in its place is left alone.
    ///
    /// # Errors
    /// Returns [`PtyError::LinkTaken`] if the link's path exists and is no link to a terminal, and
    /// another [`PtyError`] if the pseudoterminal cannot be opened.
    pub fn open(link: Option<&Path>) -> Result<Self, PtyError> {
        let meter = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        fcntl_setfd(&meter, FdFlags::CLOEXEC)?;
        fcntl_setfl(&meter, OFlags::RDWR | OFlags::NONBLOCK)?;
        grantpt(&meter)?;
        unlockpt(&meter)?;
        let name = ptsname(&meter, Vec::new())?;
        let path = PathBuf::from(name.to_string_lossy().into_owned());
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let readers = rustix::fs::open(&path, flags, Mode::empty())?;
        let mut settings = tcgetattr(&readers)?;
        settings.make_raw();
        settings.set_speed(9_600)?;
        tcsetattr(&readers, OptionalActions::Now, &settings)?;
        let mut pty = Self { meter, readers, path, link: None };
        if let Some(link) = link {
            make_link(&pty.path, link)?;
            pty.link = Some(link.to_owned());
        }
        Ok(pty)
    }

    /// Where readers open it: the link where there is one, else the device.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.path)
    }

    /// The device itself.
    #[must_use]
    pub fn device(&self) -> &Path {
        &self.path
    }

    /// Sends bytes; what does not fit into the kernel's memory is lost.
    ///
    /// # Errors
    /// Returns an error if the kernel has closed the pseudoterminal.
    pub fn send(&self, bytes: &[u8]) -> Result<(), PtyError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(&self.meter, rest) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Before a telegram: throws away what was left unread of those before, if it is at least
    /// `least` bytes, as much as a reader at work never leaves. Says whether it did.
    ///
    /// A reader's claim to have the port alone (`TIOCEXCL`) outlives it while this side holds the
    /// port open; without a reader, that claim is given up, too.
    ///
    /// # Errors
    /// Returns an error if the kernel has closed the pseudoterminal.
    pub fn freshen(&self, least: usize) -> Result<bool, PtyError> {
        let unread = ioctl_fionread(&self.readers)?;
        if unread == 0 || unread < least as u64 {
            return Ok(false);
        }
        tcflush(&self.readers, QueueSelector::IFlush)?;
        ioctl_tiocnxcl(&self.readers)?;
        Ok(true)
    }

    /// Waits at most `wait` for bytes from a reader, and puts them into the buffer.
    ///
    /// # Errors
    /// Returns an error if the kernel has closed the pseudoterminal.
    pub fn receive(&self, buffer: &mut [u8], wait: Duration) -> Result<usize, PtyError> {
        let timeout = Timespec {
            tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        let mut fds = [PollFd::new(&self.meter, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(0),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        match rustix::io::read(&self.meter, buffer) {
            Ok(received) => Ok(received),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.path)
        {
            // Nothing can be done about a link that stays.
            let _ = fs::remove_file(link);
        }
    }
}

fn make_link(device: &Path, link: &Path) -> Result<(), PtyError> {
    let failed = |source| PtyError::Link { path: link.to_owned(), source };
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match symlink(device, link) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    Err(PtyError::LinkTaken { path: link.to_owned() })
                }
                other => other.map_err(failed),
            };
        }
        Err(error) => return Err(failed(error)),
        Ok(_) => {}
    }
    // A link of a meter that ended without removing it leads nowhere, or here by chance.
    let target = fs::read_link(link).ok();
    let dead = target.is_some_and(|target| target == device)
        || fs::symlink_metadata(link).is_ok_and(|metadata| metadata.is_symlink())
            && fs::metadata(link).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if !dead {
        return Err(PtyError::LinkTaken { path: link.to_owned() });
    }
    let mut name = link.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = link.with_file_name(name);
    symlink(device, &beside).map_err(failed)?;
    fs::rename(&beside, link).map_err(|source| {
        let _ = fs::remove_file(&beside);
        failed(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_comes_and_goes_with_its_pty() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("meter");
        let pty = Pty::open(Some(&link)).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), pty.device());
        assert_eq!(pty.path(), link);
        drop(pty);
        assert!(fs::symlink_metadata(&link).is_err());
    }

    #[test]
    fn a_dead_link_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("meter");
        symlink("/dev/pts/no-such-device", &link).unwrap();
        let pty = Pty::open(Some(&link)).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), pty.device());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

        // A second meter must not take the link of a living one.
        assert!(matches!(Pty::open(Some(&link)), Err(PtyError::LinkTaken { .. })));
        assert_eq!(fs::read_link(&link).unwrap(), pty.device());

        // Nor the place of a file or folder.
        let file = folder.path().join("file");
        fs::write(&file, "mine").unwrap();
        let error = Pty::open(Some(&file)).unwrap_err();
        assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        assert!(matches!(Pty::open(Some(folder.path())), Err(PtyError::LinkTaken { .. })));
        let nowhere = folder.path().join("none/meter");
        assert!(matches!(Pty::open(Some(&nowhere)), Err(PtyError::Link { .. })));
    }

    #[test]
    fn somebody_elses_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("meter");
        let pty = Pty::open(Some(&link)).unwrap();
        fs::remove_file(&link).unwrap();
        symlink("/dev/null", &link).unwrap();
        drop(pty);
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("/dev/null"));
    }

    #[test]
    fn nobody_reads_and_nothing_waits() {
        let pty = Pty::open(None).unwrap();
        for round in 0..200 {
            let fresh = pty.freshen(300).unwrap();
            assert!(round > 0 || !fresh);
            pty.send(&[0x1b; 300]).unwrap();
        }
        // Even without throwing away: more than the kernel keeps.
        for _ in 0..200 {
            pty.send(&[0xff; 300]).unwrap();
        }
    }

    #[test]
    fn every_byte_passes_unchanged_both_ways() {
        use std::io::{Read, Write};
        let pty = Pty::open(None).unwrap();
        let mut reader = fs::OpenOptions::new().read(true).write(true).open(pty.path()).unwrap();
        let all: Vec<u8> = (0..=255).collect();
        pty.send(&all).unwrap();
        let mut read = vec![0; 256];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(read, all);

        reader.write_all(&all).unwrap();
        let mut heard: Vec<u8> = Vec::new();
        let mut buffer = [0; 64];
        while heard.len() < all.len() {
            let received = pty.receive(&mut buffer, Duration::from_secs(5)).unwrap();
            assert!(received > 0, "light was lost");
            heard.extend(&buffer[..received]);
        }
        assert_eq!(heard, all);
        assert_eq!(pty.receive(&mut buffer, Duration::ZERO).unwrap(), 0, "nothing echoes");
    }
}
