//! The limit on the spool's size.

use rusqlite::Transaction;

use super::{Spool, SpoolError};
use ebp_core::contract::Notice;

/// The reserve beyond the limit, for everything that is not a measurement.
const RESERVE: u64 = 1 << 20;

impl Spool {
    /// Bytes that the spool has on the disk, its journal included.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        let length = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |file| file.len());
        length(&self.path) + length(&super::open::beside(&self.path, "-wal"))
    }

    /// Whether the limit is reached: no measurement is accepted until the server has confirmed
    /// some.
    ///
    /// # Errors
    /// Returns [`SpoolError`] if the spool cannot be read or written (disk full, read-only,
    /// damaged, or locked by another process).
    pub fn is_full(&self) -> Result<bool, SpoolError> {
        Ok(self.used_bytes()? >= self.options.max_bytes)
    }

    /// Continues the transaction if there is space; records a notice if not.
    pub(super) fn with_room<'a>(
        &self,
        transaction: Transaction<'a>,
    ) -> Result<Transaction<'a>, SpoolError> {
        if !self.is_full()? {
            return Ok(transaction);
        }
        self.write_notice(&transaction, Notice::SpoolFull, "").map_err(|e| self.fault(e))?;
        transaction.commit().map_err(|e| self.fault(e))?;
        let max_bytes = self.options.max_bytes;
        Err(SpoolError::LimitReached { path: self.path.clone(), max_bytes })
    }

    /// The database itself keeps the file below the limit and its reserve.
    pub(super) fn limit_pages(&self) -> Result<(), SpoolError> {
        let page: u64 = self.figure("page_size")?;
        let pages = (self.options.max_bytes.saturating_add(RESERVE) / page.max(1))
            .clamp(1, u64::from(u32::MAX - 1));
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .map_err(|e| self.fault(e))
    }

    /// Bytes of the file that are in use; pages that became free are used again.
    fn used_bytes(&self) -> Result<u64, SpoolError> {
        let pages = self.figure("page_count")?.saturating_sub(self.figure("freelist_count")?);
        Ok(pages * self.figure("page_size")?)
    }

    fn figure(&self, pragma: &str) -> Result<u64, SpoolError> {
        self.first_row(&format!("PRAGMA {pragma}"), |row| row.get::<_, i64>(0))
            .map(|figure| u64::try_from(figure).unwrap_or(0))
            .map_err(|e| self.fault(e))
    }
}
