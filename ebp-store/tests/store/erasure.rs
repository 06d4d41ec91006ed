//! Of removed values no byte is left in the database's files. PostgreSQL needs a cluster of its own
//! for that, since all of it is searched.

use std::{path::Path, sync::Arc, time::Duration};

use ebp_core::contract::Registration;
use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, PostgresSettings, Store, open_store};

use crate::{
    cluster::Cluster,
    story::{at, measurement, names, registration},
};

/// What the book tells operators to set: segments of the log that are over are removed, not kept
/// with their content to be written over one day.
pub const CONFIGURATION: &str = "wal_recycle = off\nfsync = off\n";

/// Somebody whose every value is found in no other file of the world.
pub fn somebody(name: &str) -> (Registration, Vec<Vec<u8>>) {
    let mut registration = registration(&format!("{name}.Geheimnis@example.org"));
    registration.participant.name = format!("{name} Unauffindbar");
    registration.address.street = format!("{name}winkel 99");
    registration.address.city = format!("Hinter{name}ingen");
    let offset = f64::from(name.bytes().map(u16::from).sum::<u16>()) / 1e7;
    let (latitude, longitude) = (51.123_456_789 + offset, 7.987_654_321 + offset);
    registration.location = serde_json::from_value(serde_json::json!(
        {"latitude": latitude, "longitude": longitude}
    ))
    .unwrap();
    registration.pv_systems[0].nominal_power = "7.1234567812345678".parse().unwrap();
    let text = name.to_lowercase();
    let needles = vec![
        format!("{text}.geheimnis").into_bytes(),
        format!("{text} unauffindbar").into_bytes(),
        format!("{text}winkel").into_bytes(),
        format!("hinter{text}").into_bytes(),
        latitude.to_le_bytes().to_ascii_lowercase(),
        longitude.to_le_bytes().to_ascii_lowercase(),
        latitude.to_be_bytes().to_ascii_lowercase(),
        longitude.to_be_bytes().to_ascii_lowercase(),
        // As text, and as a `numeric`'s digits in base 10,000; eight digits, so that a float's
        // last ones do not matter.
        latitude.to_string()[..10].into(),
        longitude.to_string()[..9].into(),
        numeric(latitude),
        numeric(longitude),
        // A `numeric`'s digits in base 10,000.
        [1234_u16, 5678].map(u16::to_ne_bytes).concat().repeat(2).to_ascii_lowercase(),
    ];
    (registration, needles)
}

/// What tells the names apart.
fn sum(name: &str) -> u128 {
    name.bytes().map(u128::from).sum()
}

/// The first eight decimals as PostgreSQL's `numeric` has them.
fn numeric(degrees: f64) -> Vec<u8> {
    let decimals = (degrees.fract() * 1e8) as u32;
    let digits = [decimals / 10_000, decimals % 10_000];
    digits.map(|four| u16::try_from(four).unwrap().to_ne_bytes()).concat().to_ascii_lowercase()
}

/// The files below the folder that hold one of these, without regard to case.
pub fn holding(folder: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, needles));
            continue;
        }
        // A file may go while it is looked for.
        let content = std::fs::read(&path).unwrap_or_default().to_ascii_lowercase();
        for needle in needles {
            if memchr::memmem::find(&content, needle).is_some() {
                found.push(format!("{}: {}", path.display(), String::from_utf8_lossy(needle)));
            }
        }
    }
    found
}

struct Scene {
    cluster: Cluster,
    url: String,
    database: String,
}

impl Scene {
    async fn new() -> Self {
        let cluster = Cluster::start(CONFIGURATION);
        let (url, settings) = cluster.database().await;
        // Neighbours whose rows stay, so that pages are shared.
        let store = open_store(&Database::Postgres(settings)).await.unwrap();
        for i in 0..40 {
            let email = format!("neighbour{i}@example.net");
            store.register(registration(&email), at("2026-01-01T00:00:00Z")).await.unwrap();
        }
        Self { cluster, database: url.rsplit('=').next().unwrap().to_owned(), url }
    }

    async fn store(&self, url: &str) -> Arc<dyn Store> {
        open_store(&Database::Postgres(PostgresSettings::new(url))).await.unwrap()
    }

    /// A store that masks whoever revokes.
    async fn masking(&self, url: &str) -> Arc<dyn Store> {
        let store = self.store(url).await;
        store.mask_by(crate::masking::masking(), false).await.unwrap();
        store
    }

