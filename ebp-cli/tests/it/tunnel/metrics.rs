//! What a server counts of remote access.

use super::party::{Administrator, Device, Echo};
use crate::{
    operate::people::as_group,
    support::{server::Server, wait_for},
};

#[test]
fn sessions_outcomes_and_bytes_are_counted() {
    let server = Server::start();
    server.set_secrets();
    let echo = Echo::greeting(b"x");
    let device = Device::start(&server, &server.url(), &echo.allow());
    let erika = Administrator::new(&server, "erika");
    let metrics =
        || as_group(&server, "administrators", "/metrics", None).text().unwrap_or_default();
    let wait_for_lines = |wanted: &[&str]| {
        let has_all = |text: &String| wanted.iter().all(|line| text.lines().any(|it| it == *line));
        wait_for("the metrics", || Some(metrics()).filter(has_all).map(drop));
    };
    // Each outcome is there before it happens, so that an increase is seen.
    wait_for_lines(&["ebp_tunnels 1", "ebp_tunnel_connects_total{outcome=\"silent\"} 0"]);
    let mut open = erika.open(&server.url(), device.uuid());
    assert_eq!(open.read(1), b"x");
    open.write(b"1234");
    assert_eq!(open.read(4), b"1234");
    // What is carried is counted while the session is open.
    wait_for_lines(&[
        "ebp_tunnel_sessions 1",
        "ebp_tunnel_connects_total{outcome=\"begun\"} 1",
        "ebp_tunnel_bytes_total{direction=\"to-device\"} 4",
        "ebp_tunnel_bytes_total{direction=\"from-device\"} 5",
    ]);
    drop(open);
    let nobody = uuid::Uuid::from_u128(7).to_string();
    assert_eq!(erika.connect(&server.url(), nobody, &[], b"").status.code(), Some(1));
    wait_for_lines(&[
        "ebp_tunnel_sessions 0",
        "ebp_tunnel_connects_total{outcome=\"begun\"} 1",
        "ebp_tunnel_connects_total{outcome=\"refused\"} 1",
        "ebp_tunnel_bytes_total{direction=\"to-device\"} 4",
    ]);
}
