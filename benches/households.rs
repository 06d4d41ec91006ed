//! How long a researcher's search among 10,000 households takes through the Data API, on both
//! databases: a page of 100 with a search, with a filter, and in each order; beside the list of all,
//! which is what a client had to fetch to search in it:
//! `cargo bench -p ebp-server --bench households`.
//!
//! `EBP_BENCH_HOUSEHOLDS` is the number of households, `EBP_BENCH_LISTS` that of requests of a kind.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "server_support/mod.rs"]
mod support;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::paths,
    scope::Group,
};
use ebp_store::HouseholdId;
use support::{
    client::{Connection, get, roots, tls},
    cluster::{self, Cluster},
    machine,
    pages::{self, measure},
    parameter,
    server::{self, SECRET, Server},
    skipped,
};

/// What is asked: in words, and as a query.
const PAGES: [(&str, &str); 9] = [
    ("a page of 100", "limit=100"),
    ("100 by a word in many", "limit=100&q=m%C3%BCller"),
    ("100 by two words", "limit=100&q=m%C3%BCller+k%C3%B6ln"),
    ("100 by a word in none", "limit=100&q=nirgends"),
    ("100 by name", "limit=100&sort=name"),
    ("100 by name, backwards, searched", "limit=100&sort=-name&q=m%C3%BCller"),
    ("100 by postal code, searched", "limit=100&sort=postal-code&q=5114"),
    ("100 that take part, by city", "limit=100&sort=city&consent=granted"),
    ("all of them", "limit=10000"),
];

fn main() {
    server::serve_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let households = parameter("EBP_BENCH_HOUSEHOLDS", 10_000);
    machine("Searching households through the Data API");
    let cluster = cluster::binaries().is_some().then(|| Cluster::as_installed(""));
    if cluster.is_none() {
        skipped("PostgreSQL, which is not installed (Debian: postgresql-15)");
    }
    pages::head();
    for (name, cluster) in [("SQLite", None), ("PostgreSQL", cluster.as_ref())] {
        if name == "SQLite" || cluster.is_some() {
            searches(name, &Server::start(cluster).await, households).await;
        }
    }
}

/// A registration whose name and place vary.
fn registration(number: usize) -> ebp_core::contract::Registration {
    const NAMES: [&str; 7] =
        ["Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Öztürk", "Wolff"];
    const CITIES: [&str; 4] = ["Köln", "Paderborn", "Bonn", "Hamburg"];
    let name = format!("Person {number:05} {}", NAMES[number % NAMES.len()]);
    serde_json::from_value(serde_json::json!({
        "participant": {"name": name, "email": format!("person{number}@example.org")},
        "address": {
            "street": format!("Weg {number}"), "postal_code": format!("{:05}", 10_000 + number * 7 % 80_000),
            "city": CITIES[number / 7 % CITIES.len()], "country": "DE"},
        "metadata": {"children": 0, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}]
    }))
    .unwrap()
}

async fn searches(engine: &str, server: &Server, households: usize) {
    let now = SystemClock.now();
    for number in 0..households {
        let made = server.store.register(registration(number), now).await.unwrap();
        if number % 2 == 0 {
            server.store.grant_consent(HouseholdId(made.household), now).await.unwrap();
        }
    }
    let anybody = tls(&roots(&server.authority), None);
    let mut connection = Connection::tls(server.address, &anybody).await.unwrap();
    let credentials = BASE64_STANDARD.encode(format!("{}:{SECRET}", Group::Researchers));
    let headers = format!("authorization: Basic {credentials}\r\n");
    for (what, query) in PAGES {
        let request = get(&format!("{}?{query}", paths::MANAGEMENT_HOUSEHOLD), &headers);
        let count = if query.ends_with("=10000") { 20 } else { 300 };
        let what = format!("{engine}: {what}");
        measure(&what, server, &mut connection, &[request], count).await;
    }
}
