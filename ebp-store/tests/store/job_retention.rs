//! How long jobs are kept, and that no byte of what they held of a household is left in the files.

use std::{sync::Arc, time::Duration};

use ebp_core::scope::Group;
use ebp_needs::needs;
use ebp_store::{
    Database, HouseholdId, JobEnd, JobOrder, JobPolicy, JobResult, Store, StoreError, Subject,
    open_store,
};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    erasure::{CONFIGURATION, holding},
    postgres, sqlite,
    story::{at, registration},
};

/// Text that is found in no other file of the world.
const NEEDLE: &str = "Zwiebelturmgasse 4711";

/// A job that has ended with that result about that household.
async fn ended(store: &dyn Store, household: Uuid) -> Uuid {
    let order = JobOrder {
        kind: "test".into(),
        input: NEEDLE.into(),
        subjects: vec![Subject::Household(household)],
        created_by: Group::Researchers,
        key: None,
        trace_id: None,
    };
    let job = store.add_job(order).await.unwrap().uuid;
    let policy = JobPolicy::default();
    let worker = Uuid::new_v4();
    let claimed = store.claim_job(worker, vec!["test"], policy).await.unwrap().unwrap();
    let subjects = vec![Subject::Household(household)];
    let end = JobEnd::Succeeded(JobResult { bytes: NEEDLE.into(), subjects });
    store
        .record_job(claimed.lease, Arc::new(end), policy, at("2026-01-01T00:00:00Z"))
        .await
        .unwrap();
    job
}

/// After 7 days content is gone, after 30 the job; `age` sets the ends of all jobs back by so many
/// days.
async fn expires(store: &dyn Store, age: impl AsyncFn(u32)) {
    let now = at("2026-01-01T00:00:00Z");
    let household = store.register(registration("a@example.org"), now).await.unwrap().household;
    let job = ended(store, household).await;
    age(6).await;
    assert_eq!(store.expire_jobs().await.unwrap(), 0);
    assert!(store.job_result(job).await.is_ok());
    age(2).await;
    assert!(store.expire_jobs().await.unwrap() > 0);
    assert!(matches!(store.job_result(job).await, Err(StoreError::NotFound)));
    let shown = store.job(job).await.unwrap();
    assert_eq!((shown.result, shown.erased), (None, false));
    age(23).await;
    assert_eq!(store.expire_jobs().await.unwrap(), 1);
    assert!(matches!(store.job(job).await, Err(StoreError::NotFound)));
}

#[tokio::test]
async fn jobs_expire_in_sqlite() {
    let (_dir, path) = sqlite::fresh();
    let store = sqlite::open(&path).await;
    expires(&store, async |days| {
        let db = rusqlite::Connection::open(&path).unwrap();
        let sql = "UPDATE job SET ended_at = ended_at - ?1 * 86400000000";
        assert_eq!(db.execute(sql, [days]).unwrap(), 1);
    })
    .await;
}

#[needs(postgresql)]
#[tokio::test]
async fn jobs_expire_in_postgresql() {
    let fresh = postgres::Fresh::new().await;
    let store = fresh.open().await;
    let db = fresh.plain().await;
    expires(&*store, async |days| {
        let sql = "UPDATE job SET ended_at = ended_at - make_interval(days => $1)";
        let days = i32::try_from(days).unwrap();
        assert_eq!(db.execute(sql, &[&days]).await.unwrap(), 1);
    })
    .await;
}

/// A result and an input that hold a household go with its revocation, to the last byte.
async fn no_byte_is_left(store: &dyn Store, files: &std::path::Path) {
    let needle = [NEEDLE.to_lowercase().into_bytes()];
    let now = at("2026-01-01T00:00:00Z");
    let household = store.register(registration("a@example.org"), now).await.unwrap().household;
    ended(store, household).await;
    let there = async || {
        for _ in 0..200 {
            if holding(files, &needle).is_empty() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        true
    };
    assert!(!holding(files, &needle).is_empty(), "it is there before");
    store.grant_consent(HouseholdId(household), now).await.unwrap();
    store.revoke_consent(HouseholdId(household), at("2026-02-01T00:00:00Z")).await.unwrap();
    assert!(!there().await, "{:?}", holding(files, &needle));
}

#[tokio::test]
async fn no_byte_of_a_job_is_left_in_sqlite() {
    let (dir, path) = sqlite::fresh();
    no_byte_is_left(&sqlite::open(&path).await, dir.path()).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn no_byte_of_a_job_is_left_in_postgresql() {
    let cluster = Cluster::start(CONFIGURATION);
    let (_, settings) = cluster.database().await;
    let store = open_store(&Database::Postgres(settings)).await.unwrap();
    no_byte_is_left(&*store, &cluster.data()).await;
}
