//! A standby that had fallen behind is promoted while servers run.

use std::{fs, time::Duration};

use ebp_core::{
    contract::{paths, problem_type},
    scope::Scopes,
};
use ebp_server::Limits;
use reqwest::StatusCode;

use crate::{
    cluster::Cluster,
    harness::{Engine, Server, URL},
};

/// Before, devices were told `granted` again, and went on measuring.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_was_behind_serves_nobody_who_revoked() {
    let cluster = Cluster::start("");
    let (url, _) = cluster.database().await;
    let standby = cluster.standby();
    let dir = Server::prepare(Engine::Sqlite).await;
    fs::write(dir.path().join(URL), standby.or_else(&url)).unwrap();
    let server = Server::open(dir, Limits::default()).await;
    let (erika, api) = server.consenting("erika@example.org").await;
    let (_, other) = server.consenting("max@example.org").await;
    standby.catch_up().await;
    standby.stop();
    api.delete(paths::CONSENT).ok().await;
    let list = server.data().join("revocations.jsonl");
    let kept = fs::read_to_string(&list).unwrap();
    let again = server.issue("erika@example.org", Some(erika.measurement_device), Scopes::all());

    cluster.kill();
    standby.run();
    standby.promote();
    // A fresh connection, and the one from before: never granted, and gone in the end.
    let fresh = server.api(Some(&again));
    let mut gone = 0;
    for _ in 0..300 {
        for device in [&api, &fresh] {
            let answer = device.get(paths::CONSENT).send().await.unwrap();
            match answer.status() {
                StatusCode::GONE => gone += 1,
                StatusCode::SERVICE_UNAVAILABLE => {}
                other => panic!("{other}: {}", answer.text().await.unwrap()),
            }
        }
        if gone > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    api.get(paths::CONSENT).problem(410, problem_type::CONSENT_REVOKED).await;
    assert_eq!(other.get(paths::CONSENT).ok().await["state"], "granted");
    server.api(None).get(paths::READYZ).ok().await;
    assert_eq!(fs::read_to_string(&list).unwrap(), kept);
}
