//! `ebp simulate`: a meter that any program can open as a serial port.

use std::{
    fs,
    io::{ErrorKind, Read},
    os::unix::fs::{OpenOptionsExt, symlink},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::run;
use crate::support::{LIMIT, ebp, meter::Meter, process, process::Running, recording};
use ebp_meter::profile::{Profile, Profiles, Quantity, Register};
use rustix::{
    fs::OFlags,
    process::Signal,
    termios::{OptionalActions, tcgetattr, tcsetattr},
};
use serde_json::Value;

const IMPORT: &str = "0100010800ff";
const EXPORT: &str = "0100020800ff";

fn value<'a>(reading: &'a Value, obis: &str) -> Option<&'a Value> {
    reading["values"].as_array().unwrap().iter().find(|value| value["obis"] == obis)
}

fn number(reading: &Value, obis: &str) -> Option<f64> {
    value(reading, obis).map(|value| value["value"].to_string().parse().unwrap())
}

/// Each is read as its model, and its registers integrate its power.
#[test]
fn every_model_is_read_and_its_registers_grow() {
    let models: Vec<_> = Profiles::embedded().iter().cloned().collect();
    assert!(models.len() >= 36, "{}", models.len());
    let folder = tempfile::tempdir().unwrap();
    // Hours of the household's in some seconds, by day and night: what it draws, the register shows.
    thread::scope(|scope| {
        for model in &models {
            let link = folder.path().join(&model.name);
            scope.spawn(move || grows(model, &link));
        }
    });
}

/// What a model counts of the energy drawn: the total, or its first tariff.
fn register(profile: &Profile) -> String {
    let of = |wanted| {
        let drawn = |register: &&Register| {
            register.quantity() == Some(Quantity::ImportEnergy { tariff: wanted })
        };
        profile.unlocked.registers.iter().find(drawn).map(|register| register.obis.hex())
    };
    // SMARTY only counts what is fed in.
    of(0).or_else(|| of(1)).unwrap_or_else(|| EXPORT.to_owned())
}

fn grows(profile: &Profile, link: &Path) {
    let model = profile.name.as_str();
    let asked = profile.line.is_asked();
    let mut arguments = vec!["--model", model, "--speed", "3600", "--pv-peak", "0"];
    if !asked {
        arguments.extend(["--interval", "500ms"]);
    }
    let _meter = Meter::start(link, arguments);
    let mut command = ebp();
    command.args(["read", "--watch", "--all", "--format", "json", "--timeout", "20s"]);
    command.args(["--model", model, "--port"]).arg(link);
    let reader = Running::start(command);
    // Asking takes as long as some telegrams that are pushed.
    let lines = reader.wait_for_lines(if asked { 2 } else { 4 });
    let readings: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let register = register(profile);
    let energies: Vec<_> = readings
        .iter()
        .map(|reading| number(reading, &register).unwrap_or_else(|| panic!("{model}: {reading}")))
        .collect();
    match (register.as_str(), energies.as_slice()) {
        (EXPORT, energies) => {
            assert!(energies.iter().all(|energy| *energy == 2345.6), "{energies:?}")
        }
        (_, energies) => {
            assert!(energies.windows(2).all(|pair| pair[0] < pair[1]), "{model}: {energies:?}");
        }
    }
    for reading in &readings {
        let export = number(reading, EXPORT);
        assert!(export.is_none_or(|export| export == 2345.6), "{model}: {reading}");
    }
}

/// 316 bytes at 9600 baud take 329 ms. The recording is long enough to measure it, and none of the
/// bytes is lost or changed.
#[test]
fn a_recording_arrives_byte_for_byte_at_the_lines_speed() {
    const BYTES_PER_SECOND: f64 = 960.0;
    let folder = tempfile::tempdir().unwrap();
    let played = fs::read(recording::ehz()).unwrap();
    assert_eq!(played.len(), 316);
    let file = recording::ehz();
    let mut best = f64::MAX;
    // A busy machine may be late, but not each time.
    for attempt in 0..5 {
        let link = folder.path().join(format!("meter-{attempt}"));
        let arguments = ["--interval", "1s", "--replay", file.to_str().unwrap()];
        let _meter = Meter::start(&link, arguments);
        let mut port = open(&link);
        let (heard, times) = listen(&mut port, 2 * played.len());
        // Whoever comes late misses the first bytes, as of a real meter.
        let start = heard.windows(8).rposition(|window| window == &played[..8]).unwrap();
        assert!(heard.len() >= start + played.len(), "{start} of {}", heard.len());
        assert_eq!(heard[start..start + played.len()], played[..]);
        let (first, last) = (times[start], times[start + played.len() - 1]);
        // The first piece has been on the line when it arrives.
        let piece = times[start..].iter().take_while(|time| **time == first).count();
        let speed = (played.len() - piece) as f64 / (last - first).as_secs_f64();
        let deviation = (speed / BYTES_PER_SECOND - 1.0).abs();
        best = best.min(deviation);
        if best <= 0.1 {
            return;
        }
    }
    panic!("the line's speed is off by {:.0} %", best * 100.0);
}

fn open(link: &Path) -> fs::File {
    let port = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(link)
        .unwrap();
    let mut settings = tcgetattr(&port).unwrap();
    settings.make_raw();
    tcsetattr(&port, OptionalActions::Now, &settings).unwrap();
    port
}

