//! How long lists take through the Data API, on both databases: 1,000 households as researchers and
//! as administrators see them, a meter's year page by page and its first page:
//! `cargo bench -p ebp-server --bench listing`.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::paths,
    scope::Group,
};
use support::{
    client::{Connection, get, roots, tls},
    cluster::{self, Cluster},
    household::Household,
    machine,
    pages::{self, measure},
    server::{self, SECRET, Server},
    skipped,
};

const HOUSEHOLDS: usize = 1_000;
const YEAR: usize = 35_040;

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    machine("Lists through the Data API");
    let cluster = cluster::binaries().is_some().then(|| Cluster::as_installed(""));
    if cluster.is_none() {
        skipped("PostgreSQL, which is not installed (Debian: postgresql-15)");
    }
    pages::head();
    for (name, cluster) in [("SQLite", None), ("PostgreSQL", cluster.as_ref())] {
        if name == "SQLite" || cluster.is_some() {
            lists(name, &Server::start(cluster).await).await;
        }
    }
}

async fn lists(engine: &str, server: &Server) {
    let mut first = None;
    for _ in 0..HOUSEHOLDS {
        let household = Household::register(&*server.store).await;
        first.get_or_insert(household);
    }
    let household = first.unwrap();
    let now = SystemClock.now();
    for from in (0..YEAR).step_by(8760) {
        let rows = household.measurements(from, 8760);
        server.store.insert_measurements(household.id, rows, now).await.unwrap();
    }
    let anybody = tls(&roots(&server.authority), None);
    for group in Group::ALL {
        let mut connection = Connection::tls(server.address, &anybody).await.unwrap();
        let credentials = BASE64_STANDARD.encode(format!("{group}:{SECRET}"));
        let headers = format!("authorization: Basic {credentials}\r\n");
        let request = get(&format!("{}?limit={HOUSEHOLDS}", paths::MANAGEMENT_HOUSEHOLD), &headers);
        let what = format!("{engine}: {HOUSEHOLDS} households as {group}");
        measure(&what, server, &mut connection, &[request], 300).await;
    }
    let mut connection =
        Connection::tls(server.address, &household.identity(server)).await.unwrap();
    let path = paths::METER_MEASUREMENT.replace("{uuid}", &household.meter.to_string());
    let page = |cursor: &str| get(&format!("{path}?limit=1000{cursor}"), "");
    let mut pages = vec![page("")];
    loop {
        let answer = connection.send(pages.last().unwrap()).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let Some(next) = body["next"].as_str() else { break };
        pages.push(page(&format!("&cursor={next}")));
    }
    assert_eq!(pages.len(), YEAR.div_ceil(1000));
    let first = format!("{engine}: a year's first page of 1,000");
    measure(&first, server, &mut connection, &pages[..1], 300).await;
    let each = format!("{engine}: each page of 1,000 of a year");
    measure(&each, server, &mut connection, &pages, 300).await;
    let whole = [get(&format!("{path}?limit=10000"), "")];
    measure(&format!("{engine}: a page of 10,000"), server, &mut connection, &whole, 300).await;
}
