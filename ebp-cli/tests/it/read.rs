//! `ebp read`: every kind of source, every format, and what the meters speak.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::fs::symlink,
    process::Stdio,
    thread,
};

use crate::run;
use crate::support::{ebp, meter::Meter, process, process::Running, recording, redacted};
use serde_json::{Value, json};

/// A value as scripts pick it out, digit for digit.
fn value(reading: &Value, obis: &str) -> String {
    let values = reading["values"].as_array().unwrap();
    let value = values.iter().find(|value| value["obis"] == obis);
    value.unwrap_or_else(|| panic!("no {obis} in {reading}"))["value"].to_string()
}

fn number(reading: &Value, obis: &str) -> f64 {
    value(reading, obis).parse().unwrap()
}

const ENERGY: &str = "0100010800ff";

fn without_read_at(mut readings: Vec<Value>) -> Vec<Value> {
    for reading in &mut readings {
        assert!(reading.as_object_mut().unwrap().remove("read_at").is_some());
    }
    readings
}

#[test]
fn every_format_of_a_file() {
    for (name, arguments) in [
        ("file_table", &["--format", "table"][..]),
        ("file_json", &["--format", "json"]),
        ("file_csv", &["--format", "csv"]),
        ("file_table_all", &["--format", "table", "--all"]),
        ("file_json_all", &["--format", "json", "--all"]),
        ("file_csv_all", &["--format", "csv", "--all"]),
    ] {
        let mut command = ebp();
        command.args(["read", "--port"]).arg(recording::ehz()).args(arguments);
        let run = process::run(command, b"").done();
        assert_eq!(run.stderr, "");
        insta::assert_snapshot!(name, redacted(&run.stdout));
    }
}

