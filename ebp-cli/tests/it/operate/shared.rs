//! What several servers share is in the database, and commands go by it: of two servers with folders of
//! their own, of one whose PostgreSQL is away, and of one whose database a newer version changed.

use std::{fs, path::Path, process::Command};

use ebp_needs::needs;
use serde_json::Value;

use super::people::Participant;
use crate::{
    cluster, run,
    support::{
        ebp,
        household::issue_on,
        process::{self, Run},
        server::Server,
    },
};

const URL: &str = "EBP_SERVER_DATABASE_URL";

pub fn database() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(cluster::shared().database()).0
}

/// A server with the keys of another one's authority, as every server gets them as a secret.
pub fn another(server: &Server, url: &str) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("authority")).unwrap();
    for file in ["ca.pem", "ca.key"] {
        let from = server.data().join("authority").join(file);
        fs::copy(from, data.join("authority").join(file)).unwrap();
    }
    let other = Server::with_authority(&data, &[(URL, url)]);
    (folder, other)
}

fn status(server: &Server, of: &crate::support::household::Certificate, path: &str) -> u16 {
    crate::support::household::Api::new(server, of).try_get(path).unwrap().status().as_u16()
}

/// The serial numbers of the list of revoked certificates, as openssl reads it.
fn revoked(server: &Server) -> String {
    let crl = server.run(["ca", "crl"], "").done().stdout;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crl.pem");
    fs::write(&path, crl).unwrap();
    let read = Command::new("openssl").args(["crl", "-noout", "-text", "-in"]).arg(path).output();
    String::from_utf8(read.unwrap().stdout).unwrap().to_lowercase()
}

#[needs(postgresql, openssl)]
#[test]
fn two_servers_with_folders_of_their_own_share_one_register() {
    let url = database();
    let server = Server::start_in(&[(URL, &url)]);
    let (_folder, other) = another(&server, &url);
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let device = erika.device.to_string();
    let email = "erika@example.org";
    let folder = erika.folder.path().join("second");
    let second = issue_on(&server, &folder, email, &["--device", &device]);
    let first = &erika.device_certificate;
    for server in [&server, &other] {
        for certificate in [first, &second] {
            assert_eq!(status(server, certificate, "/household/consent"), 200);
        }
        assert_eq!(status(server, &erika.own, "/account"), 200);
        assert!(!server.data().join("authority/register.jsonl").exists());
    }
    let all = |server: &Server| server.run(["ca", "list", "--format", "json"], "").done().json();
    let serials = |list: &[Value]| {
        let mut serials: Vec<_> =
            list.iter().map(|entry| entry["serial"].as_str().unwrap().to_owned()).collect();
        serials.sort();
        serials
    };
    assert_eq!(serials(&all(&server)), serials(&all(&other)));

    other.run(["ca", "revoke", &second.serial], "").done();
    other.run(["ca", "revoke", &erika.own.serial], "").done();
    for server in [&server, &other] {
        assert_eq!(status(server, &second, "/household/consent"), 401);
        assert_eq!(status(server, &erika.own, "/account"), 401);
        assert_eq!(status(server, first, "/household/consent"), 200);
    }
    let told = other.run(["device", "revoke", &device], "").done();
    assert!(told.stderr.contains("revoked by this: 1"), "{told:?}");
    for server in [&server, &other] {
        assert_eq!(status(server, first, "/household/consent"), 401);
        let list = revoked(server);
        for certificate in [first, &second, &erika.own] {
            assert!(list.contains(&certificate.serial), "{list}");
        }
    }

    // A group's secret, set at one, counts at both.
    other.set_secrets();
    for server in [&server, &other] {
        let answer = super::people::as_group(server, "researchers", "/management/household", None);
        assert_eq!(answer.status(), 200);
    }
}

/// A server of PostgreSQL has worked in this folder: without its configuration nobody is told that
/// something is revoked which other servers do not hear of.
#[needs(postgresql)]
#[test]
fn a_folder_alone_does_not_answer_for_the_database() {
    let url = database();
    let server = Server::start_in(&[(URL, &url)]);
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let serial = &erika.device_certificate.serial;
    let data = server.data();
    let remedy = "give --config, or the variables EBP_SERVER_…, as for `ebp serve`";
    run!("ca", "revoke", serial, "--data", data).refused(1, &["is not here", remedy]);
    run!("ca", "list", "--data", data).refused(1, &["is not here", remedy]);
    run!("ca", "crl", "--data", data).refused(1, &["is not here", remedy]);
    let participant = uuid::Uuid::nil().to_string();
    let output = erika.folder.path().join("none");
    let named = ["--email", "erika@example.org", "--participant", &participant];
    run!("ca", "issue", named[0], named[1], named[2], named[3], "--output", output, "--data", data)
        .refused(1, &["is not here", remedy]);
    assert!(!output.exists());
    assert_eq!(status(&server, &erika.device_certificate, "/household/consent"), 200);
    server.run(["ca", "revoke", serial], "").done();
    assert_eq!(status(&server, &erika.device_certificate, "/household/consent"), 401);
}

#[test]
fn nothing_is_changed_while_postgresql_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    run!("ca", "init", "--data", data).done();
    let files = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files(&data.join("authority"));
    let away = |arguments: &[&str]| -> Run {
        let mut command = ebp();
        command.args(arguments).arg("--data").arg(&data);
        command.env(URL, "postgres://ebp@127.0.0.1:1/ebp?sslmode=disable&connect_timeout=1");
        process::run(command, b"their long secret\n")
    };
    let output = folder.path().join("out");
    let output = output.to_str().unwrap();
    let serial = "00ff".repeat(8);
    let commands: [&[&str]; 5] = [
        &["ca", "list"],
        &["ca", "revoke", &serial],
        &["ca", "crl"],
        &["ca", "issue", "--email", "erika@example.org", "--output", output],
        &["serve", "secret", "set", "researchers"],
    ];
    for command in commands {
        away(command).refused(
            1,
            &["PostgreSQL cannot be reached", "nothing was changed; try again when PostgreSQL"],
        );
    }
    assert_eq!(files(&data.join("authority")), before);
    assert!(!Path::new(output).exists());
}

/// A database that a newer version changed: each command that opens it tells what to do.
#[test]
fn the_remedy_where_the_database_is_newer() {
    // A folder that others may read is warned of, which is not what this is about.
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::in_folder(&folder.path().join("data"));
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let copy = server.data().join("copy.sqlite");
    server.run(["serve", "backup", "--output", copy.to_str().unwrap()], "").done();
    server.end().done();
    for file in [server.data().join("ebp.sqlite"), copy.clone()] {
        let db = rusqlite::Connection::open(file).unwrap();
        db.execute("UPDATE schema_compatibility SET since = 1000", []).unwrap();
        db.pragma_update(None, "user_version", 1000).unwrap();
    }
    let output = erika.folder.path().join("none");
    let output = output.to_str().unwrap();
    let household = erika.household.to_string();
    let commands: [&[&str]; 8] = [
        &["serve", "--listen", "127.0.0.1:0"],
        &["ca", "list"],
        &["ca", "revoke", &erika.own.serial],
        &["ca", "issue", "--household", &household, "--output", output],
        &["serve", "restore", "--input", copy.to_str().unwrap()],
        &["serve", "revocations", "list"],
        &["serve", "secret", "unblock"],
        &["device", "revoke", &erika.device.to_string()],
    ];
    for command in commands {
        server
            .run(command, "")
            .refused(1, &["schema version 1000", "use the version of ebp that wrote the database"]);
    }
}
