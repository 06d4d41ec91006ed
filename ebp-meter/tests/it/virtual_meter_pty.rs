//! Virtual meters on their pseudoterminals, opened as any program opens a serial port.

use std::{
    fs,
    io::Read,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ebp_core::model::MeterType;
use ebp_meter::{
    decoder::{Decode, Event},
    profile::Profiles,
    sml::Decoder,
    virtual_meter::{
        Energies, HouseholdOptions, MeterOptions, NoiseOptions, Replay, Rhythm, SimulateError,
        Source, Tempo, VirtualMeter, run,
    },
};
use serialport::SerialPort;

/// A meter at work on a thread of its own.
struct Running {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(Source, Result<(), SimulateError>)>,
}

impl Running {
    fn start(mut source: Source, noise: Option<NoiseOptions>, tempo: Tempo) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, path) = mpsc::channel();
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let on_ready = |path: &std::path::Path| drop(ready.send(path.to_owned()));
                let result = run(&mut source, None, noise, tempo, &stop, on_ready);
                (source, result)
            }
        });
        let path = path.recv_timeout(Duration::from_secs(10)).expect("a pseudoterminal");
        Self { path, stop, thread }
    }

    fn open(&self, baud: u32) -> Box<dyn SerialPort> {
        serialport::new(self.path.to_string_lossy(), baud)
            .timeout(Duration::from_secs(10))
            .open()
            .expect("a serial port")
    }

    /// Stops it, and says how long that took.
    fn stop(self) -> (Source, Duration) {
        let from = Instant::now();
        self.stop.store(true, Ordering::Relaxed);
        let (source, result) = self.thread.join().expect("it ends");
        result.expect("it ends well");
        (source, from.elapsed())
    }
}

fn meter(model: &str) -> Source {
    let options = MeterOptions {
        kind: MeterType::Electricity,
        number: 1_234_567,
        household: HouseholdOptions { seed: 1, pv_peak_watts: 5_000, battery_watt_hours: 0 },
        locked: false,
        start: "2026-06-21T10:00:00Z".parse().expect("a timestamp"),
        energies: Energies::from_watt_hours(1_000, 2_000).expect("small numbers"),
    };
    let profiles = Profiles::embedded();
    let profile = profiles.get(model).expect("an embedded model");
    Source::Meter(Box::new(VirtualMeter::new(profile, options).expect("a meter")))
}

fn quick(interval_ms: u64) -> Tempo {
    Tempo { push_interval: Some(Duration::from_millis(interval_ms)), ..Tempo::default() }
}

/// Reads until the decoder finds a telegram.
fn next_readout(port: &mut dyn SerialPort) -> ebp_meter::Readout {
    let mut decoder = Decoder::new();
    let mut buffer = [0; 256];
    for _ in 0..1_000 {
        let read = port.read(&mut buffer).expect("bytes in time");
        decoder.push(&buffer[..read]);
        while let Some(event) = decoder.next_event() {
            if let Event::Readout(readout) = event {
                return readout;
            }
        }
    }
    panic!("no telegram in a thousand reads")
}

#[test]
fn readers_come_and_go_and_get_fresh_telegrams() {
    let running = Running::start(meter("MT631"), None, quick(600));
    let first = next_readout(running.open(9_600).as_mut());
    assert_eq!(first.manufacturer.as_deref(), Some("ISK"));

    // Nobody reads for a while; a second reader gets what is sent now, not what was sent then.
    thread::sleep(Duration::from_millis(2_000));
    let second = next_readout(running.open(9_600).as_mut());
    let (source, _) = running.stop();
    let Source::Meter(meter) = source else { unreachable!("it was a meter") };
    let seconds = |readout: &ebp_meter::Readout| match readout.meter_time {
        Some(ebp_meter::readout::MeterTime::SecIndex(seconds)) => seconds,
        other => panic!("{other:?}"),
    };
    let now = u32::try_from(meter.state().operating_ms / 1_000).unwrap();
    assert!(now - seconds(&second) <= 1, "{} and now {now}", seconds(&second));
    assert!(seconds(&second) > seconds(&first));
}

#[test]
fn it_stops_at_once_wherever_it_is() {
    // MT174 sends nothing unasked, Q3D is mostly silent, EASY mostly sends.
    for model in ["MT174", "Q3D", "EASY"] {
        let running = Running::start(meter(model), None, Tempo::default());
        thread::sleep(Duration::from_millis(120));
        let (_, took) = running.stop();
        // A tenth of a second is promised; a machine with more work than cores gets some more.
        assert!(took < Duration::from_millis(400), "{model} took {took:?}");
    }
}

