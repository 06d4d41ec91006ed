//! Behind PgBouncer: sessions are what a server needs.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, InsertOutcome, PostgresSettings, open_store};

use crate::{
    cluster::{self, as_postgres, give_to_postgres},
    story::{at, measurement, registration},
};

/// PgBouncer in front of a database, until this is dropped.
struct Bouncer {
    folder: tempfile::TempDir,
    process: Child,
}

impl Bouncer {
    fn start(program: &Path, url: &str, mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().display();
        let name = url.rsplit('=').next().unwrap();
        let to = url.split(' ').next().unwrap();
        let configuration = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{name} = {to} user=postgres dbname={name}\n[pgbouncer]\n\
             listen_addr =\nunix_socket_dir = {socket}\nauth_type = any\npool_mode = {mode}\n"
        );
        std::fs::write(&configuration, text).unwrap();
        give_to_postgres(folder.path());
        give_to_postgres(&configuration);
        let command = as_postgres(program);
        let process = Command::new(&command[0])
            .args(&command[1..])
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, process }
    }

    async fn settings(&self, url: &str) -> PostgresSettings {
        for _ in 0..200 {
            if self.folder.path().join(".s.PGSQL.6432").exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let name = url.rsplit('=').next().unwrap();
        let socket = self.folder.path().display();
        PostgresSettings::new(format!("host={socket} port=6432 user=postgres dbname={name}"))
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        // What was started by way of another user's shell is ended as its child.
        let _ =
            Command::new("pkill").args(["-f", &self.folder.path().display().to_string()]).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.exists())
        .expect("there is no `pgbouncer` (Debian: pgbouncer)")
}

#[needs(postgresql, pgbouncer)]
#[tokio::test]
async fn a_pooler_of_transactions_is_refused_and_one_of_sessions_serves() {
    let (cluster, program) = (cluster::shared(), program());
    let (url, _) = cluster.database().await;

    let transactions = Bouncer::start(&program, &url, "transaction");
    let settings = transactions.settings(&url).await;
    let error = open_store(&Database::Postgres(settings)).await.err().unwrap();
    assert!(error.to_string().contains("pool_mode = session"), "{error}");
    drop(transactions);

    let sessions = Bouncer::start(&program, &url, "session");
    let settings = sessions.settings(&url).await;
    let store = open_store(&Database::Postgres(settings)).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("erika@example.org"), now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    let item = measurement(1, made.meters[0], now);
    let stored = store.insert_measurements(household, vec![item], now).await.unwrap();
    assert_eq!(stored, [InsertOutcome::Accepted]);
}
