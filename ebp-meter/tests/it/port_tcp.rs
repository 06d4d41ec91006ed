//! TCP bridges, on a listener of this machine.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use ebp_meter::port::{self, LineSettings, Port, PortError, PortName, Received};

const SOON: Duration = Duration::from_secs(5);

fn bridge() -> (Box<dyn Port>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name: PortName = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
    let port = port::open(&name, LineSettings::SML).unwrap();
    (port, listener.accept().unwrap().0)
}

#[test]
fn bytes_go_both_ways_and_a_close_is_seen() {
    let (mut port, mut peer) = bridge();
    let mut buffer = [0; 16];
    assert_eq!(port.read(&mut buffer, Duration::from_millis(10)).unwrap(), Received::Nothing);
    peer.write_all(b"pulse").unwrap();
    assert_eq!(port.read(&mut buffer, SOON).unwrap(), Received::Bytes(5));
    assert_eq!(&buffer[..5], b"pulse");
    port.write(b"\0\0").unwrap();
    let mut sent = [1; 2];
    peer.read_exact(&mut sent).unwrap();
    assert_eq!(sent, [0, 0]);

    peer.write_all(b"end").unwrap();
    drop(peer);
    assert_eq!(port.read(&mut buffer, SOON).unwrap(), Received::Bytes(3));
    for _ in 0..2 {
        let error = port.read(&mut buffer, SOON).unwrap_err();
        assert!(matches!(error, PortError::Vanished { .. }), "{error}");
    }
}

#[test]
fn it_has_no_line_settings_and_no_break() {
    let (mut port, _peer) = bridge();
    assert!(!port.set_line(LineSettings::D0_PUSH).unwrap());
    assert!(!port.set_light(true).unwrap());
    assert!(port.is_live());
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let name: PortName = format!("tcp://{address}").parse().unwrap();
    let error = port::open(&name, LineSettings::SML).err().unwrap();
    assert!(matches!(error, PortError::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("cannot reach tcp://{address}: ")), "{error}");
}
