//! `kill -9` of the server and of its database in the midst of uploads, on both engines.

use std::{sync::Arc, thread, time::Duration};

use ebp_needs::needs;

use crate::{
    cluster::Cluster,
    senders::{Senders, assert_complete},
    support::{household::Household, server::Server},
};

fn rounds() -> u64 {
    std::env::var("EBP_HOLD_ROUNDS").map_or(6, |text| text.parse().unwrap())
}

/// A cluster of the test's own, which it may kill.
fn cluster() -> (Cluster, String) {
    let cluster = Cluster::start("");
    let (url, _) = block_on(cluster.database());
    (cluster, url)
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Kills again and again while four senders send; after each kill they get on.
fn storm(mut server: Server, mut kill: impl FnMut(&mut Server, u64)) -> Server {
    let household = Arc::new(Household::register(&server, "erika@example.org", &["MT175"], "15m"));
    household.account(&server).grant();
    let senders = Senders::start(&server, &household, 4);
    senders.wait_for_more();
    for round in 0..rounds() {
        // Not in step with what the senders do.
        thread::sleep(Duration::from_millis(30 + round * 137 % 400));
        kill(&mut server, round);
        senders.wait_for_more();
    }
    let acknowledged = senders.end();
    assert!(acknowledged.len() > 1000, "{}", acknowledged.len());
    assert_complete(&server, &household, &acknowledged);
    // And after a start from what is on the disk alone.
    server.kill();
    server.go_on();
    assert_complete(&server, &household, &acknowledged);
    server
}

#[test]
fn the_server_on_sqlite() {
    storm(Server::start(), |server, _| {
        server.kill();
        server.go_on();
    });
}

#[needs(postgresql)]
#[test]
fn the_server_on_postgresql() {
    let (_cluster, url) = cluster();
    storm(Server::configured(&format!("database_url = {url:?}")), |server, _| {
        server.kill();
        server.go_on();
    });
}

/// The server itself is left alone: it finds its database again.
#[needs(postgresql)]
#[test]
fn postgresql_under_a_server() {
    let (cluster, url) = cluster();
    storm(Server::configured(&format!("database_url = {url:?}")), |server, round| {
        match round % 3 {
            0 => cluster.kill(),
            1 => cluster.stop(),
            // Connections that are cut, without an end of the database.
            _ => {
                block_on(async {
                    let admin = cluster.client("postgres").await;
                    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                               WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
                    admin.batch_execute(cut).await.unwrap();
                });
                return;
            }
        }
        // It lives, and says that it cannot serve.
        assert!(server.is_running());
        cluster.run();
    });
}
