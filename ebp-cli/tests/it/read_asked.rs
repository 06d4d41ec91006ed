//! `ebp read` with meters that must be asked (IEC 62056-21, modes A to C), at the default settings or
//! with the one option that they need.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::run;
use crate::support::{
    asked::{AskedMeter, Manner},
    ebp, process,
};

/// Pafal 5EC3gr: its name, then its registers with a block check character.
fn pafal() -> Vec<u8> {
    let recording = fs::read(recording("d24_pafal_ec3gr.raw")).unwrap();
    let data = recording.iter().position(|byte| *byte == 2).unwrap();
    recording[data..].to_vec()
}

fn recording(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebp-meter/tests/damaged").join(name)
}

/// Reads it as JSON, with every register.
#[track_caller]
fn read(meter: &AskedMeter, options: &[&str]) -> process::Run {
    let mut command = ebp();
    command.args(["read", "--format", "json", "--all", "--port"]).arg(&meter.link).args(options);
    process::run(command, b"")
}

#[track_caller]
fn assert_is_pafal(run: process::Run) {
    let run = run.done();
    let reading = run.json().remove(0);
    assert_eq!(reading["manufacturer"], "PAF");
    assert!(run.stdout.contains("19446.38"), "{reading}");
}

const FAST: &[u8] = b"\x06050\r\n";
const SLOW: &[u8] = b"\x06000\r\n";

#[test]
fn each_is_heard_within_the_default_time_out() {
    let folder = tempfile::tempdir().unwrap();
    let link = |name: &str| folder.path().join(name);
    thread::scope(|scope| {
        scope.spawn(|| {
            let meter = AskedMeter::start(&link("fast"), Manner::answering(FAST, 9600, pafal()));
            assert_is_pafal(read(&meter, &[]));
        });
        // It offers 9600 baud, and answers at 300 alone.
        scope.spawn(|| {
            let meter = AskedMeter::start(&link("slow"), Manner::answering(SLOW, 300, pafal()));
            assert_is_pafal(read(&meter, &[]));
            let begun = Instant::now();
            assert_is_pafal(read(&meter, &["--baud", "300"]));
            assert!(begun.elapsed() < Duration::from_secs(4), "it is asked at once, and once");
        });
        // The head hears its own light, too.
        scope.spawn(|| {
            let manner = Manner { echo: true, ..Manner::answering(SLOW, 300, pafal()) };
            let meter = AskedMeter::start(&link("echo"), manner);
            assert_is_pafal(read(&meter, &[]));
        });
    });
}

const PROFILE: &str = r#"name = "MINE"
maker = "Pafal"
flag = "PAF"
about = "One meter that answers to its number alone"

[line]
protocol = "d0-request"
baud = 300
framing = "7E1"
address = "12345678"
source = "its face"

[telegram]
server_id = "din43863-5-early"
identification = "PAF5EC3gr00006"
block_check = true
source = "its face"

[unlocked]
source = "its face"
registers = [
    { obis = "1-0:0.0.0*255", content = "serial-number" },
    { obis = "1-0:1.7.0*255", unit = "W", scaler = 0, ascii = { unit = "kW", digits = 1 } },
    { obis = "1-0:1.8.0*255", unit = "Wh", scaler = 0, ascii = { unit = "kWh", digits = 7 } },
]
"#;

#[test]
fn a_meter_that_answers_to_its_address_alone() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let manner = || Manner {
        request: b"/?12345678!\r\n",
        echo: true,
        ..Manner::answering(FAST, 9600, pafal())
    };
    let meter = AskedMeter::start(&link, manner());
    assert_is_pafal(read(&meter, &["--address", "12345678"]));
    let profiles = folder.path().join("profiles");
    fs::create_dir(&profiles).unwrap();
    fs::write(profiles.join("mine.toml"), PROFILE).unwrap();
    let profiles = profiles.to_str().unwrap();
    assert_is_pafal(read(&meter, &["--model", "MINE", "--profiles", profiles]));
    drop(meter);

    // Where it does not answer, nobody reads its number in a log or an error.
    let deaf = AskedMeter::start(&link, Manner { request: b"never", ..manner() });
    let options = ["-vv", "--address", "12345678", "--baud", "300", "--timeout", "3s"];
    let run = read(&deaf, &options);
    assert_eq!(run.code, Some(3), "{run:#?}");
    let run = run.says(&["only the echo of what was sent came back", "--address"]);
    assert!(!run.stderr.contains("12345678"), "{run:#?}");
}

