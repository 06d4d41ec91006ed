//! The rules that every overlay keeps, each a function of its objects.
//!
//! A breach names the object and says what is wrong. What cannot keep a rule is in [`EXCEPTIONS`], with
//! its reason.

use serde_json::{Value, json};

use super::object::{Workload, name_of, variable};

/// A rule's name, and what breaks it among the objects of an overlay.
pub type Rule = (&'static str, fn(&[Value]) -> Vec<String>);

/// Of pods and containers.
pub const RULES: [Rule; 13] = [
    ("image-by-digest", image_by_digest),
    ("resources", resources),
    ("read-only-root", read_only_root),
    ("unprivileged", unprivileged),
    ("no-capabilities", no_capabilities),
    ("user", user),
    ("seccomp", seccomp),
    ("no-token", no_token),
    ("no-service-links", no_service_links),
    ("pull-secret", pull_secret),
    ("host-folders", host_folders),
    ("probes", probes),
    ("grace", grace),
];

/// Object, rule, and why that is right.
pub const EXCEPTIONS: [(&str, &str, &str); 1] =
    [("DaemonSet/generic-device-plugin", "user", "the kubelet's socket is root's")];

/// The user that images and pods run as.
const USER: u64 = 65532;

/// Seconds that sessions and requests may take at a server's end, by default.
const LONGEST_END: u64 = 310;

/// Folders of a node that pods may have: a device's own, and what hands out reading heads.
const HOST_FOLDERS: [(&str, &[&str]); 2] = [
    ("DaemonSet/ebp-device", &["/etc/ebp", "/var/lib/ebp"]),
    ("DaemonSet/generic-device-plugin", &["/var/lib/kubelet/device-plugins", "/dev"]),
];

/// What is wrong with containers, with the object and the container before it.
fn each_container(
    objects: &[Value],
    check: impl Fn(&Workload<'_>, &Value) -> Option<&'static str>,
) -> Vec<String> {
    let mut breaches = Vec::new();
    for workload in Workload::all(objects) {
        for container in workload.containers() {
            if let Some(wrong) = check(&workload, container) {
                let name = container["name"].as_str().unwrap_or("?");
                breaches.push(format!("{}: container {name} {wrong}", name_of(workload.object)));
            }
        }
    }
    breaches
}

/// What is wrong with pods, with the object before it.
fn each_pod(objects: &[Value], check: impl Fn(&Workload<'_>) -> Option<String>) -> Vec<String> {
    let wrong = |own: Workload<'_>| Some(format!("{}: {}", name_of(own.object), check(&own)?));
    Workload::all(objects).filter_map(wrong).collect()
}

fn has_digest(image: &Value) -> bool {
    let parts = image.as_str().and_then(|image| image.split_once("@sha256:"));
    parts.is_some_and(|(name, digest)| {
        let is_hex = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        !name.is_empty() && digest.len() == 64 && is_hex
    })
}

fn image_by_digest(objects: &[Value]) -> Vec<String> {
    let mut breaches = each_container(objects, |_, container| {
        (!has_digest(&container["image"])).then_some("has an image without a digest")
    });
    let clusters = objects.iter().filter(|own| own["kind"] == "Cluster");
    let without = clusters.filter(|own| !has_digest(&own["spec"]["imageName"]));
    breaches.extend(without.map(|own| format!("{}: imageName has no digest", name_of(own))));
    breaches
}

/// A limit of memory protects the node. One of CPU would only slow a server down that could be fast.
fn resources(objects: &[Value]) -> Vec<String> {
    each_container(objects, |_, container| {
        let resources = &container["resources"];
        let all = [
            &resources["limits"]["memory"],
            &resources["requests"]["memory"],
            &resources["requests"]["cpu"],
        ];
        all.iter().any(|own| own.is_null()).then_some("lacks a limit of memory, or requests")
    })
}

fn read_only_root(objects: &[Value]) -> Vec<String> {
    each_container(objects, |_, container| {
        let is_read_only = container["securityContext"]["readOnlyRootFilesystem"] == true;
        (!is_read_only).then_some("may write to its image")
    })
}

fn unprivileged(objects: &[Value]) -> Vec<String> {
    let mut breaches = each_container(objects, |_, container| {
        let context = &container["securityContext"];
        let may = context["privileged"] == true || context["allowPrivilegeEscalation"] != false;
        may.then_some("is privileged, or may become it")
    });
    breaches.extend(each_pod(objects, |own| {
        let shared = ["hostNetwork", "hostPID", "hostIPC"];
        let shared = shared.into_iter().find(|name| own.pod()[*name] == true)?;
        Some(format!("it has the node's ({shared})"))
    }));
    breaches
}

fn no_capabilities(objects: &[Value]) -> Vec<String> {
    each_container(objects, |_, container| {
        (container["securityContext"]["capabilities"] != json!({ "drop": ["ALL"] }))
            .then_some("has capabilities")
    })
}

fn user(objects: &[Value]) -> Vec<String> {
    each_container(objects, |workload, container| {
        let value = |name: &str| {
            let own = &container["securityContext"][name];
            if own.is_null() { &workload.pod()["securityContext"][name] } else { own }
        };
        let right = value("runAsNonRoot") == true
            && value("runAsUser") == USER
            && value("runAsGroup") == USER;
        (!right).then_some("does not run as 65532")
    })
}

fn seccomp(objects: &[Value]) -> Vec<String> {
    each_pod(objects, |own| {
        let kind = &own.pod()["securityContext"]["seccompProfile"]["type"];
        (kind != "RuntimeDefault" && kind != "Localhost")
            .then(|| "it has no seccomp profile".to_owned())
    })
}

fn no_token(objects: &[Value]) -> Vec<String> {
    each_pod(objects, |own| {
        let has = own.pod()["automountServiceAccountToken"] != false;
        has.then(|| "it has a token of the cluster".to_owned())
    })
}

/// A service `ebp-server` would make variables `EBP_SERVER_…`, which are no settings.
fn no_service_links(objects: &[Value]) -> Vec<String> {
    each_pod(objects, |own| {
        let has = own.pod()["enableServiceLinks"] != false;
        has.then(|| "it has variables of services".to_owned())
    })
}

fn pull_secret(objects: &[Value]) -> Vec<String> {
    each_pod(objects, |own| {
        let is_own = |container: &Value| {
            let image = container["image"].as_str().unwrap_or_default();
            image.split('@').next().is_some_and(|name| name.ends_with("/ebp"))
        };
        let lacks = own.containers().any(is_own) && own.pod()["imagePullSecrets"].is_null();
        lacks.then(|| "it has no secret to pull the image with".to_owned())
    })
}

fn host_folders(objects: &[Value]) -> Vec<String> {
    each_pod(objects, |own| {
        let name = name_of(own.object);
        let allowed = HOST_FOLDERS.iter().find(|(known, _)| *known == name);
        let allowed = allowed.map_or::<&[&str], _>(&[], |(_, folders)| folders);
        let volumes = own.pod()["volumes"].as_array()?;
        let mut paths = volumes.iter().filter_map(|volume| volume["hostPath"]["path"].as_str());
        let other = paths.find(|path| !allowed.contains(path))?;
        Some(format!("it has the node's folder {other}"))
    })
}

/// What serves is asked whether it is there and ready, by TLS as it serves.
fn probes(objects: &[Value]) -> Vec<String> {
    each_container(objects, |workload, container| {
        if !workload.is_service() || container["ports"].is_null() {
            return None;
        }
        let asks = |name: &str, path: &str| {
            let get = &container[name]["httpGet"];
            get["scheme"] == "HTTPS" && get["path"] == path
        };
        let right = asks("startupProbe", "/healthz")
            && asks("livenessProbe", "/healthz")
            && asks("readinessProbe", "/readyz");
        (!right).then_some("lacks a probe by HTTPS of /healthz or /readyz")
    })
}

fn grace(objects: &[Value]) -> Vec<String> {
    each_pod(objects, |own| {
        let seconds = own.pod()["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
        (own.is_server() && seconds <= LONGEST_END)
            .then(|| format!("{seconds} s are too few for sessions and requests to end"))
    })
}

/// Whether a server is one of several on a database.
pub fn has_database(workload: &Workload<'_>) -> bool {
    workload.containers().any(|own| variable(own, "EBP_SERVER_DATABASE_URL").is_some())
}
