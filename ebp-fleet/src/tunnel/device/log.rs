//! The device's own log of sessions and its household's choice: SQLite beside the spool.
//!
//! A session is stored durably before it is let in, so that a device that loses power in the middle
//! has it, too: its row has no end, and the next start writes that it was interrupted.

use std::path::{Path, PathBuf};

use ebp_core::private_file;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::access::Choice;
use crate::tunnel::local::{LoggedSession, SessionEnd};

/// So many sessions are kept.
const KEPT: u32 = 1_000;

/// Why the log cannot be used: mostly a full or read-only disk.
#[derive(Debug, thiserror::Error)]
#[error("the log of sessions {}: {reason}", path.display())]
pub struct LogError {
    /// Its file.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// The log.
pub struct SessionLog {
    database: Connection,
    path: PathBuf,
}

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 64;
    CREATE TABLE IF NOT EXISTS session (
        number        INTEGER PRIMARY KEY,
        session       TEXT NOT NULL,
        administrator TEXT NOT NULL,
        service       TEXT NOT NULL,
        began_at      INTEGER NOT NULL,
        ended_at      INTEGER,
        bytes_in      INTEGER NOT NULL DEFAULT 0,
        bytes_out     INTEGER NOT NULL DEFAULT 0,
        ended_by      TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS access (
        one          INTEGER PRIMARY KEY CHECK (one = 1),
        access_until INTEGER NOT NULL
    ) STRICT;
    PRAGMA user_version = 1;";

impl SessionLog {
    /// Opens or makes it. Sessions without an end were interrupted at that instant at the latest.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be opened or written.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, LogError> {
        let fault = |reason: String| LogError { path: path.to_owned(), reason };
        if !path.exists() {
            let made = private_file::options().write(true).create_new(true).open(path);
            made.map_err(|error| fault(error.to_string()))?;
        }
        let open = || {
            let database = Connection::open(path)?;
            Self::prepare(&database, now)?;
            Ok(database)
        };
        let database = open().map_err(|error: rusqlite::Error| fault(error.to_string()))?;
        Ok(Self { database, path: path.to_owned() })
    }

    /// A log that ends with the process, for tests.
    ///
    /// # Errors
    /// [`LogError`] when there is no memory.
    #[doc(hidden)]
    pub fn in_memory() -> Result<Self, LogError> {
        let open = || {
            let database = Connection::open_in_memory()?;
            Self::prepare(&database, Timestamp::UNIX_EPOCH)?;
            Ok(database)
        };
        let fault =
            |error: rusqlite::Error| LogError { path: PathBuf::new(), reason: error.to_string() };
        Ok(Self { database: open().map_err(fault)?, path: PathBuf::new() })
    }

    fn prepare(database: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        database.busy_timeout(std::time::Duration::from_secs(5))?;
        database.execute_batch(SCHEMA)?;
        database.execute(
            "UPDATE session SET ended_at = max(began_at, ?1), ended_by = 'interrupted'
                 WHERE ended_at IS NULL",
            [now.as_second()],
        )?;
        Ok(())
    }

    fn fault(&self, error: rusqlite::Error) -> LogError {
        LogError { path: self.path.clone(), reason: error.to_string() }
    }

    /// Stores that a session begins, durably, and returns its number. The oldest are forgotten.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be written: then nobody is let in.
    pub fn begin(
        &mut self,
        session: Uuid,
        administrator: &str,
        service: &str,
        now: Timestamp,
    ) -> Result<i64, LogError> {
        let write = |database: &mut Connection| {
            let tx = database.transaction()?;
            tx.execute(
                "INSERT INTO session (session, administrator, service, began_at)
                 VALUES (?1, ?2, ?3, ?4)",
                params![session.to_string(), administrator, service, now.as_second()],
            )?;
            let number = tx.last_insert_rowid();
            tx.execute("DELETE FROM session WHERE number <= ?1 - ?2", [number, i64::from(KEPT)])?;
            tx.commit()?;
            Ok(number)
        };
        write(&mut self.database).map_err(|error| self.fault(error))
    }

    /// Stores how it ended.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be written; the next start writes an end then.
    pub fn end(
        &mut self,
        number: i64,
        now: Timestamp,
        [bytes_in, bytes_out]: [u64; 2],
        end: SessionEnd,
    ) -> Result<(), LogError> {
        let written = self.database.execute(
            "UPDATE session SET ended_at = max(began_at, ?2), bytes_in = ?3, bytes_out = ?4,
                 ended_by = ?5
             WHERE number = ?1",
            params![number, now.as_second(), count(bytes_in), count(bytes_out), end.name()],
        );
        written.map(drop).map_err(|error| self.fault(error))
    }

    /// The latest sessions, newest first.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be read.
    pub fn latest(&self, most: u32) -> Result<Vec<LoggedSession>, LogError> {
        let read = || {
            let mut statement = self.database.prepare_cached(
                "SELECT session, administrator, service, began_at, ended_at, bytes_in, bytes_out,
                     ended_by
                 FROM session ORDER BY number DESC LIMIT ?1",
            )?;
            let rows = statement.query_map([most], |row| {
                let (session, began_at): (String, i64) = (row.get(0)?, row.get(3)?);
                let (ended_at, ended_by): (Option<i64>, Option<String>) =
                    (row.get(4)?, row.get(7)?);
                let (bytes_in, bytes_out): (i64, i64) = (row.get(5)?, row.get(6)?);
                let instant = |second| Timestamp::from_second(second).unwrap_or_default();
                Ok(LoggedSession {
                    session: session.parse().unwrap_or_default(),
                    administrator: row.get(1)?,
                    service: row.get(2)?,
                    began_at: instant(began_at),
                    ended_at: ended_at.map(instant),
                    bytes_in: bytes_in.unsigned_abs(),
                    bytes_out: bytes_out.unsigned_abs(),
                    end: SessionEnd::ALL
                        .into_iter()
                        .find(|end| ended_by.as_deref() == Some(end.name())),
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(|error| self.fault(error))
    }

    /// What the household chose.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be read.
    pub fn choice(&self) -> Result<Choice, LogError> {
        let read = self
            .database
            .query_row("SELECT access_until FROM access", [], |row| row.get::<_, i64>(0))
            .optional();
        let until = read.map_err(|error| self.fault(error))?;
        Ok(match until {
            None => Choice::None,
            Some(second) => Choice::Until(Timestamp::from_second(second).unwrap_or_default()),
        })
    }

    /// Stores what the household chose, durably.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be written.
    pub fn choose(&mut self, choice: Choice) -> Result<(), LogError> {
        let written = match choice {
            Choice::None => self.database.execute("DELETE FROM access", []),
            Choice::Until(until) => self.database.execute(
                "INSERT INTO access (one, access_until) VALUES (1, ?1)
                 ON CONFLICT (one) DO UPDATE SET access_until = excluded.access_until",
                [until.as_second()],
            ),
        };
        written.map(drop).map_err(|error| self.fault(error))
    }
}

fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_open_row_is_closed_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tunnel.sqlite");
        let session = Uuid::from_u128(1);
        let mut log = SessionLog::open(&path, at(0)).unwrap();
        let number = log.begin(session, "erika", "ssh", at(10)).unwrap();
        // Another connection sees it before anything was answered.
        let other = Connection::open(&path).unwrap();
        let stored: String =
            other.query_row("SELECT administrator FROM session", [], |row| row.get(0)).unwrap();
        assert_eq!(stored, "erika");
        log.begin(session, "unknown", "ssh", at(11)).unwrap();
        log.end(number, at(12), [3, 4], SessionEnd::Closed).unwrap();
        log.choose(Choice::Until(at(99))).unwrap();
        drop(log);
        let log = SessionLog::open(&path, at(20)).unwrap();
        let [second, first] = log.latest(10).unwrap().try_into().unwrap();
        assert_eq!((first.end, first.bytes_in, first.bytes_out), (Some(SessionEnd::Closed), 3, 4));
        assert_eq!((second.end, second.ended_at), (Some(SessionEnd::Interrupted), Some(at(20))));
        assert_eq!(log.choice().unwrap(), Choice::Until(at(99)));
    }

    #[test]
    fn a_thousand_are_kept_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = SessionLog::open(&dir.path().join("t.sqlite"), at(0)).unwrap();
        log.database.execute_batch("PRAGMA synchronous = OFF").unwrap();
        for second in 0..1_005 {
            log.begin(Uuid::nil(), "a", "ssh", at(second)).unwrap();
        }
        let kept = log.latest(2_000).unwrap();
        assert_eq!((kept.len(), kept[0].began_at, kept[999].began_at), (1_000, at(1_004), at(5)));
    }

    #[test]
    fn others_cannot_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.sqlite");
        drop(SessionLog::open(&path, at(0)).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
}
