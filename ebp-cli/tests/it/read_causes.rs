//! What `ebp read` says of bytes in which there is no telegram: the cause that they show, and its
//! remedy. "Align the reading head" is right where bits are lost at random, and nowhere else.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::run;
use crate::support::{ebp, meter::Meter, process};

/// Telegrams as people met them (their README says from which thread each is).
fn damaged(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ebp-meter/tests/damaged").join(name)
}

const CAUSES: [(&str, &[&str]); 3] = [
    ("s06_q3c_buffer_overrun.raw", &["after about 256 bytes each time", "larger receive buffer"]),
    ("s08b_lgz_bit_lost_only.raw", &["bits are lost", "align the reading head"]),
    ("s09b_emh_icrnl.raw", &["the line changes CR/LF", "make it raw", "stty -F"]),
];

/// A bridge that sends this to each of so many readers, and then hangs up or waits for them to.
fn bridge(readers: usize, bytes: Vec<u8>, hangs_up: bool) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        for _ in 0..readers {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&bytes).unwrap();
            if !hangs_up {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest);
                assert!(rest.is_empty(), "nothing is sent into a meter that speaks: {rest:02x?}");
            }
        }
    });
    (port, thread)
}

#[test]
fn of_files_bridges_and_devices() {
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for (name, words) in CAUSES {
            let folder = folder.path();
            scope.spawn(move || of_each_kind(name, words, folder));
        }
    });
}

fn of_each_kind(name: &str, words: &[&str], folder: &Path) {
    let file = damaged(name);
    let run = run!("read", file).refused(1, &[name, "contains no telegram"]).says(words);
    let aligns = run.stderr.contains("align");
    assert_eq!(aligns, name.starts_with("s08b"), "{run:#?}");

    let (port, bridge) = bridge(1, fs::read(&file).unwrap(), false);
    let run = run!("read", "--port", port, "--timeout", "1s");
    run.refused(3, &[&port, "no whole telegram"]).says(words);
    bridge.join().unwrap();

    let link = folder.join(name);
    let _meter = Meter::start(&link, ["--replay", file.to_str().unwrap()]);
    let run = run!("read", "--port", link, "--timeout", "4s");
    run.refused(3, &[link.to_str().unwrap(), "no whole telegram"]).says(words);
}

#[test]
fn a_file_with_a_whole_telegram_says_why_others_are_none() {
    let run = run!("read", damaged("s08_lgz_bit_lost.raw"), "--format", "json").done();
    assert_eq!(run.json().len(), 1);
    let run = run.says(&["passed over: 2 damaged", "align the reading head"]);
    assert!(run.stdout.contains("734.9456"), "{run:#?}");
    let run = run!("read", damaged("s09_emh_cr_in_value.raw"), "--format", "json").done();
    assert_eq!(run.stderr, "", "a CR in a value is no change of line ends");
    assert!(run.stdout.contains("23149.125"), "{run:#?}");
}

/// As ESPHome's `debug:` of a UART writes it, 150 bytes to a line unless said otherwise.
#[test]
fn a_log_of_esphome_is_read() {
    let digits = fs::read_to_string(damaged("s10_lgz_hex.txt")).unwrap().trim().to_uppercase();
    let bytes: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
    let prefix = "[09:02:48.983][D][uart_debug:114]: <<< ";
    let other = "[09:02:49.003][D][sensor:094]: 'Power': Sending state 4.00000 W with 0 decimals\n";
    let log = |separator, colour: &str| -> String {
        let line = |part: &[&str]| {
            let (start, end) = if colour.is_empty() { ("", "") } else { (colour, "\u{1b}[0m") };
            format!("{start}{prefix}{}{end}\n{other}", part.join(separator))
        };
        format!("[09:02:40][C][sml:091]: SML:\n{}", bytes.chunks(150).map(line).collect::<String>())
    };
    let string: String = bytes
        .chunks(40)
        .map(|part| format!("{prefix}\"\\x{}\"\n{other}", part.join("\\x")))
        .collect();
    for text in [log(":", ""), log(" ", "\u{1b}[0;36m"), log(",", ""), string] {
        let mut command = ebp();
        command.args(["read", "-", "--format", "json"]);
        let run = process::run(command, text.as_bytes()).done();
        assert!(run.stdout.contains("734.9456"), "{text}: {run:#?}");
        let run = run.says(&["is hex text"]);
        assert!(!run.stderr.contains("it says"), "{run:#?}");
    }
}

