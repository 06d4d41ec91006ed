//! What a device's questions for consent cost on the wire.

use std::{
    fs,
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use ebp_needs::needs;
use ebp_testkit::network::{FAR, Network};

use crate::{
    operate::metrics::sample,
    support::{clean, household::Household, meter::Meter, process::Running, server::Server},
    tunnel::party::Passage,
};

/// At the level of IP, both directions, over a connection that is resumed: 3,170 to 3,220 were seen, and
/// 4,450 with tickets that were not packed.
const RESUMED: u64 = 3_400;

/// The same over a connection that is kept.
const KEPT: u64 = 900;

const QUESTIONS: &str =
    "ebp_requests_total{method=\"GET\",route=\"/household/consent\",status=\"200\"}";
const UPLOADS: &str = "ebp_uploads_total";
const STORED: &str = "ebp_measurements_total{outcome=\"accepted\"}";

/// Above the longest cycle.
const PATIENCE: Duration = Duration::from_secs(120);

/// An Ethernet header.
const HEADER: u64 = 14;

/// Bytes of IP that went through the near end so far.
fn bytes(network: &Network) -> u64 {
    network.near(|| {
        let text = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("eth:")).unwrap();
        let of: Vec<u64> = line.split_whitespace().map(|field| field.parse().unwrap()).collect();
        let (received, sent) = (&of[0..2], &of[8..10]);
        received[0] + sent[0] - HEADER * (received[1] + sent[1])
    })
}

/// A device between which and its server a router is.
struct Line {
    network: Network,
    passage: Passage,
    server: Server,
    household: Household,
}

impl Line {
    fn start(limits: &str, models: &[&str], cycle: &str) -> Self {
        let server = Server::configured(&format!("[limits]\n{limits}\n"));
        server.set_secrets();
        let network = Network::start();
        let listener = network.far(|| TcpListener::bind((FAR, 0)).unwrap());
        let passage = Passage::from_listener(listener, server.port());
        let household = Household::register(&server, "erika@example.org", models, cycle);
        household.account(&server).grant();
        let (ca, certificate) = (server.ca(), &household.device_certificate);
        household.configure(&passage.url(), &ca, certificate, models, cycle);
        fs::write(household.folder.path().join("hosts"), format!("{FAR} localhost\n")).unwrap();
        Self { network, passage, server, household }
    }

    fn daemon(&self, name: &str) -> Running {
        self.network.near(|| {
            let mut command = Command::new("unshare");
            let script =
                "mount --bind \"$0\" /etc/hosts && exec \"$1\" \"$2\" --every --config \"$3\"";
            command.args(["--mount", "sh", "-c", script]);
            command.arg(self.household.folder.path().join("hosts"));
            command.arg(env!("CARGO_BIN_EXE_ebp")).arg(name).arg(&self.household.config);
            Running::start(clean(command))
        })
    }

    /// The number behind that name in the server's metrics.
    fn count(&self, name: &str) -> u64 {
        sample(&self.server, name).unwrap_or(0)
    }

    /// Waits until there are so many.
    fn wait_for_count(&self, sample: &str, count: u64) {
        let begun = Instant::now();
        while self.count(sample) < count {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {sample} {count}");
            // Each look is a request, too.
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits for the answer to a question that is asked from now on.
    fn wait_for_question(&self) {
        self.wait_for_count(QUESTIONS, self.count(QUESTIONS) + 1);
    }

    /// Bytes of a question, after the first.
    fn each(&self) -> u64 {
        self.wait_for_question();
        self.wait_for_question();
        thread::sleep(Duration::from_secs(3));
        let (before, first) = (bytes(&self.network), self.count(QUESTIONS));
        self.wait_for_count(QUESTIONS, first + 4);
        thread::sleep(Duration::from_secs(3));
        let each = (bytes(&self.network) - before) / (self.count(QUESTIONS) - first);
        eprintln!("{each} bytes a question");
        each
    }
}

/// Where the server ends a connection that is idle, each question needs one of its own; mutual TLS
/// carries both ends' certificates only at the first.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_over_a_resumed_connection_is_small() {
    let line = Line::start("idle_seconds = 1", &["MT175"], "5s");
    let _daemon = line.daemon("read");
    let each = line.each();
    assert!(each <= RESUMED, "{each} bytes");
    assert!(line.passage.passed() > 4, "a connection for each");
}

/// A device keeps its connection from slot to slot.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_over_a_kept_connection_is_smaller() {
    let line = Line::start("", &["MT175"], "5s");
    let _daemon = line.daemon("read");
    let each = line.each();
    assert!(each <= KEPT, "{each} bytes");
    // The other one is for the device's other questions at its start.
    assert!(line.passage.passed() <= 2, "{} connections", line.passage.passed());
}

