//! What the log tells, and what it never does. A program of its own, since a process has one log.

#![allow(clippy::unwrap_used, reason = "what a test unwraps is what it asserts")]

#[allow(dead_code, reason = "the tests of the Data API use the rest")]
#[path = "api/harness.rs"]
mod harness;

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use ebp_core::{
    clock::Clock,
    contract::paths,
    scope::{Group, Scopes},
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use ebp_server::Limits;
use ebp_testkit::cluster;
use harness::{Call, Engine, Server, measurement};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Asks a server without workers for jobs, and stops it.
async fn ask_for_jobs(server: Server) -> tempfile::TempDir {
    let folder = server.stop().await;
    let server = Server::open_with(folder, |settings, _| settings.jobs.workers = 0).await;
    let researcher = server.manager(Group::Researchers);
    for (job, trace) in [
        (json!({ "kind": "risk-report" }), format!("00-{TRACE}-00f067aa0ba902b7-01")),
        (
            json!({ "kind": "household-import", "file": "participant.name\nGeheimrat" }),
            format!("00-{TRACE}-00f067aa0ba902b7-01\" level=ERROR forged"),
        ),
    ] {
        let call = researcher.json(Method::POST, paths::MANAGEMENT_JOB, &job);
        let call = Call(call.0.header("traceparent", trace));
        call.expect(StatusCode::ACCEPTED).await;
    }
    server.stop().await
}

/// What a server is on that nobody told.
const ENGINE: Engine = Engine::Sqlite;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn routes_and_statuses_but_nobody() {
    let log = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(
            "ebp_server=trace,ebp_survey=trace,axum=trace,hyper=trace,tokio_postgres=trace",
        ))
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    for engine in [ENGINE, Engine::Postgres] {
        tell_a_story(engine, &log).await;
    }
}

async fn tell_a_story(engine: Engine, log: &Captured) {
    let server = Server::on(engine, Limits::default()).await;
    let (registered, api) = server.consenting("erika@example.org").await;
    api.upload(&[measurement(7, registered.meters[0], server.clock.now())]).ok().await;
    let list = format!("{}?limit=5", paths::measurements_of(registered.meters[0]));
    for path in [paths::ACCOUNT, paths::HOUSEHOLD, &list, "/erika@example.org"] {
        api.get(path).send().await.unwrap();
    }
    let stranger = server.issue("stranger@example.org", None, Scopes::all());
    server.api(Some(&stranger)).get(paths::ACCOUNT).send().await.unwrap();
    api.delete(paths::CONSENT).ok().await;
    let folder = ask_for_jobs(server).await;
    // Another server does what the first one was asked for.
    let server = Server::open(folder, Limits::default()).await;
    let researcher = server.manager(Group::Researchers);
    for _ in 0..600 {
        let jobs = researcher.get(paths::MANAGEMENT_JOB).ok().await;
        let jobs = jobs["items"].as_array().unwrap();
        if jobs.iter().all(|job| ["failed", "succeeded"].contains(&job["state"].as_str().unwrap()))
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.stop().await;

    let log = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
    assert!(log.contains("route=\"/household/meter/{uuid}/measurement\" status=200"), "{log}");
    assert!(log.contains("method=\"DELETE\" route=\"/household/consent\" status=200"), "{log}");
    assert!(log.contains("route=\"-\" status=404"), "{log}");
    // The request and the job, on two servers.
    let begun = format!("job{{trace_id={TRACE}}}");
    assert!(log.contains(&begun) && log.contains("a job begins"), "{log}");
    let asked = format!(" trace_id={TRACE}}}: ebp_server::request: answered method=\"POST\"");
    assert!(log.contains(&asked), "{log}");
    assert!(!log.contains("forged"), "{log}");
    // A refused file is no failure of the server.
    assert!(log.contains("what a job was asked for is refused"), "{log}");
    assert!(!log.contains("given up") && !log.contains("Geheimrat"), "{log}");
    let meter = registered.meters[0].to_string();
    for secret in ["example.org", "Mustermann", "Heidestra", "50.85", "12345.6789", &meter] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
