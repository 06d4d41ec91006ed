//! `kill -9` of servers while they watch devices: between a decision and its sending, while the
//! receiver has a message and has not answered, and anywhere else. A receiver that drops repeated
//! keys gets the beginning and the end of each episode once.
//!
//! The number of episodes can be set with `EBP_HOLD_EPISODES`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{AlertChange, AlertNotice, DeviceStatus},
};
use ebp_needs::needs;
use ebp_store::{Database, HouseholdId, ListQuery, PostgresSettings, Store, open_store};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{
    cluster,
    support::{server::Server, wait_for, write_private},
};

const DEVICES: usize = 50;

/// How long anything may take that waits for restarts.
const LIMIT: Duration = Duration::from_secs(240);

fn episodes() -> usize {
    std::env::var("EBP_HOLD_EPISODES").map_or(150, |text| text.parse().unwrap())
}

/// What a receiver that drops repeated keys has seen.
#[derive(Default)]
struct Seen {
    keys: BTreeSet<String>,
    repeated: usize,
    /// How often the beginning and the end of each episode was told, and whether it is open.
    changes: BTreeMap<Uuid, [u32; 2]>,
    open: BTreeMap<Uuid, bool>,
}

impl Seen {
    fn take(&mut self, key: &str, body: &[u8]) {
        let notice: AlertNotice = serde_json::from_slice(body).unwrap();
        assert_eq!(notice.message.to_string(), key);
        if !self.keys.insert(key.to_owned()) {
            self.repeated += 1;
            return;
        }
        for item in notice.items {
            let counts = self.changes.entry(item.episode).or_default();
            let ends = item.change == AlertChange::Ended;
            counts[usize::from(ends)] += 1;
            assert!(!ends || counts[0] == 1, "an end comes after its beginning: {item:?}");
            self.open.insert(item.device, !ends);
        }
    }
}

/// A webhook's receiver. It can be made to keep its answer back.
struct Receiver {
    /// Where servers find their secret.
    folder: tempfile::TempDir,
    port: u16,
    seen: Mutex<Seen>,
    holds: AtomicBool,
    held: AtomicU64,
}

impl Receiver {
    fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("secret"), "a secret of the receiver");
        let receiver = Arc::new(Self {
            folder,
            port: listener.local_addr().unwrap().port(),
            seen: Mutex::default(),
            holds: AtomicBool::new(false),
            held: AtomicU64::new(0),
        });
        let this = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let this = this.clone();
                thread::spawn(move || this.serve(stream));
            }
        });
        receiver
    }

    /// One message; nothing where its sender is killed before it is whole.
    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim().split_once(": ") {
                Some(("webhook-id", id)) => key = id.to_owned(),
                Some(("content-length", given)) => length = given.parse().unwrap(),
                Some(_) => {}
                None if line == "\r\n" => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        self.seen.lock().unwrap().take(&key, &body);
        if self.holds.load(Ordering::SeqCst) {
            self.held.fetch_add(1, Ordering::SeqCst);
            while self.holds.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
        }
        stream.write_all(b"HTTP/1.1 204 Good\r\ncontent-length: 0\r\n\r\n").ok()
    }
}

/// One runtime for all: connections to the database live in it.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    });
    RUNTIME.block_on(work)
}

/// A server that watches and posts to that receiver.
fn server(receiver: &Receiver, database_url: Option<&str>) -> Server {
    let url = database_url.map(|url| format!("database_url = \"{url}\"\n")).unwrap_or_default();
    Server::configured(&format!(
        "{url}[alerts]\nreport_cycle = \"10s\"\nsilent = \"400ms\"\nlate = \"off\"\n\
         incident = \"off\"\ncertificate = \"off\"\ndamaged_percent = 0\nlook = \"100ms\"\n\
         messages_at_once = 1000000\nallow = [\"127.0.0.1\"]\n\
         webhook = \"http://127.0.0.1:{}/hook\"\nwebhook_secret = \"{}\"\n",
        receiver.port,
        receiver.folder.path().join("secret").display()
    ))
}

