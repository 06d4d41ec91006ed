//! The authority's register and the groups' secrets.

use async_trait::async_trait;
use ebp_core::scope::Group;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{SqliteStore, registered};
use crate::{
    AuthorityStore, ListPage, ListQuery, StoreError, certificate::RegisterEntry, serial::Serial,
};

#[async_trait]
impl AuthorityStore for SqliteStore {
    async fn add_to_register(&self, entries: Vec<RegisterEntry>) -> Result<u64, StoreError> {
        self.writer.run(move |tx| registered::add(tx, &entries)).await
    }

    async fn registered(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
        self.readers.run(move |db| registered::find(db, serial)).await
    }

    async fn register_page(&self, query: ListQuery) -> Result<ListPage<RegisterEntry>, StoreError> {
        self.readers.run(move |db| registered::list(db, query)).await
    }

    async fn last_registered(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.run(registered::last).await
    }

    async fn group_hash(&self, group: Group) -> Result<Option<String>, StoreError> {
        let hash = move |db: &Connection| {
            let mut statement =
                db.prepare_cached("SELECT hash FROM group_secret WHERE name = ?1")?;
            Ok(statement.query_row([group.name()], |row| row.get(0)).optional()?)
        };
        self.readers.run(hash).await
    }

    async fn set_group_hash(&self, group: Group, hash: String) -> Result<(), StoreError> {
        let set = move |tx: &Transaction<'_>| {
            tx.execute(
                "INSERT INTO group_secret (name, hash) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET hash = ?2",
                params![group.name(), hash],
            )?;
            Ok(())
        };
        self.writer.run(set).await
    }

    async fn add_group_hash(&self, group: Group, hash: String) -> Result<bool, StoreError> {
        let add = move |tx: &Transaction<'_>| {
            let added = tx.execute(
                "INSERT INTO group_secret (name, hash) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![group.name(), hash],
            )?;
            Ok(added > 0)
        };
        self.writer.run(add).await
    }
}