#[test]
fn energy_follows_the_factor_and_not_the_line() {
    let running = Running::start(meter("MT631"), None, Tempo { factor: 900, ..quick(250) });
    let mut port = running.open(9_600);
    let mut telegrams = 0;
    while telegrams < 4 {
        next_readout(port.as_mut());
        telegrams += 1;
    }
    let (source, _) = running.stop();
    let Source::Meter(meter) = source else { unreachable!("it was a meter") };
    // Whole intervals of 250 ms at 900 simulated seconds a second.
    let start: jiff::Timestamp = "2026-06-21T10:00:00Z".parse().unwrap();
    let passed = meter.state().time_ms - start.as_millisecond();
    assert_eq!(passed % 225_000, 0);
    assert!(passed >= 3 * 225_000, "{passed} ms");
}

#[test]
fn a_recording_comes_byte_for_byte_at_its_speed() {
    let bytes: Vec<u8> = (0..960_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    let mut replay = Replay::from_bytes(bytes.clone());
    replay.baud = 19_200;
    replay.looped = true;
    let running = Running::start(Source::Replay(replay), None, Tempo::default());
    let mut port = running.open(9_600);
    let from = Instant::now();
    let mut read = vec![0; 2 * bytes.len()];
    port.read_exact(&mut read).unwrap();
    let took = from.elapsed();
    running.stop();
    // The reader may have come while the first byte was under way.
    let doubled = [&bytes[..], &bytes[..], &bytes[..]].concat();
    assert!(doubled.windows(read.len()).any(|window| window == read), "bytes changed on the way");
    assert!(took > Duration::from_millis(800), "two times half a second, but it took {took:?}");
}

#[test]
fn a_recording_ends_where_it_ends() {
    let mut replay = Replay::from_bytes(vec![7; 48]);
    replay.rhythm = Rhythm::Every(Duration::from_millis(50));
    let running = Running::start(Source::Replay(replay), None, Tempo::default());
    let (_, result) = running.thread.join().unwrap();
    result.unwrap();
}

#[test]
fn noise_hurts_telegrams_and_not_the_reader() {
    let noise = NoiseOptions { flipped_bits: 0, missing_bytes: 0, ..NoiseOptions::moderate(4) };
    let running = Running::start(meter("MT631"), Some(noise), quick(250));
    let readout = next_readout(running.open(9_600).as_mut());
    assert_eq!(readout.manufacturer.as_deref(), Some("ISK"));
    running.stop();

    let stop = AtomicBool::new(false);
    let wrong = NoiseOptions { garbage: 2_000_000, ..NoiseOptions::moderate(4) };
    let result = run(&mut meter("MT631"), None, Some(wrong), Tempo::default(), &stop, |_| {});
    assert!(matches!(result, Err(SimulateError::Noise(_))));
}

#[test]
fn a_meter_that_waits_answers_when_asked() {
    use std::io::Write;
    let running = Running::start(meter("MT174"), None, Tempo::default());
    let mut port = running.open(9_600);
    port.set_timeout(Duration::from_millis(300)).unwrap();
    let mut buffer = [0; 64];
    assert!(port.read(&mut buffer).is_err(), "it says nothing unasked");
    port.set_timeout(Duration::from_secs(10)).unwrap();
    port.write_all(b"/?!\r\n").unwrap();
    let mut answer = vec![0; 17];
    port.read_exact(&mut answer).unwrap();
    assert_eq!(answer, b"/ISk5MT174-0001\r\n");
    // Acknowledged, it goes on at the speed that it offered: at 300 baud no register would be whole
    // before this port's patience is over.
    port.set_timeout(Duration::from_secs(5)).unwrap();
    port.write_all(b"\x06050\r\n").unwrap();
    let mut registers = Vec::new();
    while !registers.ends_with(b"!\r\n\x03") {
        let mut byte = [0];
        port.read_exact(&mut byte).unwrap();
        registers.extend(byte);
    }
    assert_eq!(registers[0], 2, "{}", registers.escape_ascii());
    running.stop();
}

#[test]
fn the_link_is_there_while_the_meter_is() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let stop = AtomicBool::new(false);
    let mut source = meter("MT631");
    run(&mut source, Some(&link), None, Tempo::default(), &stop, |path| {
        assert_eq!(path, link);
        assert!(fs::metadata(path).is_ok());
        stop.store(true, Ordering::Relaxed);
    })
    .unwrap();
    assert!(fs::symlink_metadata(&link).is_err());

    fs::write(&link, "mine").unwrap();
    let result = run(&mut source, Some(&link), None, Tempo::default(), &stop, |_| {
        panic!("it must not begin");
    });
    assert!(matches!(result, Err(SimulateError::Pty(_))));
    assert_eq!(fs::read_to_string(&link).unwrap(), "mine");
}
