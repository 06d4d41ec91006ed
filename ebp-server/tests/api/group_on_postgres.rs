//! PostgreSQL breaks the transaction that a group of uploads is stored by: it refuses to commit, ends
//! the connection, or is killed.

use std::{fs, process::Command, time::Duration};

use ebp_server::Limits;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::{
    cluster::{self, Cluster},
    group::{Answer, Scene},
    harness::{Engine, Server, URL},
};

/// Long enough that requests which were sent wait for the database.
const ARRIVED: Duration = Duration::from_secs(2);

/// Looks at a transaction as it commits: `planted` says what is done to one that stores measurements
/// of several meters, or to all (`always`). The sequence counts those of several meters, and is not
/// rolled back with them.
const PLANT: &str = "
    CREATE TABLE planted (what text, always boolean);
    INSERT INTO planted VALUES ('', false);
    CREATE SEQUENCE groups;
    CREATE FUNCTION break_group() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        meters bigint;
        fault planted;
    BEGIN
        SELECT count(DISTINCT meter) INTO meters FROM measurement
            WHERE xmin = pg_current_xact_id()::xid;
        SELECT * INTO fault FROM planted;
        IF meters > 1 THEN
            PERFORM nextval('groups');
        END IF;
        IF meters > 1 OR fault.always THEN
            CASE fault.what
                WHEN 'refuse' THEN RAISE EXCEPTION 'no room' USING ERRCODE = '53100';
                WHEN 'end' THEN PERFORM pg_terminate_backend(pg_backend_pid());
                WHEN 'hang' THEN PERFORM pg_advisory_xact_lock(4711);
                ELSE
            END CASE;
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER break_group AFTER INSERT ON measurement
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION break_group();";

/// The first is revoked while its upload waits; the last two keep the connections that store.
const REVOKED: usize = 0;
const GOOD: [usize; 3] = [1, 2, 3];
const BEFORE: [usize; 2] = [4, 5];

/// What is sent at once.
struct Sent {
    revoked: JoinHandle<Answer>,
    good: [JoinHandle<Answer>; 3],
    unknown: JoinHandle<Answer>,
    before: [JoinHandle<Answer>; 2],
}

struct Planted {
    scene: Scene,
    admin: Client,
}

impl Planted {
    async fn in_cluster(cluster: &Cluster) -> Self {
        let (url, _) = cluster.database().await;
        let dir = Server::prepare(Engine::Sqlite).await;
        fs::write(dir.path().join(URL), &url).unwrap();
        let scene = Scene::set(Server::open(dir, Limits::default()).await, 6, 20).await;
        let admin = cluster.client(url.rsplit('=').next().unwrap()).await;
        admin.batch_execute(PLANT).await.unwrap();
        Self { scene, admin }
    }

    async fn plant(&self, what: &str, always: bool) {
        self.admin.execute("UPDATE planted SET what = $1, always = $2", &[&what, &always]).await.unwrap();
    }

    async fn groups(&self) -> i64 {
        let sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM groups";
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Sends everything while a table is locked that each upload needs, and revokes one consent in the
    /// transaction that locks it.
    async fn send(&self) -> Sent {
        let lock = "BEGIN; LOCK TABLE meter IN ACCESS EXCLUSIVE MODE";
        self.admin.batch_execute(lock).await.unwrap();
        let revoke = "UPDATE consent SET revoked_at = granted_at + interval '1 hour'
                      WHERE household = $1 AND revoked_at IS NULL";
        self.admin.execute(revoke, &[&self.scene.household(REVOKED)]).await.unwrap();
        let before = BEFORE.map(|number| self.scene.upload(number));
        tokio::time::sleep(ARRIVED / 4).await;
        let sent = Sent {
            before,
            revoked: self.scene.upload(REVOKED),
            good: GOOD.map(|number| self.scene.upload(number)),
            unknown: self.scene.report_of_unknown_meter(GOOD[0]),
        };
        tokio::time::sleep(ARRIVED).await;
        self.admin.batch_execute("COMMIT").await.unwrap();
        sent
    }

    /// Each of those that were put off is stored when it is sent again.
    async fn assert_sent_again(&self, numbers: &[usize]) {
        self.plant("", false).await;
        for number in numbers {
            self.scene.upload(*number).await.unwrap().assert_stored();
        }
        for number in GOOD.iter().chain(&BEFORE) {
            self.scene.assert_stored_once(*number).await;
        }
        self.scene.upload(REVOKED).await.unwrap().assert_gone();
        let count = "SELECT count(*) FROM measurement";
        assert_eq!(self.admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 5 * 20);
    }
}

/// What one transaction for all cannot do, one for each can.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_refused_is_stored_one_by_one() {
    for what in ["refuse", "end"] {
        let planted = Planted::in_cluster(cluster::shared()).await;
        planted.plant(what, false).await;
        let sent = planted.send().await;
        sent.revoked.await.unwrap().assert_gone();
        sent.unknown.await.unwrap().assert_not_found();
        for answer in sent.good.into_iter().chain(sent.before) {
            answer.await.unwrap().assert_stored();
        }
        assert!(planted.groups().await > 0, "nothing was committed together");
        planted.assert_sent_again(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_everything_puts_off_what_is_good() {
    for what in ["refuse", "end"] {
        let planted = Planted::in_cluster(cluster::shared()).await;
        planted.plant(what, true).await;
        let sent = planted.send().await;
        sent.revoked.await.unwrap().assert_gone();
        sent.unknown.await.unwrap().assert_not_found();
        for answer in sent.good.into_iter().chain(sent.before) {
            answer.await.unwrap().assert_put_off();
        }
        assert!(planted.groups().await > 0, "nothing was committed together");
        planted.assert_sent_again(&[GOOD.as_slice(), &BEFORE].concat()).await;
    }
}

/// Nothing is sent one by one to a database that is gone: what is known of each by then is its answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_puts_off_what_is_good() {
    let cluster = Cluster::start("");
    let mut planted = Planted::in_cluster(&cluster).await;
    let database = planted.admin.query_one("SELECT current_database()::text", &[]).await.unwrap();
    let database: String = database.get(0);
    planted.plant("hang", false).await;
    planted.admin.batch_execute("SELECT pg_advisory_lock(4711)").await.unwrap();
    let sent = planted.send().await;
    // Uploads that arrive slowly make two groups. The end of any one process takes all with it.
    let hanging = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711
                   AND NOT granted LIMIT 1";
    let pid: i32 = loop {
        match planted.admin.query_opt(hanging, &[]).await.unwrap() {
            Some(row) => break row.get(0),
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    for answer in sent.before {
        answer.await.unwrap().assert_stored();
    }
    sent.unknown.await.unwrap().assert_not_found();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    sent.revoked.await.unwrap().assert_gone();
    for answer in sent.good {
        answer.await.unwrap().assert_put_off();
    }
    // The cluster recovers by itself.
    planted.admin = loop {
        let connected = tokio_postgres::connect(&cluster.url(&database), tokio_postgres::NoTls).await;
        if let Ok((client, connection)) = connected {
            tokio::spawn(connection);
            break client;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    planted.assert_sent_again(&GOOD).await;
}