/// Devices of consenting households.
async fn devices(store: &dyn Store) -> Vec<Uuid> {
    let now = SystemClock.now();
    let registration = serde_json::json!({
        "participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "EHZ"}]
    });
    let made = store.register(serde_json::from_value(registration).unwrap(), now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    let mut devices = Vec::new();
    for _ in 0..DEVICES {
        devices.push(store.add_device(household, Vec::new()).await.unwrap());
    }
    devices
}

/// Reports of a device, asked for again where the database is busy.
async fn report(store: &dyn Store, device: Uuid) {
    for _ in 0..100 {
        match store.report_status(device, DeviceStatus::default(), SystemClock.now()).await {
            Err(error) if error.is_temporary() => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            reported => return reported.unwrap(),
        }
    }
    panic!("the database stays busy");
}

/// How often servers were killed.
#[derive(Debug, Default)]
struct Kills {
    anywhere: AtomicU64,
    /// Between the decision on a message and its sending.
    undecided: AtomicU64,
    /// While the receiver had a message and had not answered.
    unanswered: AtomicU64,
}

impl Kills {
    /// Whether servers were killed at each of the two points that matter.
    fn all_seen(&self) -> bool {
        [&self.undecided, &self.unanswered].iter().all(|kills| kills.load(Ordering::SeqCst) > 0)
    }
}

/// Stops devices and lets them come back while servers are killed, until so many episodes have
/// begun and servers were killed at each point; then all come back.
fn each_change_once(mut servers: Vec<Server>, receiver: &Arc<Receiver>, database: &Database) {
    let store = block_on(open_store(database)).unwrap();
    let devices = block_on(devices(&*store));
    block_on(async {
        for device in &devices {
            report(&*store, *device).await;
        }
    });
    let over = AtomicBool::new(false);
    let reports = |last: bool| {
        // Those that are told of as silent come back; the others stay silent until they are, or in
        // the end go on reporting.
        let open = receiver.seen.lock().unwrap().open.clone();
        block_on(async {
            for device in &devices {
                if last || open.get(device).copied().unwrap_or(false) {
                    report(&*store, *device).await;
                }
            }
        });
    };
    let kills = Kills::default();
    thread::scope(|scope| {
        let killer = scope.spawn(|| kill_while(&mut servers, receiver, &*store, &over, &kills));
        let begun = Instant::now();
        let told = || receiver.seen.lock().unwrap().changes.len();
        while told() < episodes() || !kills.all_seen() {
            assert!(begun.elapsed() < LIMIT, "{} episodes so far, {kills:?}", told());
            reports(false);
            thread::sleep(Duration::from_millis(30));
        }
        over.store(true, Ordering::SeqCst);
        killer.join().unwrap();
    });
    let begun = Instant::now();
    let open = || {
        let state = block_on(store.alert_state(SystemClock.now())).unwrap();
        let pending = block_on(store.alert_counts()).unwrap().pending;
        (!state.episodes.is_empty() || pending > 0).then_some((pending, state.episodes))
    };
    loop {
        reports(true);
        if open().is_none() {
            // Devices that nobody reports for would be silent again while messages are counted.
            servers.iter_mut().for_each(Server::kill);
            if open().is_none() {
                break;
            }
            servers.iter_mut().for_each(Server::go_on);
        }
        assert!(begun.elapsed() < LIMIT, "messages wait: {:?}", open());
    }
    let (mut began, mut ended, mut messages) = (0, 0, 0);
    let mut query = ListQuery { after: None, limit: 500 };
    loop {
        let page = block_on(store.alert_messages(query)).unwrap();
        messages += page.items.len();
        began += page.items.iter().map(|message| message.began).sum::<u64>();
        ended += page.items.iter().map(|message| message.ended).sum::<u64>();
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let seen = receiver.seen.lock().unwrap();
    let wrong: Vec<_> = seen.changes.iter().filter(|(_, counts)| **counts != [1, 1]).collect();
    assert!(wrong.is_empty(), "not told once: {wrong:?}");
    let told = seen.changes.len() as u64;
    assert_eq!(
        (told, told, messages),
        (began, ended, seen.keys.len()),
        "all that was stored is told"
    );
    println!(
        "{told} episodes in {messages} messages, each begun and ended once; {kills:?}; {} repeated keys",
        seen.repeated
    );
}

/// Kills servers in turn: anywhere; when a message is decided and not sent; when the receiver has
/// it and has not answered.
fn kill_while(
    servers: &mut [Server],
    receiver: &Receiver,
    store: &dyn Store,
    over: &AtomicBool,
    kills: &Kills,
) {
    let is_over = || over.load(Ordering::SeqCst);
    for round in 0_u64.. {
        if is_over() {
            break;
        }
        thread::sleep(Duration::from_millis(100 + round * 137 % 700));
        match round % 3 {
            0 => {
                let count = servers.len() as u64;
                let victim = usize::try_from(round / 3 % count).unwrap();
                servers[victim].kill();
                servers[victim].go_on();
                kills.anywhere.fetch_add(1, Ordering::SeqCst);
            }
            1 => {
                // It is there for a few milliseconds: all servers are killed as soon as it is seen.
                let pending =
                    || block_on(store.alert_counts()).is_ok_and(|counts| counts.pending > 0);
                while !is_over() && !pending() {
                    thread::sleep(Duration::from_millis(1));
                }
                servers.iter_mut().for_each(Server::kill);
                kills.undecided.fetch_add(u64::from(pending()), Ordering::SeqCst);
                servers.iter_mut().for_each(Server::go_on);
            }
            _ => {
                let held = receiver.held.load(Ordering::SeqCst);
                receiver.holds.store(true, Ordering::SeqCst);
                while !is_over() && receiver.held.load(Ordering::SeqCst) == held {
                    thread::sleep(Duration::from_millis(5));
                }
                let holds = receiver.held.load(Ordering::SeqCst) > held;
                kills.unanswered.fetch_add(u64::from(holds), Ordering::SeqCst);
                servers.iter_mut().for_each(Server::kill);
                receiver.holds.store(false, Ordering::SeqCst);
                servers.iter_mut().for_each(Server::go_on);
            }
        }
    }
    receiver.holds.store(false, Ordering::SeqCst);
}

#[test]
fn alerts_of_a_server_on_sqlite() {
    let receiver = Receiver::start();
    let server = server(&receiver, None);
    let database = Database::Sqlite(server.data().join("ebp.sqlite"));
    each_change_once(vec![server], &receiver, &database);
}

#[needs(postgresql)]
#[test]
fn alerts_of_two_servers_on_postgresql() {
    let receiver = Receiver::start();
    let (url, _) = block_on(cluster::shared().database());
    let servers = vec![server(&receiver, Some(&url)), server(&receiver, Some(&url))];
    let few = PostgresSettings { connections: 2, ..PostgresSettings::new(url) };
    each_change_once(servers, &receiver, &Database::Postgres(few));
}

/// What operators see: rules, a test, the log; and no secret of the configuration in it.
#[test]
fn what_operators_see_of_alerts() {
    let receiver = Receiver::start();
    let server = server(&receiver, None);
    server.set_secrets();
    let secret = server.data().join("administrators");
    write_private(&secret, "the secret of the administrators\n");
    let (url, ca) = (server.url(), server.ca());
    let ebp = |arguments: &[&str]| {
        let mut all: Vec<&Path> = ["alert"].iter().chain(arguments).map(Path::new).collect();
        all.extend(["--url", &*url, "--ca"].map(Path::new));
        all.extend([&*ca, Path::new("--secret-file"), &*secret]);
        crate::support::run(all)
    };
    let rules = ebp(&["rules"]).done().stdout;
    assert!(rules.contains("\"webhook\"") && !rules.contains("/hook"), "{rules}");
    let test = ebp(&["test"]).done();
    assert!(test.stdout.contains("\"sent\""), "{test:?}");
    let listed = ebp(&["list"]).done().stdout;
    assert!(listed.contains("webhook sent"), "{listed}");
    wait_for("the receiver to have it", || {
        Some(()).filter(|()| receiver.seen.lock().unwrap().keys.len() == 1)
    });
    let log = format!("{:?}", server.log_lines());
    assert!(!log.contains("/hook") && !log.contains("a secret of"), "{log}");
}
