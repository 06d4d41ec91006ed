//! Starting and configuring: what the book shows is taken, what is wrong is named.

use std::{fs, path::Path};

use crate::run;
use crate::support::{LIMIT, server::Server};

#[test]
fn a_server_ends_politely_and_says_when_it_cannot_start() {
    let mut server = Server::start();
    let address = server.url().replace("https://localhost", "127.0.0.1");
    let other = tempfile::tempdir().unwrap();
    run!("ca", "init", "--data", other.path()).done();
    let run = run!("serve", "--data", other.path(), "--listen", address);
    run.refused(1, &[&address, "choose another address with --listen"]);
    let begun = std::time::Instant::now();
    server.end().done();
    assert!(begun.elapsed() < LIMIT / 4);
}

/// What the book shows is what the program takes.
#[test]
fn the_books_examples() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let examples = |chapter: &str| -> Vec<String> {
        let text = fs::read_to_string(book.join(chapter)).unwrap();
        let blocks = text.split("```toml\n").skip(1);
        blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let server = examples("server.md");
    let registration = server.iter().find(|text| text.contains("[participant]")).unwrap();
    let registration = file("registration.toml", registration);
    run!("ca", "init", "--data", folder.path()).done();
    let run = run!("household", "add", registration, "--data", folder.path()).done();
    assert!(run.stdout.contains("meter MT175") && run.stdout.contains("meter EHZ"));

    let config = server.iter().find(|text| text.contains("hostnames")).unwrap();
    assert!(config.contains("\"/var/lib/ebp\""), "{config}");
    let config = file("server.toml", &config.replace("/var/lib/ebp", "nowhere"));
    run!("serve", "--config", config).refused(1, &["found one with `ebp ca init`"]);

    // With all that is left to its default, and with all that is written out.
    let written = &examples("device.md")[0];
    let spoken = written.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
    let spoken: String = spoken.map(|line| format!("{line}\n")).collect();
    for key in [
        "spool_max_bytes = ",
        "max_current_a = ",
        "address = ",
        "pin_file = ",
        "inf_presses = ",
        "clock = ",
        "reset_usb = ",
    ] {
        assert!(written.contains(&format!("\n# {key}")), "{key}");
    }
    for text in [written, &spoken] {
        let config = file("device.toml", text);
        run!("read", "--config", config).refused(1, &["device.pem", "check the files under [api]"]);
    }
}

#[test]
fn wrong_configurations_name_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("device.toml");
    run!("read", "--config", file).refused(2, &["device.toml does not exist"]);
    fs::write(&file, "spool = \"spool\"\nspeed = 3\n").unwrap();
    run!("transmit", "--config", file).refused(2, &["device.toml:2: unknown field `speed`"]);
    let server = folder.path().join("server.toml");
    fs::write(&server, "data = \".\"\nlisten = \"everywhere\"\n").unwrap();
    run!("serve", "--config", server).refused(2, &["server.toml:2:"]);
    let registration = folder.path().join("household.toml");
    fs::write(&registration, "[participant]\nname = 3\n").unwrap();
    run!("household", "add", registration, "--data", folder.path())
        .refused(2, &["household.toml:2:"]);
}
