//! PostgreSQL is killed in the midst of erasing, again and again: no file keeps what was removed,
//! also of those who revoke later.

use std::{sync::Arc, time::Duration};

use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, Store, open_store};

use crate::{
    cluster::Cluster,
    erasure::{CONFIGURATION, holding, somebody},
    story::at,
};

/// Of the same size as a survey: erasing takes a while.
const NEIGHBOURS: &str = "
    INSERT INTO participant (name, email)
        SELECT 'neighbour ' || i || repeat(' with a long name', 10), 'n' || i || '@example.net'
        FROM generate_series(1, 60000) AS i";

/// So many revocations meet a kill.
const KILLS: u64 = 10;

#[needs(postgresql)]
#[tokio::test(flavor = "multi_thread")]
async fn no_file_keeps_what_an_interrupted_erasure_copied() {
    let cluster = Arc::new(Cluster::start(CONFIGURATION));
    let (url, settings) = cluster.database().await;
    let open = async || -> Arc<dyn Store> {
        open_store(&Database::Postgres(settings.clone())).await.unwrap()
    };
    let store = open().await;
    store.mask_by(crate::masking::masking(), false).await.unwrap();
    let database = url.rsplit('=').next().unwrap().to_owned();
    cluster.client(&database).await.batch_execute(NEIGHBOURS).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let people = [
        "Agathe",
        "Berthold",
        "Cornelius",
        "Dorothea",
        "Eusebius",
        "Friederike",
        "Gottlieb",
        "Hildegard",
        "Ignatius",
        "Kunigunde",
    ];
    let (mut households, mut needles) = (Vec::new(), Vec::new());
    for name in people {
        let (registration, of_them) = somebody(name);
        let made = store.register(registration, now).await.unwrap();
        store.grant_consent(HouseholdId(made.household), now).await.unwrap();
        households.push(HouseholdId(made.household));
        needles.extend(of_them.into_iter().take(6));
    }
    for (round, household) in (0..KILLS).zip(households) {
        let killer = std::thread::spawn({
            let cluster = cluster.clone();
            move || {
                std::thread::sleep(Duration::from_millis(20 + 37 * round));
                cluster.kill();
                std::thread::sleep(Duration::from_millis(200));
                cluster.run();
            }
        });
        // Done, or not, or nobody knows.
        let _ = store.revoke_consent(household, now).await;
        tokio::task::spawn_blocking(move || killer.join().unwrap()).await.unwrap();
        while let Err(error) = store.revoke_consent(household, now).await {
            if !error.is_temporary() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    // Whatever the last kill left is made up for by the next start.
    let next = open().await;
    for _ in 0..600 {
        if holding(&cluster.data(), &needles).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(holding(&cluster.data(), &needles), [""; 0]);
    next.close().await.unwrap();
}
