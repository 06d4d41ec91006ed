//! Backups that are taken while uploads go on, and put back: nothing acknowledged is missing, and
//! nothing revoked is there again.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use ebp_needs::needs;

use super::people::{Participant, as_group};
use crate::{
    cluster,
    support::{
        household::{Api, issue_on},
        server::Server,
        wait_for,
    },
};

/// Sends reports of 4 until told to end, counting what was acknowledged, while `meanwhile` runs.
/// Returns how many were acknowledged when it began.
fn while_uploads_go_on(server: &Server, device: &Participant, meanwhile: impl FnOnce()) -> u128 {
    let (end, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let http = device.device(server);
            let mut next = 0_u64;
            while !end.load(Ordering::Relaxed) {
                let numbers = u128::from(next)..u128::from(next + 4);
                let (status, body) = device.report_by(&http, server, numbers).unwrap();
                if status == 429 {
                    thread::sleep(std::time::Duration::from_millis(50));
                    continue;
                }
                assert_eq!(status, 200, "{body}");
                next += 4;
                acknowledged.store(next, Ordering::SeqCst);
            }
        });
        let count = || u128::from(acknowledged.load(Ordering::SeqCst));
        wait_for("some uploads", || (count() >= 40).then_some(()));
        let before = count();
        meanwhile();
        let during = count();
        wait_for("uploads after it", || (count() > during).then_some(()));
        end.store(true, Ordering::Relaxed);
        sender.join().unwrap();
        before
    })
}

/// Everything acknowledged before is there.
fn complete(server: &Server, device: &Participant, before: u128) {
    let found = device.account(server).measurements(&device.meter.to_string());
    let found: std::collections::HashSet<_> =
        found.iter().map(|item| item["uuid"].as_str().unwrap().to_owned()).collect();
    for number in 0..before {
        assert!(
            found.contains(&device.uuid(number).to_string()),
            "{number} of {before} is missing"
        );
    }
}

/// Erika's consent is revoked, and no server knows her any more.
fn gone(server: &Server, erika: &Participant) {
    let answer = erika.account(server).try_get("/account").unwrap();
    assert!([401, 410].contains(&answer.status().as_u16()), "{}", answer.status());
    assert_eq!(erika.report(server, 900..901).unwrap().0, 410);
}

