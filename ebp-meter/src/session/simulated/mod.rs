//! Sessions with simulated meters, in simulated time: no test waits.
//!
//! Enters: how a meter behaves. Leaves: a session with it, and what was sent to it. Absent: real ports.

mod asked;
mod wrapped;

use std::sync::{Arc, Mutex};

use super::*;
use crate::port::Framing;
use crate::sml::encode::{EncodeEntry, EncodeInt, EncodeValue, Telegram, encode};

const REQUEST: &[u8] = b"/?!\r\n";
const REGISTERS: &str = "1-0:1.8.0*255(000125.25*kWh)\r\n1-0:16.7.0*255(000259.20*W)\r\n!\r\n";

/// The time of a simulation.
#[derive(Clone, Default)]
struct Time(Arc<Mutex<Duration>>);

impl Pace for Time {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }
    fn sleep_until(&self, at: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = at.max(*now);
    }
}

/// How the simulated meter behaves.
#[derive(Clone)]
enum Meter {
    Silent,
    /// Sends this at these settings every so often.
    Push {
        line: LineSettings,
        every: Duration,
        telegram: Vec<u8>,
    },
    /// Answers requests.
    Asked(Asked),
}

/// What is sent on which acknowledgement, if any, and at how many bits per second.
type Answer = (Option<&'static [u8]>, u32, Vec<u8>);

/// A meter that waits to be asked at 300 7E1.
#[derive(Clone)]
struct Asked {
    /// What it listens for.
    request: &'static [u8],
    name: &'static [u8],
    /// What it sends on which acknowledgement, and at how many bits per second. Without an
    /// acknowledgement it sends at once, and `None` where it never does.
    answers: Vec<Answer>,
    /// Whether the head receives its own light.
    echo: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            request: b"/?!\r\n",
            name: b"/ISk5MT174-0001\r\n",
            answers: vec![(Some(b"\x06050\r\n"), 9600, block(REGISTERS))],
            echo: true,
        }
    }
}

/// Registers between STX and ETX, with their check character.
fn block(registers: &str) -> Vec<u8> {
    let mut block = registers.as_bytes().to_vec();
    block.push(3);
    block.push(block.iter().fold(0, |check, byte| check ^ byte));
    block.insert(0, 2);
    block
}

fn with_parity(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|b| b | if b.count_ones() % 2 == 1 { 0x80 } else { 0 }).collect()
}

#[derive(Clone, Default)]
struct Record {
    lines: Arc<Mutex<Vec<String>>>,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
}

struct Simulated {
    name: PortName,
    meter: Meter,
    time: Time,
    line: LineSettings,
    /// Whether the port has line settings.
    adjustable: bool,
    /// Whether a port without settings stands at 8N1 before a meter at 7E1.
    parity: bool,
    refuses_300: bool,
    /// What is under way: when it arrives, at which settings it was sent.
    under_way: VecDeque<(Duration, LineSettings, Vec<u8>)>,
    record: Record,
}

impl Simulated {
    fn new(meter: Meter) -> Self {
        Self {
            name: PortName::StandardInput,
            meter,
            time: Time::default(),
            line: LineSettings::SML,
            adjustable: true,
            parity: false,
            refuses_300: false,
            under_way: VecDeque::new(),
            record: Record::default(),
        }
    }

    fn session(self, options: ReadOptions) -> Session {
        let pace = Arc::new(self.time.clone());
        Session::in_time(Box::new(self), options, pace)
    }

    /// What a line of other settings makes of the bytes.
    fn seen(&self, sent: LineSettings, bytes: &[u8]) -> Vec<u8> {
        if !self.adjustable {
            return if self.parity { with_parity(bytes) } else { bytes.to_vec() };
        }
        if sent.baud != self.line.baud {
            return bytes.iter().map(|b| b.wrapping_mul(0x4d) & 0xe0).collect();
        }
        match (sent.framing, self.line.framing) {
            (Framing::SevenEven, Framing::EightNone) => with_parity(bytes),
            // The driver puts NUL in place of a character of wrong parity.
            (Framing::EightNone, Framing::SevenEven) => {
                bytes.iter().map(|&b| if b.count_ones() % 2 == 0 { b & 0x7f } else { 0 }).collect()
            }
            _ => bytes.to_vec(),
        }
    }
}

