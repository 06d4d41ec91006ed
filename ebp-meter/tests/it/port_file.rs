//! Files and fifos.

use std::{fs, io::Write, path::Path, thread, time::Duration};

use ebp_meter::port::{self, LineSettings, Port, PortError, PortName, Received};

const SOON: Duration = Duration::from_secs(5);

fn open(path: &Path) -> Box<dyn Port> {
    port::open(&PortName::Path(path.to_owned()), LineSettings::SML).unwrap()
}

fn read_to_end(port: &mut dyn Port) -> Vec<u8> {
    let (mut read, mut buffer) = (Vec::new(), [0; 7]);
    loop {
        match port.read(&mut buffer, SOON).unwrap() {
            Received::Bytes(n) => read.extend_from_slice(&buffer[..n]),
            Received::Nothing => panic!("a read timed out"),
            Received::End => return read,
        }
    }
}

#[test]
fn a_file_is_read_to_its_end_and_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump.bin");
    let content: Vec<u8> = (0..=255).cycle().take(1000).collect();
    fs::write(&path, &content).unwrap();
    let mut port = open(&path);
    assert!(!port.is_live());
    assert_eq!(read_to_end(&mut *port), content);
    assert_eq!(port.read(&mut [0; 4], SOON).unwrap(), Received::End);
    assert!(matches!(port.write(b"x").unwrap_err(), PortError::ReadOnly { .. }));
    assert!(!port.set_line(LineSettings::SML).unwrap());
    assert!(!port.set_light(true).unwrap());
}

#[test]
fn a_fifo_waits_for_its_writer_and_gives_bytes_as_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let mut port = open(&path);
    let mut buffer = [0; 16];
    let first = port.read(&mut buffer, Duration::from_millis(20)).unwrap();
    assert_eq!(first, Received::Nothing, "no writer yet is no end");

    let (go, wait) = std::sync::mpsc::channel::<()>();
    let writer = thread::spawn(move || {
        let mut fifo = fs::OpenOptions::new().write(true).open(path).unwrap();
        fifo.write_all(b"one").unwrap();
        // The second piece comes only after the first was read: nothing waits for a full buffer.
        wait.recv().unwrap();
        fifo.write_all(b"two").unwrap();
    });
    assert_eq!(port.read(&mut buffer, SOON).unwrap(), Received::Bytes(3));
    assert_eq!(&buffer[..3], b"one");
    go.send(()).unwrap();
    assert_eq!(read_to_end(&mut *port), b"two");
    writer.join().unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let name: PortName = "/nonexistent/dump.bin".parse().unwrap();
    let error = port::open(&name, LineSettings::SML).err().unwrap();
    assert_eq!(error.to_string(), "/nonexistent/dump.bin does not exist");
}
