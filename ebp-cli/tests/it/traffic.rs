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
    operate::people::as_group,
    support::{clean, household::Household, process::Running, server::Server, wait_for},
    tunnel::party::Passage,
};

/// At the level of IP, both directions, over a connection that is resumed: 3,170 to 3,220 were seen, and
/// 4,450 with tickets that were not packed.
const RESUMED: u64 = 3_400;

/// The same over a connection that is kept.
const KEPT: u64 = 900;

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
    daemon: Running,
    _household: Household,
}

impl Line {
    fn start(limits: &str, cycle: &str) -> Self {
        let server = Server::configured(&format!("[limits]\n{limits}\n"));
        server.set_secrets();
        let network = Network::start();
        let listener = network.far(|| TcpListener::bind((FAR, 0)).unwrap());
        let passage = Passage::from_listener(listener, server.port());
        let household = Household::register(&server, "erika@example.org", &["MT175"], cycle);
        household.account(&server).grant();
        let url = passage.url();
        let (ca, certificate) = (server.ca(), &household.device_certificate);
        household.configure(&url, &ca, certificate, &["MT175"], cycle);
        let hosts = household.folder.path().join("hosts");
        fs::write(&hosts, format!("{FAR} localhost\n")).unwrap();
        let daemon = network.near(|| {
            let mut command = Command::new("unshare");
            let script =
                "mount --bind \"$0\" /etc/hosts && exec \"$1\" read --every --config \"$2\"";
            command.args(["--mount", "sh", "-c", script]).arg(&hosts);
            command.arg(env!("CARGO_BIN_EXE_ebp")).arg(&household.config);
            Running::start(clean(command))
        });
        Self { network, passage, server, daemon, _household: household }
    }

    /// How often the device has been told that consent is granted.
    fn asked(&self) -> u64 {
        let metrics = as_group(&self.server, "administrators", "/metrics", None).text().unwrap();
        let sample =
            "ebp_requests_total{method=\"GET\",route=\"/household/consent\",status=\"200\"} ";
        let value = metrics.lines().find_map(|line| line.strip_prefix(sample));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits for the answer to a question that is asked from now on.
    fn wait_for_question(&self, what: &str) {
        self.wait_for_questions(what, self.asked() + 1);
    }

    fn wait_for_questions(&self, what: &str, count: u64) {
        wait_for(what, || {
            // Each look is a request, too.
            thread::sleep(Duration::from_millis(300));
            (self.asked() >= count).then_some(())
        });
    }

    /// Bytes of a question.
    fn each(&self) -> u64 {
        self.wait_for_question("a question over a connection that is not the first");
        thread::sleep(Duration::from_secs(3));
        let (before, first) = (bytes(&self.network), self.asked());
        self.wait_for_questions("further questions", first + 4);
        thread::sleep(Duration::from_secs(3));
        let each = (bytes(&self.network) - before) / (self.asked() - first);
        eprintln!("{each} bytes a question");
        each
    }
}

/// Where the server ends a connection that is idle, each question needs one of its own; mutual TLS
/// carries both ends' certificates only at the first.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_over_a_resumed_connection_is_small() {
    let line = Line::start("idle_seconds = 1", "5s");
    line.wait_for_question("the first question");
    let each = line.each();
    assert!(each <= RESUMED, "{each} bytes");
    assert!(line.passage.passed() > 4, "a connection for each");
}

/// A device keeps its connection from slot to slot.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_over_a_kept_connection_is_smaller() {
    let line = Line::start("", "5s");
    line.wait_for_question("the first question");
    let each = line.each();
    assert!(each <= KEPT, "{each} bytes");
    // The other one is for the device's other questions at its start.
    assert!(line.passage.passed() <= 2, "{} connections", line.passage.passed());
}

/// A router forgets the connection while nothing is asked, and tells nobody.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_that_is_lost_with_the_kept_connection_is_asked_again() {
    let line = Line::start("", "24s");
    line.wait_for_question("the first question");
    let connections = line.passage.passed();
    for lost in 1..=2 {
        line.passage.forget();
        line.wait_for_question("the question after the loss");
        assert_eq!(line.passage.passed(), connections + lost);
    }
    // From now on each has a connection of its own, which nobody can forget meanwhile.
    line.passage.forget();
    let begun = Instant::now();
    line.wait_for_question("the question that is not lost");
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
    let told = line.daemon.stderr().join("\n");
    assert!(!told.contains("cannot be reached"), "{told}");
}
