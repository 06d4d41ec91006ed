//! A newer release adds to the schema while a server of this one works under load: it serves on, starts
//! again, and nothing is lost. What it cannot go on with stops it at its start.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ebp_core::{
    clock::Clock,
    contract::{Problem, Registered, paths, problem_type},
    scope::Scopes,
};
use ebp_server::Limits;
use ebp_store::{Database, PostgresSettings, StoreError, open_store};
use ebp_survey::authority::Issued;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::harness::{Api, Call, Server, URL, measurement, registration};

/// How long the load lasts before and after each event.
const A_WHILE: Duration = Duration::from_secs(1);

/// The database, by connections of its own.
enum Plain {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Plain {
    async fn connect(folder: &Path) -> Self {
        if let Ok(url) = std::fs::read_to_string(folder.join(URL)) {
            let (client, connection) =
                tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            return Self::Postgres(client);
        }
        let connection = rusqlite::Connection::open(folder.join("ebp.sqlite")).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        Self::Sqlite(connection)
    }

    /// One transaction; a lock that is not to be had at once is asked for again, as migrations do.
    async fn change(&self, sql: &str) {
        match self {
            Self::Sqlite(db) => {
                db.execute_batch(&format!("BEGIN IMMEDIATE; {sql}; COMMIT")).unwrap()
            }
            Self::Postgres(db) => {
                let sql = format!("BEGIN; SET LOCAL lock_timeout = '100ms'; {sql}; COMMIT");
                while let Err(error) = db.batch_execute(&sql).await {
                    let code = error.code().map(|code| code.code().to_owned());
                    assert_eq!(code.as_deref(), Some("55P03"), "{error:?}");
                    db.batch_execute("ROLLBACK").await.unwrap();
                }
            }
        }
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(db) => {
                let mut statement = db.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
            Self::Postgres(db) => {
                let rows = db.query(sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// What the next release's migration does: a table, and a column in every table that there is.
    async fn migrate_to_the_next_release(&self) {
        let tables = match self {
            Self::Sqlite(_) => {
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
                 AND name NOT LIKE 'sqlite%' ORDER BY name"
            }
            Self::Postgres(_) => {
                "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
                 AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
            }
        };
        let mut sql = String::from("CREATE TABLE next_release (note TEXT)");
        for table in self.texts(tables).await {
            sql += &format!("; ALTER TABLE {table} ADD COLUMN of_next_release TEXT");
        }
        sql += "; INSERT INTO next_release (note) VALUES ('of the next release')";
        sql += "; UPDATE participant SET of_next_release = 'of the next release'; ";
        sql += match self {
            Self::Sqlite(_) => "PRAGMA user_version = 1000",
            Self::Postgres(_) => "INSERT INTO schema_migration (version) VALUES (1000)",
        };
        self.change(&sql).await;
    }
}

/// A device that sends until it is told to end.
struct Device {
    registered: Registered,
    identity: Issued,
    authority: String,
}

/// The result of the load.
#[derive(Default)]
struct Load {
    address: Mutex<Option<SocketAddr>>,
    ends: AtomicBool,
    answers: AtomicUsize,
}

impl Load {
    /// Uploads and asks for consent; each upload is sent until it is answered. Returns what was
    /// acknowledged.
    async fn run(
        self: Arc<Self>,
        device: Arc<Device>,
        number: u128,
        clock: Arc<dyn Clock>,
    ) -> BTreeSet<String> {
        let mut acknowledged = BTreeSet::new();
        let mut next = number << 64;
        while !self.ends.load(Ordering::SeqCst) {
            let meter = device.registered.meters[0];
            let items = [(); 2].map(|()| {
                next += 1;
                measurement(next, meter, clock.now())
            });
            let stored = self.insist(&device, |api| api.upload(&items)).await;
            for item in stored["items"].as_array().unwrap() {
                assert!(["accepted", "duplicate"].contains(&item["outcome"].as_str().unwrap()));
                acknowledged.insert(item["uuid"].as_str().unwrap().to_owned());
            }
            self.insist(&device, |api| api.get(paths::CONSENT)).await;
        }
        acknowledged
    }

    /// Asks until there is an answer: while one server replaces the other, none listens. Each answer
    /// has to be good.
    async fn insist(&self, device: &Device, ask: impl Fn(&Api) -> Call) -> Value {
        loop {
            let address = *self.address.lock().unwrap();
            if let Some(address) = address {
                let api = Api::new(address, &device.authority, Some(&device.identity));
                if let Ok(answer) = ask(&api).send().await {
                    let status = answer.status();
                    let body = answer.text().await.unwrap();
                    assert_eq!(status, 200, "{body}");
                    self.answers.fetch_add(1, Ordering::SeqCst);
                    return serde_json::from_str(&body).unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets the load go on for a while; it does.
    async fn go_on(&self) {
        let before = self.answers.load(Ordering::SeqCst);
        tokio::time::sleep(A_WHILE).await;
        while self.answers.load(Ordering::SeqCst) < before + 8 {
            tokio::time::sleep(A_WHILE / 10).await;
        }
    }
}

/// Before, it was asked only when a server opened the database: one that ran already went on with
/// whatever its statements came to.
#[tokio::test]
async fn a_running_server_stops_serving_when_its_schema_is_broken() {
    let server = Server::with_limits(Limits { rate: None, ..Limits::default() }).await;
    let (_, api) = server.consenting("erika@example.org").await;
    let nobody = server.api(None);
    nobody.get("/readyz").ok().await;
    let plain = Plain::connect(server.data()).await;
    let newer = match &plain {
        Plain::Sqlite(_) => "PRAGMA user_version = 1000",
        Plain::Postgres(_) => "INSERT INTO schema_migration (version) VALUES (1000)",
    };
    plain.change(newer).await;
    plain.change("UPDATE schema_compatibility SET since = 1000").await;
    let stopped = async {
        while nobody.get("/readyz").send().await.unwrap().status() == 200 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), stopped).await.unwrap();
    for call in [nobody.get("/readyz"), api.get(paths::CONSENT)] {
        let answer = call.send().await.unwrap();
        assert_eq!(answer.headers()["retry-after"], "30");
        let problem: Problem = answer.json().await.unwrap();
        assert_eq!((problem.status, &*problem.kind), (503, problem_type::UNAVAILABLE));
        let detail = problem.detail.unwrap();
        assert!(detail.contains("changed by a newer version of the server"), "{detail}");
    }
    let one_that_can = "UPDATE schema_compatibility SET since = 1";
    plain.change(one_that_can).await;
    let goes_on = async {
        while api.get(paths::CONSENT).send().await.unwrap().status() != 200 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), goes_on).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_does_not_stop_an_older_server() {
    let limits = Limits { rate: None, ..Limits::default() };
    let mut server = Server::with_limits(limits.clone()).await;
    let plain = Plain::connect(server.data()).await;
    let load = Arc::new(Load::default());
    *load.address.lock().unwrap() = Some(server.address);
    let mut devices: Vec<(Arc<Device>, JoinHandle<BTreeSet<String>>)> = Vec::new();
    for number in 0..4 {
        let email = format!("{number}@example.org");
        let (registered, _) = server.consenting(&email).await;
        let identity = server.issue(&email, Some(registered.measurement_device), Scopes::all());
        let authority = server.authority.certificate_pem().to_owned();
        let device = Arc::new(Device { registered, identity, authority });
        let running = load.clone().run(device.clone(), number + 1, server.clock.clone());
        devices.push((device, tokio::spawn(running)));
    }
    let (_, leaving) = server.consenting("leaving@example.org").await;
    load.go_on().await;

    plain.migrate_to_the_next_release().await;
    load.go_on().await;
    // All that an older server does goes on: it registers, grants and revokes.
    let (_, another) = server.consenting("another@example.org").await;
    leaving.delete(paths::CONSENT).ok().await;
    let again = registration("leaving@example.org");
    server.store.register(again, server.clock.now()).await.unwrap();

    // It starts again, and is rolled back to.
    *load.address.lock().unwrap() = None;
    let folder = server.stop().await;
    server = Server::open_with(folder, |settings, clock| {
        settings.limits = limits;
        // The clock of the server before, which devices go by, is ahead.
        clock.advance(60);
    })
    .await;
    *load.address.lock().unwrap() = Some(server.address);
    load.go_on().await;
    let answer = another.get(paths::CONSENT).send().await;
    assert!(answer.is_err(), "the server before has ended");

    load.ends.store(true, Ordering::SeqCst);
    for (device, running) in devices {
        let acknowledged = running.await.unwrap();
        let api = server.api(Some(&device.identity));
        let mut stored = Vec::new();
        let list = paths::measurements_of(device.registered.meters[0]);
        let mut path = format!("{list}?limit=1000");
        loop {
            let page = api.get(&path).ok().await;
            let items = page["items"].as_array().unwrap();
            stored.extend(items.iter().map(|item| item["uuid"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{list}?limit=1000&cursor={next}");
        }
        assert_eq!(stored.len(), acknowledged.len());
        assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), acknowledged);
    }
    // What the next release keeps is left alone, also where the older server wrote tables anew.
    let notes = "SELECT note FROM next_release UNION ALL
                 SELECT of_next_release FROM participant WHERE email = '0@example.org'";
    assert_eq!(plain.texts(notes).await, ["of the next release"; 2]);
    let folder = server.stop().await;

    // The release after the next removes what this one reads.
    plain.change("UPDATE schema_compatibility SET since = 1000").await;
    let database = match std::fs::read_to_string(folder.path().join(URL)) {
        Ok(url) => Database::Postgres(PostgresSettings::new(url)),
        Err(_) => Database::Sqlite(folder.path().join("ebp.sqlite")),
    };
    let error: StoreError = open_store(&database).await.err().unwrap();
    let text = error.to_string();
    assert!(text.contains("schema version 1000") && text.contains("cannot use"), "{text}");
    assert!(!error.is_temporary());
}
