//! Serial devices, on the kernel's own ptys.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use ebp_meter::port::{self, Framing, LineSettings, Port, PortError, PortName, Received};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{InputModes, LocalModes, OutputModes, tcgetattr},
};

const SOON: Duration = Duration::from_secs(5);

/// The meter's end of a pty and the path of the other.
fn pty() -> (fs::File, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    (fs::File::from(master), path.into())
}

fn open(path: &Path) -> Result<Box<dyn Port>, PortError> {
    port::open(&PortName::Path(path.to_owned()), LineSettings::SML)
}

fn read_exactly(port: &mut dyn Port, count: usize) -> Vec<u8> {
    let mut read = Vec::new();
    let end = Instant::now() + SOON;
    while read.len() < count && Instant::now() < end {
        let mut buffer = [0; 64];
        if let Received::Bytes(n) = port.read(&mut buffer, SOON).unwrap() {
            read.extend_from_slice(&buffer[..n]);
        }
    }
    read
}

#[test]
fn every_byte_value_comes_through_raw_in_both_directions() {
    let (mut meter, path) = pty();
    let mut port = open(&path).unwrap();
    assert!(port.is_live());
    assert_eq!(port.name().to_string(), path.display().to_string());
    let all: Vec<u8> = (0..=255).collect();
    meter.write_all(&all).unwrap();
    assert_eq!(read_exactly(&mut *port, all.len()), all);
    port.write(&all).unwrap();
    let mut echoed = vec![0; all.len()];
    meter.read_exact(&mut echoed).unwrap();
    assert_eq!(echoed, all);
    let modes = tcgetattr(&meter).unwrap();
    assert!(!modes.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO));
    assert!(!modes.input_modes.intersects(InputModes::ICRNL | InputModes::IXON));
    assert!(!modes.output_modes.contains(OutputModes::OPOST));
}

#[test]
fn stale_input_is_dropped_at_opening() {
    let (mut meter, path) = pty();
    meter.write_all(b"half a telegram from yesterday\n").unwrap();
    let mut port = open(&path).unwrap();
    meter.write_all(b"new").unwrap();
    assert_eq!(read_exactly(&mut *port, 3), b"new");
}

#[test]
fn a_silent_line_says_nothing_after_the_time_and_not_before() {
    let (_meter, path) = pty();
    let mut port = open(&path).unwrap();
    let (wait, start) = (Duration::from_millis(30), Instant::now());
    assert_eq!(port.read(&mut [0; 8], wait).unwrap(), Received::Nothing);
    assert!(start.elapsed() >= wait);
}

#[test]
fn a_second_opener_is_told_that_it_is_busy_and_takes_nothing_away() {
    let (mut meter, path) = pty();
    let mut first = open(&path).unwrap();
    for _ in 0..2 {
        let error = open(&path).err().unwrap();
        assert!(matches!(error, PortError::Busy { .. }), "{error}");
        assert_eq!(error.to_string(), format!("{} is in use by another process", path.display()));
    }
    meter.write_all(b"still here").unwrap();
    assert_eq!(read_exactly(&mut *first, 10), b"still here");
    drop(first);
    open(&path).unwrap();
}

#[test]
fn the_lock_holds_under_another_name_of_the_device() {
    let (_meter, path) = pty();
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("usb-head-if00-port0");
    symlink(&path, &link).unwrap();
    let _first = open(&link).unwrap();
    assert!(matches!(open(&path).err().unwrap(), PortError::Busy { .. }));
}

#[test]
fn a_hung_up_device_is_gone_for_reading_writing_and_setting() {
    let (mut meter, path) = pty();
    let mut port = open(&path).unwrap();
    meter.write_all(b"read").unwrap();
    assert_eq!(read_exactly(&mut *port, 4), b"read");
    // What is unread when a pty's master closes, Linux throws away.
    drop(meter);
    for _ in 0..3 {
        let error = port.read(&mut [0; 8], SOON).unwrap_err();
        assert!(matches!(error, PortError::Vanished { .. }), "{error}");
    }
    assert!(matches!(port.write(b"x").unwrap_err(), PortError::Vanished { .. }));
    assert!(matches!(
        port.set_line(LineSettings::D0_PUSH).unwrap_err(),
        PortError::Vanished { .. }
    ));
}

#[test]
fn a_hang_up_wakes_a_waiting_reader() {
    let (meter, path) = pty();
    let mut port = open(&path).unwrap();
    let puller = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        drop(meter);
    });
    let start = Instant::now();
    let error = port.read(&mut [0; 8], Duration::from_secs(30)).unwrap_err();
    assert!(matches!(error, PortError::Vanished { .. }), "{error}");
    assert!(start.elapsed() < SOON);
    puller.join().unwrap();
}

#[test]
fn line_settings_reach_the_device() {
    let (meter, path) = pty();
    let mut port = open(&path).unwrap();
    assert_eq!(tcgetattr(&meter).unwrap().output_speed(), 9600);
    assert!(port.set_line(LineSettings::D0_REQUEST).unwrap());
    assert_eq!(tcgetattr(&meter).unwrap().output_speed(), 300);
    // Not one of the classical rates: some bridges want it.
    let odd = LineSettings { baud: 10_400, framing: Framing::EightNone };
    assert!(port.set_line(odd).unwrap());
    assert_eq!(tcgetattr(&meter).unwrap().output_speed(), 10_400);
}

#[test]
fn light_can_be_switched() {
    let (_meter, path) = pty();
    let mut port = open(&path).unwrap();
    assert!(port.set_light(true).unwrap());
    assert!(port.set_light(false).unwrap());
}
