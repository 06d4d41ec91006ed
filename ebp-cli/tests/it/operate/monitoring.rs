//! What is shipped for monitoring: Prometheus' rules and Grafana's dashboard know this server's metrics.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ebp_needs::needs;
use serde_json::Value;

use super::people::anybody;
use crate::support::server::Server;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// What begins as our metrics do.
fn named_metrics(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c: char| !is_part(c))
        .filter(|word| word.starts_with("ebp_"))
        .map(str::to_owned)
        .collect()
}

/// The families of a server with PostgreSQL and backups.
fn families() -> BTreeSet<String> {
    let backups = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (url, _) = runtime.block_on(crate::cluster::shared().database());
    let server = Server::start_in(&[
        ("EBP_SERVER_DATABASE_URL", &url),
        ("EBP_SERVER_WEB__LISTEN", "127.0.0.1:0"),
        ("EBP_SERVER_WEB__BACKUPS", backups.path().to_str().unwrap()),
        ("EBP_SERVER_RELEASES", backups.path().to_str().unwrap()),
    ]);
    server.set_secrets();
    let ask = || {
        let request = anybody(&server).get(format!("{}/metrics", server.url()));
        let request =
            request.basic_auth("administrators", Some("the secret of the administrators"));
        request.header("accept", "text/plain").send().unwrap().text().unwrap()
    };
    // Requests are counted when they are answered.
    ask();
    let text = ask();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

#[needs(postgresql)]
#[test]
fn rules_and_dashboard_name_metrics_that_there_are() {
    let families = families();
    let rules = fs::read_to_string(deploy().join("prometheus/rules.yml")).unwrap();
    let board = fs::read_to_string(deploy().join("grafana/ebp.json")).unwrap();
    let board: Value = serde_json::from_str(&board).unwrap();
    let targets = board["panels"].as_array().unwrap().iter().flat_map(|panel| {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        panel["targets"].as_array().unwrap()
    });
    let expressions: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    let named = named_metrics(&format!("{rules}\n{}", expressions.join("\n")));
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        let family = name.strip_suffix("_bucket").unwrap_or(&name);
        assert!(families.contains(family), "{name} is no metric: {families:#?}");
    }
}

#[test]
fn each_rule_has_a_case_that_fires_and_one_that_does_not() {
    let text = |file: &str| fs::read_to_string(deploy().join("prometheus").join(file)).unwrap();
    let (rules, tests) = (text("rules.yml"), text("rules.test.yml"));
    let rules: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(rules.len() >= 15, "{rules:?}");
    for rule in rules {
        let cases: Vec<&str> = tests
            .split("  - name: ")
            .filter(|case| case.contains(&format!("alertname: {rule}\n")))
            .collect();
        let fires = cases.iter().any(|case| case.contains("exp_labels:"));
        let is_quiet = cases.iter().any(|case| case.contains("exp_alerts: []"));
        assert!(fires, "{rule}");
        // What always fires has no other case.
        assert!(is_quiet || rule == "EbpDeadMansSwitch", "{rule}");
    }
}

#[needs(promtool)]
#[test]
fn promtool_finds_each_case_as_it_should_be() {
    for arguments in [["check", "rules", "rules.yml"], ["test", "rules", "rules.test.yml"]] {
        let mut command = Command::new("promtool");
        let tried = command.args(arguments).current_dir(deploy().join("prometheus")).output();
        let tried = tried.unwrap();
        assert!(tried.status.success(), "{tried:#?}");
    }
}
