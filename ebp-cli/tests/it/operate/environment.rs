//! The configuration by variables: what beats what, and what is refused.

use std::{fs, path::Path};

use crate::{
    run,
    support::{
        ebp,
        process::{self, Run},
    },
};

fn with(variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = ebp();
    command.args(arguments).envs(variables.iter().copied());
    process::run(command, b"")
}

#[test]
fn the_command_line_beats_the_environment_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let config = path("server.toml");
    fs::write(&config, "data = \"of-the-file\"\n").unwrap();
    let exists = |name: &str| Path::new(&path(name)).join("authority/ca.pem").exists();

    with(&[], &["ca", "init", "--config", &config]).done();
    assert!(exists("of-the-file"));
    with(&[("EBP_SERVER_DATA", "of-the-environment")], &["ca", "init", "--config", &config]).done();
    assert!(exists("of-the-environment"));
    let (variable, argument) = (path("unused"), path("of-the-command-line"));
    let both = ["ca", "init", "--config", &config, "--data", &argument];
    with(&[("EBP_SERVER_DATA", &variable)], &both).done();
    assert!(exists("of-the-command-line") && !exists("unused"));
    // The file itself is named by a variable, too; and without a file variables are enough.
    with(&[("EBP_SERVER_CONFIG", &config)], &["ca", "init"])
        .refused(1, &["of-the-file", "use it, or choose another folder"]);
    with(&[("EBP_SERVER_DATA", &path("alone"))], &["ca", "init"]).done();
    assert!(exists("alone"));
}

#[test]
fn every_setting_that_is_printed_is_a_variable() {
    let printed = run!("serve", "--print-config").done().stdout;
    let (mut table, mut variables) = (String::new(), Vec::new());
    for line in printed.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = format!("{name}__");
        } else if let Some((key, value)) = line.split_once(" = ")
            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            // Lists of tables are written in the file alone.
            && !value.starts_with("[{")
        {
            let value = value.replace(['"', '[', ']'], "");
            variables.push((format!("EBP_SERVER_{table}{key}").to_uppercase(), value));
        }
    }
    assert!(variables.len() > 18, "{variables:?}");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    // Nobody is asked over the network: what is no DSN is enough.
    let dsn = "EBP_SERVER_ERRORS__DSN";
    let count = variables.len();
    variables.retain(|(name, _)| name != dsn);
    assert_eq!(variables.len(), count - 1);
    with(&[(dsn, "nowhere")], &["serve", "--data", folder]).refused(2, &[dsn]);
    let all: Vec<_> = variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mut command = ebp();
    // What the variables name is relative.
    command.current_dir(folder).args(["serve", "--data", folder]).envs(all);
    process::run(command, b"").refused(1, &["found one with `ebp ca init`"]);
    // And each that is wrong in its kind is told by its own name.
    for (variable, value) in &variables {
        if value.parse::<u64>().is_ok() {
            with(&[(variable, "many")], &["serve", "--data", folder]).refused(2, &[variable]);
        }
    }
}

#[test]
fn what_is_no_setting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = ["serve", "--data", data];
    with(&[("EBP_SERVER_HOSTNAME", "a")], &arguments)
        .refused(2, &["EBP_SERVER_HOSTNAME is no setting", "is EBP_SERVER_HOSTNAMES meant?"]);
    with(&[("EBP_SERVER_LISTEN", "everywhere")], &arguments)
        .refused(2, &["EBP_SERVER_LISTEN cannot be used"]);
    // Where it stands, and not what it says, which may be half a secret.
    let missing = folder.path().join("missing");
    with(&[("EBP_SERVER_DATABASE_URL_FILE", missing.to_str().unwrap())], &arguments)
        .refused(2, &["EBP_SERVER_DATABASE_URL_FILE", "missing"]);
}

#[test]
fn a_secret_comes_by_a_file_and_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that others may read is warned of, which is not what this is about.
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    run!("ca", "init", "--data", data).done();
    let file = folder.path().join("url");
    let url = "postgres://ebp:hunter2@db.example.org/ebp?sslmode=perhaps\n";
    crate::support::write_private(&file, url);
    let refused = with(
        &[("EBP_SERVER_DATABASE_URL_FILE", file.to_str().unwrap())],
        &["serve", "--data", data, "--listen", "127.0.0.1:0"],
    )
    .refused(1, &["database_url"]);
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
}

/// A table needs no configuration, whatever the environment says; errors are found by it.
#[test]
fn the_variable_is_one_for_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let config = path("server.toml");
    fs::write(&config, "data = \"data\"\n").unwrap();
    let table = path("table.csv");
    let row = "00000000-0000-0000-0000-000000000007,2026-03-01T00:00:00Z,2026-03-01T00:07:00Z";
    fs::write(&table, format!("meter,measured_at,received_at\n{row}\n")).unwrap();
    let variable = ("EBP_SERVER_CONFIG", &*config);
    with(&[variable], &["report", "--input", &table]).done();
    let both = with(&[], &["report", "--input", &table, "--config", &config]);
    assert_eq!(both.says(&["--config"]).code, Some(2));
    let report = with(&[variable], &["report"]);
    report.refused(2, &["data/", "does not exist"]);
    with(&[variable], &["export", "--output", &path("set")]).refused(2, &["does not exist"]);
    with(&[variable], &["errors", "list"]).done();
    with(&[], &["errors", "list"]).refused(2, &["--config FILE", "--folder FOLDER"]);
    // An empty variable is none.
    let empty = [("EBP_SERVER_CONFIG", ""), ("EBP_SERVER_DATA", &*path("alone"))];
    with(&empty, &["ca", "init"]).done();
}
