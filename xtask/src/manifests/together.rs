//! Rules of how the objects of an overlay belong together.

use serde_json::Value;

use super::{
    object::{Workload, name_of, variable},
    rule::{Rule, has_database},
};

/// Of several objects.
pub const RULES: [Rule; 10] = [
    ("one-sqlite", one_sqlite),
    ("budget", budget),
    ("apart", apart),
    ("autoscaling", autoscaling),
    ("tunnel-url", tunnel_url),
    ("session-pooling", session_pooling),
    ("network", network),
    ("selectors", selectors),
    ("references", references),
    ("namespace", namespace),
];

/// Secrets that whoever deploys makes, or an operator.
const SECRETS: [&str; 5] =
    ["ebp-authority", "ebp-pages", "ebp-registry", "ebp-database-app", "ebp-database-ca"];

/// Claims that the job of a restore uses, which other overlays make.
const CLAIMS: [&str; 3] = ["data-ebp-server-0", "ebp-backup", "ebp-revocations"];

fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |own| own["kind"] == kind)
}

fn servers(objects: &[Value]) -> impl Iterator<Item = Workload<'_>> {
    Workload::all(objects).filter(Workload::is_server)
}

/// What the autoscaler of that workload says.
fn scaler<'a>(objects: &'a [Value], workload: &Workload<'_>) -> Option<&'a Value> {
    of_kind(objects, "HorizontalPodAutoscaler").map(|own| &own["spec"]).find(|spec| {
        let target = &spec["scaleTargetRef"];
        target["kind"] == workload.object["kind"]
            && target["name"] == workload.object["metadata"]["name"]
    })
}

/// Whether there may be several pods of it.
fn is_many(objects: &[Value], workload: &Workload<'_>) -> bool {
    scaler(objects, workload).is_some() || workload.object["spec"]["replicas"].as_u64() != Some(1)
}

/// Servers with SQLite are one, and never two for a moment.
fn one_sqlite(objects: &[Value]) -> Vec<String> {
    let wrong = |own: Workload<'_>| {
        let is_set = own.object["kind"] == "StatefulSet";
        let replaces = is_set || own.object["spec"]["strategy"]["type"] == "Recreate";
        let wrong = !has_database(&own) && (is_many(objects, &own) || !replaces);
        wrong.then(|| format!("{}: SQLite is for one server at a time", name_of(own.object)))
    };
    servers(objects).filter_map(wrong).collect()
}

fn budget(objects: &[Value]) -> Vec<String> {
    let wrong = |own: Workload<'_>| {
        let keeps = |budget: &Value| {
            let spec = &budget["spec"];
            own.is_selected(&spec["selector"]["matchLabels"]) && spec["maxUnavailable"] == 1
        };
        let lacks = is_many(objects, &own) && !of_kind(objects, "PodDisruptionBudget").any(keeps);
        lacks.then(|| format!("{}: no budget keeps all but one pod", name_of(own.object)))
    };
    servers(objects).filter_map(wrong).collect()
}

fn apart(objects: &[Value]) -> Vec<String> {
    let wrong = |own: Workload<'_>| {
        let rules = &own.pod()["affinity"]["podAntiAffinity"];
        let lacks = is_many(objects, &own) && rules.is_null();
        lacks.then(|| format!("{}: nothing keeps its pods on several nodes", name_of(own.object)))
    };
    servers(objects).filter_map(wrong).collect()
}

/// By CPU, and with no number of pods that it would contradict.
fn autoscaling(objects: &[Value]) -> Vec<String> {
    let mut breaches = Vec::new();
    for own in of_kind(objects, "HorizontalPodAutoscaler") {
        let target = Workload::all(objects)
            .find(|workload| scaler(std::slice::from_ref(own), workload).is_some());
        let wrong = match target {
            None => "its target is not there",
            Some(target) if !target.object["spec"]["replicas"].is_null() => {
                "its target has a number of pods of its own"
            }
            Some(_) if own["spec"]["metrics"][0]["resource"]["name"] != "cpu" => "it is not by CPU",
            Some(_) => continue,
        };
        breaches.push(format!("{}: {wrong}", name_of(own)));
    }
    breaches
}

