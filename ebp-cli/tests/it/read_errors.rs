//! What `ebp read` says when there is nothing to read: one line that names the thing and the
//! remedy, nothing on standard output, and the exit code that scripts rely on.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    process::Command,
    thread,
};

use crate::run;
use crate::support::{clean, ebp, meter::Meter, process, process::Running, recording};
use ebp_needs::needs;

#[test]
fn a_port_that_does_not_exist() {
    for format in ["table", "json", "csv"] {
        let run = run!("read", "--port", "/dev/ttyUSB99", "--format", format);
        run.refused(1, &["/dev/ttyUSB99", "does not exist", "plug the reading head in"]);
    }
    let run = run!("read", "recordigns/meter.bin");
    run.refused(1, &["recordigns/meter.bin", "does not exist", "check the name"]);
}

#[test]
fn a_name_that_names_no_port() {
    let run = run!("read", "--port", "tcp://nowhere");
    assert_eq!(run.code, Some(2));
    assert_eq!(run.stdout, "");
    run.says(&["tcp://nowhere", "tcp://host:port"]);
}

#[test]
fn a_bridge_that_is_switched_off() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = format!("tcp://{address}");
    run!("read", "--port", port).refused(1, &[&port, "check that the bridge is switched on"]);
}

#[test]
fn a_bridge_that_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp://{}", listener.local_addr().unwrap());
    let bridge = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&[0x1b; 50]).unwrap();
    });
    run!("read", "--port", port).refused(1, &[&port, "check the cable"]);
    bridge.join().unwrap();
}

#[test]
fn no_permission_names_the_group() {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let device = fs::canonicalize(&meter.link).unwrap();
    // As serial ports are: for owner and group.
    fs::set_permissions(&device, fs::Permissions::from_mode(0o660)).unwrap();
    let mut command = if rustix::process::getuid().is_root() {
        // Root may open everything, so somebody else tries. They need a program they can reach.
        let joined = group_of(|name, _| name == "dialout").or_else(|| group_of(|_, id| id > 0));
        chown(&device, None, Some(joined.expect("a group other than root's").1)).unwrap();
        let program = folder.path().join("ebp");
        fs::copy(env!("CARGO_BIN_EXE_ebp"), &program).unwrap();
        let mut command = clean(Command::new(program));
        command.uid(NOBODY).gid(NOBODY);
        command.current_dir("/");
        // A program that measures its coverage says so if it may not write that down.
        command.env("LLVM_PROFILE_FILE", "/dev/null");
        command
    } else {
        // One's own pseudoterminal can be closed to oneself.
        fs::set_permissions(&device, fs::Permissions::from_mode(0o060)).unwrap();
        ebp()
    };
    command.args(["read", "--port"]).arg(&device);
    let run = process::run(command, b"");
    let name = device.display().to_string();
    let run = run.refused(1, &[&name, "no permission"]);
    let group = fs::metadata(&device).unwrap().gid();
    match group_of(|_, id| id == group) {
        // Nobody is told to join root's group.
        Some((group, 1..)) => drop(run.says(&[&format!("usermod -aG {group} $USER")])),
        // Nor a group that has no name.
        _ => assert!(!run.stderr.contains("usermod"), "{run:#?}"),
    }
}

/// A group of this machine.
fn group_of(fits: impl Fn(&str, u32) -> bool) -> Option<(String, u32)> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?.parse().ok()?);
        fits(name, id).then(|| (name.to_owned(), id))
    })
}

#[test]
fn a_port_that_another_process_reads() {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::quick(folder.path(), "MT175");
    let mut command = ebp();
    command.args(["read", "--watch", "--format", "json", "--port"]).arg(&meter.link);
    let first = Running::start(command);
    first.wait_for_lines(1);
    let link = meter.link.display().to_string();
    let begun = std::time::Instant::now();
    let second = run!("read", "--watch", "--port", meter.link);
    second.refused(1, &[&link, "end the other reader", "fuser"]);
    assert!(begun.elapsed().as_secs() < 10, "it does not wait for the other");
    // The first has lost nothing by it, and what ends gives the port free, however it ends.
    first.wait_for_lines(first.stdout().len() + 1);
    first.kill();
    run!("read", "--port", meter.link).done();
}

