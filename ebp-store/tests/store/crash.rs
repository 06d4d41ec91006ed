//! PostgreSQL is killed in the midst of revocations: each is whole or has not happened.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, Store, StoreError, open_store};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    masking::{ALL, masking, somewhere},
    story::{at, measurement},
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

/// What is released of each household that revoked; each has everything of a revocation or nothing.
async fn whole(store: &dyn Store, households: &[HouseholdId]) -> BTreeMap<Uuid, (u64, u64)> {
    loop {
        if let Some(released) = unless_meanwhile_revoked(store, households).await {
            return released;
        }
    }
}

/// None if a household was revoked, and so renamed, after it was listed.
async fn unless_meanwhile_revoked(
    store: &dyn Store,
    households: &[HouseholdId],
) -> Option<BTreeMap<Uuid, (u64, u64)>> {
    let all = store.registrations(ALL).await.unwrap().items;
    assert_eq!(all.len(), households.len());
    let mut released = BTreeMap::new();
    for entry in all {
        let shown = match store.registration(HouseholdId(entry.uuid)).await {
            Err(StoreError::NotFound) => return None,
            shown => shown.unwrap(),
        };
        let location = shown.location.unwrap();
        let revoked = shown.consent.revoked_at.is_some();
        assert_eq!(shown.participant.is_none(), revoked);
        assert_eq!(shown.address.is_none(), revoked);
        assert_eq!(location.masked.is_some(), revoked);
        assert_eq!(!households.contains(&HouseholdId(entry.uuid)), revoked);
        let mut powers: Vec<String> =
            shown.pv_systems.iter().map(|it| it.nominal_power.to_string()).collect();
        powers.sort();
        assert_eq!(powers, if revoked { ["0", "8"] } else { ["0.49", "7.5"] });
        if revoked {
            let point = (location.latitude.to_bits(), location.longitude.to_bits());
            released.insert(entry.uuid, point);
        }
    }
    Some(released)
}

#[needs(postgresql)]
#[tokio::test]
async fn postgresql_killed_in_the_midst_of_revocations() {
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
        let id = HouseholdId(made.household);
        stores[0].grant_consent(id, now).await.unwrap();
        let item = measurement(u128::from(i), made.meters[0], now);
        stores[0].insert_measurements(id, vec![item], now).await.unwrap();
        households.push(HouseholdId(made.household));
    }
    let cluster = Arc::new(cluster);
    let (mut before, mut between, mut tasks) = (BTreeMap::new(), 0, Vec::new());
    for (round, some) in (0_u64..).zip(households.chunks(12)) {
        // Each kill meets some, and until the last one there are others left.
        for (i, household) in (0_u32..).zip(some) {
            let revoking = revoke(stores[i as usize % 2].clone(), *household);
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep(i * Duration::from_millis(10)).await;
                revoking.await;
            }));
        }
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
        for (household, point) in &before {
            assert_eq!(after.get(household), Some(point), "a release is made once");
        }
        let revoked = after.len();
        between += usize::from(revoked > 0 && revoked < households.len());
        before = after;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let after = whole(&*stores[0], &households).await;
    assert_eq!(after.len(), households.len());
    for (household, point) in &before {
        assert_eq!(after.get(household), Some(point), "a release is made once");
    }
    assert!(between > 0, "it was killed when some were revoked and some not");
}
