//! Limits requests to one a second, for all processes that share a folder.
//!
//! Enters: a folder, the clock. Leaves: a turn, held while the request is made. Absent: requests.
//!
//! The file `turn` contains the instant from which on the next request may be sent (milliseconds
//! since the Unix epoch); the holder of the file's lock may send a request.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ebp_core::{clock::Clock, private_file};

/// The least time between the starts of two requests.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait that is obeyed. A later instant in the file was written with another clock.
const LONGEST: Duration = Duration::from_secs(3600);
/// The time between two tries to get the lock.
const TRY: Duration = Duration::from_millis(20);

/// Gives turns to all processes that share a folder.
pub struct Turns {
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

/// The turn to send a request. It ends when this value is dropped.
pub struct Turn<'a> {
    file: File,
    clock: &'a dyn Clock,
}

impl Turns {
    pub fn new(folder: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { path: folder.join("turn"), clock }
    }

    /// Waits for the turn; none if it does not come before `until`.
    pub fn take(&self, until: Instant) -> io::Result<Option<Turn<'_>>> {
        let file = private_file::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(TRY),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        let mut turn = Turn { file, clock: &*self.clock };
        let wait = turn.wait()?;
        if Instant::now() + wait > until {
            return Ok(None);
        }
        thread::sleep(wait);
        turn.put_off(PAUSE)?;
        Ok(Some(turn))
    }
}

impl Turn<'_> {
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn wait(&mut self) -> io::Result<Duration> {
        let mut text = String::new();
        self.file.rewind()?;
        (&self.file).take(32).read_to_string(&mut text)?;
        let next: i64 = text.trim().parse().unwrap_or(0);
        let wait = u64::try_from(next.saturating_sub(self.now())).unwrap_or(0);
        let wait = Duration::from_millis(wait);
        Ok(if wait > LONGEST { PAUSE } else { wait })
    }

    /// Nobody asks before so much time has passed.
    pub fn put_off(&mut self, pause: Duration) -> io::Result<()> {
        let pause = i64::try_from(pause.min(LONGEST).as_millis()).unwrap_or(0);
        self.file.rewind()?;
        self.file.set_len(0)?;
        write!(self.file, "{}", self.now() + pause)
    }
}
