//! Sessions in pages, and links by which somebody signs in once, in PostgreSQL.

use async_trait::async_trait;
use ebp_core::{contract::WebSession, scope::Group};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{PostgresStore, value::Instant};
use crate::{
    Digest, NewSignInLink, NewWebSession, StoreError, WebSessionStore, web_session::SessionBounds,
};

#[async_trait]
impl WebSessionStore for PostgresStore {
    async fn begin_web_session(&self, new: NewWebSession, at: Timestamp) -> Result<(), StoreError> {
        let bounds = SessionBounds::at(at);
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            tx.execute(
                "DELETE FROM web_session WHERE seen_at <= $1 OR began_at <= $2",
                &[&Instant(bounds.idle), &Instant(bounds.absolute)],
            )
            .await?;
            tx.execute(
                "INSERT INTO web_session
                     (token, uuid, group_name, label, browser, began_at, seen_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)",
                &[
                    &new.token.as_slice(),
                    &new.uuid,
                    &new.group.name(),
                    &new.label,
                    &new.browser,
                    &Instant(at),
                ],
            )
            .await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    async fn web_session(
        &self,
        token: Digest,
        is_used: bool,
        at: Timestamp,
    ) -> Result<Option<WebSession>, StoreError> {
        let bounds = SessionBounds::at(at);
        let client = self.client().await?;
        let found = self
            .look_up(async {
                let statement = client
                    .prepare_cached(
                        "SELECT uuid, group_name, label, browser, began_at, seen_at
                         FROM web_session WHERE token = $1",
                    )
                    .await?;
                let row = client.query_opt(&statement, &[&token.as_slice()]).await?;
                row.as_ref().map(session).transpose()
            })
            .await?;
        let Some(session) = found.filter(|session| bounds.last(session)) else { return Ok(None) };
        if is_used && session.seen_at <= bounds.noted {
            self.change(async {
                let sql = "UPDATE web_session SET seen_at = $2 WHERE token = $1";
                let statement = client.prepare_cached(sql).await?;
                client.execute(&statement, &[&token.as_slice(), &Instant(at)]).await?;
                Ok(())
            })
            .await?;
        }
        Ok(Some(session))
    }

    async fn end_web_session_by(&self, token: Digest) -> Result<bool, StoreError> {
        let client = self.client().await?;
        self.change(async {
            let sql = "DELETE FROM web_session WHERE token = $1";
            Ok(client.execute(sql, &[&token.as_slice()]).await? > 0)
        })
        .await
    }

    async fn end_web_session(&self, session: Uuid) -> Result<bool, StoreError> {
        let client = self.client().await?;
        self.change(async {
            let sql = "DELETE FROM web_session WHERE uuid = $1";
            Ok(client.execute(sql, &[&session]).await? > 0)
        })
        .await
    }

    async fn web_sessions(&self, at: Timestamp) -> Result<Vec<WebSession>, StoreError> {
        let bounds = SessionBounds::at(at);
        let client = self.client().await?;
        self.look_up(async {
            let rows = client
                .query(
                    "SELECT uuid, group_name, label, browser, began_at, seen_at
                     FROM web_session ORDER BY began_at, uuid",
                    &[],
                )
                .await?;
            let sessions = rows.iter().map(session).collect::<Result<Vec<_>, StoreError>>()?;
            Ok(sessions.into_iter().filter(|session| bounds.last(session)).collect())
        })
        .await
    }

    async fn add_sign_in_link(&self, new: NewSignInLink, at: Timestamp) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        self.change(async {
            let tx = client.transaction().await?;
            tx.execute("DELETE FROM sign_in_link WHERE expires_at <= $1", &[&Instant(at)]).await?;
            tx.execute(
                "INSERT INTO sign_in_link (token, group_name, label, expires_at)
                 VALUES ($1, $2, $3, $4)",
                &[&new.token.as_slice(), &new.group.name(), &new.label, &Instant(new.expires_at)],
            )
            .await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    async fn use_sign_in_link(
        &self,
        token: Digest,
        at: Timestamp,
    ) -> Result<(Group, String), StoreError> {
        let client = self.client().await?;
        self.change(async {
            let row = client
                .query_opt(
                    "DELETE FROM sign_in_link WHERE token = $1
                     RETURNING group_name, label, expires_at",
                    &[&token.as_slice()],
                )
                .await?
                .ok_or(StoreError::NotFound)?;
            let Instant(expires_at) = row.try_get(2)?;
            if expires_at <= at {
                return Err(StoreError::NotFound);
            }
            Ok((group(&row, 0)?, row.try_get(1)?))
        })
        .await
    }
}

fn session(row: &Row) -> Result<WebSession, StoreError> {
    let (Instant(began_at), Instant(seen_at)) = (row.try_get(4)?, row.try_get(5)?);
    Ok(WebSession {
        uuid: row.try_get(0)?,
        group: group(row, 1)?,
        label: row.try_get(2)?,
        browser: row.try_get(3)?,
        began_at,
        seen_at,
    })
}

fn group(row: &Row, column: usize) -> Result<Group, StoreError> {
    let name: &str = row.try_get(column)?;
    name.parse().map_err(|_| StoreError::Damaged("group"))
}
