//! Each rule finds its breach, and nothing in manifests without one.

use serde_json::{Value, json};

use super::{ALL_RULES, breaches};

fn container() -> Value {
    json!({
        "name": "ebp", "args": ["serve"], "image": format!("a.example.org/ebp@sha256:{}", "a".repeat(64)),
        "env": [
            { "name": "POD_IP", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } },
            { "name": "PASSWORD", "valueFrom": { "secretKeyRef": { "name": "ebp-database-app", "key": "password" } } },
            { "name": "EBP_SERVER_DATABASE_URL", "value": "host=a password=$(PASSWORD)" },
            { "name": "EBP_SERVER_TUNNEL__URL", "value": "https://$(POD_IP):8443" },
        ],
        "ports": [{ "name": "api", "containerPort": 8443 }],
        "startupProbe": { "httpGet": { "path": "/healthz", "port": "api", "scheme": "HTTPS" } },
        "livenessProbe": { "httpGet": { "path": "/healthz", "port": "api", "scheme": "HTTPS" } },
        "readinessProbe": { "httpGet": { "path": "/readyz", "port": "api", "scheme": "HTTPS" } },
        "resources": { "requests": { "cpu": "1", "memory": "1Mi" }, "limits": { "memory": "1Mi" } },
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        },
    })
}