impl Port for Simulated {
    fn name(&self) -> &PortName {
        &self.name
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Received, PortError> {
        let (now, end) = (self.time.now(), self.time.now().saturating_add(wait));
        if let Meter::Push { line, every, telegram } = &self.meter
            && self.under_way.is_empty()
        {
            let periods = now.as_millis() / every.as_millis() + 1;
            let at = *every * u32::try_from(periods).unwrap();
            self.under_way.push_back((at, *line, telegram.clone()));
        }
        match self.under_way.front() {
            Some((at, _, _)) if *at <= end => {}
            _ => {
                self.time.pause(wait);
                return Ok(Received::Nothing);
            }
        }
        let (at, line, mut bytes) = self.under_way.pop_front().unwrap();
        self.time.pause(at.saturating_sub(now));
        let piece = (line.baud as usize / 160).max(1);
        let rest = bytes.split_off(bytes.len().min(piece));
        if !rest.is_empty() {
            let takes = Duration::from_secs(10 * piece as u64) / line.baud;
            self.under_way.push_front((at + takes, line, rest));
        }
        let bytes = self.seen(line, &bytes);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(Received::Bytes(bytes.len()))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.record.written.lock().unwrap().push(bytes.to_vec());
        if let Meter::Asked(meter) = &self.meter {
            let soon = self.time.now() + Duration::from_millis(300);
            let at = |baud| LineSettings { baud, framing: Framing::SevenEven };
            let understood = !self.adjustable || self.line == LineSettings::D0_REQUEST;
            let means = |text: &[u8]| {
                understood && bytes == if self.parity { with_parity(text) } else { text.to_vec() }
            };
            if meter.echo {
                self.under_way.push_back((self.time.now(), self.line, bytes.to_vec()));
            }
            if means(meter.request) {
                let unasked = meter.answers.iter().filter(|(on, _, _)| on.is_none());
                self.under_way.push_back((soon, at(300), meter.name.to_vec()));
                for (_, baud, data) in unasked {
                    let later = soon + Duration::from_secs(1);
                    self.under_way.push_back((later, at(*baud), data.clone()));
                }
            }
            for (on, baud, data) in &meter.answers {
                if on.is_some_and(means) {
                    self.under_way.push_back((soon, at(*baud), data.clone()));
                }
            }
        }
        Ok(())
    }

    fn set_line(&mut self, line: LineSettings) -> Result<bool, PortError> {
        if !self.adjustable {
            return Ok(false);
        }
        if self.refuses_300 && line.baud == 300 {
            let (port, source) = (self.name.clone(), std::io::ErrorKind::InvalidInput.into());
            return Err(PortError::Line { port, line, source });
        }
        self.record.lines.lock().unwrap().push(line.to_string());
        self.line = line;
        Ok(true)
    }

    fn set_light(&mut self, _on: bool) -> Result<bool, PortError> {
        Ok(false)
    }

    fn is_live(&self) -> bool {
        true
    }
}

fn sml() -> Vec<u8> {
    let entry = EncodeEntry {
        obis: ebp_core::obis::ObisCode::SUM_POWER,
        status: None,
        sec_index: None,
        unit: Some(ebp_core::quantity::Unit::WATT),
        scaler: Some(0),
        value: EncodeValue::Int(EncodeInt::signed(15, 4)),
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

fn d0() -> Vec<u8> {
    format!("/EBZ5DD3BZ06ETA_107\r\n\r\n{REGISTERS}").into_bytes()
}

fn push(line: LineSettings, millis: u64, telegram: Vec<u8>) -> Meter {
    Meter::Push { line, every: Duration::from_millis(millis), telegram }
}

/// The first readout's protocol and when it came, seconds; time-outs and noise passed over.
fn first(session: &mut Session, time: &Time) -> (Protocol, f64) {
    for _ in 0..100 {
        if let SessionEvent::Readout(readout) = session.next(Duration::from_secs(1)).unwrap() {
            return (readout.protocol, time.now().as_secs_f64());
        }
    }
    panic!("nothing was read");
}

#[test]
fn a_meter_that_pushes_sml_is_read_at_once() {
    let port = Simulated::new(push(LineSettings::SML, 4000, sml()));
    let (time, record) = (port.time.clone(), port.record.clone());
    let mut session = port.session(ReadOptions::default());
    let (protocol, at) = first(&mut session, &time);
    assert_eq!(protocol, Protocol::Sml);
    assert!(at < 4.5, "{at} s");
    assert_eq!(session.protocol(), Some(Protocol::Sml));
    assert_eq!(session.line(), Some(LineSettings::SML));
    assert_eq!(first(&mut session, &time).0, Protocol::Sml);
    assert_eq!(*record.lines.lock().unwrap(), ["9600 8N1"], "no step was left");
}

#[test]
fn a_telegram_without_an_end_may_have_been_over_since_it_began() {
    let mut telegram = sml();
    let end = telegram.len() - 8;
    telegram[end] ^= 1;
    let mut session =
        Simulated::new(push(LineSettings::SML, 2000, telegram)).session(ReadOptions {
            protocol: Some(Protocol::Sml),
            baud: Some(9600),
            ..ReadOptions::default()
        });
    for _ in 0..5 {
        let SessionEvent::Readout(readout) = session.next(Duration::from_secs(9)).unwrap() else {
            panic!()
        };
        assert_eq!(readout.integrity, Integrity::Salvaged);
        // It is known to be over when the next one begins, two seconds later.
        let within = session.over_within(&readout).as_secs_f64();
        assert!((1.8..4.2).contains(&within), "{within} s");
    }
    let mut session = Simulated::new(push(LineSettings::SML, 2000, sml())).session(ReadOptions {
        protocol: Some(Protocol::Sml),
        baud: Some(9600),
        ..ReadOptions::default()
    });
    let SessionEvent::Readout(readout) = session.next(Duration::from_secs(9)).unwrap() else {
        panic!()
    };
    assert_eq!(session.over_within(&readout), Duration::ZERO);
}

#[test]
fn a_meter_that_pushes_registers_is_found_by_its_parity() {
    let port = Simulated::new(push(LineSettings::D0_PUSH, 1000, d0()));
    let (time, record) = (port.time.clone(), port.record.clone());
    let mut session = port.session(ReadOptions::default());
    let (protocol, at) = first(&mut session, &time);
    assert_eq!(protocol, Protocol::D0);
    assert!(at < 2.5, "{at} s: the first telegram shows the way, the second is read");
    assert_eq!(*record.lines.lock().unwrap(), ["9600 8N1", "9600 7E1"]);
    assert!(record.written.lock().unwrap().is_empty(), "nothing was sent into the meter");
}

#[test]
fn known_settings_are_used_without_a_search() {
    let line = LineSettings { baud: 19_200, framing: Framing::EightNone };
    let port = Simulated::new(push(line, 2000, sml()));
    let (time, record) = (port.time.clone(), port.record.clone());
    let options =
        ReadOptions { protocol: Some(Protocol::Sml), baud: Some(19_200), ..ReadOptions::default() };
    let (_, at) = first(&mut port.session(options), &time);
    assert!(at < 2.5, "{at} s");
    assert_eq!(*record.lines.lock().unwrap(), ["19200 8N1"]);
}

#[test]
fn a_bridge_is_only_listened_to() {
    for (telegram, protocol) in [(sml(), Protocol::Sml), (d0(), Protocol::D0)] {
        let mut port = Simulated::new(push(LineSettings::SML, 2000, telegram));
        port.adjustable = false;
        let (time, record) = (port.time.clone(), port.record.clone());
        let mut session = port.session(ReadOptions::default());
        assert_eq!(first(&mut session, &time).0, protocol);
        assert_eq!(session.line(), None);
        assert!(record.written.lock().unwrap().is_empty());
    }
}

#[test]
fn silence_times_out_in_time_and_an_adapter_without_300_baud_does_no_harm() {
    let mut port = Simulated::new(Meter::Silent);
    port.refuses_300 = true;
    let (time, record) = (port.time.clone(), port.record.clone());
    let mut session = port.session(ReadOptions::default());
    for second in 1..=20 {
        assert_eq!(session.next(Duration::from_secs(1)).unwrap(), SessionEvent::TimedOut);
        assert_eq!(time.now(), Duration::from_secs(second));
    }
    let lines = record.lines.lock().unwrap();
    assert_eq!(lines[..3], ["9600 8N1"; 3]);
}

#[test]
fn what_makes_no_telegram_is_told_when_the_time_is_over() {
    let mut port = Simulated::new(push(LineSettings::SML, 500, sml()[..40].to_vec()));
    port.adjustable = false;
    let mut session = port.session(ReadOptions::default());
    let first = session.next(Duration::from_secs(3)).unwrap();
    assert!(matches!(first, SessionEvent::Noise(_)), "{first:?}");
    assert!(session.received() >= 200);
    assert_eq!(session.protocol(), None);
}

#[test]
fn every_byte_passes_the_tap() {
    let port = Simulated::new(push(LineSettings::SML, 1000, sml()));
    let time = port.time.clone();
    let mut session = port.session(ReadOptions::default());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tap = Arc::clone(&heard);
    session.set_raw_tap(Box::new(move |bytes| tap.lock().unwrap().extend_from_slice(bytes)));
    first(&mut session, &time);
    assert_eq!(*heard.lock().unwrap(), sml());
}