    /// Registers somebody, whose values then lie in tables, log and statistics.
    async fn consenting(&self, store: &dyn Store, name: &str) -> (HouseholdId, Vec<Vec<u8>>) {
        // Its log begins a segment: a checkpoint on the way would otherwise let go of one.
        let db = self.cluster.client(&self.database).await;
        db.batch_execute("SELECT pg_switch_wal()").await.unwrap();
        let now = at("2026-01-01T00:00:00Z");
        let (registration, needles) = somebody(name);
        let made = store.register(registration, now).await.unwrap();
        let household = HouseholdId(made.household);
        store.grant_consent(household, now).await.unwrap();
        let items = (0..100).map(|i| measurement(i << 64 | sum(name), made.meters[0], now));
        store.insert_measurements(household, items.collect(), now).await.unwrap();
        db.batch_execute("CHECKPOINT").await.unwrap();
        db.batch_execute("ANALYZE").await.unwrap();
        let statistics = db
            .query_one(
                "SELECT count(*) FROM pg_stats WHERE tablename IN
                     ('participant', 'participant_email', 'address', 'location',
                                    'withheld_location')
                 AND attname NOT IN ('id', 'household')
                 AND attname NOT IN ('precision', 'masked', 'nuts3')",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(statistics.get::<_, i64>(0), 0, "values would be copied into statistics");
        let before = holding(&self.cluster.data(), &needles);
        for place in ["pg_wal", "base"] {
            assert!(before.iter().any(|file| file.contains(place)), "{place}: {before:?}");
        }
        // The other forms of the coordinates are nowhere from the start.
        assert!(before.len() >= 2 * (needles.len() - 6) - 1, "{before:?}");
        (household, needles)
    }

    fn assert_absent(&self, needles: &[Vec<u8>]) {
        assert_eq!(holding(self.cluster.data().parent().unwrap(), needles), [""; 0]);
    }
}

#[needs(postgresql)]
#[tokio::test]
async fn no_byte_of_what_was_removed_is_left() {
    let scene = Scene::new().await;
    let now = at("2026-01-02T00:00:00Z");
    let store = scene.masking(&scene.url).await;

    // A transaction old enough to see what is removed: VACUUM FULL would keep it for that one.
    let (wanda, needles) = scene.consenting(&*store, "Wanda").await;
    let old = scene.cluster.client(&scene.database).await;
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM metadata").await.unwrap();
    store.revoke_consent(wanda, now).await.unwrap();
    scene.assert_absent(&needles);
    old.batch_execute("COMMIT").await.unwrap();

    // A dump reads the tables: revocation does not wait for it to end, erasure does.
    let (jaromir, needles) = scene.consenting(&*store, "Jaromir").await;
    old.batch_execute("BEGIN; SELECT FROM participant").await.unwrap();
    store.revoke_consent(jaromir, now).await.unwrap();
    let held = holding(&scene.cluster.data(), &needles);
    assert!(!held.is_empty());
    // Meanwhile others are served.
    store.actor(&names("neighbour1@example.net", None)).await.unwrap();
    old.batch_execute("COMMIT").await.unwrap();
    for _ in 0..200 {
        if holding(&scene.cluster.data(), &needles).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.assert_absent(&needles);

    // A server that is killed between revocation and erasure: the next one's start makes up for it.
    let (olga, needles) = scene.consenting(&*store, "Olga").await;
    old.batch_execute("BEGIN; SELECT FROM participant").await.unwrap();
    let runtime = std::thread::spawn({
        let url = scene.url.clone();
        move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let settings = PostgresSettings::new(url);
                let store = open_store(&Database::Postgres(settings)).await.unwrap();
                store.mask_by(crate::masking::masking(), false).await.unwrap();
                store.revoke_consent(olga, now).await.unwrap();
            });
            // Its tasks end here.
        }
    });
    tokio::task::spawn_blocking(|| runtime.join()).await.unwrap().unwrap();
    old.batch_execute("COMMIT").await.unwrap();
    assert!(!holding(&scene.cluster.data().join("base"), &needles).is_empty());
    let next = scene.store(&scene.url).await;
    for _ in 0..200 {
        if holding(&scene.cluster.data(), &needles).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.assert_absent(&needles);
    next.close().await.unwrap();

    // A role that may not make checkpoints: the tables are clean at once, the log with the next
    // checkpoint behind a switch of its segment.
    let admin = scene.cluster.client(&scene.database).await;
    let owned = format!(
        "CREATE ROLE ebp LOGIN; ALTER DATABASE {db} OWNER TO ebp; ALTER SCHEMA public OWNER TO ebp;
         DO $$ DECLARE t regclass; f regprocedure; BEGIN
             FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
                 AND (relkind IN ('r', 'p') OR relname = 'participant_number') LOOP
                 EXECUTE format('ALTER TABLE %s OWNER TO ebp', t);
             END LOOP;
             FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
                 EXECUTE format('ALTER FUNCTION %s OWNER TO ebp', f);
             END LOOP;
         END $$",
        db = scene.database
    );
    admin.batch_execute(&owned).await.unwrap();
    let plain = scene.masking(&scene.url.replace("user=postgres", "user=ebp")).await;
    let (ludmilla, needles) = scene.consenting(&*plain, "Ludmilla").await;
    plain.revoke_consent(ludmilla, now).await.unwrap();
    let left = holding(&scene.cluster.data(), &needles);
    assert!(!left.is_empty() && left.iter().all(|file| file.contains("pg_wal")), "{left:?}");
    admin.batch_execute("SELECT pg_switch_wal()").await.unwrap();
    admin.batch_execute("CHECKPOINT").await.unwrap();
    scene.assert_absent(&needles);

    // Withheld, a household's location alone stays; it goes when there are regions.
    let (waltraud, needles) = scene.consenting(&*store, "Waltraud").await;
    scene.store(&scene.url).await.revoke_consent(waltraud, now).await.unwrap();
    scene.assert_absent(&needles[..4]);
    assert!(!holding(&scene.cluster.data(), &needles[4..6]).is_empty(), "nothing is lost");
    assert_eq!(store.mask_pending().await.unwrap().masked, 1);
    scene.assert_absent(&needles);

    // Masked in the transaction of revocation.
    let (martha, needles) = scene.consenting(&*store, "Martha").await;
    store.revoke_consent(martha, now).await.unwrap();
    scene.assert_absent(&needles);
    assert!(store.revoked_households().await.unwrap().iter().all(|it| it.location.is_some()));

    scene.cluster.stop();
    for name in ["Wanda", "Jaromir", "Olga", "Ludmilla", "Waltraud", "Martha"] {
        scene.assert_absent(&somebody(name).1);
    }
}