/// The contract that scripts rely on, field by field. What the recording says is known from two
/// decoders written by others (see the corpus of ebp-meter).
#[test]
fn the_contract_of_json() {
    let run = run!("read", "--port", recording::mt175(), "--format", "json").done();
    let readings = run.json();
    assert_eq!(readings.len(), 8, "every telegram to the end, the cut one left out");
    let first = readings[0].as_object().unwrap();
    let fields: Vec<_> = first.keys().map(String::as_str).collect();
    let mut expected =
        ["read_at", "server_id", "manufacturer", "protocol", "values", "meter_time", "frame"];
    expected.sort_unstable();
    let mut found = fields.clone();
    found.sort_unstable();
    assert_eq!(found, expected);

    let read_at: jiff::Timestamp = first["read_at"].as_str().unwrap().parse().unwrap();
    let age = ebp_core::clock::Clock::now(&ebp_core::clock::SystemClock).duration_since(read_at);
    assert!((0..60).contains(&age.as_secs()), "{age}");
    assert!(first["read_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(first["server_id"].as_str().unwrap().len(), 20);
    assert_eq!(first["manufacturer"], "ISK");
    assert_eq!(first["protocol"], "sml");
    assert_eq!(first["meter_time"], json!({"sec_index": 99_258_248}));
    assert_eq!(first["frame"], json!({"crc": "ok", "bytes": 460}));
    // As text, since a number could have been rounded on its way.
    assert!(
        run.stdout.lines().next().unwrap().contains(concat!(
            r#""values":[{"obis":"0100010800ff","code":"1-0:1.8.0*255","value":10732.3091,"#,
            r#""unit":"kWh","name":"positive active energy, total"},"#,
            r#"{"obis":"0100020800ff","code":"1-0:2.8.0*255","value":28275.3245,"#,
            r#""unit":"kWh","name":"negative active energy, total"},"#,
            r#"{"obis":"0100100700ff","code":"1-0:16.7.0*255","value":-4.308,"#,
            r#""unit":"kW","name":"sum active instantaneous power"}]"#
        )),
        "{}",
        run.stdout
    );

    let all = run!("read", "--port", recording::mt175(), "--format", "json", "--all").done();
    let first = all.json().remove(0);
    let energy = first["values"].as_array().unwrap().iter().find(|v| v["obis"] == ENERGY).unwrap();
    assert_eq!(
        *energy,
        serde_json::from_str::<Value>(
            r#"{"obis":"0100010800ff","code":"1-0:1.8.0*255","value":10732.3091,"unit":"kWh",
                "name":"positive active energy, total","raw":107323091,"scaler":-1,"unit_code":30,
                "status":65954}"#
        )
        .unwrap()
    );
    let codes: Vec<_> =
        first["values"].as_array().unwrap().iter().map(|v| v["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"1-0:36.7.0*255") && codes.contains(&"129-129:199.130.5*255"));
}

#[test]
fn a_corrected_and_a_salvaged_telegram_say_so() {
    let run = run!("read", recording::file("DZG_DVS-7412.2_jmberg"), "--format", "json").done();
    let reading = run.json().remove(0);
    // The owner read 356.24 W on the display.
    assert_eq!(value(&reading, "0100100700ff"), "0.35624");
    let values = reading["values"].as_array().unwrap();
    assert!(values.iter().any(|value| value["corrected"] == "dzg-sign"), "{reading}");

    let run = run!("read", recording::file("EasyMeter_Q3A_A1064V1009"), "--format", "json").done();
    assert!(run.json().iter().any(|reading| reading["frame"]["crc"] == "salvaged"));
}

/// Three ways to the same bytes.
#[test]
fn standard_input_and_a_positional_port_and_a_pipe_give_the_same() {
    let expected = without_read_at(
        run!("read", "--port", recording::mt175(), "--format", "json").done().json(),
    );
    assert_eq!(
        without_read_at(run!("read", recording::mt175(), "--format", "json").done().json()),
        expected
    );
    let mut command = ebp();
    command.args(["read", "--port", "-", "--format", "json"]);
    let bytes = fs::read(recording::mt175()).unwrap();
    let run = process::run(command, &bytes).done();
    assert_eq!(without_read_at(run.json()), expected);
}

#[test]
fn every_recording_is_read_or_told_to_hold_nothing() {
    let mut count = 0;
    for entry in fs::read_dir(recording::folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "bin") {
            continue;
        }
        count += 1;
        let run = run!("read", path, "--format", "json", "--all");
        match run.code {
            Some(0) => assert!(!run.json().is_empty(), "{}", path.display()),
            Some(1) => {
                run.says(&["contains no telegram"]);
            }
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    assert!(count >= 37, "{count} recordings");
}

#[test]
fn a_tcp_bridge_is_read_and_watched() {
    let bytes = fs::read(recording::mt175()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let bridge = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            // A telegram cut at its beginning, as a reader meets it who comes in the midst.
            stream.write_all(&bytes[100..]).unwrap();
            // Until the reader goes.
            let _ = stream.read(&mut [0]);
        }
    });
    let once = run!("read", "--port", port, "--format", "json").done();
    let readings = once.json();
    assert_eq!(readings.len(), 1, "the first whole one");
    assert_eq!(value(&readings[0], "0100020800ff"), "28275.3257");

    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port", &port]);
    let watching = Running::start(command);
    watching.wait_for_lines(7);
    watching.kill();
    bridge.join().unwrap();
}

#[test]
fn a_pty_is_read_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let table = run!("read", "--port", meter.link).done();
    assert!(table.stdout.starts_with("ISK "), "{}", table.stdout);
    assert!(table.stdout.contains("1-0:16.7.0*255"), "{}", table.stdout);
    // Several readers one after the other, each gets a fresh telegram.
    let mut last = 0;
    for _ in 0..3 {
        let run = run!("read", "--port", meter.link, "--format", "json").done();
        assert_eq!(run.stdout.lines().count(), 1, "the first whole one");
        let reading = run.json().remove(0);
        assert_eq!(reading["frame"]["crc"], "ok");
        let seconds = reading["meter_time"]["sec_index"].as_u64().unwrap();
        assert!(seconds >= last, "{seconds} after {last}");
        last = seconds;
        assert!(number(&reading, ENERGY) >= 4711.5);
    }
    let csv = run!("read", "--port", meter.link, "--format", "csv").done();
    assert!(
        csv.stdout.starts_with("read_at,server_id,obis,code,value,unit,name,corrected,crc,from\n")
    );
    assert!(csv.stdout.lines().count() >= 4, "{}", csv.stdout);
}

#[test]
fn silence_ends_in_time_with_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::silent(folder.path());
    let begun = std::time::Instant::now();
    let run = run!("read", "--port", meter.link, "--timeout", "1s", "--format", "json");
    let link = meter.link.display().to_string();
    run.refused(3, &[&link, "was silent for 1s", "reading head", "--timeout"]);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn what_a_meter_speaks_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for (model, protocol) in
            [("Q3D", "d0"), ("DD3-OD", "d0"), ("EHZ", "sml"), ("DTZ541", "sml")]
        {
            let folder = folder.path();
            scope.spawn(move || {
                let meter = Meter::quick(folder, model);
                let run = run!("read", "--port", meter.link, "--format", "json", "--all").done();
                let reading = run.json().remove(0);
                assert_eq!(reading["protocol"], protocol, "{model}: {reading}");
                let energy: f64 = value(&reading, ENERGY).parse().unwrap();
                assert!((4711.0..4713.0).contains(&energy), "{model}: {energy}");
                // Told, it is found at once, and gives the same.
                for told in [
                    &["--model", model][..],
                    &["--protocol", protocol],
                    &["--protocol", protocol, "--baud", "9600"],
                ] {
                    let mut command = ebp();
                    command
                        .args(["read", "--format", "json", "--port"])
                        .arg(&meter.link)
                        .args(told);
                    let run = process::run(command, b"").done();
                    assert_eq!(run.json()[0]["protocol"], protocol, "{model} {told:?}");
                }
            });
        }
    });
}

