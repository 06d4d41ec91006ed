//! `ebp read --watch`: meters come and go, and it stays.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    asked::{AskedMeter, Manner},
    ebp,
    meter::Meter,
    process::Running,
    wait_for,
};
use serde_json::Value;

#[test]
fn a_watcher_waits_for_a_meter_that_was_pulled_out() {
    let folder = tempfile::tempdir().unwrap();
    let first = Meter::quick(folder.path(), "MT175");
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&first.link);
    let mut watching = Running::start(command);
    watching.wait_for_lines(2);
    // Without a chance to clean up: the link leads nowhere (or to a pseudoterminal that another
    // test has just opened; then it is no use to wait for it).
    first.kill();
    let link = folder.path().join("MT175");
    watching.wait_for("is gone; waiting for it to come back");
    let before = watching.stdout().len();
    if fs::metadata(&link).is_ok() {
        fs::remove_file(&link).unwrap();
    }
    let second = Meter::quick(folder.path(), "MT175");
    watching.wait_for("is back");
    watching.wait_for_lines(before + 2);
    // And once more, the clean way: the link itself is gone.
    second.end().done();
    wait_for("the second farewell", || {
        (watching.stderr().iter().filter(|line| line.contains("is gone")).count() == 2)
            .then_some(())
    });
    assert!(watching.lives());
    for (number, line) in watching.kill().stdout.lines().enumerate() {
        let reading: Value = serde_json::from_str(line).unwrap();
        // Whoever comes in the midst of a telegram may find its values whole.
        let comes_in = number == 0 || number == before;
        let crc = &reading["frame"]["crc"];
        assert!(crc == "ok" || (comes_in && crc == "salvaged"), "{number}: {line}");
    }
}

/// As a bridge does whose only reader is somebody else: it is told once, and so is the end of it.
#[test]
fn a_watcher_of_a_bridge_that_hangs_up_says_so_once_and_waits() {
    const HUNG_UP: usize = 3;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let telegrams = fs::read(crate::support::recording::ehz()).unwrap();
    let bridge = thread::spawn(move || {
        let began = Instant::now();
        for _ in 0..HUNG_UP {
            listener.accept().unwrap();
        }
        let waited = began.elapsed();
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&telegrams).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        waited
    });
    let mut command = ebp();
    command.args(["read", &port, "--watch", "--format", "json"]);
    let mut watching = Running::start(command);
    watching.wait_for_lines(1);
    let expected = [
        format!("ebp: {port} is gone; waiting for it to come back"),
        format!("ebp: {port} is back"),
    ];
    assert_eq!(watching.stderr(), expected);
    assert!(watching.lives());
    watching.kill();
    // It is left alone for longer each time: 0.5 s, then 1 s.
    assert!(bridge.join().unwrap() >= Duration::from_millis(1400));
}

#[test]
fn a_watcher_of_a_silent_meter_says_so_once_and_waits() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::silent(folder.path());
    let mut command = ebp();
    command.args(["read", "--watch", "--timeout", "200ms", "--port"]).arg(&meter.link);
    let mut watching = Running::start(command);
    watching.wait_for("for 200ms; still waiting");
    let told = Instant::now();
    wait_for("a second", || (told.elapsed().as_millis() > 800).then_some(()));
    assert_eq!(watching.stderr().len(), 1, "{:?}", watching.stderr());
    assert!(watching.lives());
}

/// A meter that is asked and takes long to answer is told of every ten seconds.
#[test]
fn a_watcher_says_how_far_a_long_answer_is() {
    let folder = tempfile::tempdir().unwrap();
    let manner = Manner::answering_for(Duration::from_secs(12));
    let meter = AskedMeter::start(&folder.path().join("meter"), manner);
    let mut command = ebp();
    command.args(["read", "--watch", "--protocol", "d0", "--baud", "300", "--timeout", "2s"]);
    command.args(["--format", "json", "--port"]).arg(&meter.link);
    let mut watching = Running::start(command);
    watching.wait_for(" registers so far");
    watching.wait_for_lines(1);
    assert_eq!(watching.stderr().len(), 1, "{:?}", watching.stderr());
    let run = watching.kill();
    assert!(run.stdout.contains("4711.815"), "{run:#?}");
}

/// Damaged telegrams are told of while it goes on, and counted at its end.
#[test]
fn a_watcher_counts_what_was_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let mut damaged = fs::read(crate::support::recording::ehz()).unwrap();
    damaged[150] ^= 1;
    let file = folder.path().join("damaged.bin");
    fs::write(&file, [damaged, fs::read(crate::support::recording::ehz()).unwrap()].concat())
        .unwrap();
    let link = folder.path().join("meter");
    let _meter = Meter::start(&link, ["--replay", file.to_str().unwrap()]);
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&link);
    let mut watching = Running::start(command);
    watching.wait_for("passed over so far: 1 damaged (checksum wrong)");
    watching.wait_for_lines(2);
    watching.signal(rustix::process::Signal::INT);
    let run = watching.end().done();
    let last = run.stderr.lines().last().unwrap();
    assert!(last.starts_with("ebp: passed over: ") && last.contains("damaged"), "{run:#?}");
}

/// On a terminal the table is drawn over again: up to its first line, and every line anew.
#[test]
fn a_terminal_is_drawn_over() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let ours =
        rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY)
            .unwrap();
    rustix::pty::grantpt(&ours).unwrap();
    rustix::pty::unlockpt(&ours).unwrap();
    let name = rustix::pty::ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let terminal = fs::OpenOptions::new().write(true).read(true).open(name).unwrap();
    let mut command = ebp();
    command.args(["read", "--watch", "--port"]).arg(&meter.link).env("TERM", "xterm");
    let mut child = command.stdout(terminal).stderr(Stdio::piped()).spawn().unwrap();
    let mut screen = fs::File::from(ours);
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains("2 telegrams") {
        let count = screen.read(&mut buffer).unwrap();
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        assert!(text.len() < 100_000, "{text}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(text.contains("waiting for a telegram"), "{text}");
    assert!(text.contains("\x1b[1A\r") && text.contains("\x1b[J"), "{text:?}");
    assert!(
        text.contains("read at ") && text.contains(" s ago; 1 telegram (Ctrl-C ends)"),
        "{text}"
    );
    let lines = text.split(['\n', '\r']).map(|line| line.replace("\x1b[K", ""));
    let too_wide: Vec<_> = lines.filter(|line| line.chars().count() > 84).collect();
    assert!(too_wide.is_empty(), "{too_wide:#?}");
}

/// A watcher notices at the next telegram.
#[test]
fn a_watcher_ends_quietly_at_a_closed_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&meter.link);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}
