//! The authority's register and the groups' secrets.

use async_trait::async_trait;
use ebp_core::scope::Group;
use jiff::Timestamp;

use super::{PostgresStore, registered, value::Instant};
use crate::{
    AuthorityStore, ListPage, ListQuery, StoreError, certificate::RegisterEntry, serial::Serial,
};

#[async_trait]
impl AuthorityStore for PostgresStore {
    async fn add_to_register(&self, entries: Vec<RegisterEntry>) -> Result<u64, StoreError> {
        let client = self.client().await?;
        self.change(registered::add(&client, entries)).await
    }

    async fn registered(&self, serial: Serial) -> Result<Option<RegisterEntry>, StoreError> {
        let client = self.client().await?;
        self.look_up(registered::find(&client, serial)).await
    }

    async fn register_page(&self, query: ListQuery) -> Result<ListPage<RegisterEntry>, StoreError> {
        let client = self.client().await?;
        self.look_up(registered::list(&client, query)).await
    }

    async fn last_registered(&self) -> Result<Option<Timestamp>, StoreError> {
        let client = self.client().await?;
        let last = async {
            let sql = "SELECT max(not_before) FROM authority_certificate";
            let last: Option<Instant> = client.query_one(sql, &[]).await?.try_get(0)?;
            Ok(last.map(|last| last.0))
        };
        self.look_up(last).await
    }

    async fn group_hash(&self, group: Group) -> Result<Option<String>, StoreError> {
        let client = self.client().await?;
        let hash = async {
            let sql = "SELECT hash FROM group_secret WHERE name = $1";
            let row = client.query_opt(sql, &[&group.name()]).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        };
        self.look_up(hash).await
    }

    async fn set_group_hash(&self, group: Group, hash: String) -> Result<(), StoreError> {
        let client = self.client().await?;
        let set = async {
            client
                .execute(
                    "INSERT INTO group_secret (name, hash) VALUES ($1, $2)
                     ON CONFLICT (name) DO UPDATE SET hash = $2",
                    &[&group.name(), &hash],
                )
                .await?;
            Ok(())
        };
        self.change(set).await
    }

    async fn add_group_hash(&self, group: Group, hash: String) -> Result<bool, StoreError> {
        let client = self.client().await?;
        let add = async {
            let added = client
                .execute(
                    "INSERT INTO group_secret (name, hash) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    &[&group.name(), &hash],
                )
                .await?;
            Ok(added > 0)
        };
        self.change(add).await
    }
}