/// A router forgets the connection while nothing is asked, and tells nobody.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_that_is_lost_with_the_kept_connection_is_asked_again() {
    let line = Line::start("", &["MT175"], "24s");
    let daemon = line.daemon("read");
    // The first one may be asked anywhere in a slot, the others are a cycle apart.
    line.wait_for_question();
    line.wait_for_question();
    let connections = line.passage.passed();
    line.passage.forget();
    line.wait_for_question();
    assert_eq!(line.passage.passed(), connections + 1);
    let told = daemon.stderr().join("\n");
    assert!(!told.contains("cannot be reached"), "{told}");
}

/// After two losses in succession each question has a connection of its own, which nobody can forget.
#[needs(network_namespaces, mount)]
#[test]
#[ignore = "takes minutes: cargo xtask long traffic"]
fn a_router_that_forgets_is_not_relied_on() {
    let line = Line::start("", &["MT175"], "24s");
    let _daemon = line.daemon("read");
    line.wait_for_question();
    line.wait_for_question();
    let connections = line.passage.passed();
    for lost in 1..=2 {
        line.passage.forget();
        line.wait_for_question();
        assert_eq!(line.passage.passed(), connections + lost);
    }
    line.wait_for_question();
    line.passage.forget();
    line.wait_for_question();
    assert_eq!(line.passage.passed(), connections + 4);
}

/// Both daemons with two meters, and as many slots and questions to a report as there are by default.
#[needs(network_namespaces, mount)]
#[test]
#[ignore = "takes minutes: cargo xtask long traffic"]
fn a_day_takes_little() {
    let models = ["MT175", "MT681"];
    let line = Line::start("", &models, "10s");
    let folder = line.household.folder.path();
    let _meters = models.map(|model| Meter::quick(folder, model));
    let text = fs::read_to_string(&line.household.config).unwrap();
    assert!(text.contains("report = \"1s\""), "{text}");
    let text = text.replace("report = \"1s\"", "report = \"40s\"");
    fs::write(&line.household.config, text).unwrap();
    let _daemons = ["read", "transmit"].map(|name| line.daemon(name));
    line.wait_for_count(UPLOADS, 2);
    thread::sleep(Duration::from_secs(3));
    let of = |what| line.count(what);
    let (bytes_before, before) = (bytes(&line.network), [UPLOADS, QUESTIONS, STORED].map(of));
    for upload in 1..=4 {
        line.wait_for_count(UPLOADS, before[0] + upload);
    }
    thread::sleep(Duration::from_secs(3));
    let (bytes_after, after) = (bytes(&line.network), [UPLOADS, QUESTIONS, STORED].map(of));
    let [reports, questions, stored] = [0, 1, 2].map(|place| after[place] - before[place]);
    let hour = (bytes_after - bytes_before) / reports;
    // Six times a day the server ends the kept connection because of its age.
    let day = 24 * hour + 6 * RESUMED;
    println!(
        "{reports} reports with {stored} measurements, {questions} questions: {hour} bytes for each \
         report with its questions, {day} a day"
    );
    assert_eq!(stored, 8 * reports);
    assert!(day <= 250_000, "{day} bytes");
}
