//! Both ends of a tunnel over a connection in memory: what the device lets in, and what a hostile
//! server gets.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail with the test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ebp_core::clock::SystemClock;
use ebp_fleet::tunnel::{
    AllowList, Heartbeat, TunnelAccess, TunnelConfig,
    device::{DeviceSettings, SessionLog, TunnelEvent, serve_hostile},
    dial::Destination,
    relay::SessionLimits,
    server::{OpenError, OpenRequest, TunnelEnd, tunnel},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpListener,
    time::timeout,
};

fn settings(allow: &str, access: TunnelAccess, let_in: &Arc<AtomicUsize>) -> DeviceSettings {
    let let_in = let_in.clone();
    DeviceSettings {
        config: TunnelConfig {
            enabled: true,
            allow: AllowList::parse(&[allow.to_owned()], false).unwrap(),
            heartbeat: Heartbeat::from_secs(10).unwrap(),
            proxy: None,
            access,
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
        hear: Box::new(move |event| {
            if matches!(event, TunnelEvent::Began(..)) {
                let_in.fetch_add(1, Ordering::Relaxed);
            }
        }),
    }
}

fn device(settings: DeviceSettings) -> DuplexStream {
    let (near, far) = duplex(256 << 10);
    tokio::spawn(serve_hostile(far, settings, SessionLog::in_memory().unwrap()));
    near
}

fn request(service: &str) -> OpenRequest {
    let (service, administrator) = (service.to_owned(), "erika".to_owned());
    OpenRequest { service, administrator, session: uuid::Uuid::from_u128(1) }
}

/// A service that greets, and reads nothing.
async fn greeter() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            open.push(stream);
        }
    });
    address
}

#[tokio::test]
async fn eight_sessions_and_no_more_and_only_what_is_allowed() {
    let (address, let_in) = (greeter().await, Arc::default());
    let connection = device(settings(&address, TunnelAccess::Always, &let_in));
    let (handle, holding) = tunnel(connection, Heartbeat::from_secs(10).unwrap());
    let holding = tokio::spawn(holding);
    let other = handle.open(request(&address)).await;
    assert!(matches!(other, Err(OpenError::Refused(status)) if status == 404));
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut session = handle.open(request("ssh")).await.unwrap();
        assert_eq!(session.receive.data().await.unwrap().unwrap(), b"hello"[..]);
        open.push(session);
    }
    let ninth = timeout(Duration::from_secs(8), handle.open(request("ssh"))).await.unwrap();
    assert!(ninth.is_err());
    assert_eq!(let_in.load(Ordering::Relaxed), 8);
    drop(open);
    handle.end().await;
    assert_eq!(holding.await.unwrap(), TunnelEnd::Ended);
    assert!(handle.has_ended());
}

#[tokio::test]
async fn a_household_that_lets_nobody_in_is_obeyed() {
    let (address, let_in) = (greeter().await, Arc::default());
    for access in [TunnelAccess::Never, TunnelAccess::UntilSwitchedOn] {
        let connection = device(settings(&address, access, &let_in));
        let (handle, holding) = tunnel(connection, Heartbeat::from_secs(10).unwrap());
        tokio::spawn(holding);
        let refused = handle.open(request("ssh")).await;
        assert!(matches!(refused, Err(OpenError::Refused(status)) if status == 403));
    }
    assert_eq!(let_in.load(Ordering::Relaxed), 0);
}

/// Thousands of tiny pieces that the service does not read end no connection: they are joined, and the
/// window bounds them.
#[tokio::test]
async fn tiny_pieces_that_nobody_reads_end_nothing() {
    let (address, let_in) = (greeter().await, Arc::default());
    let connection = device(settings(&address, TunnelAccess::Always, &let_in));
    let (handle, holding) = tunnel(connection, Heartbeat::from_secs(10).unwrap());
    tokio::spawn(holding);
    let mut session = handle.open(request("ssh")).await.unwrap();
    for _ in 0..60_000 {
        session.send.send_data(vec![7].into(), false).unwrap();
        if session.send.capacity() == 0 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut second = handle.open(request("ssh")).await.unwrap();
    assert_eq!(second.receive.data().await.unwrap().unwrap(), b"hello"[..]);
}

/// Whatever bytes a server sends, the device's end does not panic and lets nobody in.
#[tokio::test]
async fn a_hostile_server_gets_nothing() {
    let let_in = Arc::default();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..400 {
        let mut bytes = Vec::new();
        if round % 2 == 0 {
            bytes.extend_from_slice(b"\x01PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        }
        for _ in 0..random() % 20 {
            // A frame's head with a length that fits, mostly, and what it holds.
            let length = usize::try_from(random() % 64).unwrap();
            let kind = u8::try_from(random() % 11).unwrap();
            let flags = random().to_le_bytes()[0];
            let stream = u8::try_from(random() % 6).unwrap();
            bytes.extend([0, 0, u8::try_from(length).unwrap(), kind, flags, 0, 0, 0, stream]);
            bytes.extend((0..length).map(|_| random().to_le_bytes()[3]));
        }
        let (mut near, far) = duplex(64 << 10);
        let settings = settings("127.0.0.1:1", TunnelAccess::Always, &let_in);
        let log = SessionLog::in_memory().unwrap();
        let serving = tokio::spawn(serve_hostile(far, settings, log));
        near.write_all(&bytes).await.unwrap();
        near.shutdown().await.unwrap();
        let _ = timeout(Duration::from_millis(50), near.read_to_end(&mut Vec::new())).await;
        drop(near);
        timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    }
    assert_eq!(let_in.load(Ordering::Relaxed), 0);
}