/// So many bytes, and when each came.
fn listen(port: &mut fs::File, count: usize) -> (Vec<u8>, Vec<Duration>) {
    let begun = Instant::now();
    let (mut heard, mut times) = (Vec::new(), Vec::new());
    let mut buffer = [0; 512];
    while heard.len() < count && begun.elapsed() < LIMIT {
        match port.read(&mut buffer) {
            Ok(0) => break,
            Ok(received) => {
                heard.extend(&buffer[..received]);
                times.resize(heard.len(), begun.elapsed());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
    (heard, times)
}

#[test]
fn a_recording_is_played_once_or_over_and_over() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let file = recording::ehz();
    let once = Meter::start(&link, ["--once", "--replay", file.to_str().unwrap()]);
    once.wait().done();
    assert!(fs::symlink_metadata(&link).is_err(), "its link goes with it");
    let _again = Meter::start(&link, ["--replay", file.to_str().unwrap()]);
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&link);
    Running::start(command).wait_for_lines(3);
}

#[test]
fn its_link_comes_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = ebp();
        command.args(["simulate", "--model", "MT175", "--link"]).arg(&link);
        let mut meter = Running::start(command);
        let line = meter.wait_for("the meter is at");
        assert!(line.contains(&format!("ebp read --port {}", link.display())), "{line}");
        let device = fs::read_link(&link).unwrap();
        assert!(device.starts_with("/dev"), "{}", device.display());
        let begun = Instant::now();
        meter.signal(signal);
        meter.end().done();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(fs::symlink_metadata(&link).is_err());
    }
    // Killed, it leaves a link that leads nowhere; the next takes it over.
    let taken = folder.path().join("MT175");
    crate::support::wait_for("a device that nobody else opens at once", || {
        let _ = fs::remove_file(&taken);
        Meter::quick(folder.path(), "MT175").kill();
        assert!(fs::symlink_metadata(&taken).is_ok());
        fs::metadata(&taken).is_err().then_some(())
    });
    let living = Meter::quick(folder.path(), "MT175");
    // A living one's is not taken, nor anything else.
    run!("simulate", "--model", "MT681", "--link", taken).refused(1, &["MT175", "already there"]);
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    run!("simulate", "--model", "MT681", "--link", file).refused(1, &["file", "already there"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let other = folder.path().join("other");
    symlink("/dev/null", &other).unwrap();
    run!("simulate", "--model", "MT681", "--link", other).refused(1, &["other"]);
    living.end().done();
    assert!(fs::symlink_metadata(&taken).is_err());
}

#[test]
fn without_a_link_it_tells_its_device() {
    let mut command = ebp();
    command.args(["simulate", "--model", "MT175", "--interval", "300ms"]);
    let mut meter = Running::start(command);
    let line = meter.wait_for("the meter is at");
    let device = line.split("the meter is at ").nth(1).unwrap().split(';').next().unwrap();
    run!("read", "--port", device, "--format", "json").done();
    meter.signal(Signal::INT);
    meter.end().done();
}

#[test]
fn a_locked_meter_shows_whole_kilowatt_hours_and_no_power() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let _meter = Meter::start(&link, ["--model", "MT681", "--locked", "--interval", "300ms"]);
    let run = run!("read", "--port", link, "--format", "json").done();
    let reading = run.json().remove(0);
    assert_eq!(number(&reading, IMPORT), Some(4711.0), "{reading}");
    assert!(value(&reading, "0100100700ff").is_none(), "{reading}");
}

#[test]
fn its_registers_go_on_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let state = folder.path().join("state.json");
    let arguments = [
        "--model",
        "MT175",
        "--interval",
        "300ms",
        "--speed",
        "36000",
        "--state",
        state.to_str().unwrap(),
    ];
    let read = || run!("read", "--port", link, "--format", "json").done().json().remove(0);
    let meter = Meter::start(&link, arguments);
    let mut before = 4711.5;
    // Until something was drawn.
    crate::support::wait_for("the register to move", || {
        before = number(&read(), IMPORT).unwrap();
        (before > 4711.6).then_some(())
    });
    meter.end().done();
    assert!(state.exists());
    let meter = Meter::start(&link, arguments);
    let after = number(&read(), IMPORT).unwrap();
    assert!(after >= before, "{after} after {before}");
    assert!(after < before + 1000.0, "{after} after {before}");
    meter.end().done();
    fs::write(&state, "{").unwrap();
    let mut command = ebp();
    command.arg("simulate").args(arguments);
    process::run(command, b"").refused(1, &["state.json is no state of a meter"]);
}

#[test]
fn what_cannot_be_played_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.bin");
    run!("simulate", "--replay", missing).refused(1, &["cannot read", "none.bin"]);
    let empty = folder.path().join("empty.bin");
    fs::write(&empty, "").unwrap();
    run!("simulate", "--replay", empty).refused(1, &["empty.bin is empty"]);
    run!("simulate", "--model", "MT999").refused(2, &["MT999"]);
    run!("simulate", "--model", "MT175", "--link", folder.path().join("no/such/folder"))
        .refused(1, &["cannot make the link"]);
}
