//! A hostile server at a device's end of the tunnel: whatever bytes it sends, at rest or in HTTP/2, the
//! device does not panic, takes bounded memory, and connects to nothing that its list does not name.
//!
//! The first byte says whether HTTP/2 begins at once, with its preface.

#![no_main]

use std::{sync::Arc, time::Duration};

use allocation_counter::measure;
use ebp_core::clock::SystemClock;
use ebp_fleet::tunnel::{
    AllowList, Heartbeat, TunnelAccess, TunnelConfig,
    device::{DeviceSettings, SessionLog, serve_hostile},
    dial::Destination,
    relay::SessionLimits,
};
use libfuzzer_sys::fuzz_target;
use tokio::{io::AsyncWriteExt, runtime::Builder, time::timeout};

/// Of any input: windows of all streams, and what the log takes.
const MOST: u64 = 24 << 20;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn settings() -> DeviceSettings {
    // Nobody listens there.
    let allow = AllowList::parse(&["127.0.0.1:1".to_owned()], false).unwrap();
    let heartbeat = Heartbeat::from_secs(300).unwrap();
    let config = TunnelConfig {
        enabled: true,
        allow,
        heartbeat,
        proxy: None,
        access: TunnelAccess::Always,
        socket: None,
        host_keys: "nowhere".into(),
    };
    DeviceSettings {
        config,
        destination: Destination::parse("https://localhost:1").unwrap(),
        path: "/device/tunnel",
        load_tls: Box::new(|| Err(String::new())),
        certificate: "nowhere".into(),
        version: "0",
        clock: Arc::new(SystemClock),
        limits: SessionLimits::default(),
        hear: Box::new(|event| panic!("nobody can be let in: {event:?}")),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((how, bytes)) = input.split_first() else { return };
    let counted = measure(|| {
        let log = SessionLog::in_memory().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (device, mut server) = tokio::io::duplex(64 << 10);
            let serving = tokio::spawn(serve_hostile(device, settings(), log));
            let sending = async {
                if how & 1 == 1 {
                    server.write_all(&[1]).await?;
                    server.write_all(PREFACE).await?;
                }
                server.write_all(bytes).await?;
                server.shutdown().await
            };
            let _ = timeout(Duration::from_millis(200), sending).await;
            // Nobody reads what the device answers; the connection ends.
            drop(server);
            let _ = timeout(Duration::from_secs(5), serving).await.map(Result::unwrap);
        });
    });
    assert!(counted.bytes_max <= MOST, "{counted:?}, at most {MOST}");
});
