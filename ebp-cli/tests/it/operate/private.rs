//! Files that others than their owner may read: refused with the command that mends it, or warned
//! of, and never in the way of what runs.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::people::{Participant, as_group};
use crate::{
    run,
    support::{
        ebp,
        process::{self, Running},
        server::Server,
        wait_for, write_private,
    },
};

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn chmod(path: &Path) -> String {
    format!("chmod 600 {}", path.display())
}

/// Each by itself keeps a server from starting, and nothing else does.
#[test]
fn a_server_does_not_start_with_what_others_may_read() {
    let mut server = Server::start();
    server.set_secrets();
    server.end().done();
    let data = server.data().to_owned();
    // As a release before had it.
    write_private(&data.join("secrets.toml"), "researchers = \"$argon2id$unused\"\n");
    let serve = || {
        let mut command = ebp();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        command
    };
    for name in ["authority/ca.key", "server.key", "secrets.toml"] {
        let path = data.join(name);
        for open in [0o644, 0o640, 0o660, 0o604] {
            set(&path, open);
            let refused = process::run(serve(), b"");
            assert_eq!(refused.code, Some(1), "{name} {refused:#?}");
            let last = refused.stderr.lines().last().unwrap_or_default();
            assert!(last.contains(&chmod(&path)), "{name}: {last}");
        }
        set(&path, 0o600);
    }
    // Issuing by hand is refused as well; revoking never is.
    let key = data.join("authority/ca.key");
    set(&key, 0o640);
    let nobody = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002";
    run!("ca", "issue", "--email", "a@example.org", "--participant", nobody, "--data", data)
        .refused(1, &[&chmod(&key)]);
    run!("ca", "list", "--data", data).done();
    set(&key, 0o600);

    // Database and folder are warned of aloud.
    let database = data.join("ebp.sqlite");
    set(&data, 0o755);
    set(&database, 0o644);
    let mut running = Running::start(serve());
    running.wait_for("serving https://127.0.0.1:");
    let told = running.stderr().join("\n");
    assert!(told.contains(&format!("chmod 700 {}", data.display())), "{told}");
    assert!(told.contains(&chmod(&database)), "{told}");
}

/// A password in the configuration, or in a file that a variable names.
#[test]
fn a_password_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("server.toml");
    let ask = |config: &Path| run!("household", "mask", "--pending", "--config", config);
    for (url, secret) in [
        ("postgres://ebp:hunter2@127.0.0.1:1/ebp", true),
        ("host=127.0.0.1 port=1 user=ebp password=hunter2", true),
        ("postgres://ebp@127.0.0.1:1/ebp", false),
    ] {
        write_private(&config, &format!("data = \"data\"\ndatabase_url = {url:?}\n"));
        let private = ask(&config);
        assert!(!private.stderr.contains("chmod"), "{private:?}");
        set(&config, 0o644);
        let open = ask(&config);
        assert_eq!(open.stderr.contains(&chmod(&config)), secret, "{open:?}");
        assert!(!open.stderr.contains("hunter2"), "{open:?}");
    }
    let file = folder.path().join("url");
    fs::write(&file, "postgres://ebp:hunter2@127.0.0.1:1/ebp\n").unwrap();
    set(&file, 0o604);
    let mut command = ebp();
    command.args(["ca", "list", "--data"]).arg(folder.path());
    command.env("EBP_SERVER_DATABASE_URL_FILE", &file);
    process::run(command, b"").refused(1, &[&chmod(&file)]);
}

/// Secrets and tokens that commands are given, and a device's key.
#[test]
fn secrets_tokens_and_keys_that_others_may_read_are_refused() {
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let (url, ca) = (server.url(), server.ca());
    let secret = erika.file("secret", "the secret of the researchers\n");
    let list = || run!("household", "list", "--url", url, "--ca", ca, "--secret-file", secret);
    list().done();
    set(&secret, 0o640);
    list().refused(1, &[&chmod(&secret)]);
    let token = erika.file("token", "a token\n");
    set(&token, 0o644);
    let output = erika.folder.path().join("device");
    server.enroll(&token, &output).refused(1, &[&chmod(&token)]);
    assert!(!output.exists());
}

/// What runs goes on, and heals what it can: a device's daemon renews with a key that others may
/// read, by a server whose authority's key others may read.
#[test]
fn renewals_are_not_stopped() {
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    erika.account(&server).grant();
    // Certificates begin five minutes early: of these six, five are over.
    let short = crate::support::household::issue(
        server.data(),
        &erika.folder.path().join("short"),
        "erika@example.org",
        &["--device", &erika.device.to_string(), "--validity", "90s"],
    );
    let (authority, secrets) =
        (server.data().join("authority/ca.key"), server.data().join("secrets.toml"));
    let before = fs::read_to_string(&short.key).unwrap();
    write_private(&secrets, "researchers = \"$argon2id$unused\"\n");
    for path in [&authority, &secrets, &short.key] {
        set(path, 0o644);
    }
    let mut command = ebp();
    let folder = short.chain.parent().unwrap();
    fs::copy(server.ca(), folder.join("ca.pem")).unwrap();
    fs::copy(&short.chain, folder.join("device.pem")).unwrap();
    fs::copy(&short.key, folder.join("device.key")).unwrap();
    command.args(["device", "renew", "--url", &server.url(), "--folder"]).arg(folder);
    let key = folder.join("device.key");
    let renewed = process::run(command, b"").done().says(&[&chmod(&key), "is valid until"]);
    assert_eq!(mode(&key), 0o600, "{renewed:?}");
    assert_ne!(fs::read_to_string(&key).unwrap(), before);
    wait_for("the server's warning", || {
        server.log_lines().iter().any(|line| line.contains(&chmod(&authority))).then_some(())
    });
    // A client with the right secret is let in nevertheless.
    assert_eq!(as_group(&server, "administrators", "/metrics", None).status(), 200);
}