/// Within the default timeout, whether its model is told or found out.
#[test]
fn a_meter_that_wants_to_be_asked_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::start(&folder.path().join("meter"), ["--model", "MT174"]);
    for told in [&["--model", "MT174"][..], &[]] {
        let mut command = ebp();
        command.args(["read", "--format", "json", "--port"]).arg(&meter.link).args(told);
        let reading = process::run(command, b"").done().json().remove(0);
        assert_eq!(reading["protocol"], "d0");
        assert!(number(&reading, ENERGY) >= 4711.0, "{reading}");
    }
}

/// Behind a bridge whose speed cannot be changed a meter answers at 300 baud, for longer than the
/// timeout: as long as it goes on it is listened to.
#[test]
fn a_slow_answer_counts_by_its_silence_not_its_length() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let meter = thread::spawn(move || {
        let mut line = listener.accept().unwrap().0;
        let mut asked = [0; 5];
        line.read_exact(&mut asked).unwrap();
        line.write_all(b"/ISk5MT174-0001\r\n").unwrap();
        let mut acknowledged = [0; 6];
        line.read_exact(&mut acknowledged).unwrap();
        assert_eq!(acknowledged, *b"\x06000\r\n", "it is to stay at its speed");
        let block = b"1-0:1.8.0*255(0004712*kWh)\r\n!\r\n\x03";
        let check = block.iter().fold(0, |check, byte| check ^ byte);
        for byte in [b"\x02".as_slice(), block, &[check]].concat() {
            line.write_all(&[byte]).unwrap();
            thread::sleep(std::time::Duration::from_millis(80));
        }
        line
    });
    let mut command = ebp();
    command.args(["read", "--format", "json", "--model", "MT174", "--timeout", "2s"]);
    command.args(["--port", &port]);
    let reading = process::run(command, b"").done().json().remove(0);
    assert_eq!(value(&reading, ENERGY), "4712");
    meter.join().unwrap();
}

#[test]
fn an_unknown_model_is_wrong_usage() {
    let run = run!("read", "--port", recording::ehz(), "--model", "MT999");
    run.refused(2, &["MT999", "do you mean MT"]);
}

#[test]
fn noise_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--model", "MT175", "--interval", "400ms", "--noise", "--seed", "7"];
    let meter = Meter::start(&folder.path().join("meter"), arguments);
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&meter.link);
    let watching = Running::start(command);
    let lines = watching.wait_for_lines(4);
    let mut last = 4711.5;
    for line in lines {
        let reading: Value = serde_json::from_str(&line).unwrap();
        let energy = number(&reading, ENERGY);
        assert!(energy >= last && energy < 4712.5, "{reading}");
        last = energy;
    }
}

#[test]
fn what_was_saved_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT681");
    let raw = folder.path().join("raw.bin");
    let live = run!("read", "--port", meter.link, "--format", "json", "--all", "--raw", raw).done();
    // A file is read whole: also what a reader who came in the midst could save of the telegram
    // before, and passed over as long as there was hope of a whole one.
    let mut back = run!("read", raw, "--format", "json", "--all").done().json();
    back.retain(|reading| reading["frame"]["crc"] == "ok");
    assert_eq!(without_read_at(back), without_read_at(live.json()));
    // What is there is not overwritten.
    let again = run!("read", "--port", meter.link, "--raw", raw);
    again.refused(1, &["raw.bin", "exists"]);

    // Of a file: byte for byte.
    let copy = folder.path().join("copy.bin");
    run!("read", recording::mt175(), "--raw", copy).done();
    assert_eq!(fs::read(copy).unwrap(), fs::read(recording::mt175()).unwrap());
}

/// `ebp read … | head -1`, where the file is longer than any pipe's memory.
#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long.bin");
    fs::write(&long, fs::read(recording::mt175()).unwrap().repeat(100)).unwrap();
    for format in ["table", "json", "csv"] {
        let mut command = ebp();
        command.arg("read").arg(&long).args(["--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
        assert_eq!(output.status.code(), Some(0), "{format}");
    }
}

#[test]
fn a_link_is_as_good_as_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let link = folder.path().join("by-id");
    symlink(&meter.link, &link).unwrap();
    run!("read", "--port", link, "--format", "json").done();
}
