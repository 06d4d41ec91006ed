//! `ebp alert`: rules are changed over the Data API, by the version that was seen.

use crate::support::{ebp, process, process::Run, server::Server, write_private};

fn alert(server: &Server, folder: &std::path::Path, arguments: &[&str]) -> Run {
    let mut command = ebp();
    command.arg("alert").args(arguments).args(["--url", &server.url()]);
    command.arg("--ca").arg(server.ca()).arg("--secret-file").arg(folder.join("secret"));
    process::run(command, b"")
}

#[test]
fn rules_are_changed_one_by_one_and_for_the_version_that_was_seen() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    server.set_secrets();
    write_private(&folder.path().join("secret"), "the secret of the administrators\n");
    let alert = |arguments: &[&str]| alert(&server, folder.path(), arguments);
    assert!(alert(&["changes", "--format", "json"]).done().stdout.is_empty());

    let rules = alert(&["change", "--silent", "2h30m", "--quiet", "22:00-07:00"]).done();
    let rules = rules.json().remove(0);
    assert_eq!((&rules["version"], &rules["silent"]), (&1.into(), &9000.into()), "{rules}");
    let rules = alert(&["change", "--silent", "never", "--late", "6h"]).done().json().remove(0);
    assert_eq!((&rules["silent"], &rules["late"]), (&serde_json::Value::Null, &21_600.into()));
    assert_eq!(rules["quiet_hours"]["from"], "22:00", "what is not named stays: {rules}");
    assert_eq!(alert(&["rules"]).done().json(), [rules]);

    // Who saw the first version learns of the second.
    alert(&["change", "--late", "1h", "--if-match", "1"]).refused(1, &["412", "`ebp alert rules`"]);
    alert(&["change", "--late", "1h", "--if-match", "2"]).done();
    alert(&["change", "--digest", "23:00"]).refused(1, &["quiet_hours/digest"]);
    // Nothing is sent of a command line that is wrong.
    for (wrong, word) in
        [(&["change", "--late", "0s"][..], "from 1s to 366days"), (&["change"], "--silent")]
    {
        let run = alert(wrong).says(&[word]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:#?}");
    }

    let table = alert(&["changes"]).done().stdout;
    assert!(table.contains("22:00-07:00 Europe/Berlin, told at 07:00"), "{table}");
    let csv = alert(&["changes", "--format", "csv"]).done().stdout;
    let late: Vec<_> = csv.lines().map(|line| line.split(',').nth(3).unwrap()).collect();
    assert_eq!(late, ["late", "1h", "6h", "never"]);
}
