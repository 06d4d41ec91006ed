//! Errors of every part with canary values in each of their fields, as a service receives them.

use std::{fs, io, path::PathBuf};

use ebp_client::{ClientError, TlsRefusal, identity::IdentityError};
use ebp_core::{clock::FixedClock, private_file};
use ebp_device::{config::ConfigError, metrics_file::MetricsFileError, spool::SpoolError};
use ebp_errors::{Step, Transmission};
use ebp_meter::port::{PortError, PortName};
use ebp_publish::PublishError;
use ebp_testkit::receiver::Receiver;
use jiff::Timestamp;

use super::*;
use crate::exit::{Context, device, publish};

/// What could be told of a household: a name, an address, a meter's number, a path, a host.
const CANARIES: [&str; 6] = [
    "Erika Canary",
    "canary@example.org",
    "Canarystreet 5",
    "1EMH0012345678",
    "canary.lan",
    "192.0.2.77",
];

fn io_error(canary: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, canary.to_owned())
}

/// Failures as the commands make them, of errors with that value in each field.
fn failures(canary: &str) -> Vec<Failure> {
    let text = || canary.to_owned();
    let path = || PathBuf::from(format!("/home/{canary}"));
    let port = || PortName::Path(path());
    let io_error = || io_error(canary);
    let folder = tempfile::tempdir().unwrap();
    let exposed = folder.path().join(canary);
    fs::write(&exposed, canary).unwrap();
    fs::set_permissions(&exposed, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let exposed = private_file::read(&exposed).unwrap_err();
    let mut all: Vec<Failure> = [
        PortError::InvalidName(text()),
        PortError::WebAddress(text()),
        PortError::NotFound { port: port() },
        PortError::PermissionDenied { port: port(), group: Some(text()) },
        PortError::Busy { port: port() },
        PortError::WrongKind { port: port() },
        PortError::Unreachable { port: port(), source: io_error() },
        PortError::Vanished { port: port() },
        PortError::ReadOnly { port: port() },
        PortError::Io { port: port(), source: io_error() },
    ]
    .map(Failure::from)
    .into();
    all.extend(
        [
            SpoolError::Folder { path: path(), source: io_error() },
            SpoolError::Damaged { path: path(), reason: text() },
            SpoolError::Newer { path: path(), version: 7 },
            SpoolError::Full { path: path() },
            SpoolError::LimitReached { path: path(), max_bytes: 7 },
            SpoolError::Replaced { path: path() },
            SpoolError::SetAside { path: path(), source: io_error() },
            SpoolError::Marker { path: path(), source: io_error() },
            SpoolError::ReadOnly { path: path() },
            SpoolError::Busy { path: path() },
        ]
        .map(device::spool),
    );
    all.extend(
        [
            ClientError::InvalidUrl { url: text() },
            ClientError::SetUp { server: text(), reason: text() },
            ClientError::Unreachable { server: text(), reason: text() },
            ClientError::Tls { server: text(), refusal: TlsRefusal::OursExpired, reason: text() },
            ClientError::Garbled { server: text(), path: text(), reason: text() },
            ClientError::Problem {
                server: text(),
                status: 500,
                kind: text(),
                title: text().into(),
                faults: [text()].into(),
                household: None,
                retry_after: None,
                trace_id: None,
            },
        ]
        .map(device::client),
    );
    all.extend(
        [
            IdentityError::Read { path: path(), source: io_error() },
            IdentityError::NoCertificate { path: path() },
            IdentityError::NoKey { path: path() },
        ]
        .map(device::identity),
    );
    all.push(device::config(ConfigError::Read { path: path(), source: io_error() }));
    all.extend(
        [
            PublishError::Unreachable { at: text(), reason: text() },
            PublishError::Rejected { at: text(), status: 500, reason: text() },
            PublishError::File { path: path(), source: io_error() },
        ]
        .map(publish::explain),
    );
    let file = MetricsFileError::File { path: path(), source: io_error() };
    all.push(Failure::caused_by(Code::Failed, &file));
    all.push(Failure::caused_by(Code::Failed, &exposed));
    all.push(Failure::failed(canary).remedy(canary));
    all.push(Failure::failed(exposed));
    all.push(Failure::from(io_error()));
    all.push(Err::<(), _>(io_error()).or_failed(canary).unwrap_err());
    all.extend(of_a_server(canary));
    all
}

#[cfg(feature = "server")]
fn of_a_server(canary: &str) -> Vec<Failure> {
    use ebp_store::StoreError;
    use ebp_survey::authority::AuthorityError;

    use crate::exit::server;

    let path = || PathBuf::from(format!("/srv/{canary}"));
    let source = || Arc::new(io_error(canary));
    let mut all = vec![
        server::store(StoreError::NotFound),
        server::store(StoreError::TextsDiffer(7)),
        server::store(StoreError::RegisteredAlready(uuid::Uuid::from_u128(0xdead_beef))),
    ];
    all.extend(
        [
            AuthorityError::Exists { dir: path() },
            AuthorityError::Missing { dir: path() },
            AuthorityError::File { path: path(), source: source() },
            AuthorityError::DamagedKey { path: path() },
            AuthorityError::DamagedRegister { path: path(), line: 7 },
            AuthorityError::InvalidHost(canary.to_owned()),
        ]
        .map(server::authority),
    );
    all
}

#[cfg(not(feature = "server"))]
fn of_a_server(_: &str) -> Vec<Failure> {
    Vec::new()
}

#[test]
fn no_value_of_any_error_is_received() {
    let (receiver, folder) = (Receiver::start(), tempfile::tempdir().unwrap());
    let dsn = format!("http://0123456789abcdef@{}/7", receiver.address());
    let own = Folder::new(folder.path().to_owned());
    let service = Service::new(dsn.parse().unwrap(), None).unwrap();
    let mut sending = Transmission::new(own.clone(), service);
    let release = Release { version: VERSION, component: Component::Measuring, device: None };
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    let (mut made, mut typed) = (0, 0);
    for canary in CANARIES {
        for failure in failures(canary) {
            let Some(report) = describe(&failure) else { continue };
            made += 1;
            typed += usize::from(!report.kind().starts_with("Failure::"));
            own.admit(&report, &release, true, Clock::now(&clock)).unwrap();
        }
        loop {
            match sending.step(Timestamp::UNIX_EPOCH) {
                Step::Sent => {}
                Step::Idle => break,
                other => unreachable!("{other:?}"),
            }
        }
    }
    // Those that are made of a text alone have no type.
    assert!(made > 200 && made - typed <= CANARIES.len(), "{made} {typed}");
    let received = receiver.received();
    assert!(received.len() > 30, "{}", received.len());
    let canaries = CANARIES.map(str::to_ascii_lowercase);
    for one in &received {
        let whole = format!("{}{}", one.head, String::from_utf8_lossy(&one.body));
        let whole = whole.to_ascii_lowercase();
        for canary in canaries.iter().map(String::as_str).chain(["canary", "deadbeef", "/home/"]) {
            assert!(!whole.contains(canary), "{canary}: {whole}");
        }
    }
    // The types themselves do arrive.
    let all: String =
        received.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect();
    for kind in
        ["PortError::Busy", "SpoolError::Full", "ClientError::Garbled", "PublishError::File"]
    {
        assert!(all.contains(kind), "{kind}");
    }
}

/// The names of types are what `derive(Debug)` writes: no error of the program writes its own `Debug`.
#[test]
fn each_error_type_derives_debug() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = fs::read_dir(workspace)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|path| path.is_dir() && path.to_string_lossy().contains("/ebp-"))
        .collect();
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for line in text.lines().filter(|line| line.trim_start().starts_with("#[derive(")) {
                if line.contains("thiserror::Error") {
                    found += 1;
                    assert!(line.contains("Debug"), "{}: {line}", path.display());
                }
            }
        }
    }
    assert!(found > 100, "{found}");
}
