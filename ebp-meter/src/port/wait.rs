//! Waiting for a file descriptor without spinning.
//!
//! Enters: a descriptor and the longest time to wait. Leaves: whether there is something to read
//! or room to write. Absent: reading and writing.

use std::{os::fd::AsFd, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// A read or write does not block; it may still say that the other end is gone.
    Yes,
    /// Nothing within the time, or a signal came (so that Ctrl-C is seen at once).
    No,
    /// The other end is gone and nothing is left to read.
    Gone,
}

/// Waits until something can be read.
pub(super) fn readable(fd: impl AsFd, wait: Duration) -> Result<Ready, Errno> {
    ready(fd, PollFlags::IN, wait)
}

/// Waits until something can be written.
pub(super) fn writable(fd: impl AsFd, wait: Duration) -> Result<Ready, Errno> {
    ready(fd, PollFlags::OUT, wait)
}

fn ready(fd: impl AsFd, wanted: PollFlags, wait: Duration) -> Result<Ready, Errno> {
    // A time that does not fit is longer than anybody waits.
    let wait = Timespec::try_from(wait).ok();
    let mut fds = [PollFd::new(&fd, wanted)];
    match poll(&mut fds, wait.as_ref()) {
        Ok(0) | Err(Errno::INTR) => return Ok(Ready::No),
        Ok(_) => {}
        Err(errno) => return Err(errno),
    }
    // A hang-up does not take away what had arrived before it: read that first.
    Ok(if fds[0].revents().intersects(wanted) { Ready::Yes } else { Ready::Gone })
}