#[test]
fn hex_text_is_read() {
    let file = damaged("s10_lgz_hex.txt");
    let run = run!("read", file, "--format", "json").done();
    assert!(run.stdout.contains("734.9456"), "{run:#?}");
    run.says(&["s10_lgz_hex.txt is hex text"]);
    let digits = fs::read_to_string(&file).unwrap();
    let digits: Vec<&str> =
        (0..digits.trim().len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
    let as_array = format!("0x{}", digits.join(", 0x"));
    let in_lines = digits.chunks(16).map(|line| line.join(" ")).collect::<Vec<_>>().join("\r\n");
    // The last line has no end, and few digits.
    let odd = digits.chunks(39).map(<[_]>::concat).collect::<Vec<_>>().join("\n");
    assert!(odd.rsplit('\n').next().unwrap().len() < 8);
    let dump =
        |at: usize, line: &[&str]| format!("{at:08x}  {}  |{}|\n", line.join(" "), "0".repeat(16));
    let dump: String = digits.chunks(16).enumerate().map(|(n, line)| dump(16 * n, line)).collect();
    for text in [odd, dump, as_array, in_lines.to_uppercase(), format!("\\x{}", digits.join("\\x"))]
    {
        let mut command = ebp();
        command.args(["read", "-", "--format", "json"]);
        let run = process::run(command, text.as_bytes()).done();
        assert!(run.stdout.contains("734.9456"), "{text}: {run:#?}");
        assert_eq!(run.stderr.lines().count(), 1, "it is said once: {run:#?}");
    }
    // Digits that stand for a damaged telegram have the cause of that.
    let raw = fs::read(damaged("s08b_lgz_bit_lost_only.raw")).unwrap();
    let text: String = raw.iter().map(|byte| format!("{byte:02x} ")).collect();
    let mut command = ebp();
    command.args(["read", "-"]);
    process::run(command, text.as_bytes()).refused(1, &["bits are lost", "align"]);
}

/// The speed is right where what came is whole: it is never to be set.
#[test]
fn whole_data_of_another_kind_is_named() {
    // SNRM, as the Green Book has it, and an application reset of EN 13757-3.
    let hdlc = [0x7e, 0xa0, 0x07, 0x03, 0x21, 0x93, 0x0f, 0x01, 0x7e];
    let mbus = [0x68, 0x03, 0x03, 0x68, 0x53, 0xfe, 0x50, 0xa1, 0x16];
    let json = b"{\"power\":123,\"energy\":{\"in\":1234.5,\"out\":0.2}}\n".repeat(40);
    for (bytes, words) in [
        (hdlc.repeat(20), ["HDLC frames", "the meter's optical port"]),
        (mbus.repeat(20), ["M-Bus frames", "the meter's optical port"]),
        (json, ["decoded already", "raw"]),
    ] {
        let mut command = ebp();
        command.args(["read", "-"]);
        let run = process::run(command, &bytes).refused(1, &words);
        assert!(!run.stderr.contains("speed") && !run.stderr.contains("align"), "{run:#?}");
        let (port, bridge) = bridge(1, bytes, false);
        let run = run!("read", "--port", port, "--timeout", "1s").refused(3, &words);
        assert!(!run.stderr.contains("speed") && !run.stderr.contains("align"), "{run:#?}");
        bridge.join().unwrap();
    }
}

/// Forms that programs have of their own: read where a checksum proves them, never blamed on the head.
#[test]
fn text_of_bytes_is_read_or_named() {
    let written = |bytes: &[u8]| -> [String; 3] {
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        let hex = |part: &[u8]| part.iter().map(|byte| format!(" {byte:02X}")).collect::<String>();
        [
            bytes.chunks(16).map(|part| format!("12:34:56.789 ->{}\r\n", hex(part))).collect(),
            format!("{{\"type\":\"Buffer\",\"data\":[{}]}}\n", numbers.join(",")),
            format!("b\"{}\"\n", bytes.escape_ascii()),
        ]
    };
    let whole = fs::read(damaged("s09_emh_cr_in_value.raw")).unwrap();
    let broken = fs::read(damaged("s08b_lgz_bit_lost_only.raw")).unwrap();
    for (text, of_broken) in written(&whole).iter().zip(written(&broken)) {
        let mut command = ebp();
        command.args(["read", "-", "--format", "json"]);
        let run = process::run(command, text.as_bytes()).done();
        assert!(run.stdout.contains("23149.125"), "{text}: {run:#?}");
        run.says(&["is text of bytes"]);
        let mut command = ebp();
        command.args(["read", "-"]);
        let run = process::run(command, of_broken.as_bytes());
        let run = run.refused(1, &["contains no telegram", "not known here", "xxd -p"]);
        assert!(!run.stderr.contains("align") && !run.stderr.contains("lost"), "{run:#?}");
    }
}

#[test]
fn a_line_of_seven_bits_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.raw");
    let telegram = fs::read(damaged("s09_emh_cr_in_value.raw")).unwrap();
    let cut: Vec<u8> = telegram.iter().map(|byte| byte & 0x7f).collect();
    fs::write(&file, &cut).unwrap();
    run!("read", file).refused(1, &["cut.raw", "only 7 of 8 bits", "8N1"]);
    let (port, bridge) = bridge(1, cut.repeat(2), false);
    run!("read", "--port", port, "--timeout", "1s").refused(3, &["only 7 of 8 bits", "8N1"]);
    bridge.join().unwrap();
    // A device that says that it was set to 8N1, and is not.
    let link = folder.path().join("meter");
    let _meter = Meter::start(&link, ["--replay", file.to_str().unwrap()]);
    let run = run!("read", "--port", link, "--timeout", "4s");
    run.refused(3, &["only 7 of 8 bits", "8N1"]);
}

