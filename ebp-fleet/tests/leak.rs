//! Ten thousand dials that fail leave no descriptor open: the device's to the server, and those to its
//! services. A program of its own, since it counts the descriptors of its process.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ebp_core::clock::SystemClock;
use ebp_fleet::tunnel::{
    AllowList, Heartbeat, TunnelAccess, TunnelConfig,
    device::{DeviceSettings, SessionLog, serve_hostile},
    dial::{Destination, Dial, DialError},
    protocol,
    relay::SessionLimits,
    server::{OpenError, OpenRequest, tunnel},
};
use tokio::{io::duplex, net::TcpListener};

/// How many dials of each kind.
const DIALS: usize = 10_000;

/// How many descriptors this process has open.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until no more are open than that.
async fn wait_for_descriptors(most: usize, what: &str) {
    for _ in 0..500 {
        if descriptors() <= most {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: {} descriptors are open, {most} before", descriptors());
}

/// An address at which nobody listens.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// An address at which each connection is closed at once.
async fn closing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    address
}

fn dial(address: SocketAddr) -> Dial {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let destination = Destination::parse(&format!("https://{address}")).unwrap();
    Dial { destination, tls: Arc::new(tls), proxy: None }
}

#[tokio::test]
async fn ten_thousand_dials_that_fail_leave_nothing_open() {
    for (what, address) in [("nobody listens", closed().await), ("it closes", closing().await)] {
        let dial = dial(address);
        let before = descriptors();
        for number in 0..DIALS {
            let failed = dial.upgrade("/device/tunnel", protocol::DEVICE_PROTOCOL, &[]).await;
            let failed = failed.err().unwrap();
            let is_expected = matches!(failed, DialError::Connect(_) | DialError::Tls(_));
            assert!(is_expected, "{what}, {number}: {failed}");
        }
        wait_for_descriptors(before, what).await;
    }

    let settings = DeviceSettings {
        config: TunnelConfig {
            enabled: true,
            allow: AllowList::parse(&[closed().await.to_string()], false).unwrap(),
            heartbeat: Heartbeat::from_secs(10).unwrap(),
            proxy: None,
            access: TunnelAccess::Always,
            socket: None,
            host_keys: "nowhere".into(),
        },
        destination: Destination::parse("https://localhost:1").unwrap(),
        path: "/device/tunnel",
        load_tls: Box::new(|| Err(String::new())),
        certificate: "nowhere".into(),
        version: "0",
        clock: Arc::new(SystemClock),
        limits: SessionLimits::default(),
        hear: Box::new(|_| {}),
    };
    let (near, far) = duplex(256 << 10);
    tokio::spawn(serve_hostile(far, settings, SessionLog::in_memory().unwrap()));
    let (handle, holding) = tunnel(near, Heartbeat::from_secs(10).unwrap());
    tokio::spawn(holding);
    let before = descriptors();
    for number in 0..DIALS {
        let session = uuid::Uuid::from_u128(number as u128);
        let administrator = "erika".to_owned();
        let request = OpenRequest { service: "ssh".to_owned(), administrator, session };
        let refused = handle.open(request).await;
        assert!(
            matches!(refused, Err(OpenError::Refused(status)) if status == 502),
            "the service is not there, {number}"
        );
    }
    wait_for_descriptors(before, "a service that is not there").await;
}
