//! Sessions and scans on real ports: ptys, sockets, files.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use ebp_core::{obis::ObisCode, quantity::Unit};
use ebp_meter::{
    decoder::Noise,
    interface::{self, Environment, MeterInterface, Site},
    port::{LineSettings, PortError, PortInfo, PortName},
    readout::{Protocol, Readout},
    scan::{Finding, listen_to_all, scan},
    session::{ReadOptions, Session, SessionEvent},
    sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode},
};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const SOON: Duration = Duration::from_secs(10);
const D0: &str = "/EBZ5DD3BZ06ETA_107\r\n\r\n1-0:16.7.0*255(000259.20*W)\r\n!\r\n";

fn sml(watts: i64) -> Vec<u8> {
    let entry = EncodeEntry {
        obis: ObisCode::SUM_POWER,
        status: None,
        sec_index: None,
        unit: Some(Unit::WATT),
        scaler: Some(0),
        value: EncodeValue::Int(EncodeInt::signed(watts, 4)),
    };
    let telegram = Telegram {
        server_id: vec![0x0a, 1, b'I', b'S', b'K', 0, 0, 0, 0, 1],
        file_id: 1,
        sec_index: Some(1),
        list_name: None,
        entries: vec![entry],
    };
    encode(&telegram).unwrap()
}

fn pty() -> (fs::File, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (fs::File::from(master), path.into())
}

fn named(path: &Path) -> PortName {
    PortName::Path(path.to_owned())
}

fn info(path: &Path) -> PortInfo {
    PortInfo { name: named(path), device: path.to_owned(), description: None, serial: None }
}