#[tokio::test]
async fn no_byte_is_left_in_a_sqlite_file_or_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(folder.path().join("ebp.sqlite"));
    let open = async || open_store(&database).await.unwrap();
    let now = at("2026-01-01T00:00:00Z");
    let (masking, plain) = (open().await, open().await);
    for i in 0..40 {
        let email = format!("neighbour{i}@example.net");
        masking.register(registration(&email), now).await.unwrap();
    }
    masking.mask_by(crate::masking::masking(), false).await.unwrap();
    let consenting = async |name: &str| {
        let (registration, needles) = somebody(name);
        let made = masking.register(registration, now).await.unwrap();
        let household = HouseholdId(made.household);
        masking.grant_consent(household, now).await.unwrap();
        let item = measurement(sum(name), made.meters[0], now);
        masking.insert_measurements(household, vec![item], now).await.unwrap();
        // SQLite keeps a real number as its eight octets, the greatest first.
        let before = holding(folder.path(), &needles[..4]).len();
        let there = holding(folder.path(), &needles[6..8]).len();
        assert!(before >= 4 && there >= 2, "{name} is there");
        (household, needles)
    };
    let assert_absent = |needles: &[Vec<u8>]| {
        assert_eq!(holding(folder.path(), needles), [""; 0]);
    };

    let (martha, needles) = consenting("Martha").await;
    masking.revoke_consent(martha, now).await.unwrap();
    assert_absent(&needles);
    assert!(masking.revoked_households().await.unwrap()[0].location.is_some());

    let (waltraud, needles) = consenting("Waltraud").await;
    plain.revoke_consent(waltraud, now).await.unwrap();
    assert_absent(&needles[..4]);
    assert!(!holding(folder.path(), &needles[6..8]).is_empty(), "nothing is lost");
    assert_eq!(masking.mask_pending().await.unwrap().masked, 1);
    assert_absent(&needles);
    masking.close().await.unwrap();
    plain.close().await.unwrap();
    for name in ["Martha", "Waltraud"] {
        assert_absent(&somebody(name).1);
    }
}
