//! PostgreSQL is killed in the midst of revocations: each is whole or has not happened.

use std::{sync::Arc, time::Duration};

use ebp_server::{
    open_store,
    store::{Database, HouseholdId, Store, StoreError},
};

use crate::{
    cluster::{self, Cluster},
    masking::{masking, somewhere},
    story::at,
};

/// Revokes until it is done, however often it is put off.
async fn revoke(store: Arc<dyn Store>, household: HouseholdId) {
    loop {
        match store.revoke_consent(household, at("2026-02-01T00:00:00Z")).await {
            // Done by a try whose answer was lost.
            Ok(_) | Err(StoreError::ConsentRevoked) => return,
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How many are revoked; each household has everything of a revocation or nothing.
async fn whole(store: &dyn Store, households: &[HouseholdId]) -> Vec<Option<(f64, f64)>> {
    let mut released = Vec::new();
    for id in households {
        let shown = store.registration(*id).await.unwrap();
        let location = shown.location.unwrap();
        let revoked = shown.consent.revoked_at.is_some();
        assert_eq!(shown.participant.is_none(), revoked);
        assert_eq!(shown.address.is_none(), revoked);
        assert_eq!(location.masked.is_some(), revoked);
        let power = shown.pv_systems[0].nominal_power.to_string();
        assert_eq!(power, if revoked { "8" } else { "7.5" });
        released.push(revoked.then_some((location.latitude, location.longitude)));
    }
    released
}

#[tokio::test]
async fn postgresql_killed_in_the_midst_of_revocations() {
    if cluster::shared().is_none() {
        return;
    }
    let cluster = Cluster::start("");
    let (_, settings) = cluster.database().await;
    let mut stores = Vec::new();
    for _ in 0..2 {
        let store = open_store(&Database::Postgres(settings.clone())).await.unwrap();
        store.mask_by(masking(), false).await.unwrap();
        stores.push(store);
    }
    let now = at("2026-01-01T00:00:00Z");
    let mut households = Vec::new();
    for i in 0..60_u32 {
        let away = f64::from(i) * 0.002;
        let registration =
            somewhere(&format!("{i}@example.org"), &format!("Weg {i}"), 50.8 + away, 7.1);
        let made = stores[0].register(registration, now).await.unwrap();
        stores[0].grant_consent(HouseholdId(made.household), now).await.unwrap();
        households.push(HouseholdId(made.household));
    }
    let tasks: Vec<_> = (0..)
        .zip(&households)
        .map(|(i, household)| tokio::spawn(revoke(stores[i % 2].clone(), *household)))
        .collect();
    let cluster = Arc::new(cluster);
    let (mut before, mut between) = (vec![None; households.len()], 0);
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(20 + 40 * round)).await;
        let killed = cluster.clone();
        tokio::task::spawn_blocking(move || {
            killed.kill();
            killed.run();
        })
        .await
        .unwrap();
        // The pool may hold connections that are dead.
        let fresh = open_store(&Database::Postgres(settings.clone())).await.unwrap();
        let after = whole(&*fresh, &households).await;
        for (before, after) in before.iter().zip(&after) {
            assert!(before.is_none() || before == after, "a release is made once");
        }
        let revoked = after.iter().flatten().count();
        between += usize::from(revoked > 0 && revoked < households.len());
        before = after;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let after = whole(&*stores[0], &households).await;
    assert!(after.iter().all(Option::is_some));
    for (before, after) in before.iter().zip(&after) {
        assert!(before.is_none() || before == after, "a release is made once");
    }
    assert!(between > 0, "it was killed when some were revoked and some not");
}