fn next_readout(session: &mut Session) -> Readout {
    loop {
        match session.next(SOON).unwrap() {
            SessionEvent::Readout(readout) => return *readout,
            SessionEvent::Noise(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn power(readout: &Readout) -> String {
    readout.entry(ObisCode::SUM_POWER).unwrap().exact().unwrap().to_string()
}

#[test]
fn telegrams_in_noise_on_a_pty() {
    let (mut meter, path) = pty();
    let mut session = Session::open(&named(&path), ReadOptions::default()).unwrap();
    meter.write_all(&[b"\x00\xff noise".as_slice(), &sml(15)].concat()).unwrap();
    assert_eq!(power(&next_readout(&mut session)), "15");
    assert_eq!(session.line(), Some(LineSettings::SML));
    meter.write_all(&sml(-20)).unwrap();
    assert_eq!(power(&next_readout(&mut session)), "-20");
    assert_eq!(session.next(Duration::from_millis(10)).unwrap(), SessionEvent::TimedOut);
    drop(meter);
    assert!(matches!(session.next(SOON).unwrap_err(), PortError::Vanished { .. }));
}

#[test]
fn a_meter_on_a_pty_is_asked() {
    let (mut meter, path) = pty();
    let options =
        ReadOptions { protocol: Some(Protocol::D0), baud: Some(300), ..ReadOptions::default() };
    let mut session = Session::open(&named(&path), options).unwrap();
    let meter = thread::spawn(move || {
        let mut request = [0; 5];
        meter.read_exact(&mut request).unwrap();
        assert_eq!(request, *b"/?!\r\n");
        meter.write_all(b"/ISk5MT174-0001\r\n").unwrap();
        let mut acknowledge = [0; 6];
        meter.read_exact(&mut acknowledge).unwrap();
        assert_eq!(acknowledge, *b"\x06050\r\n");
        let block = b"1.7.0(00.342*kW)\r\n!\r\n\x03";
        let check = block.iter().fold(0, |check, byte| check ^ byte);
        meter.write_all(&[b"\x02".as_slice(), block, &[check]].concat()).unwrap();
        meter
    });
    let readout = next_readout(&mut session);
    assert_eq!(readout.manufacturer.as_deref(), Some("ISK"));
    assert_eq!(readout.survey()[0].value.to_string(), "0.342");
    assert_eq!(session.line(), Some(LineSettings::D0_PUSH));
    meter.join().unwrap();
}

#[test]
fn a_device_that_comes_back_under_its_stable_name() {
    let dir = tempfile::tempdir().unwrap();
    let stable = dir.path().join("usb-head-if00-port0");
    let (mut meter, path) = pty();
    symlink(&path, &stable).unwrap();
    let mut session = Session::open(&named(&stable), ReadOptions::default()).unwrap();
    meter.write_all(&sml(1)).unwrap();
    next_readout(&mut session);

    // Half a telegram, then the head is pulled out.
    meter.write_all(&sml(2)[..30]).unwrap();
    assert_eq!(session.next(Duration::from_millis(50)).unwrap(), SessionEvent::TimedOut);
    drop(meter);
    fs::remove_file(&stable).unwrap();
    assert!(matches!(session.next(SOON).unwrap_err(), PortError::Vanished { .. }));
    assert!(matches!(session.reopen().unwrap_err(), PortError::NotFound { .. }));

    let (mut meter, path) = pty();
    symlink(&path, &stable).unwrap();
    session.reopen().unwrap();
    assert_eq!(session.protocol(), Some(Protocol::Sml), "still known");
    meter.write_all(&sml(3)).unwrap();
    assert_eq!(power(&next_readout(&mut session)), "3");
}

#[test]
fn a_bridge_set_to_seven_bits_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name: PortName = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut session = Session::open(&name, ReadOptions::default()).unwrap();
    let mut bridge = listener.accept().unwrap().0;
    let cut: Vec<u8> = sml(15).iter().map(|b| b & 0x7f).collect();
    bridge.write_all(&cut.repeat(3)).unwrap();
    let mut noise = Vec::new();
    while let SessionEvent::Noise(n) = session.next(Duration::from_millis(200)).unwrap() {
        noise.push(n);
    }
    assert!(noise.contains(&Noise::SevenBitLine), "{noise:?}");
    bridge.write_all(D0.as_bytes()).unwrap();
    assert_eq!(next_readout(&mut session).protocol, Protocol::D0);
    assert_eq!(session.line(), None);
}

#[test]
fn a_file_is_read_to_its_end_in_either_protocol() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump");
    for (telegram, protocol) in [(sml(15), Protocol::Sml), (D0.into(), Protocol::D0)] {
        fs::write(&path, telegram.repeat(100)).unwrap();
        let mut session = Session::open(&named(&path), ReadOptions::default()).unwrap();
        for _ in 0..100 {
            assert_eq!(next_readout(&mut session).protocol, protocol);
        }
        for _ in 0..2 {
            assert_eq!(session.next(SOON).unwrap(), SessionEvent::End);
        }
        assert_eq!(session.received(), telegram.len() as u64 * 100);
    }
    // A file that has to be asked cannot be: it just ends.
    let options =
        ReadOptions { protocol: Some(Protocol::D0), baud: Some(300), ..ReadOptions::default() };
    let mut session = Session::open(&named(&path), options).unwrap();
    assert_eq!(next_readout(&mut session).protocol, Protocol::D0);
}

#[test]
fn a_file_that_holds_no_telegram_says_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("picture.png");
    fs::write(&path, [0x89; 5000]).unwrap();
    let mut session = Session::open(&named(&path), ReadOptions::default()).unwrap();
    let SessionEvent::Noise(Noise::Garbage { bytes }) = session.next(SOON).unwrap() else {
        panic!("no noise")
    };
    assert!(bytes > 0);
}

#[test]
fn a_scan_finds_the_one_that_speaks() {
    let (_silent, silent) = pty();
    let (mut garbled, nonsense) = pty();
    let (mut meter, speaking) = pty();
    let (_held, busy) = pty();
    let _holder = Session::open(&named(&busy), ReadOptions::default()).unwrap();
    let missing = PathBuf::from("/nonexistent/ttyUSB9");
    let ports: Vec<PortInfo> =
        [&silent, &nonsense, &speaking, &busy, &missing].into_iter().map(|p| info(p)).collect();
    let (stop, stopped) = mpsc::channel::<()>();
    let meters = thread::spawn(move || {
        // Opening flushes, so send until heard.
        while stopped.recv_timeout(Duration::from_millis(20))
            == Err(mpsc::RecvTimeoutError::Timeout)
        {
            garbled.write_all(b"?").unwrap();
            meter.write_all(&sml(42)).unwrap();
        }
    });
    let heard = listen_to_all(ports.clone(), &open, Duration::from_secs(1), &|_, _| {});
    let scan = scan(ports, &open, SOON, &|_, _| {});
    stop.send(()).unwrap();
    meters.join().unwrap();
    let heard: Vec<Finding> = heard.into_iter().map(|(_, finding)| finding).collect();
    assert!(
        matches!(
            heard.as_slice(),
            [
                Finding::Silent,
                Finding::Unintelligible { .. },
                Finding::Telegram,
                Finding::Failed(PortError::Busy { .. }),
                Finding::Failed(PortError::NotFound { .. })
            ]
        ),
        "{heard:?}"
    );
    let (info, meter, readout) = scan.found.unwrap();
    assert_eq!(info.device, speaking);
    assert_eq!(power(&readout), "42");
    assert_eq!(meter.port_name(), &named(&speaking));
    let findings: Vec<&Finding> = scan.tried.iter().map(|(_, finding)| finding).collect();
    assert!(
        matches!(
            findings.as_slice(),
            [
                Finding::GivenUp,
                Finding::GivenUp,
                Finding::Telegram,
                Finding::Failed(PortError::Busy { .. }),
                Finding::Failed(PortError::NotFound { .. })
            ]
        ),
        "{findings:?}"
    );
}

#[test]
fn a_scan_without_a_meter_tells_silence_from_noise() {
    let (_silent, silent) = pty();
    let (mut garbled, nonsense) = pty();
    let (stop, stopped) = mpsc::channel::<()>();
    let noise = thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(10))
            == Err(mpsc::RecvTimeoutError::Timeout)
        {
            garbled.write_all(b"?").unwrap();
        }
    });
    let ports = vec![info(&silent), info(&nonsense)];
    let scan = scan(ports, &open, Duration::from_millis(300), &|_, _| {});
    stop.send(()).unwrap();
    noise.join().unwrap();
    assert!(scan.found.is_none());
    assert!(matches!(scan.tried[0].1, Finding::Silent));
    assert!(matches!(scan.tried[1].1, Finding::Unintelligible { bytes, .. } if bytes > 0));
    assert!(scan_of_nothing().tried.is_empty());
}

/// A meter of which no model is known.
fn open(port: &PortName) -> Result<Box<dyn MeterInterface>, PortError> {
    let site = Site::new(port.clone(), ReadOptions::default());
    interface::open(None, &site, &Environment::for_reading())
}

fn scan_of_nothing() -> ebp_meter::scan::Scan {
    scan(Vec::new(), &open, SOON, &|_, _| {})
}
