//! SQLite's disk is full when a group of requests is to be committed.

use std::time::Duration;

use ebp_needs::needs;
use ebp_store::Database;
use ebp_testkit::small_disk::SmallDisk;

use crate::{ENGINE, group::Scene, harness::Server};

/// Long enough that requests which were sent wait for the writer.
const ARRIVED: Duration = Duration::from_secs(2);

#[needs(mount)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_breaks_a_group_and_each_is_answered_for_itself() {
    let disk = SmallDisk::mount(24);
    let database = disk.path().join("ebp.sqlite");
    let dir = Server::prepare(ENGINE).await;
    let server = Server::open_with(dir, |settings, _| {
        settings.database = Database::Sqlite(database.clone());
    });
    let scene = Scene::set(server.await, 4, 1000).await;
    const REVOKED: usize = 0;

    // While another connection writes, requests gather; what it writes is the revocation of one of
    // them. There is room left for that, and none for a thousand measurements.
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let revoke = "UPDATE consent SET revoked_at = granted_at + 3600000000 WHERE household = ?1";
    let household = scene.household(REVOKED).as_bytes().to_vec();
    assert_eq!(other.execute(revoke, [household]).unwrap(), 1);
    let revoked = scene.upload(REVOKED);
    let good = [1, 2, 3].map(|number| scene.upload(number));
    let unknown = scene.report_of_unknown_meter(1);
    tokio::time::sleep(ARRIVED).await;
    disk.fill_but(160);
    other.execute_batch("COMMIT").unwrap();

    revoked.await.unwrap().assert_gone();
    unknown.await.unwrap().assert_not_found();
    for answer in good {
        answer.await.unwrap().assert_put_off();
    }
    let count = || -> i64 {
        other.query_row("SELECT count(*) FROM measurement", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(), 0);

    disk.free();
    for number in [1, 2, 3] {
        scene.upload(number).await.unwrap().assert_stored();
    }
    for number in [1, 2, 3] {
        scene.assert_stored_once(number).await;
    }
    assert_eq!(count(), 3000);
    scene.upload(REVOKED).await.unwrap().assert_gone();
}
