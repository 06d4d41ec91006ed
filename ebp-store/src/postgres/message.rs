//! Messages of households, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::{Client, GenericClient};
use ebp_core::contract::{Message, NewMessage};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    PostgresStore, consent,
    list_page::{bounds, page},
    value::Instant,
};
use crate::{
    HouseholdId, ListPage, ListQuery, MessageStore, StoreError,
    message::{place, require_room, written},
    rule::consent::require_not_revoked,
};

#[async_trait]
impl MessageStore for PostgresStore {
    async fn add_message(
        &self,
        household: HouseholdId,
        message: NewMessage,
        at: Timestamp,
    ) -> Result<Message, StoreError> {
        let mut client = self.client().await?;
        self.change(add(&mut client, household, &message, at)).await
    }

    async fn household_messages(
        &self,
        household: HouseholdId,
        query: ListQuery,
    ) -> Result<ListPage<Message>, StoreError> {
        let client = self.client().await?;
        self.look_up(of_household(&client, household, query)).await
    }

    async fn messages(
        &self,
        open: Option<bool>,
        query: ListQuery,
    ) -> Result<ListPage<Message>, StoreError> {
        let client = self.client().await?;
        self.look_up(list(&client, open, query)).await
    }

    async fn close_message(
        &self,
        message: Uuid,
        answer: Option<String>,
        at: Timestamp,
    ) -> Result<Message, StoreError> {
        let mut client = self.client().await?;
        self.change(close(&mut client, message, answer.as_deref(), at)).await
    }
}

/// Messages of a household are added one after the other: consent is held meanwhile, which a
/// revocation waits for.
async fn add(
    client: &mut Client,
    household: HouseholdId,
    new: &NewMessage,
    at: Timestamp,
) -> Result<Message, StoreError> {
    let tx = client.transaction().await?;
    require_not_revoked(&consent::hold(&tx, household).await?)?;
    let row = tx
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE closed_at IS NULL)
             FROM household_message WHERE household = $1",
            &[&household.0],
        )
        .await?;
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    require_room(count(row.try_get(0)?), count(row.try_get(1)?))?;
    let message = written(household, new, at);
    tx.execute(
        "INSERT INTO household_message (uuid, household, about, text, written_at)
         VALUES ($1, $2, $3, $4, $5)",
        &[&message.uuid, &household.0, &message.about.name(), &message.text, &Instant(at)],
    )
    .await?;
    let shown = show(&tx, message.uuid).await?;
    tx.commit().await?;
    Ok(shown)
}

async fn show(db: &impl GenericClient, uuid: Uuid) -> Result<Message, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE uuid = $1",
        )
        .await?;
    message(&db.query_opt(&statement, &[&uuid]).await?.ok_or(StoreError::NotFound)?)
}

async fn of_household(
    db: &Client,
    household: HouseholdId,
    query: ListQuery,
) -> Result<ListPage<Message>, StoreError> {
    consent::consent(db, household).await?;
    let (at, uuid, limit) = bounds(query);
    let statement = db
        .prepare_cached(
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message
             WHERE household = $1 AND (written_at, uuid) > ($2, $3)
             ORDER BY written_at, uuid LIMIT $4",
        )
        .await?;
    paged(query, &db.query(&statement, &[&household.0, &at, &uuid, &limit]).await?)
}

async fn list(
    db: &Client,
    open: Option<bool>,
    query: ListQuery,
) -> Result<ListPage<Message>, StoreError> {
    let (at, uuid, limit) = bounds(query);
    let sql = match open {
        None => {
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE (written_at, uuid) > ($1, $2)
             ORDER BY written_at, uuid LIMIT $3"
        }
        Some(true) => {
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE (written_at, uuid) > ($1, $2) AND closed_at IS NULL
             ORDER BY written_at, uuid LIMIT $3"
        }
        Some(false) => {
            "SELECT uuid, household, about, text, written_at, answer, closed_at
             FROM household_message WHERE (written_at, uuid) > ($1, $2) AND closed_at IS NOT NULL
             ORDER BY written_at, uuid LIMIT $3"
        }
    };
    let statement = db.prepare_cached(sql).await?;
    paged(query, &db.query(&statement, &[&at, &uuid, &limit]).await?)
}

fn paged(query: ListQuery, rows: &[Row]) -> Result<ListPage<Message>, StoreError> {
    let placed = |row| message(row).map(|message| (place(&message), message));
    Ok(page(query, rows.iter().map(placed).collect::<Result<_, _>>()?))
}

async fn close(
    client: &mut Client,
    uuid: Uuid,
    answer: Option<&str>,
    at: Timestamp,
) -> Result<Message, StoreError> {
    let tx = client.transaction().await?;
    let closed = tx
        .execute(
            "UPDATE household_message SET answer = $2, closed_at = $3
             WHERE uuid = $1 AND closed_at IS NULL",
            &[&uuid, &answer, &Instant(at)],
        )
        .await?;
    let shown = show(&tx, uuid).await?;
    if closed == 0 {
        return Err(StoreError::MessageClosed);
    }
    tx.commit().await?;
    Ok(shown)
}

fn message(row: &Row) -> Result<Message, StoreError> {
    let about: &str = row.try_get(2)?;
    let Instant(written_at) = row.try_get(4)?;
    let closed_at: Option<Instant> = row.try_get(6)?;
    Ok(Message {
        uuid: row.try_get(0)?,
        household: row.try_get(1)?,
        about: about.parse().map_err(|_| StoreError::Damaged("message"))?,
        text: row.try_get(3)?,
        written_at,
        answer: row.try_get(5)?,
        closed_at: closed_at.map(|Instant(at)| at),
    })
}
