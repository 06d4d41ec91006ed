//! The schemas of Kubernetes, and our own of what we use of others' resources.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::object::name_of;
use crate::{
    root,
    run::{succeed, works},
    tool,
};

/// Kubernetes' schemas as a program, which knows none of what others define.
const VALIDATE: &str = "kubernetes-validate==1.34.0";

/// The newest Kubernetes whose schemas it has.
const KUBERNETES: &str = "1.33";

/// A field that is misspelt, so that it is seen to be found.
const PLANTED: &str =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selektor: {b: c}}\n";

/// Groups of resources that others define; those that are used have a schema in `xtask/schemas`.
const OTHERS: [&str; 3] =
    ["postgresql.cnpg.io/", "kustomize.toolkit.fluxcd.io/", "source.toolkit.fluxcd.io/"];

/// What breaks the schemas of what others define. Their fields are those that we use: one that is misspelt,
/// or new here, is found.
///
/// # Errors
/// When a schema is missing.
pub fn breaches(objects: &[Value]) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for object in objects.iter().filter(|own| is_others(own)) {
        let kind = object["kind"].as_str().unwrap_or("?");
        let path = root().join("xtask/schemas").join(format!("{kind}.json"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let schema: Value = serde_json::from_str(&text)?;
        let validator =
            jsonschema::validator_for(&schema).map_err(|error| anyhow::anyhow!("{error}"))?;
        let errors = validator.iter_errors(object);
        breaches.extend(errors.map(|error| format!("{}: {error}", name_of(object))));
    }
    Ok(breaches)
}

fn is_others(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    OTHERS.iter().any(|group| version.starts_with(group))
}

/// Checks everything else by Kubernetes' own schemas; skipped, loudly, where they cannot be had.
///
/// # Errors
/// What they find.
pub fn of_kubernetes(overlays: &[(&str, Vec<Value>)]) -> Result<()> {
    let Some(validate) = tool::from_pypi("kubernetes-validate", VALIDATE)? else {
        eprintln!(
            "\n*** SKIPPED: the schemas of Kubernetes. {VALIDATE} cannot be installed. ***\n"
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let command = || {
        let mut command = Command::new(&validate);
        command.args(["--strict", "--quiet", "-k", KUBERNETES]);
        command
    };
    let planted = folder.path().join("planted.yaml");
    fs::write(&planted, PLANTED)?;
    ensure!(!works(command().arg(&planted)), "{VALIDATE} does not find a planted fault");
    let mut command = command();
    for (overlay, objects) in overlays {
        let path = folder.path().join(format!("{}.yaml", overlay.replace('/', "-")));
        let documents: Vec<_> =
            objects.iter().filter(|own| !is_others(own)).map(Value::to_string).collect();
        fs::write(&path, documents.join("\n---\n"))?;
        command.arg(path);
    }
    succeed(&mut command)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misspelt_field_of_another_resource_is_found() {
        let pooler = |spec: Value| {
            json!({ "apiVersion": "postgresql.cnpg.io/v1", "kind": "Pooler",
                    "metadata": { "name": "a" }, "spec": spec })
        };
        let right = json!({ "cluster": { "name": "b" }, "instances": 1, "type": "rw",
                            "pgbouncer": { "poolMode": "session" } });
        assert!(breaches(&[pooler(right.clone())]).unwrap().is_empty());
        let mut wrong = right;
        wrong["pgbouncer"] = json!({ "poolmode": "session" });
        assert!(!breaches(&[pooler(wrong)]).unwrap().is_empty());
    }
}
