//! What the workflow of a release has to be: no secret is known to what is compiled, and nothing that is
//! skipped is published.

use std::{collections::BTreeSet, fs, path::Path};

use yaml_rust2::{Yaml, YamlLoader};

fn workflow(name: &str) -> Yaml {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let mut documents = YamlLoader::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn text(yaml: &Yaml) -> &str {
    yaml.as_str().unwrap_or_default()
}

fn steps(job: &Yaml) -> &[Yaml] {
    job["steps"].as_vec().map_or(&[], Vec::as_slice)
}

/// The names and values of what a step, a job or a workflow has in its environment.
fn environment(yaml: &Yaml) -> Vec<(&str, &str)> {
    let entries = yaml["env"].as_hash().into_iter().flatten();
    entries.map(|(name, value)| (text(name), text(value))).collect()
}

fn has_secret(yaml: &Yaml) -> bool {
    environment(yaml).iter().any(|(_, value)| value.contains("secrets."))
}

#[test]
fn a_tag_is_checked_before_it_is_published() {
    let release = workflow("release.yml");
    assert_eq!(text(&release["on"]["push"]["tags"][0]), "v*");
    assert!(release["on"]["push"]["branches"].is_badvalue());
    let permissions = release["permissions"].as_hash().unwrap();
    for (name, may) in permissions {
        assert!(text(name) == "contents" && text(may) == "read", "{name:?}: {may:?}");
    }
    let jobs = release["jobs"].as_hash().unwrap();
    let names: BTreeSet<_> = jobs.keys().map(text).collect();
    assert_eq!(names, BTreeSet::from(["check", "publish"]));
    for (name, job) in jobs {
        assert!(job["permissions"].is_badvalue(), "{name:?} has permissions of its own");
        let checkout = &steps(job)[0];
        assert!(text(&checkout["uses"]).starts_with("actions/checkout@"));
        assert_eq!(checkout["with"]["persist-credentials"].as_bool(), Some(false));
    }
    let check = &release["jobs"]["check"];
    assert!(steps(check).iter().any(|step| text(&step["run"]).contains(".ci/run")));
    let publish = &release["jobs"]["publish"];
    assert_eq!(text(&publish["needs"]), "check");
    assert_eq!(text(&publish["environment"]), "release");
    let commands: Vec<_> = steps(publish).iter().map(|step| text(&step["run"])).collect();
    let published = commands.iter().find(|run| run.contains("xtask publish")).unwrap();
    let argument = |word: &str| published.split_whitespace().any(|own| own == word);
    for word in ["--strict", "--key", "--credentials", "--to", "\"$GITHUB_REF_NAME\""] {
        assert!(argument(word), "{word} in {published}");
    }
}

#[test]
fn secrets_are_in_files_and_never_known_to_what_is_compiled() {
    let release = workflow("release.yml");
    assert!(!has_secret(&release));
    for job in ["check", "publish"] {
        let job = &release["jobs"][job];
        assert!(!has_secret(job));
        for step in steps(job) {
            let run = text(&step["run"]);
            // A shell prints what it is given in its text.
            assert!(!run.contains("secrets."), "{run}");
            assert!(!has_secret(step) || !run.contains("cargo"), "{run}");
        }
    }
    let publish = steps(&release["jobs"]["publish"]);
    let at =
        |word: &str| publish.iter().position(|step| text(&step["run"]).contains(word)).unwrap();
    let written = publish.iter().position(has_secret).unwrap();
    assert!(text(&publish[written]["run"]).contains("umask 077"));
    // What is compiled at last is the task that publishes.
    assert!(at("cargo build") < written && at("--package xtask") < written);
    assert!(written < at("xtask publish"));
    let last = &publish[publish.len() - 1];
    assert!(text(&last["if"]) == "always()" && text(&last["run"]).starts_with("rm -rf"));
}

/// The other one runs code of anybody who asks for a change.
#[test]
fn a_change_is_checked_without_any_secret() {
    let ci = workflow("ci.yml");
    assert!(ci["on"]["pull_request_target"].is_badvalue());
    assert_eq!(text(&ci["permissions"]["contents"]), "read");
    for step in steps(&ci["jobs"]["run"]) {
        assert!(!has_secret(step) && !text(&step["run"]).contains("secrets."));
    }
}