const GREETING: &[u8] = b"\xff\xfb\x03\xff\xfd\x03\xff\xfb\x01\xff\xfe\x01\xff\xfd\x00\xff\xfb\x00";

#[test]
fn a_telnet_bridge_is_read_and_named_once() {
    let telegram = fs::read(damaged("s09_emh_cr_in_value.raw")).unwrap();
    let doubled: Vec<u8> =
        telegram.iter().flat_map(|b| if *b == 0xff { vec![*b; 2] } else { vec![*b] }).collect();
    let stream = [GREETING, &doubled, &doubled].concat();
    let (port, bridge) = bridge(1, stream.clone(), false);
    let run = run!("read", "--port", port, "--format", "json").done();
    assert!(run.stdout.contains("23149.125"), "{run:#?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:#?}");
    run.says(&["speaks Telnet", "`accepter: tcp,PORT`"]);
    bridge.join().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("telnet.raw");
    // From its beginning, and from somewhere behind the negotiation.
    for recording in [&stream[..], &doubled[..]] {
        fs::write(&file, recording).unwrap();
        let run = run!("read", file, "--format", "json").done();
        assert!(run.stdout.contains("23149.125"), "{run:#?}");
        run.says(&["telnet.raw was recorded from a Telnet bridge"]);
    }
}

#[test]
fn a_bridges_own_words_are_repeated() {
    let long = format!("\r\nhello\r\n{}\r\n", "no such \x07port, ".replace('\x07', "").repeat(40));
    for (text, words) in [
        (&b"Port already in use\r\n"[..], &["hung up", "\"Port already in use\""][..]),
        (b"\xff\xfb\x03\xff\xfd\x03Port already in use\r\n", &["\"Port already in use\""]),
        (long.as_bytes(), &["it says \"no such port, ", " ...\""]),
    ] {
        let (port, bridge) = bridge(1, text.to_vec(), true);
        let run = run!("read", "--port", port).refused(1, &[&port, "the bridge's own words"]);
        let run = run.says(words);
        assert!(run.stderr.len() < 400 && !run.stderr.contains("align"), "{run:#?}");
        bridge.join().unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("busy.raw");
    fs::write(&file, "Port already in use\r\n").unwrap();
    run!("read", file).refused(1, &["it says \"Port already in use\"", "no telegram"]);
}

/// As a bridge does whose only reader is somebody else.
#[test]
fn a_bridge_that_says_nothing_and_hangs_up() {
    let (port, bridge) = bridge(1, Vec::new(), true);
    let run = run!("read", &port, "--timeout", "5s");
    let run = run.refused(1, &[&port, "hung up without a byte", "somebody else may be connected"]);
    assert!(!run.stderr.contains("cable") && !run.stderr.contains("align"), "{run:#?}");
    bridge.join().unwrap();
}

#[test]
fn a_web_server_is_named_with_what_to_give_instead() {
    for address in ["http://admin:secret@127.0.0.1:8080/data.json", "https://pulse.local"] {
        let run = run!("read", "--port", address);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:#?}");
        run.says(&["is a web server", "tcp://host:port", "curl -s ADDRESS | ebp read -"]);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(100));
    });
    let run = run!("read", "--port", port);
    run.refused(1, &[&port, "a web server answered", "give the bridge's raw port"]);
    server.join().unwrap();
}