#[test]
fn of_sqlite() {
    let mut server = Server::start();
    let max = Participant::register(&server, "Max Muster", "max@example.org");
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let new = Participant::register(&server, "Ida Neu", "ida@example.org");
    for participant in [&max, &erika] {
        participant.account(&server).grant();
    }
    let copy = server.data().join("copy.sqlite");
    let back_up =
        |server: &Server| server.run(["serve", "backup", "--output", copy.to_str().unwrap()], "");
    let before = while_uploads_go_on(&server, &max, || {
        back_up(&server).done();
    });
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    back_up(&server).refused(1, &["exists already", "choose another name"]);
    // After the backup: a certificate is issued and a secret set; one revokes, and one grants and
    // revokes.
    let folder = max.folder.path().join("later");
    let named = ["--device", &max.device.to_string()];
    let later = issue_on(&server, &folder, "max@example.org", &named);
    server.set_secrets();
    erika.account(&server).revoke();
    new.account(&server).grant();
    new.account(&server).revoke();

    let restore = ["serve", "restore", "--input", copy.to_str().unwrap()];
    // Without regions it says of those that it revokes again that they are withheld.
    let refused = server.run(restore, "").says(&["ebp.sqlite is in use", "end the server first"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    server.end().done();
    let restored = server.run(restore, "").done();
    assert!(restored.stderr.contains("revoked again: 2 households"), "{restored:?}");
    assert!(restored.stderr.contains("is restored, with 3 households"), "{restored:?}");
    assert!(!restored.stderr.contains("empty database"), "{restored:?}");
    for name in ["Erika", "erika@", "Ida Neu", "ida@"] {
        assert!(!holds(&server.data().join("ebp.sqlite"), name), "{name} is there again");
    }
    server.go_on();
    complete(&server, &max, before);
    gone(&server, &erika);
    gone(&server, &new);
    // Before, both were in files that a restoration left alone.
    let answer = Api::new(&server, &later).try_get("/household/consent").unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(as_group(&server, "administrators", "/metrics", None).status(), 200);
    // What was acknowledged after it is sent again by devices that keep it, and is taken.
    assert_eq!(max.report(&server, 0..before + 8).unwrap().0, 200);
}

/// A backup that was taken when the database was lost already.
#[test]
fn of_sqlite_with_nobody_in_it() {
    let mut server = Server::start();
    let copy = server.data().join("copy.sqlite");
    server.run(["serve", "backup", "--output", copy.to_str().unwrap()], "").done();
    server.end().done();
    let restored = server.run(["serve", "restore", "--input", copy.to_str().unwrap()], "").done();
    assert!(restored.stderr.contains("is restored, with 0 households"), "{restored:?}");
    assert!(restored.stderr.contains("restore an older one"), "{restored:?}");
}

/// The replaced database is lost: what was revoked comes from the list that was kept.
#[test]
fn of_sqlite_with_the_list_that_was_kept() {
    let mut server = Server::start();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    erika.account(&server).grant();
    let data = server.data().to_owned();
    let path = |name: &str| data.join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let (copy, list) = (text("copy.sqlite"), text("revoked.jsonl"));
    server.run(["serve", "backup", "--output", &copy], "").done();
    let certificate = erika.device_certificate.serial.clone();
    erika.account(&server).revoke();
    let listed = server.run(["serve", "revocations", "list"], "").done();
    // The household and its device.
    assert_eq!(listed.json().len(), 2, "{listed:?}");
    assert!(!listed.stdout.contains("example.org") && !listed.stdout.contains(&certificate));
    let meter = erika.meter.to_string();
    assert!(!listed.stdout.contains(&meter), "nothing of before");
    let add = ["serve", "revocations", "list", "--output", &list];
    assert_eq!(server.run(add, "").done().stdout, "");
    assert_eq!(fs::read_to_string(&list).unwrap(), listed.stdout);
    server.end().done();
    // The data folder was lost: its own list, too.
    assert_eq!(fs::read_to_string(path("revocations.jsonl")).unwrap(), listed.stdout);
    fs::remove_file(path("revocations.jsonl")).unwrap();
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(path(&format!("ebp.sqlite{ending}")));
    }
    // An empty list would take the place of the one that is kept.
    server.run(["serve", "revocations", "list"], "").refused(1, &["there is no database"]);
    server.run(["serve", "revocations", "apply", &list], "").refused(1, &["no tables of ebp"]);
    assert!(!path("ebp.sqlite").exists());
    fs::write(path("ebp.sqlite"), "").unwrap();
    server.run(add, "").refused(1, &["no tables of ebp", "put a backup in its place first"]);
    assert_eq!(fs::metadata(path("ebp.sqlite")).unwrap().len(), 0, "it was written to");
    fs::remove_file(path("ebp.sqlite")).unwrap();
    // Without it the operator is told what that means.
    let without = server.run(["serve", "restore", "--input", &copy], "").done();
    assert!(without.stderr.contains("nothing is known of what was revoked"), "{without:?}");
    // A database that knows of no revocation takes none off the list.
    assert_eq!(server.run(["serve", "revocations", "list"], "").done().stdout, "");
    server.run(add, "").done();
    assert_eq!(fs::read_to_string(&list).unwrap(), listed.stdout);
    let applied = server.run(["serve", "revocations", "apply", &list], "").done();
    assert!(applied.stderr.contains("revoked again: 1 household,"), "{applied:?}");
    let again = server.run(["serve", "revocations", "apply", &list], "").done();
    assert!(again.stderr.contains("0 households, 0 certificates; 1 was already"), "{again:?}");
    let same = server.run(["serve", "revocations", "list"], "").done();
    assert_eq!(same.stdout, listed.stdout, "the same identifiers and masked locations");
    server.go_on();
    gone(&server, &erika);
    fs::write(&list, "{}\n").unwrap();
    server.run(add, "").refused(1, &["revoked.jsonl: line 1"]);
    assert_eq!(fs::read_to_string(&list).unwrap(), "{}\n");
    server
        .run(["serve", "revocations", "apply", &list], "")
        .refused(1, &["revoked.jsonl: line 1", "ebp serve revocations list"]);
}

#[needs(postgresql)]
#[test]
fn of_postgresql() {
    let cluster = cluster::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = || runtime.block_on(cluster.database()).0;
    let (url, other) = (database(), database());
    let tool = |name: &str, arguments: &[&str]| {
        let run = Command::new(cluster::binaries().unwrap().join(name)).args(arguments).output();
        let run = run.unwrap();
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
    };
    let mut server = Server::start_in(&[("EBP_SERVER_DATABASE_URL", &url)]);
    let max = Participant::register(&server, "Max Muster", "max@example.org");
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    for participant in [&max, &erika] {
        participant.account(&server).grant();
    }
    server
        .run(["serve", "backup", "--output", "unused"], "")
        .refused(2, &["PostgreSQL has its own tools", "pg_dump"]);
    let text = |name: &str| server.data().join(name).to_str().unwrap().to_owned();
    let (copy, list) = (text("survey.dump"), text("revoked.jsonl"));
    let before = while_uploads_go_on(&server, &max, || {
        tool("pg_dump", &["--format=custom", "--file", &copy, &url]);
    });
    erika.account(&server).revoke();
    let listed = server.run(["serve", "revocations", "list"], "").done();
    fs::write(&list, &listed.stdout).unwrap();
    server.end().done();

    // A job that keeps the list goes on meanwhile: tables of its own would be in the backup's way.
    server.set("EBP_SERVER_DATABASE_URL", &other);
    for command in [&["list", "--output", &list][..], &["apply", &list], &["list"]] {
        let command = [&["serve", "revocations"], command].concat();
        server.run(command, "").refused(1, &["no tables of ebp", "put a backup in its place"]);
    }
    assert_eq!(fs::read_to_string(&list).unwrap(), listed.stdout);
    tool("pg_restore", &["--exit-on-error", "--no-owner", "--dbname", &other, &copy]);
    let applied = server.run(["serve", "revocations", "apply", &list], "").done();
    assert!(applied.stderr.contains("revoked again: 1 household,"), "{applied:?}");
    let same = server.run(["serve", "revocations", "list"], "").done();
    assert_eq!(same.stdout, listed.stdout, "the same identifiers and masked locations");
    server.go_on();
    complete(&server, &max, before);
    gone(&server, &erika);
}

fn holds(path: &Path, text: &str) -> bool {
    let bytes = fs::read(path).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