#[test]
fn it_is_identified_and_bundled_by_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner { request: b"/?12345678!\r\n", ..Manner::answering(FAST, 9600, pafal()) };
    let meter = AskedMeter::start(&folder.path().join("meter"), manner);
    let run = run!("meter", "identify", "--port", meter.link, "--address", "12345678").done();
    assert!(run.stdout.contains("(PAF)"), "{run:#?}");
    assert!(run.stdout.contains("--address ADDRESS"), "{run:#?}");
    assert!(!run.stdout.contains("12345678"), "{run:#?}");
    let bundle = folder.path().join("bundle");
    let options = ["--address", "12345678", "--telegrams", "1"];
    run!(
        "meter", "bundle", "--port", meter.link, "--output", bundle, options[0], options[1],
        options[2], options[3]
    )
    .done();
    let about = fs::read_to_string(bundle.join("about.json")).unwrap();
    assert!(about.contains("\"PAF\""), "{about}");
    for action in ["identify", "bundle"] {
        let mut command = ebp();
        command.args(["meter", action, "--port", "/dev/ttyUSB99", "--address", "4711!"]);
        command.args(if action == "bundle" { &["--output", "b"][..] } else { &[] });
        let run = process::run(command, b"").refused(2, &["--address", "1 to 32 printable"]);
        assert!(!run.stderr.contains("47"), "{run:#?}");
    }
}

#[test]
fn a_wrong_address_is_refused_without_being_shown() {
    for wrong in ["4711/0815", "4711!", &"47".repeat(17)] {
        let run = run!("read", "--port", "/dev/ttyUSB99", "--address", wrong);
        let run = run.refused(2, &["--address", "1 to 32 printable"]);
        assert!(!run.stderr.contains("47"), "{run:#?}");
    }
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["\"47/11\"", "4711"] {
        let profile = PROFILE.replace("\"12345678\"", wrong);
        fs::write(folder.path().join("mine.toml"), profile).unwrap();
        let run = run!("read", "-", "--model", "MINE", "--profiles", folder.path());
        let run = run.refused(2, &["mine.toml:10"]);
        let said = run.stderr.split("mine.toml").last().unwrap();
        assert!(!said.contains("47"), "{run:#?}");
    }
}

/// An answer at 300 baud takes minutes; here it takes five times the time-out.
#[test]
fn a_long_answer_is_heard_to_its_end_and_told_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner::answering_for(Duration::from_secs(11));
    let meter = AskedMeter::start(&folder.path().join("meter"), manner);
    let run = read(&meter, &["--protocol", "d0", "--baud", "300", "--timeout", "2s"]).done();
    assert!(run.stdout.contains("4711.815"), "{run:#?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:#?}");
    let run = run.says(&["meter is sending: ", " bytes, ", " registers so far"]);
    assert!(!run.stderr.contains(" 0 registers"), "{run:#?}");
}

#[test]
fn what_comes_in_place_of_an_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let link = |name: &str| folder.path().join(name);
    thread::scope(|scope| {
        scope.spawn(|| {
            let manner = Manner { answers: Vec::new(), ..Manner::answering(FAST, 9600, pafal()) };
            let meter = AskedMeter::start(&link("named"), manner);
            let run = read(&meter, &["--protocol", "d0", "--timeout", "6s"]);
            assert_eq!(run.code, Some(3), "{run:#?}");
            let run = run.says(&["gave its name (PAF) and then no registers", "--baud 300"]);
            assert!(!run.stderr.contains("align"), "{run:#?}");
        });
        scope.spawn(|| {
            let manner = Manner { name: b"", echo: true, ..Manner::answering(FAST, 9600, pafal()) };
            let meter = AskedMeter::start(&link("echo"), manner);
            let run = read(&meter, &[]);
            run.refused(3, &["sent 5 bytes in 10s", "only the echo of what was sent came back"]);
        });
    });
}

/// A transparent line of TCP at 8N1 before a meter at 7E1: it hears characters with parity bits.
#[test]
fn a_bridge_without_parity_is_asked_with_parity_bits() {
    let with_parity = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().map(|b| b | if b.count_ones() % 2 == 1 { 0x80 } else { 0 }).collect()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let meter = thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        let mut hear_until = |line: &mut std::net::TcpStream, end: &[u8]| {
            while !heard.ends_with(end) {
                let mut byte = [0];
                line.read_exact(&mut byte).unwrap();
                heard.push(byte[0]);
            }
        };
        hear_until(&mut line, &with_parity(b"/?!\r\n"));
        line.write_all(&with_parity(b"/PAF5EC3gr00006\r\n")).unwrap();
        hear_until(&mut line, &with_parity(SLOW));
        line.write_all(&with_parity(&pafal())).unwrap();
        line
    });
    let run = run!("read", "--port", port, "--format", "json", "--all");
    assert_is_pafal(run);
    meter.join().unwrap();
}