#[test]
fn a_file_that_is_no_meters() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    fs::write(&file, "Dear Sir or Madam,\n".repeat(100)).unwrap();
    run!("read", "--port", file)
        .refused(1, &["letter.txt", "contains no telegram (1900 bytes)", "these are words"]);
    let noise = folder.path().join("noise.bin");
    fs::write(&noise, [0x1b; 5000]).unwrap();
    run!("read", noise).refused(1, &["noise.bin", "contains no telegram (5000 bytes)"]);
    // A telegram whose checksum is wrong, and too broken within to be salvaged.
    let damaged = folder.path().join("damaged.bin");
    let mut bytes = fs::read(recording::ehz()).unwrap();
    bytes[150] ^= 0x40;
    fs::write(&damaged, bytes).unwrap();
    run!("read", damaged).refused(1, &["(316 bytes; 1 damaged (checksum wrong))"]);
}

#[test]
fn a_file_in_another_language() {
    let run = run!("read", "--protocol", "d0", recording::ehz());
    run.refused(1, &["contains no telegram (316 bytes", "give a recording"]);
}

/// What a machine has for ports differs; each way of failing says what to do.
#[test]
fn without_a_port() {
    let run = run!("read", "--timeout", "300ms", "--format", "json");
    match run.code {
        Some(1) => drop(run.refused(1, &["has no serial port", "plug the reading head in"])),
        Some(3) => {
            assert_eq!(run.stdout, "");
            run.says(&["no meter sends", "check the reading head", "--port"]);
        }
        // This machine has a meter: it is found, and read.
        Some(0) => assert_eq!(run.json().len(), 1, "{run:#?}"),
        _ => panic!("{run:#?}"),
    }
}

/// Light goes nowhere unless a port is named or found.
#[test]
fn unlocking_without_a_port() {
    for arguments in [
        &["unlock", "--model", "MT175", "--pin-file", "/nonexistent/pin"][..],
        &["meter", "identify"],
        &["meter", "bundle", "--output", "/nonexistent/bundle.tar"],
    ] {
        let run = crate::support::run(arguments);
        match run.code {
            Some(1 | 3) if run.stderr.contains("serial port") => drop(run.says(&["--port"])),
            // This machine has meters: one is taken, of several none.
            Some(0) => assert!(arguments[1] == "identify" && !run.stdout.is_empty(), "{run:#?}"),
            Some(2) => drop(run.says(&["meters send at", "--port"])),
            _ => drop(run.says(&["/nonexistent/"])),
        }
    }
}

#[test]
fn an_empty_file_and_empty_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.bin");
    fs::write(&file, "").unwrap();
    run!("read", file)
        .refused(1, &["empty.bin", "contains no telegram (0 bytes)", "give a recording"]);
    run!("read", "-").refused(1, &["standard input", "contains no telegram (0 bytes)"]);
}

#[test]
fn a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    run!("read", folder.path()).refused(1, &[&name, "give a device such as /dev/ttyUSB0"]);
}

#[test]
fn a_device_that_is_pulled_out() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    let meter = Meter::start(&link, ["--model", "MT174"]);
    let mut command = ebp();
    command.args(["-vv", "read", "--format", "json", "--port"]).arg(&link);
    let mut reading = Running::start(command);
    reading.wait_for("listening");
    meter.kill();
    let run = reading.end();
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:#?}");
    let last = run.stderr.lines().last().unwrap();
    for word in ["meter", "check the cable", "--watch"] {
        assert!(last.contains(word), "{last}");
    }
    assert!(last.starts_with("ebp: "), "{last}");
}

#[test]
fn a_pty_that_closes() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("meter");
    // It plays a part of a telegram and goes.
    let part = folder.path().join("part.bin");
    fs::write(&part, &fs::read(recording::ehz()).unwrap()[..300]).unwrap();
    let meter = Meter::start(&link, ["--once", "--replay", part.to_str().unwrap()]);
    let name = link.display().to_string();
    run!("read", "--port", link).refused(1, &[&name, "check the cable"]);
    meter.wait().done();
}

#[test]
fn a_meter_that_cannot_be_understood() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.bin");
    fs::write(&garbage, [0xf3; 400]).unwrap();
    let link = folder.path().join("meter");
    let _meter = Meter::start(&link, ["--replay", garbage.to_str().unwrap()]);
    let name = link.display().to_string();
    let run = run!("read", "--port", link, "--timeout", "1s");
    let run = run.refused(3, &[&name, "bytes in 1s but no whole telegram", "set the line by"]);
    assert!(!run.stderr.contains("align"), "no telegram shows that bits are lost: {run:#?}");
}

/// What is told is told to people only: a script's output holds nothing but data.
#[test]
fn nothing_but_data_on_standard_output() {
    let run = run!("-vv", "read", recording::mt175(), "--format", "json").done();
    assert_eq!(run.json().len(), 8);
    assert!(!run.stderr.is_empty());
}

#[needs(dev_full)]
#[test]
fn a_full_disk_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = ebp();
    command.arg("read").arg(recording::ehz()).stdout(full);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("standard output"), "{stderr}");
}
