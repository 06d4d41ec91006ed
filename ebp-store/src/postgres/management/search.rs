//! Searching households.

use deadpool_postgres::Client;
use ebp_core::contract::{HouseholdCounts, RegistrationEntry};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use uuid::Uuid;

use super::{
    super::{consent, value::Instant},
    registration::participant,
};
use crate::{
    StoreError,
    search::{Dialect, HouseholdPage, HouseholdQuery, Statement, Value},
};

const DIALECT: Dialect = Dialect {
    placeholder: |number| format!("${number}"),
    folded: |text| format!("lower({text} COLLATE \"C\")"),
    like: |column, pattern| {
        format!("lower({column} COLLATE \"C\") LIKE lower({pattern} COLLATE \"C\")")
    },
    join: "JOIN",
};

/// A page of households.
pub async fn page(db: &Client, query: &HouseholdQuery) -> Result<HouseholdPage, StoreError> {
    query.check_cursor()?;
    let mut rows = Vec::new();
    for phase in query.phases() {
        let missing = query.limit.saturating_add(1) - rows.len();
        let Statement { sql, values } = query.statement(*phase, missing, &DIALECT)?;
        let values: Vec<_> = values.into_iter().map(value).collect();
        // Planned anew for each search: the plan that PostgreSQL keeps for any values expects to find
        // what is searched for soon, and takes twice the time where few or none have it.
        let values: Vec<(&(dyn ToSql + Sync), Type)> =
            values.iter().map(|(it, kind)| (&**it as _, kind.clone())).collect();
        for row in db.query_typed(&sql, &values).await? {
            rows.push((*phase, entry(&row)?));
        }
        if rows.len() > query.limit {
            break;
        }
    }
    Ok(query.page(rows, counts(db).await?))
}

fn value(value: Value) -> (Box<dyn ToSql + Send + Sync>, Type) {
    match value {
        Value::Uuid(uuid) => (Box::new(uuid), Type::UUID),
        Value::Instant(at) => (Box::new(Instant::within(at)), Type::TIMESTAMPTZ),
        Value::Text(text) => (Box::new(text), Type::TEXT),
        Value::Number(number) => (Box::new(number), Type::INT8),
    }
}

fn entry(row: &Row) -> Result<RegistrationEntry, StoreError> {
    let (uuid, Instant(registered_at)): (Uuid, Instant) = (row.try_get(0)?, row.try_get(1)?);
    let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) =
        (row.try_get(2)?, row.try_get(3)?);
    Ok(RegistrationEntry {
        uuid,
        registered_at,
        participant: participant(row, 4)?,
        postal_code: row.try_get(6)?,
        city: row.try_get(7)?,
        consent: consent::from_instants(granted_at, revoked_at),
    })
}

async fn counts(db: &Client) -> Result<HouseholdCounts, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE granted_at IS NOT NULL AND revoked_at IS NULL),
                    count(*) FILTER (WHERE revoked_at IS NOT NULL),
                    (SELECT count(*) FROM household WHERE withheld)
             FROM consent",
        )
        .await?;
    let row = db.query_one(&statement, &[]).await?;
    let count = |place: usize| Ok::<_, StoreError>(row.try_get::<_, i64>(place)?.unsigned_abs());
    Ok(HouseholdCounts {
        registered: count(0)?,
        granted: count(1)?,
        revoked: count(2)?,
        withheld: count(3)?,
    })
}
