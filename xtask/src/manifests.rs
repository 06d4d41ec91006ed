//! `cargo xtask manifests`: whether the manifests of `deploy` are what a cluster takes, and what we want.
//!
//! Enters: kubectl, which renders them; Python with PyPI for the schemas of Kubernetes. Leaves: every
//! breach of a schema or a rule. Absent: a cluster; what cannot be had is said to be skipped.

mod container;
pub mod names;
mod object;
#[cfg(test)]
mod planted;
mod rule;
mod schema;
pub mod script;
pub mod start;
mod together;

use std::process::Command;

use anyhow::{Result, bail};
use serde_json::Value;

use self::rule::{EXCEPTIONS, Rule};
use crate::run::{output, works};

/// What is deployed as a whole.
const OVERLAYS: [&str; 9] = [
    "deploy/kustomize/overlays/single-sqlite",
    "deploy/kustomize/overlays/cluster-postgresql",
    "deploy/kustomize/overlays/staging",
    "deploy/kustomize/overlays/blue-green",
    "deploy/kustomize/restore",
    "deploy/k3s/rings/canary",
    "deploy/k3s/rings/early",
    "deploy/k3s/rings/all",
    "deploy/k3s/plugin",
];

/// What Flux is told, which nothing renders.
const FLUX: &str = "deploy/k3s/flux";

/// All rules.
const ALL_RULES: [&[Rule]; 2] = [&rule::RULES, &together::RULES];

/// Renders and checks all of them.
pub fn run() -> Result<()> {
    if !has_kubectl() {
        eprintln!("\n*** SKIPPED: manifests. They need kubectl, which renders them. ***\n");
        return Ok(());
    }
    let mut wrong = 0;
    let mut all = Vec::new();
    for overlay in OVERLAYS {
        let objects = render(overlay)?;
        let mut found = breaches(&objects);
        found.extend(schema::breaches(&objects)?.into_iter().map(|text| ("schema", text)));
        for (rule, breach) in &found {
            eprintln!("manifests: {overlay}: {breach} ({rule})");
        }
        wrong += found.len();
        all.push((overlay, objects));
    }
    let flux = crate::folder::files_below(&crate::root().join(FLUX))?;
    for path in flux {
        let objects = object::parse(&std::fs::read_to_string(&path)?)?;
        for breach in schema::breaches(&objects)? {
            eprintln!("manifests: {}: {breach} (schema)", path.display());
            wrong += 1;
        }
    }
    if wrong > 0 {
        bail!("breaches in manifests: {wrong}");
    }
    schema::of_kubernetes(&all)?;
    let count: usize = all.iter().map(|(_, objects)| objects.len()).sum();
    let rules: usize = ALL_RULES.iter().map(|rules| rules.len()).sum();
    println!("manifests: {} overlays, {count} objects, {rules} rules", all.len());
    Ok(())
}

/// Whether manifests can be rendered here.
pub fn has_kubectl() -> bool {
    works(Command::new("kubectl").args(["version", "--client"]))
}

/// The objects of an overlay.
///
/// # Errors
/// When kubectl refuses it.
pub fn render(overlay: &str) -> Result<Vec<Value>> {
    object::parse(&output(Command::new("kubectl").args(["kustomize", overlay]))?)
}

/// What breaks a rule, with the rule's name; exceptions left out.
fn breaches(objects: &[Value]) -> Vec<(&'static str, String)> {
    let all = ALL_RULES.iter().flat_map(|rules| rules.iter());
    let found =
        all.flat_map(|(name, rule)| rule(objects).into_iter().map(move |breach| (*name, breach)));
    let is_allowed = |name: &str, breach: &str| {
        let of = |object: &str| breach.starts_with(&format!("{object}:"));
        EXCEPTIONS.iter().any(|(object, rule, _)| *rule == name && of(object))
    };
    found.filter(|(name, breach)| !is_allowed(name, breach)).collect()
}
