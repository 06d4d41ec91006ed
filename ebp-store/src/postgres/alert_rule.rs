//! The rules of alerts, in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::Client;
use ebp_core::contract::{AlertRuleSet, ChangedRules};
use jiff::Timestamp;

use super::{PostgresStore, value::Instant};
use crate::{
    AlertRuleStore, StoreError,
    alert_rule::{from_row, number, to_text},
};

#[async_trait]
impl AlertRuleStore for PostgresStore {
    async fn alert_rules(&self, limit: usize) -> Result<Vec<ChangedRules>, StoreError> {
        let client = self.client().await?;
        self.look_up(list(&client, limit)).await
    }

    async fn change_alert_rules(
        &self,
        rules: AlertRuleSet,
        expected: u64,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let client = self.client().await?;
        self.change(change(&client, &rules, expected, at)).await
    }
}

async fn list(db: &Client, limit: usize) -> Result<Vec<ChangedRules>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "SELECT version, rules, changed_at FROM alert_rule ORDER BY version DESC LIMIT $1";
    let statement = db.prepare_cached(sql).await?;
    let rows = db.query(&statement, &[&limit]).await?;
    let version = |row: &tokio_postgres::Row| {
        let (rules, Instant(at)): (&str, Instant) = (row.try_get(1)?, row.try_get(2)?);
        from_row(row.try_get(0)?, rules, at)
    };
    rows.iter().map(version).collect()
}

/// Of two changes at the same time the second finds the first one's row, and changes nothing.
async fn change(
    db: &Client,
    rules: &AlertRuleSet,
    expected: u64,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let statement = db
        .prepare_cached(
            "INSERT INTO alert_rule (version, rules, changed_at)
             SELECT $1::bigint + 1, $2, $3
             WHERE (SELECT coalesce(max(version), 0) FROM alert_rule) = $1
             ON CONFLICT DO NOTHING",
        )
        .await?;
    let changed =
        db.execute(&statement, &[&number(expected), &to_text(rules)?, &Instant(at)]).await?;
    if changed == 1 { Ok(expected + 1) } else { Err(StoreError::Changed) }
}
