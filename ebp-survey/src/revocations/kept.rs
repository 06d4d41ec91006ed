//! The list of revocations on a server's own disk.
//!
//! A standby that was behind its primary may be promoted, and a backup may be put back: such a
//! database has fewer revocations than were confirmed to participants. A server keeps all that it
//! knows of in a file, and revokes again what the database does not have: at its start, and before
//! it serves another history of the database ([`HistoryStore`](ebp_store::HistoryStore)).

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use tokio::{sync::Mutex, task::spawn_blocking};

use super::{Applied, InvalidLine, Revocations};
use crate::atomic_file::write_atomic;
use ebp_store::{RevocationCounts, Store, StoreError};

/// The file's name in the data folder.
const NAME: &str = "revocations.jsonl";

/// Why the list cannot be kept or used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum KeptRevocationsError {
    /// The file cannot be read or written.
    #[error("the list of revocations {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// It is damaged, or of a newer version of the program.
    #[error("the list of revocations {}: {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line.
        source: InvalidLine,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The list in a server's data folder.
#[derive(Debug)]
pub struct KeptRevocations {
    file: ListFile,
    /// The file is read, completed and written by one at a time; what there was to put on it then.
    turn: Mutex<Option<Completed>>,
}

/// How store and file were when the list was last completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Completed {
    counts: RevocationCounts,
    file: Option<(u64, SystemTime)>,
}

#[derive(Debug, Clone)]
struct ListFile(PathBuf);

impl KeptRevocations {
    /// The list in that data folder, which is empty until something was revoked.
    #[must_use]
    pub fn in_folder(data: &Path) -> Self {
        Self { file: ListFile(data.join(NAME)), turn: Mutex::default() }
    }

    /// What is on the list.
    ///
    /// # Errors
    /// [`KeptRevocationsError::File`], [`KeptRevocationsError::Line`].
    pub fn read(&self) -> Result<Revocations, KeptRevocationsError> {
        Ok(self.file.read()?.1)
    }

    /// Puts what the store knows as revoked on the list; on disk once this returns.
    ///
    /// # Errors
    /// [`KeptRevocationsError`]; the list then is as it was.
    pub async fn complete(&self, store: &dyn Store) -> Result<(), KeptRevocationsError> {
        let mut turn = self.turn.lock().await;
        // Asked first: what is revoked meanwhile is found by the next look.
        let counts = store.revocation_counts().await?;
        *turn = None;
        let known = Revocations::from_store(store).await?;
        let file = self.in_background(move |file| file.add(known).map(|()| file.stamp())).await?;
        *turn = Some(Completed { counts, file });
        Ok(())
    }

    /// The same where the store knows of more or fewer than when the list was last completed, or
    /// somebody has changed the file: for those who look often. Whether there was anything to do.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub async fn complete_if_changed(
        &self,
        store: &dyn Store,
    ) -> Result<bool, KeptRevocationsError> {
        let counts = store.revocation_counts().await?;
        let file = self.in_background(|file| Ok(file.stamp())).await?;
        if *self.turn.lock().await == Some(Completed { counts, file }) {
            return Ok(false);
        }
        self.complete(store).await?;
        Ok(true)
    }

    /// Revokes in the store what is on the list and not revoked there, then completes the list.
    ///
    /// # Errors
    /// [`KeptRevocationsError`]; what was revoked stays so.
    pub async fn apply(&self, store: &dyn Store) -> Result<Applied, KeptRevocationsError> {
        let _turn = self.turn.lock().await;
        let (_, kept) = self.in_background(|file| file.read()).await?;
        let known = Revocations::from_store(store).await?;
        let applied = kept.without(&known).apply(store).await?;
        self.in_background(move |file| file.add(known)).await?;
        Ok(applied)
    }

    /// On a thread that may wait for a disk.
    async fn in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ListFile) -> Result<T, KeptRevocationsError> + Send + 'static,
    ) -> Result<T, KeptRevocationsError> {
        let file = self.file.clone();
        spawn_blocking(move || work(&file)).await.map_err(|_| StoreError::Closed)?
    }
}

impl ListFile {
    /// Its length, and when it was written; none where it is not there.
    fn stamp(&self) -> Option<(u64, SystemTime)> {
        let metadata = fs::metadata(&self.0).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    }

    /// Its text, and what that says.
    fn read(&self) -> Result<(String, Revocations), KeptRevocationsError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(self.error(source)),
        };
        let list = Revocations::parse(&text)
            .map_err(|source| KeptRevocationsError::Line { path: self.0.clone(), source })?;
        Ok((text, list))
    }

    /// Replaced only if there is something to add.
    fn add(&self, known: Revocations) -> Result<(), KeptRevocationsError> {
        let (text, kept) = self.read()?;
        let lines = kept.and(known).to_lines().map_err(|error| self.error(error.into()))?;
        if lines == text {
            return Ok(());
        }
        write_atomic(&self.0, lines.as_bytes(), 0o600).map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> KeptRevocationsError {
        KeptRevocationsError::File { path: self.0.clone(), source: Arc::new(source) }
    }
}
