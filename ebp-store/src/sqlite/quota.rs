//! The remaining quota of a report's meters.
//!
//! Counted within the report's own transaction, and only where it brings what takes no slot of the
//! survey's cycle.

use ebp_core::model::Measurement;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::stored::{insert_one, stored};
use crate::{InsertOutcome, Place, Quota, Refusal, Source, StoreError, quota::Allowance};

/// Those of the meters of a report.
pub struct Budgets {
    quota: Quota,
    allowance: Allowance,
    granted_at: Timestamp,
    meters: Vec<Budget>,
}

/// That of a meter.
struct Budget {
    meter: i32,
    /// Irregular measurements that were there before: of this source, and of any.
    used: u64,
    all: u64,
    /// Stored by this report.
    taken: u64,
    /// So many irregular ones may be there of this source.
    most: u64,
    /// Whether regular ones were counted, which is put off until it matters.
    is_exact: bool,
}

impl Budgets {
    pub fn new(quota: Quota, allowance: Allowance, granted_at: Timestamp) -> Self {
        Self { quota, allowance, granted_at, meters: Vec::new() }
    }

    pub fn is_regular(&self, place: &Place) -> bool {
        self.quota.is_regular(place, self.granted_at)
    }

    /// Stores the measurement if there is room for it; what is there already takes none.
    pub fn insert(
        &mut self,
        tx: &Transaction<'_>,
        place: Place,
        measurement: &Measurement,
        received_at: Timestamp,
    ) -> Result<InsertOutcome, StoreError> {
        if !self.has_room(tx, place.meter)? {
            let full = InsertOutcome::Refused(Refusal::QuotaUsedUp);
            return Ok(stored(tx, place, measurement)?.unwrap_or(full));
        }
        let outcome = insert_one(tx, place, measurement, received_at)?;
        if outcome == InsertOutcome::Accepted {
            self.budget(tx, place.meter)?.taken += 1;
        }
        Ok(outcome)
    }

    fn has_room(&mut self, tx: &Transaction<'_>, meter: i32) -> Result<bool, StoreError> {
        let allowance = self.allowance;
        let budget = self.budget(tx, meter)?;
        if budget.used + budget.taken >= budget.most && !budget.is_exact {
            let regular = count(tx, meter)?.saturating_sub(budget.all + budget.taken);
            budget.most = allowance.beside(regular);
            budget.is_exact = true;
        }
        Ok(budget.used + budget.taken < budget.most)
    }

    fn budget(&mut self, tx: &Transaction<'_>, meter: i32) -> Result<&mut Budget, StoreError> {
        let known = self.meters.iter().position(|budget| budget.meter == meter);
        let place = match known {
            Some(place) => place,
            None => {
                let source = self.allowance.source;
                let used = used(tx, meter, source)?;
                // A token's allowance knows no slots.
                let (all, is_exact) = match source {
                    Source::Device => (used + self::used(tx, meter, Source::Token)?, false),
                    Source::Token => (used, true),
                };
                let most = self.allowance.at_once();
                self.meters.push(Budget { meter, used, all, taken: 0, most, is_exact });
                self.meters.len() - 1
            }
        };
        self.meters.get_mut(place).ok_or(StoreError::Damaged("measurement_quota"))
    }

    /// Remembers what was stored.
    pub fn note(self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        for Budget { meter, taken, .. } in self.meters.iter().filter(|budget| budget.taken > 0) {
            let taken = i64::try_from(*taken).unwrap_or(i64::MAX);
            tx.prepare_cached(
                "INSERT INTO measurement_quota (meter, source, used) VALUES (?1, ?2, ?3)
                 ON CONFLICT (meter, source) DO UPDATE SET used = used + excluded.used",
            )?
            .execute(params![meter, self.allowance.source.code(), taken])?;
        }
        Ok(())
    }
}

fn used(tx: &Transaction<'_>, meter: i32, source: Source) -> Result<u64, StoreError> {
    let used: Option<i64> = tx
        .prepare_cached("SELECT used FROM measurement_quota WHERE meter = ?1 AND source = ?2")?
        .query_row(params![meter, source.code()], |row| row.get(0))
        .optional()?;
    Ok(used.unwrap_or(0).unsigned_abs())
}

/// All measurements of the meter.
fn count(tx: &Transaction<'_>, meter: i32) -> Result<u64, StoreError> {
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM measurement WHERE meter = ?1")?
        .query_row([meter], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
