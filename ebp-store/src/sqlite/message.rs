//! Messages of households, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{Message, NewMessage};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{
    SqliteStore, consent,
    list_page::{bounds, page},
    value::{Id, Instant, Text},
};
use crate::{
    HouseholdId, ListPage, ListQuery, MessageStore, StoreError,
    message::{place, require_room, written},
    rule::consent::require_not_revoked,
};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn add_message(
        &self,
        household: HouseholdId,
        message: NewMessage,
        at: Timestamp,
    ) -> Result<Message, StoreError> {
        self.writer.run(move |tx| add(tx, household, &message, at)).await
    }

    async fn household_messages(
        &self,
        household: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<Message>, StoreError> {
        self.readers.run(move |db| of_household(db, household, query)).await
    }

    async fn messages(
        &self,
        open: Option<bool>,
        query: ListQuery,
    ) -> Result<ListPage<Message>, StoreError> {
        self.readers.run(move |db| list(db, open, query)).await
    }

    async fn close_message(
        &self,
        message: Uuid,
        answer: Option<String>,
        at: Timestamp,
    ) -> Result<Message, StoreError> {
        self.writer.run(move |tx| close(tx, message, answer.as_deref(), at)).await
    }
}

fn add(
    tx: &Transaction<'_>,
    household: HouseholdId,
    new: &NewMessage,
    at: Timestamp,
) -> Result<Message, StoreError> {
    require_not_revoked(&consent::consent(tx, household)?)?;
    let (all, open): (i64, i64) = tx
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE closed_at IS NULL)
             FROM household_message WHERE household = ?1",
        )?
        .query_row([Id(household.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    require_room(count(all), count(open))?;
    let message = written(household, new, at);
    tx.prepare_cached(
        "INSERT INTO household_message (uuid, household, about, text, written_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        Id(message.uuid),
        Id(household.0),
        message.about.name(),
        message.text,
        Instant(at)
    ])?;
    show(tx, message.uuid)
}

fn show(db: &Connection, uuid: Uuid) -> Result<Message, StoreError> {
    db.prepare_cached(
        "SELECT uuid, household, about, text, written_at, answer, closed_at
         FROM household_message WHERE uuid = ?1",
    )?
    .query_row([Id(uuid)], message)
    .optional()?
    .ok_or(StoreError::NotFound)
}

fn of_household(
    db: &Connection,
    household: HouseholdId,
    query: ListQuery,
) -> Result<ListPage<Message>, StoreError> {
    consent::consent(db, household)?;
    let (at, uuid, limit) = bounds(query);
    let messages = db
        .prepare_cached(
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message
             WHERE household = ?1 AND (written_at, uuid) > (?2, ?3)
             ORDER BY written_at, uuid LIMIT ?4",
        )?
        .query_map(params![Id(household.0), at, uuid, limit], message)?
        .map(|message| message.map(|message| (place(&message), message)))
        .collect::<Result<_, _>>()?;
    Ok(page(query, messages))
}

fn list(
    db: &Connection,
    open: Option<bool>,
    query: ListQuery,
) -> Result<ListPage<Message>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = match open {
        None => {
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE (written_at, uuid) > (?1, ?2)
             ORDER BY written_at, uuid LIMIT ?3"
        }
        Some(true) => {
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE (written_at, uuid) > (?1, ?2) AND closed_at IS NULL
             ORDER BY written_at, uuid LIMIT ?3"
        }
        Some(false) => {
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE (written_at, uuid) > (?1, ?2) AND closed_at IS NOT NULL
             ORDER BY written_at, uuid LIMIT ?3"
        }
    };
    let messages = db
        .prepare_cached(sql)?
        .query_map(params![at, uuid, limit], message)?
        .map(|message| message.map(|message| (place(&message), message)))
        .collect::<Result<_, _>>()?;
    Ok(page(query, messages))
}

fn close(
    tx: &Transaction<'_>,
    uuid: Uuid,
    answer: Option<&str>,
    at: Timestamp,
) -> Result<Message, StoreError> {
    if show(tx, uuid)?.closed_at.is_some() {
        return Err(StoreError::MessageClosed);
    }
    tx.prepare_cached("UPDATE household_message SET answer = ?2, closed_at = ?3 WHERE uuid = ?1")?
        .execute(params![Id(uuid), answer, Instant(at)])?;
    show(tx, uuid)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let (Id(uuid), Id(household)): (Id, Id) = (row.get(0)?, row.get(1)?);
    let (Text(about), Instant(written_at)) = (row.get(2)?, row.get(4)?);
    let closed_at: Option<Instant> = row.get(6)?;
    Ok(Message {
        uuid,
        household,
        about,
        text: row.get(3)?,
        written_at,
        answer: row.get(5)?,
        closed_at: closed_at.map(|Instant(at)| at),
    })
}
