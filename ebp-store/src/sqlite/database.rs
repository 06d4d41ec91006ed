//! The opened SQLite database and what works for it.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use super::{connection, reader::Readers, writer::Writer};
use crate::{Quota, StoreError, founding::Founding, revoked::MaskedBy};

/// A [`Store`](crate::Store) in one SQLite file.
pub struct SqliteStore {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    pub(super) masked_by: MaskedBy,
    pub(super) quota: OnceLock<Quota>,
}

impl SqliteStore {
    /// Opens the file; makes (mode 0600) and migrates it where needed.
    ///
    /// # Errors
    /// Returns an error if it cannot be opened, is no database, or is of a newer version of the
    /// program.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Founding::Allowed).await
    }

    pub(crate) async fn open_as(path: &Path, founding: Founding) -> Result<Self, StoreError> {
        let path: Arc<Path> = path.into();
        let open = {
            let path = path.clone();
            move || connection::open_for_writing(&path, founding)
        };
        let connection =
            tokio::task::spawn_blocking(open).await.map_err(|_| StoreError::Closed)??;
        Ok(Self {
            writer: Writer::start(connection)?,
            readers: Readers::new(path),
            masked_by: MaskedBy::default(),
            quota: OnceLock::new(),
        })
    }
}