/// A server among several says where the others reach it, by a variable that stands before.
fn tunnel_url(objects: &[Value]) -> Vec<String> {
    let says = |container: &Value| {
        let names: Vec<_> = container["env"].as_array().into_iter().flatten().collect();
        let at = |name: &str| names.iter().position(|own| own["name"] == name);
        let address = variable(container, "POD_IP");
        let is_pods =
            address.is_some_and(|own| own["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP");
        let url =
            variable(container, "EBP_SERVER_TUNNEL__URL").and_then(|own| own["value"].as_str());
        let uses = url.is_some_and(|url| url.starts_with("https://") && url.contains("$(POD_IP)"));
        is_pods && uses && at("POD_IP") < at("EBP_SERVER_TUNNEL__URL")
    };
    let wrong = |own: Workload<'_>| {
        let lacks = has_database(&own) && !own.containers().any(says);
        lacks.then(|| format!("{}: it does not say where servers reach it", name_of(own.object)))
    };
    servers(objects).filter_map(wrong).collect()
}

fn session_pooling(objects: &[Value]) -> Vec<String> {
    let poolers = of_kind(objects, "Pooler");
    let wrong = poolers.filter(|own| own["spec"]["pgbouncer"]["poolMode"] != "session");
    wrong.map(|own| format!("{}: it pools transactions", name_of(own))).collect()
}

/// Where there is a policy at all, each pod has one that allows nothing.
fn network(objects: &[Value]) -> Vec<String> {
    if !of_kind(objects, "Namespace").any(|_| true) {
        return Vec::new();
    }
    let denies = |own: &Workload<'_>, policy: &Value| {
        let spec = &policy["spec"];
        let kinds = spec["policyTypes"].as_array().map_or(0, Vec::len);
        kinds == 2 && own.is_selected(&spec["podSelector"]["matchLabels"])
    };
    let lacks =
        |own: &Workload<'_>| !of_kind(objects, "NetworkPolicy").any(|policy| denies(own, policy));
    let lacking = Workload::all(objects).filter(lacks);
    lacking.map(|own| format!("{}: no policy holds it", name_of(own.object))).collect()
}

fn selectors(objects: &[Value]) -> Vec<String> {
    let finds = |labels: &Value| Workload::all(objects).any(|own| own.is_selected(labels));
    let services = of_kind(objects, "Service").map(|own| (own, &own["spec"]["selector"]));
    let budgets = of_kind(objects, "PodDisruptionBudget")
        .map(|own| (own, &own["spec"]["selector"]["matchLabels"]));
    let lost = services.chain(budgets).filter(|(_, labels)| !finds(labels));
    lost.map(|(own, _)| format!("{}: it selects no pod", name_of(own))).collect()
}

/// Configuration, secrets, claims and accounts that pods name are there.
fn references(objects: &[Value]) -> Vec<String> {
    let is_there =
        |kind: &str, name: &str| of_kind(objects, kind).any(|own| own["metadata"]["name"] == name);
    let mut breaches = Vec::new();
    for own in Workload::all(objects) {
        let mut need = |kind: &str, name: &Value, known: &[&str]| {
            let Some(name) = name.as_str() else { return };
            if !known.contains(&name) && !is_there(kind, name) {
                breaches.push(format!("{}: there is no {kind} {name}", name_of(own.object)));
            }
        };
        let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
        need("ServiceAccount", &own.pod()["serviceAccountName"], &[]);
        for secret in list(&own.pod()["imagePullSecrets"]) {
            need("Secret", &secret["name"], &SECRETS);
        }
        for volume in list(&own.pod()["volumes"]) {
            need("ConfigMap", &volume["configMap"]["name"], &[]);
            need("Secret", &volume["secret"]["secretName"], &SECRETS);
            need("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"], &CLAIMS);
        }
        for container in own.containers() {
            for variable in list(&container["env"]) {
                need("Secret", &variable["valueFrom"]["secretKeyRef"]["name"], &SECRETS);
            }
        }
    }
    breaches
}

/// The cluster refuses pods that are not restricted, but for devices, which have folders of their node.
fn namespace(objects: &[Value]) -> Vec<String> {
    let is_wrong = |own: &&Value| {
        let labels = &own["metadata"]["labels"];
        let level = |mode: &str| &labels[format!("pod-security.kubernetes.io/{mode}")];
        let is_device = own["metadata"]["name"] == "ebp-device";
        level("warn") != "restricted"
            || level("enforce") != if is_device { "privileged" } else { "restricted" }
    };
    let wrong = of_kind(objects, "Namespace").filter(is_wrong);
    wrong.map(|own| format!("{}: its pods need not be restricted", name_of(own))).collect()
}
