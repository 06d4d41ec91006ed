//! What a device's questions for consent cost on the wire.

use std::{fs, net::TcpListener, process::Command, thread, time::Duration};

use ebp_needs::needs;
use ebp_testkit::network::{FAR, Network};

use crate::{
    support::{clean, household::Household, process::Running, server::Server, wait_for},
    tunnel::party::Passage,
};

/// At the level of IP, both directions, over a connection that is resumed: 3,170 to 3,220 were seen, and
/// 4,450 with tickets that were not packed.
const MOST: u64 = 3_400;

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

/// A question needs a connection of its own, since slots are a quarter of an hour apart; mutual TLS
/// carries both ends' certificates only at the first.
#[needs(network_namespaces, mount)]
#[test]
fn a_question_for_consent_is_small() {
    // Between two slots the server ends a connection that is idle.
    let server = Server::configured("[limits]\nheaders_seconds = 1\n");
    let network = Network::start();
    let listener = network.far(|| TcpListener::bind((FAR, 0)).unwrap());
    let passage = Passage::from_listener(listener, server.port());
    let household = Household::register(&server, "erika@example.org", &["MT175"], "5s");
    household.account(&server).grant();
    let url = passage.url();
    let (ca, certificate) = (server.ca(), &household.device_certificate);
    household.configure(&url, &ca, certificate, &["MT175"], "5s");
    let hosts = household.folder.path().join("hosts");
    fs::write(&hosts, format!("{FAR} localhost\n")).unwrap();
    let _daemon = network.near(|| {
        let mut command = Command::new("unshare");
        let script = "mount --bind \"$0\" /etc/hosts && exec \"$1\" read --every --config \"$2\"";
        command.args(["--mount", "sh", "-c", script]).arg(&hosts);
        command.arg(env!("CARGO_BIN_EXE_ebp")).arg(&household.config);
        Running::start(clean(command))
    });
    wait_for("the second question", || (passage.passed() >= 2).then_some(()));
    thread::sleep(Duration::from_secs(3));
    let (before, first) = (bytes(&network), passage.passed());
    wait_for("further questions", || (passage.passed() >= first + 4).then_some(()));
    thread::sleep(Duration::from_secs(3));
    let questions = u64::try_from(passage.passed() - first).unwrap();
    let each = (bytes(&network) - before) / questions;
    eprintln!("{each} bytes a question");
    assert!(each <= MOST, "{each} bytes a question, of {questions}");
}
