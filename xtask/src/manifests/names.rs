//! Whether the program knows the arguments, variables and settings that manifests give it.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{OVERLAYS, has_kubectl, object::Workload, object::name_of, render};
use crate::run::{output, works};

/// What the variables of settings begin with.
const PREFIX: &str = "EBP_SERVER_";

/// Holds every overlay against the program.
pub fn run(program: &Path) -> Result<()> {
    if !has_kubectl() {
        eprintln!("\n*** SKIPPED: names in manifests. They need kubectl. ***\n");
        return Ok(());
    }
    let settings = settings(&output(Command::new(program).args(["serve", "--print-config"]))?);
    let (mut unknown, mut commands) = (Vec::new(), BTreeSet::new());
    for overlay in OVERLAYS {
        let objects = render(overlay)?;
        let names = variables(&objects).into_iter().chain(configured(&objects)?);
        unknown.extend(names.filter(|(_, name)| !is_known(name, &settings)));
        commands.extend(arguments(&objects));
    }
    for words in &commands {
        // Before it shows its help, it reads what stands before.
        if !works(Command::new(program).args(words).arg("--help")) {
            unknown.push(("arguments".to_owned(), words.join(" ")));
        }
    }
    if !unknown.is_empty() {
        bail!("the program does not know {unknown:?}");
    }
    println!("images: the program knows all variables, settings and {} commands", commands.len());
    Ok(())
}

/// The variables of all settings that the commented configuration shows.
fn settings(text: &str) -> BTreeSet<String> {
    let (mut table, mut names) = (String::new(), BTreeSet::new());
    for line in text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = format!("{name}__");
        } else if let Some((name, _)) = line.split_once(" = ")
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            names.insert(format!("{PREFIX}{table}{name}").to_ascii_uppercase());
        }
    }
    names
}

fn is_known(name: &str, settings: &BTreeSet<String>) -> bool {
    name == "EBP_SERVER_CONFIG"
        || settings.contains(name)
        || name.strip_suffix("_FILE").is_some_and(|name| settings.contains(name))
}

/// Variables of settings, each with its object.
fn variables(objects: &[Value]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for workload in Workload::all(objects) {
        let lists = workload.containers().filter_map(|own| own["env"].as_array());
        let names = lists.flatten().filter_map(|own| own["name"].as_str());
        let own = names.filter(|name| name.starts_with("EBP_"));
        found.extend(own.map(|name| (name_of(workload.object), name.to_owned())));
    }
    found
}

/// Settings of configuration files, as their variables, each with its object.
fn configured(objects: &[Value]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for map in objects.iter().filter(|own| own["kind"] == "ConfigMap") {
        let Some(text) = map["data"]["server.toml"].as_str() else { continue };
        for (name, value) in toml::from_str::<toml::Table>(text)? {
            let inner: Vec<_> = match value {
                toml::Value::Table(table) => {
                    table.keys().map(|inner| format!("{name}__{inner}")).collect()
                }
                _ => vec![name],
            };
            let variable = |name: String| format!("{PREFIX}{name}").to_ascii_uppercase();
            found.extend(inner.into_iter().map(|name| (name_of(map), variable(name))));
        }
    }
    Ok(found)
}

/// What the program is started with.
fn arguments(objects: &[Value]) -> Vec<Vec<String>> {
    let containers = Workload::all(objects).flat_map(|own| own.containers().collect::<Vec<_>>());
    let own = containers.filter(|own| own["command"].is_null());
    let own = own.filter(|own| own["image"].as_str().is_some_and(|image| image.contains("/ebp@")));
    let words = own.filter_map(|own| own["args"].as_array());
    words.map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_read_from_the_commented_configuration() {
        let text = "# Where to listen. = is no setting\n# listen = \"a\"\ndata = \"b\"\n# [tunnel]\n# url = \"c\"\n";
        let settings = settings(text);
        for name in ["LISTEN", "DATA", "DATA_FILE", "TUNNEL__URL", "CONFIG"] {
            assert!(is_known(&format!("{PREFIX}{name}"), &settings), "{name} in {settings:?}");
        }
        assert!(
            !is_known("EBP_SERVER_URL", &settings)
                && !is_known("EBP_SERVER_SERVICE_HOST", &settings)
        );
    }

    #[test]
    fn names_are_found_in_variables_and_files() {
        let pod = json!({ "containers": [{ "image": "a/ebp@sha256:0", "args": ["serve"],
                          "env": [{ "name": "POD_IP" }, { "name": "EBP_SERVER_DATA" }] }] });
        let objects = [
            json!({ "kind": "Job", "metadata": { "name": "a" }, "spec": { "template": { "spec": pod } } }),
            json!({ "kind": "ConfigMap", "metadata": { "name": "b" },
                    "data": { "server.toml": "log = \"json\"\n[limits]\nbody_seconds = 1\n" } }),
        ];
        assert_eq!(variables(&objects), [("Job/a".to_owned(), "EBP_SERVER_DATA".to_owned())]);
        let names: Vec<_> =
            configured(&objects).unwrap().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["EBP_SERVER_LIMITS__BODY_SECONDS", "EBP_SERVER_LOG"]);
        assert_eq!(arguments(&objects), [["serve"]]);
    }
}
