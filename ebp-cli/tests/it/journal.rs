//! The log where standard error is systemd's journal.

use std::{fs::File, os::unix::fs::MetadataExt, process::Stdio};

use crate::support::ebp;

/// Runs a command that fails, with its standard error in a file that is the journal or is not.
fn failing(format: &str, is_journal: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stderr");
    let file = File::create(&path).unwrap();
    let about = file.metadata().unwrap();
    let inode = if is_journal { about.ino() } else { about.ino() + 1 };
    let mut command = ebp();
    command.args(["serve", "--log-format", format, "--data"]).arg(folder.path().join("nothing"));
    command.env("JOURNAL_STREAM", format!("{}:{inode}", about.dev()));
    let status = command.stdin(Stdio::null()).stderr(file).status().unwrap();
    assert_eq!(status.code(), Some(1));
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn lines_have_their_priority_in_the_journal_alone() {
    let text = failing("text", true);
    assert!(text.lines().last().unwrap().starts_with("<3>ebp: "), "{text}");
    let json = failing("json", true);
    let last = json.lines().last().unwrap();
    let object: serde_json::Value =
        serde_json::from_str(last.strip_prefix("<3>").unwrap()).unwrap();
    assert_eq!(object["level"], "ERROR");
    for format in ["text", "json"] {
        let redirected = failing(format, false);
        assert!(!redirected.contains('<'), "{redirected}");
    }
}
