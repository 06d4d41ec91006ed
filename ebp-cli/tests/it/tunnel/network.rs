//! A network that is cut without a word, and one that comes back.

use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

use ebp_needs::needs;
use ebp_testkit::network::{FAR, Network};

use super::party::{Administrator, Device, Echo, Passage, wait_for_tunnel};
use crate::support::server::Server;

/// Whatever an outage lasts, the device is back within this once packets arrive.
const BACK: Duration = Duration::from_secs(10);

/// The device is in a network whose packets vanish behind its router: for less than a heartbeat, for
/// longer than both ends wait, and for longer than the first pauses between attempts.
#[needs(network_namespaces, mount)]
#[test]
fn a_device_is_back_soon_after_any_outage() {
    let network = Network::start();
    let server = Server::start();
    let echo = network.near(Echo::start);
    let listener = network.far(|| TcpListener::bind((FAR, 0)).unwrap());
    let passage = Passage::from_listener(listener, server.port());
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, format!("{FAR} localhost\n")).unwrap();
    let mut device = Device::start(&server, &server.url(), &echo.allow());
    device.kill();
    device.set_url(&server.url(), &passage.url());
    network.near(|| device.go_on_with_names(&hosts));
    device.process().wait_for("the tunnel is held");
    let erika = Administrator::new(&server, "erika");
    wait_for_tunnel(&erika, &server.url());
    for seconds in [5, 20, 35] {
        network.lose_everything();
        std::thread::sleep(Duration::from_secs(seconds));
        network.pass_again();
        let again = Instant::now();
        // Whether by the tunnel of before or by another one: a session is let in.
        let answered = loop {
            let run = erika.connect(&server.url(), device.uuid(), &[], b"x");
            if run.stdout == b"x" {
                break again.elapsed();
            }
            assert!(again.elapsed() < 6 * BACK, "{}", String::from_utf8_lossy(&run.stderr));
        };
        eprintln!("after {seconds} s without packets: back after {answered:?}");
        assert!(answered < BACK, "after {seconds} s: {answered:?}");
    }
}
