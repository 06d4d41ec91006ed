//! A synchronous standby: what is confirmed is on both machines.

use std::time::Duration;

use ebp_core::model::MeasurementIds;
use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, InsertOutcome, open_store};

use crate::{
    cluster::Cluster,
    story::{at, measurement, registration},
};

/// A sender's wait for the standby is broken off, as an administrator or a shutdown does it: the
/// row can be seen from then on, and the standby does not have it.
#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_standby_does_not_have_is_not_confirmed() {
    let cluster = Cluster::start("");
    let (url, settings) = cluster.database().await;
    let store = open_store(&Database::Postgres(settings)).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let (household, meter) = (HouseholdId(made.household), made.meters[0]);
    store.grant_consent(household, now).await.unwrap();
    // The month is there before the standby goes.
    let item = |number: i64| {
        let slot = now + jiff::SignedDuration::from_mins(15 * number);
        measurement(MeasurementIds::for_meter(meter).at(slot).as_u128(), meter, slot)
    };
    let later = now + jiff::SignedDuration::from_hours(1);
    let send = async |number| store.insert_measurements(household, vec![item(number)], later).await;
    assert_eq!(send(0).await.unwrap(), [InsertOutcome::Accepted]);

    let standby = cluster.standby();
    let db = cluster.client(url.rsplit('=').next().unwrap()).await;
    db.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
    db.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    assert_eq!(send(1).await.unwrap(), [InsertOutcome::Accepted]);
    standby.stop();

    let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE wait_event = 'SyncRep' AND application_name = 'ebp'";
    let break_off = async {
        while db.query(waiting, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (sent, ()) = tokio::join!(send(2), break_off);
    assert!(sent.unwrap_err().is_temporary(), "nobody knows whether the standby has it");
    // It is there to be seen, and sent again. Before, it was confirmed as a duplicate.
    let error = send(2).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");

    standby.run();
    for _ in 0..100 {
        match send(2).await {
            Ok(outcomes) => {
                assert_eq!(outcomes, [InsertOutcome::Duplicate]);
                return;
            }
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("it is not confirmed after the standby is back");
}
