//! The rules of alerts, in SQLite.

use async_trait::async_trait;
use ebp_core::contract::{AlertRuleSet, ChangedRules};
use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::{SqliteStore, value::Instant};
use crate::{
    AlertRuleStore, StoreError,
    alert_rule::{from_row, number, to_text},
};

#[async_trait]
impl AlertRuleStore for SqliteStore {
    async fn alert_rules(&self, limit: usize) -> Result<Vec<ChangedRules>, StoreError> {
        self.readers.run(move |db| list(db, limit)).await
    }

    async fn change_alert_rules(
        &self,
        rules: AlertRuleSet,
        expected: u64,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.writer.run(move |tx| change(tx, &rules, expected, at)).await
    }
}

fn list(db: &Connection, limit: usize) -> Result<Vec<ChangedRules>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "SELECT version, rules, changed_at FROM alert_rule ORDER BY version DESC LIMIT ?1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([limit])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        let (rules, Instant(at)): (String, Instant) = (row.get(1)?, row.get(2)?);
        versions.push(from_row(row.get(0)?, &rules, at)?);
    }
    Ok(versions)
}

fn change(
    tx: &Transaction<'_>,
    rules: &AlertRuleSet,
    expected: u64,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let changed = tx
        .prepare_cached(
            "INSERT INTO alert_rule (version, rules, changed_at)
             SELECT ?1 + 1, ?2, ?3
             WHERE (SELECT coalesce(max(version), 0) FROM alert_rule) = ?1",
        )?
        .execute(params![number(expected), to_text(rules)?, Instant(at)])?;
    if changed == 1 { Ok(expected + 1) } else { Err(StoreError::Changed) }
}
