//! Searching households.

use ebp_core::{
    contract::{HouseholdCounts, RegistrationEntry},
    model::Participant,
};
use rusqlite::{
    Connection, Row, ToSql, params_from_iter,
    types::{ToSqlOutput, Value as Stored},
};

use super::super::{
    consent,
    value::{Id, Instant},
};
use crate::{
    StoreError,
    search::{Dialect, HouseholdPage, HouseholdQuery, Statement, Value},
};

const DIALECT: Dialect = Dialect {
    placeholder: |number| format!("?{number}"),
    folded: |text| format!("{text} COLLATE NOCASE"),
    like: |column, pattern| format!("{column} LIKE {pattern} ESCAPE '\\'"),
    // In the order in which they are written, so that the index of the key is what is read.
    join: "CROSS JOIN",
};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Self::Uuid(uuid) => Stored::Blob(uuid.as_bytes().to_vec()),
            Self::Instant(number) | Self::Number(number) => Stored::Integer(*number),
            Self::Text(text) => Stored::Text(text.clone()),
        }))
    }
}

/// A page of households.
pub fn page(db: &Connection, query: &HouseholdQuery) -> Result<HouseholdPage, StoreError> {
    query.check_cursor()?;
    let mut rows = Vec::new();
    for phase in query.phases() {
        let missing = query.limit.saturating_add(1) - rows.len();
        let Statement { sql, values } = query.statement(*phase, missing, &DIALECT)?;
        let mut statement = db.prepare_cached(&sql)?;
        let read = statement.query_map(params_from_iter(&values), entry)?;
        for row in read {
            rows.push((*phase, row?));
        }
        if rows.len() > query.limit {
            break;
        }
    }
    Ok(query.page(rows, counts(db)?))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<RegistrationEntry> {
    let (Id(uuid), Instant(registered_at)): (Id, Instant) = (row.get(0)?, row.get(1)?);
    let (granted_at, revoked_at): (Option<Instant>, Option<Instant>) = (row.get(2)?, row.get(3)?);
    let (name, email): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
    Ok(RegistrationEntry {
        uuid,
        registered_at,
        participant: name.zip(email).map(|(name, email)| Participant { name, email }),
        postal_code: row.get(6)?,
        city: row.get(7)?,
        consent: consent::from_instants(granted_at, revoked_at),
    })
}

fn counts(db: &Connection) -> Result<HouseholdCounts, StoreError> {
    let counts = db
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE granted_at IS NOT NULL AND revoked_at IS NULL),
                    count(*) FILTER (WHERE revoked_at IS NOT NULL),
                    (SELECT count(*) FROM household WHERE withheld)
             FROM consent",
        )?
        .query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    let [registered, granted, revoked, withheld] = counts.map(i64::unsigned_abs);
    Ok(HouseholdCounts { registered, granted, revoked, withheld })
}
