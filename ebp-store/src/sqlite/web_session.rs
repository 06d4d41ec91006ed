//! Sessions in pages, and links by which somebody signs in once, in SQLite.

use async_trait::async_trait;
use ebp_core::{contract::WebSession, scope::Group};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, types::FromSqlError};
use uuid::Uuid;

use super::{
    SqliteStore,
    value::{Id, Instant},
};
use crate::{
    Digest, NewSignInLink, NewWebSession, StoreError, WebSessionStore, web_session::SessionBounds,
};

#[async_trait]
impl WebSessionStore for SqliteStore {
    async fn begin_web_session(&self, new: NewWebSession, at: Timestamp) -> Result<(), StoreError> {
        self.writer.run(move |tx| begin(tx, &new, at)).await
    }

    async fn web_session(
        &self,
        token: Digest,
        is_used: bool,
        at: Timestamp,
    ) -> Result<Option<WebSession>, StoreError> {
        let bounds = SessionBounds::at(at);
        let found = self.readers.run(move |db| find(db, &token)).await?;
        let Some(session) = found.filter(|session| bounds.last(session)) else { return Ok(None) };
        if is_used && session.seen_at <= bounds.noted {
            let note = move |tx: &Transaction<'_>| {
                tx.prepare_cached("UPDATE web_session SET seen_at = ?2 WHERE token = ?1")?
                    .execute(params![token.as_slice(), Instant(at)])?;
                Ok(())
            };
            self.writer.run(note).await?;
        }
        Ok(Some(session))
    }

    async fn end_web_session_by(&self, token: Digest) -> Result<bool, StoreError> {
        let end = move |tx: &Transaction<'_>| {
            let sql = "DELETE FROM web_session WHERE token = ?1";
            Ok(tx.prepare_cached(sql)?.execute([token.as_slice()])? > 0)
        };
        self.writer.run(end).await
    }

    async fn end_web_session(&self, session: Uuid) -> Result<bool, StoreError> {
        let end = move |tx: &Transaction<'_>| {
            let sql = "DELETE FROM web_session WHERE uuid = ?1";
            Ok(tx.prepare_cached(sql)?.execute([Id(session)])? > 0)
        };
        self.writer.run(end).await
    }

    async fn web_sessions(&self, at: Timestamp) -> Result<Vec<WebSession>, StoreError> {
        let bounds = SessionBounds::at(at);
        let all = move |db: &Connection| {
            let mut statement = db.prepare_cached(
                "SELECT uuid, group_name, label, browser, began_at, seen_at
                 FROM web_session ORDER BY began_at, uuid",
            )?;
            let rows = statement.query_map([], session)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        };
        let sessions = self.readers.run(all).await?;
        Ok(sessions.into_iter().filter(|session| bounds.last(session)).collect())
    }

    async fn add_sign_in_link(&self, new: NewSignInLink, at: Timestamp) -> Result<(), StoreError> {
        self.writer.run(move |tx| add_link(tx, &new, at)).await
    }

    async fn use_sign_in_link(
        &self,
        token: Digest,
        at: Timestamp,
    ) -> Result<(Group, String), StoreError> {
        self.writer.run(move |tx| use_link(tx, &token, at)).await
    }
}

fn begin(tx: &Transaction<'_>, new: &NewWebSession, at: Timestamp) -> Result<(), StoreError> {
    let bounds = SessionBounds::at(at);
    tx.execute(
        "DELETE FROM web_session WHERE seen_at <= ?1 OR began_at <= ?2",
        params![Instant(bounds.idle), Instant(bounds.absolute)],
    )?;
    tx.execute(
        "INSERT INTO web_session (token, uuid, group_name, label, browser, began_at, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![
            new.token.as_slice(),
            Id(new.uuid),
            new.group.name(),
            new.label,
            new.browser,
            Instant(at)
        ],
    )?;
    Ok(())
}

fn find(db: &Connection, token: &Digest) -> Result<Option<WebSession>, StoreError> {
    let sql = "SELECT uuid, group_name, label, browser, began_at, seen_at
               FROM web_session WHERE token = ?1";
    Ok(db.prepare_cached(sql)?.query_row([token.as_slice()], session).optional()?)
}

fn session(row: &Row<'_>) -> rusqlite::Result<WebSession> {
    let (Id(uuid), Instant(began_at), Instant(seen_at)) = (row.get(0)?, row.get(4)?, row.get(5)?);
    Ok(WebSession {
        uuid,
        group: group(row, 1)?,
        label: row.get(2)?,
        browser: row.get(3)?,
        began_at,
        seen_at,
    })
}

fn group(row: &Row<'_>, column: usize) -> rusqlite::Result<Group> {
    let name: String = row.get(column)?;
    let failed = |error| FromSqlError::other(error);
    Ok(name.parse().map_err(failed)?)
}

fn add_link(tx: &Transaction<'_>, new: &NewSignInLink, at: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sign_in_link WHERE expires_at <= ?1", [Instant(at)])?;
    tx.execute(
        "INSERT INTO sign_in_link (token, group_name, label, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![new.token.as_slice(), new.group.name(), new.label, Instant(new.expires_at)],
    )?;
    Ok(())
}

fn use_link(
    tx: &Transaction<'_>,
    token: &Digest,
    at: Timestamp,
) -> Result<(Group, String), StoreError> {
    let used = tx
        .prepare_cached(
            "DELETE FROM sign_in_link WHERE token = ?1 RETURNING group_name, label, expires_at",
        )?
        .query_row([token.as_slice()], |row| {
            let Instant(expires_at) = row.get(2)?;
            Ok((group(row, 0)?, row.get(1)?, expires_at))
        })
        .optional()?;
    match used {
        Some((group, label, expires_at)) if expires_at > at => Ok((group, label)),
        _ => Err(StoreError::NotFound),
    }
}
