//! Reserves meters' quota before a report is stored.
//!
//! Used only for reports with measurements that belong to no slot of the survey's cycle: they need
//! a few more statements. Quota is reserved before the measurements are stored and returned if they
//! were not, so that any number of servers together do not exceed it. A server that is killed in
//! between leaves the count a little too high.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Client;
use ebp_core::cycle::Cycle;

use super::{
    copy::Row,
    patience::{CHANGE, Connections},
    report::{Admitted, Report},
    stored::keys,
};
use crate::{Key, Quota, Source, StoreError, quota::Allowance};

/// The reserved quota.
#[derive(Debug, Default)]
pub struct Reserved {
    /// The measurements beyond the quota.
    pub full: HashSet<Key>,
    /// How much of which meter and source.
    taken: Vec<(i32, Source, i64)>,
}

/// Reserves quota for the new measurements of these reports that belong to no slot of the survey's
/// cycle.
pub async fn reserve(
    db: &Client,
    reports: &[&Report],
    admitted: &[Admitted],
    quota: Quota,
) -> Result<Reserved, StoreError> {
    let mut rows: Vec<(Row<'_>, Allowance)> = Vec::new();
    for (report, admitted) in reports.iter().zip(admitted) {
        let Ok(admitted) = admitted else { continue };
        let (granted_at, received_at) = (admitted.granted_at, report.received_at);
        for (measurement, place) in report.measurements.iter().zip(&admitted.places) {
            let Ok(place) = *place else { continue };
            if !quota.is_regular(&place, granted_at) {
                let row = Row { measurement, place, received_at, number: rows.len() };
                rows.push((row, quota.allowance(report.source, granted_at, received_at)));
            }
        }
    }
    let mut reserved = Reserved::default();
    if rows.is_empty() {
        return Ok(reserved);
    }
    let irregular: Vec<Row<'_>> = rows.iter().map(|(row, _)| *row).collect();
    let mut known: HashSet<Key> = keys(db, &irregular).await?.into_iter().collect();
    let mut wanted: HashMap<(i32, Source), (Allowance, Vec<Key>)> = HashMap::new();
    for (row, allowance) in rows {
        let key = row.place.key();
        if known.insert(key) {
            let of_meter = wanted.entry((row.place.meter, allowance.source));
            of_meter.or_insert_with(|| (allowance, Vec::new())).1.push(key);
        }
    }
    for ((meter, source), (allowance, keys)) in wanted {
        let mut count = take(db, meter, source, keys.len(), allowance.at_once()).await?;
        if count < keys.len() && source == Source::Device {
            let most = allowance.beside(regular(db, meter, quota.devices).await?);
            count += take(db, meter, source, keys.len() - count, most).await?;
        }
        reserved.taken.push((meter, source, i64::try_from(count).unwrap_or(i64::MAX)));
        reserved.full.extend(&keys[count.min(keys.len())..]);
    }
    Ok(reserved)
}

/// Reserves as much as is available; returns how much.
async fn take(
    db: &Client,
    meter: i32,
    source: Source,
    wanted: usize,
    most: u64,
) -> Result<usize, StoreError> {
    let (wanted, most) =
        (i64::try_from(wanted).unwrap_or(i64::MAX), i64::try_from(most).unwrap_or(i64::MAX));
    let statement = db
        .prepare_cached(
            "INSERT INTO measurement_quota (meter, source) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .await?;
    db.execute(&statement, &[&meter, &source.code()]).await?;
    let statement = db
        .prepare_cached(
            "UPDATE measurement_quota AS now
             SET used = before.used + least($3, greatest($4 - before.used, 0))
             FROM (SELECT meter, source, used FROM measurement_quota
                   WHERE meter = $1 AND source = $2 FOR UPDATE) AS before
             WHERE now.meter = $1 AND now.source = $2
             RETURNING now.used - before.used",
        )
        .await?;
    let row = db.query_one(&statement, &[&meter, &source.code(), &wanted, &most]).await?;
    Ok(usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0))
}

/// The number of the meter's measurements in slots of the survey's cycle.
async fn regular(db: &Client, meter: i32, cycle: Cycle) -> Result<u64, StoreError> {
    let statement = db
        .prepare_cached(
            "SELECT count(*) FROM measurement
             WHERE meter = $1 AND uuid IS NULL AND extract(epoch FROM slot)::bigint % $2 = 0",
        )
        .await?;
    let seconds = i64::try_from(cycle.duration().as_secs()).unwrap_or(i64::MAX);
    let count: i64 = db.query_one(&statement, &[&meter, &seconds]).await?.try_get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Returns the quota that was reserved for a report that was not stored.
pub async fn give_back(connections: &Connections, reserved: &Reserved) {
    let work = async {
        let db = connections.get().await?;
        let given = async {
            let statement = db
                .prepare_cached(
                    "UPDATE measurement_quota SET used = greatest(used - $3, 0)
                     WHERE meter = $1 AND source = $2",
                )
                .await?;
            for (meter, source, count) in &reserved.taken {
                db.execute(&statement, &[meter, &source.code(), count]).await?;
            }
            Ok::<(), StoreError>(())
        };
        connections.within(CHANGE, given).await
    };
    if !reserved.taken.is_empty()
        && let Err(error) = work.await
    {
        tracing::warn!(%error, "a meter's quota counts measurements that were not stored");
    }
}