/// Servers, their namespace, service, budget, autoscaler, policy, pooler and database, in this order.
fn right() -> Vec<Value> {
    let labels = json!({ "app": "ebp" });
    let pod = json!({
        "automountServiceAccountToken": false, "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 330, "imagePullSecrets": [{ "name": "ebp-registry" }],
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "affinity": { "podAntiAffinity": { "any": [] } },
        "containers": [container()],
        "volumes": [{ "name": "authority", "secret": { "secretName": "ebp-authority" } }],
    });
    let object = |kind: &str, spec: Value| json!({ "kind": kind, "metadata": { "name": "ebp-server" }, "spec": spec });
    let target = json!({ "kind": "StatefulSet", "name": "ebp-server" });
    let metrics = json!([{ "type": "Resource", "resource": { "name": "cpu" } }]);
    let image = format!("postgresql@sha256:{}", "b".repeat(64));
    vec![
        object(
            "StatefulSet",
            json!({ "template": { "metadata": { "labels": labels }, "spec": pod } }),
        ),
        json!({ "kind": "Namespace", "metadata": { "name": "ebp", "labels": {
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted" } } }),
        object("Service", json!({ "selector": labels })),
        object(
            "PodDisruptionBudget",
            json!({ "maxUnavailable": 1, "selector": { "matchLabels": labels } }),
        ),
        object("HorizontalPodAutoscaler", json!({ "scaleTargetRef": target, "metrics": metrics })),
        object(
            "NetworkPolicy",
            json!({ "podSelector": { "matchLabels": labels }, "policyTypes": ["Ingress", "Egress"] }),
        ),
        object("Pooler", json!({ "pgbouncer": { "poolMode": "session" } })),
        object("Cluster", json!({ "imageName": image })),
    ]
}

/// Where in which object something wrong is put, and the rule that has to find it.
fn plants() -> Vec<(&'static str, usize, &'static str, Value)> {
    const POD: &str = "/spec/template/spec";
    const CONTAINER: &str = "/spec/template/spec/containers/0";
    let at = |start: &str, end: &str| -> &'static str {
        Box::leak(format!("{start}{end}").into_boxed_str())
    };
    let labels = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    vec![
        ("image-by-digest", 0, at(CONTAINER, "/image"), json!("a.example.org/ebp:latest")),
        ("image-by-digest", 0, at(CONTAINER, "/image"), json!("a.example.org/ebp@sha256:123")),
        ("image-by-digest", 7, "/spec/imageName", json!("postgresql:17")),
        ("resources", 0, at(CONTAINER, "/resources/limits/memory"), Value::Null),
        ("resources", 0, at(CONTAINER, "/resources/requests/cpu"), Value::Null),
        (
            "read-only-root",
            0,
            at(CONTAINER, "/securityContext/readOnlyRootFilesystem"),
            json!(false),
        ),
        (
            "unprivileged",
            0,
            at(CONTAINER, "/securityContext/allowPrivilegeEscalation"),
            json!(true),
        ),
        (
            "unprivileged",
            0,
            at(CONTAINER, "/securityContext/allowPrivilegeEscalation"),
            Value::Null,
        ),
        ("unprivileged", 0, at(CONTAINER, "/securityContext/privileged"), json!(true)),
        ("unprivileged", 0, at(POD, "/hostNetwork"), json!(true)),
        (
            "no-capabilities",
            0,
            at(CONTAINER, "/securityContext/capabilities/add"),
            json!(["SYS_TIME"]),
        ),
        (
            "no-capabilities",
            0,
            at(CONTAINER, "/securityContext/capabilities/drop"),
            json!(["KILL"]),
        ),
        ("user", 0, at(POD, "/securityContext/runAsNonRoot"), json!(false)),
        ("user", 0, at(CONTAINER, "/securityContext/runAsUser"), json!(0)),
        ("seccomp", 0, at(POD, "/securityContext/seccompProfile/type"), json!("Unconfined")),
        ("no-token", 0, at(POD, "/automountServiceAccountToken"), Value::Null),
        ("no-service-links", 0, at(POD, "/enableServiceLinks"), Value::Null),
        ("pull-secret", 0, at(POD, "/imagePullSecrets"), Value::Null),
        ("host-folders", 0, at(POD, "/volumes/0/hostPath"), json!({ "path": "/etc" })),
        ("probes", 0, at(CONTAINER, "/readinessProbe"), Value::Null),
        ("probes", 0, at(CONTAINER, "/livenessProbe/httpGet/scheme"), json!("HTTP")),
        ("grace", 0, at(POD, "/terminationGracePeriodSeconds"), json!(300)),
        ("grace", 0, at(POD, "/terminationGracePeriodSeconds"), Value::Null),
        ("one-sqlite", 0, at(CONTAINER, "/env/2/name"), json!("EBP_SERVER_DATABASE_CA")),
        ("budget", 3, "/spec/maxUnavailable", json!(2)),
        ("apart", 0, at(POD, "/affinity/podAntiAffinity"), Value::Null),
        ("autoscaling", 0, "/spec/replicas", json!(3)),
        ("autoscaling", 4, "/spec/metrics/0/resource/name", json!("memory")),
        ("autoscaling", 4, "/spec/scaleTargetRef/name", json!("other")),
        ("tunnel-url", 0, at(CONTAINER, "/env/3/name"), json!("EBP_SERVER_LISTEN")),
        (
            "tunnel-url",
            0,
            at(CONTAINER, "/env/0/valueFrom/fieldRef/fieldPath"),
            json!("status.hostIP"),
        ),
        ("session-pooling", 6, "/spec/pgbouncer/poolMode", json!("transaction")),
        ("network", 5, "/spec/policyTypes", json!(["Ingress"])),
        ("network", 5, "/spec/podSelector/matchLabels", json!({ "app": "other" })),
        ("selectors", 2, "/spec/selector", json!({ "app": "other" })),
        ("references", 0, at(POD, "/volumes/0/secret/secretName"), json!("ebp-autority")),
        ("references", 0, at(CONTAINER, "/env/1/valueFrom/secretKeyRef/name"), json!("other")),
        ("references", 0, at(POD, "/serviceAccountName"), json!("other")),
        ("namespace", 1, labels, json!("baseline")),
    ]
}

/// Puts a value at a pointer whose last member may not be there yet.
fn plant(object: &mut Value, pointer: &str, value: Value) {
    let (above, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    object.pointer_mut(above).unwrap()[name.as_str()] = value;
}

#[test]
fn manifests_without_a_breach_have_none() {
    assert_eq!(breaches(&right()), Vec::<(&str, String)>::new());
}

#[test]
fn each_rule_finds_what_is_planted_for_it() {
    for (rule, index, pointer, value) in plants() {
        let mut objects = right();
        plant(&mut objects[index], pointer, value.clone());
        let found: Vec<_> = breaches(&objects).into_iter().map(|(name, _)| name).collect();
        assert!(found.contains(&rule), "{rule} does not find {pointer} = {value}, only {found:?}");
    }
}

#[test]
fn each_rule_has_something_planted_for_it() {
    let planted = plants();
    for (rule, _) in ALL_RULES.iter().flat_map(|rules| rules.iter()) {
        assert!(planted.iter().any(|(name, ..)| name == rule), "nothing is planted for {rule}");
    }
}

#[test]
fn an_exception_is_for_one_rule_of_one_object() {
    let mut objects = right();
    objects[0]["kind"] = json!("DaemonSet");
    objects[0]["metadata"]["name"] = json!("generic-device-plugin");
    plant(&mut objects[0], "/spec/template/spec/securityContext/runAsUser", json!(0));
    plant(&mut objects[0], "/spec/template/spec/containers/0/image", json!("plugin"));
    let found: Vec<_> = breaches(&objects).into_iter().map(|(name, _)| name).collect();
    assert!(!found.contains(&"user") && found.contains(&"image-by-digest"), "{found:?}");
}
