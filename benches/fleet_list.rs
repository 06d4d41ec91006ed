//! How long pages of the fleet take through the Data API, on both databases: 10,000 devices with two
//! meters each, spread over all states, with 30 days of statuses each; every filter and order, counts
//! included, beside the list of all devices without them:
//! `cargo bench -p ebp-server --bench fleet_list`.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "fleet_rows.rs"]
mod fleet_rows;
#[path = "server_support/mod.rs"]
mod support;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ebp_core::{
    contract::{FleetSort, FleetState, paths},
    scope::Group,
};
use support::{
    client::{Connection, get, roots, tls},
    cluster::{self, Cluster},
    machine,
    pages::{self, measure},
    parameter,
    server::{self, SECRET, Server},
    skipped,
};

/// Devices: `EBP_BENCH_DEVICES`.
const DEVICES: usize = 10_000;

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Pages of the fleet through the Data API");
    let cluster = cluster::binaries().is_some().then(|| Cluster::as_installed(""));
    if cluster.is_none() {
        skipped("PostgreSQL, which is not installed (Debian: postgresql-15)");
    }
    let devices = parameter("EBP_BENCH_DEVICES", DEVICES);
    pages::head();
    for (name, cluster) in [("SQLite", None), ("PostgreSQL", cluster.as_ref())] {
        if name == "SQLite" || cluster.is_some() {
            let server = Server::start(cluster).await;
            fill(&server, cluster, devices).await;
            measure_pages(name, &server, devices).await;
        }
    }
}

async fn fill(server: &Server, cluster: Option<&Cluster>, devices: usize) {
    match (cluster, &server.database) {
        (Some(cluster), Some(database)) => {
            let db = cluster.client(database).await;
            db.batch_execute(&fleet_rows::POSTGRES.replace("DEVICES", &devices.to_string()))
                .await
                .unwrap();
        }
        _ => {
            let db = rusqlite::Connection::open(server.sqlite()).unwrap();
            db.busy_timeout(Duration::from_secs(60)).unwrap();
            db.execute_batch(&fleet_rows::SQLITE.replace("DEVICES", &devices.to_string())).unwrap();
        }
    }
}

async fn measure_pages(engine: &str, server: &Server, devices: usize) {
    let anybody = tls(&roots(&server.authority), None);
    let mut connection = Connection::tls(server.address, &anybody).await.unwrap();
    let credentials = BASE64_STANDARD.encode(format!("{}:{SECRET}", Group::Administrators));
    let headers = format!("authorization: Basic {credentials}\r\n");
    let fleet = |query: &str| get(&format!("{}?{query}", paths::MANAGEMENT_FLEET), &headers);

    let states = FleetState::ALL.map(|state| fleet(&format!("state={state}"))).to_vec();
    let sorts: Vec<_> = FleetSort::ALL
        .into_iter()
        .flat_map(|sort| [fleet(&format!("sort={sort}")), fleet(&format!("sort=-{sort}"))])
        .collect();
    let searches = [
        "q=Name%207",
        "q=er%20123",
        "q=nobody",
        "version=0.2.0&state=late",
        "version=0.1.0&sort=-damaged",
    ]
    .map(&fleet)
    .to_vec();
    // The page in the middle, by a cursor.
    let mut page = fleet("sort=last-report");
    for _ in 0..devices / 200 {
        let answer = connection.send(&page).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let Some(next) = body["next"].as_str() else { break };
        page = fleet(&format!("sort=last-report&cursor={next}"));
    }
    for (what, requests) in [
        ("each state, a page of 100", states),
        ("each order, a page of 100", sorts),
        ("searches and versions, a page of 100", searches),
        ("by the last report, the page in the middle", vec![page]),
    ] {
        measure(&format!("{engine}: {what}"), server, &mut connection, &requests, 300).await;
    }
    let all = [get(&format!("{}?limit=10000", paths::MANAGEMENT_DEVICE), &headers)];
    measure(&format!("{engine}: all devices, without states"), server, &mut connection, &all, 30)
        .await;
}
