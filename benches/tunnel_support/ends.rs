//! Both ends of our tunnel, each a process: the library's own, over TLS with the same certificates as
//! the others', with the runtimes of `ebp serve` and `ebp tunnel`.

use std::{fs, net::Ipv4Addr, sync::Arc};

use ebp_core::clock::SystemClock;
use ebp_fleet::tunnel::{
    AllowList, Heartbeat, ReadAhead, TunnelAccess, TunnelConfig,
    device::{DeviceSettings, SessionLog, serve_hostile},
    dial::Destination,
    relay::{Carried, SessionLimits, relay},
    server::{OpenRequest, TunnelHandle, tunnel},
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::SERVICES;

pub const SERVER: &str = "server-end";
pub const DEVICE: &str = "device-end";

fn heartbeat() -> Heartbeat {
    Heartbeat::from_secs(300).unwrap()
}

/// The server's end: certificate, key, the tunnel's port, visitors' ports.
pub fn serve(arguments: &[String]) {
    let chain = CertificateDer::from_pem_slice(&fs::read(&arguments[0]).unwrap()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&fs::read(&arguments[1]).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let port = |place: usize| arguments[place].parse::<u16>().unwrap();
    Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port(2))).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let stream = TlsAcceptor::from(Arc::new(tls)).accept(ReadAhead::new(stream)).await.unwrap();
        let (handle, holding) = tunnel(stream, heartbeat());
        for (place, service) in (3..).zip(SERVICES) {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port(place))).await.unwrap();
            tokio::spawn(take(listener, handle.clone(), service));
        }
        holding.await;
    });
}

async fn take(listener: TcpListener, handle: TunnelHandle, service: &'static str) {
    while let Ok((visitor, _)) = listener.accept().await {
        let handle = handle.clone();
        tokio::spawn(async move {
            visitor.set_nodelay(true).unwrap();
            let request = OpenRequest {
                service: service.to_owned(),
                administrator: "erika".to_owned(),
                session: uuid::Uuid::new_v4(),
            };
            let Ok(open) = handle.open(request).await else { return };
            let carried = Arc::<Carried>::default();
            relay(visitor, open.send, open.receive, &carried, SessionLimits::default()).await;
        });
    }
}

/// The device's end: authority, the tunnel's port, services' ports.
pub fn hold(arguments: &[String]) {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(&fs::read(&arguments[0]).unwrap()).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tunnel = arguments[1].parse::<u16>().unwrap();
    let services = SERVICES.iter().zip(&arguments[2..]);
    let allow: Vec<_> = services.map(|(name, port)| format!("{name}=127.0.0.1:{port}")).collect();
    let settings = DeviceSettings {
        config: TunnelConfig {
            enabled: true,
            allow: AllowList::parse(&allow, false).unwrap(),
            heartbeat: heartbeat(),
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
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let stream = loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, tunnel)).await {
                Ok(stream) => break stream,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        };
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream =
            TlsConnector::from(Arc::new(tls)).connect(name, ReadAhead::new(stream)).await.unwrap();
        serve_hostile(stream, settings, SessionLog::in_memory().unwrap()).await;
    });
}
