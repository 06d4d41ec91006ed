//! The Data API on PostgreSQL: the tests of `main.rs`, on the other database.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

mod access;
mod certificate;
mod clock;
#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "../support/cluster.rs"]
mod cluster;
mod consent;
mod enrolment;
mod faults;
mod harness;
mod household;
mod identity;
mod incident;
mod management;
mod measurement_list;
mod measurement_upload;
mod operation;
mod overload;
mod quota;
mod removal;
mod repeated;
mod scope;
mod server;
mod status;
mod token;

/// Where there is no PostgreSQL it is SQLite once more, which is said aloud.
const ENGINE: harness::Engine = harness::Engine::Postgres;

#[test]
fn all_of_them() {
    let modules = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("mod "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(modules(include_str!("postgres.rs")), modules(include_str!("main.rs")));
}
