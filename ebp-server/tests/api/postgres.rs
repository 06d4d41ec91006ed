//! The Data API on PostgreSQL: the tests of `main.rs`, on the other database.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

// Without PostgreSQL one ignored test stands for all of them.
ebp_needs::only_with! { postgresql:
mod access;
mod agreement;
mod alert;
mod answers;
mod certificate;
mod clock;
mod consent;
mod earlier;
mod enrolment;
mod erasure;
mod exchange;
mod failover;
mod export;
#[cfg(feature = "export")]
mod export_job;
mod faults;
mod fleet;
mod geo;
mod group;
mod group_on_postgres;
mod harness;
mod household;
mod identity;
mod incident;
mod job;
mod long_body;
mod management;
mod measurement_list;
mod measurement_upload;
mod message;
mod operation;
mod overload;
mod put_back;
mod quota;
mod release;
mod removal;
mod repeated;
mod revision;
mod rolling;
mod rollout;
mod scope;
mod series;
mod server;
mod session;
mod shared;
mod status;
mod token;

use ebp_testkit::cluster;

/// The database of this program's servers.
const ENGINE: harness::Engine = harness::Engine::Postgres;
}

#[test]
fn modules_are_those_of_the_other_program() {
    let modules = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("mod "));
        // SQLite has no standbys; each database breaks in ways of its own.
        let own = ["failover", "group_on_postgres", "group_on_sqlite"];
        let own = own.map(|name| format!("mod {name};"));
        lines
            .filter(|line| !own.contains(&(*line).to_owned()))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(modules(include_str!("postgres.rs")), modules(include_str!("main.rs")));
}
