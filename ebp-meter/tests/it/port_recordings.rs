//! Recordings of real meters through sessions: as files, and over a line set to 7 data bits.

use std::{fs, time::Duration};

use ebp_meter::{
    decoder::{Decode, Event},
    port::PortName,
    readout::{Protocol, Readout},
    session::{ReadOptions, Session, SessionEvent},
    sml,
};
use ebp_testkit::recordings::dumps;

const SOON: Duration = Duration::from_secs(10);

fn through_session(bytes: &[u8], options: ReadOptions) -> Vec<Readout> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dump.bin");
    fs::write(&path, bytes).unwrap();
    let mut session = Session::open(&PortName::Path(path), options).unwrap();
    let mut readouts = Vec::new();
    loop {
        match session.next(SOON).unwrap() {
            SessionEvent::Readout(readout) => readouts.push(*readout),
            SessionEvent::Noise(_) => {}
            SessionEvent::End => return readouts,
            SessionEvent::TimedOut => panic!("a file timed out"),
        }
    }
}

#[test]
fn detection_finds_in_each_what_the_decoder_alone_finds() {
    let mut all = 0;
    for (name, bytes) in dumps() {
        let mut decoder = sml::Decoder::new();
        decoder.push(bytes);
        decoder.finish();
        let alone: Vec<Readout> = std::iter::from_fn(|| decoder.next_event())
            .filter_map(|event| match event {
                Event::Readout(readout) => Some(readout),
                Event::Noise(_) => None,
            })
            .collect();
        assert_eq!(through_session(bytes, ReadOptions::default()), alone, "{name}");
        all += alone.len();
    }
    assert!(all >= 227, "{all}");
}

#[test]
fn none_is_taken_for_ascii_registers() {
    let options =
        ReadOptions { protocol: Some(Protocol::D0), baud: None, ..ReadOptions::default() };
    for (name, bytes) in dumps() {
        assert_eq!(through_session(bytes, options), [], "{name}");
    }
}
