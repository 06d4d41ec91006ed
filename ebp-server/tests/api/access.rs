//! Every endpoint of the route table with every kind of identity, every scope, and the identity of
//! another household: tables 4.3 and 4.4 of the specification, generated.

use ebp_core::{
    contract::{Registered, problem_type},
    scope::{Group, Scope, Scopes},
};
use ebp_server::{Endpoint, auth::Access, endpoints};
use serde_json::json;

use crate::{
    harness::{Api, Server},
    token::{Issuer, bearer, claims},
};

const EMAIL: &str = "erika@example.org";

/// The path of an endpoint for a household.
fn path_of(endpoint: &Endpoint, registered: &Registered) -> String {
    // Nothing that the others are asked about is removed.
    let removes = endpoint.method == "DELETE";
    let member = if removes {
        uuid::Uuid::nil()
    } else if endpoint.path.contains("/management/device") {
        registered.measurement_device
    } else if endpoint.path.contains("pv_system") {
        registered.pv_systems[0]
    } else {
        registered.meters[0]
    };
    endpoint
        .path
        .replace("{household}", &registered.household.to_string())
        .replace("{uuid}", &member.to_string())
        .replace("{serial}", &"0".repeat(32))
        .replace("{file}", "DEA23.svg")
}

/// Status and problem type. An empty body reaches no decision that would change anything.
async fn ask(api: &Api, endpoint: &Endpoint, registered: &Registered) -> (u16, String) {
    let path = path_of(endpoint, registered);
    let call = api.json(endpoint.method.clone(), &path, &json!([]));
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: serde_json::Value = answer.json().await.unwrap_or_default();
    (status, body["type"].as_str().unwrap_or_default().to_owned())
}

/// Whether the answer is one of those that the access rules give.
fn is_refusal(kind: &str) -> bool {
    [problem_type::UNAUTHENTICATED, problem_type::SCOPE, problem_type::GROUP].contains(&kind)
}

/// All but those that change what the others are asked about: consent is tried in `consent.rs`.
fn harmless() -> Vec<Endpoint> {
    endpoints()
        .into_iter()
        .filter(|e| !(e.path.ends_with("/consent") && e.method != "GET"))
        .collect()
}

#[tokio::test]
async fn every_endpoint_with_every_identity() {
    let server = Server::start().await;
    let registered = server.register(EMAIL).await;
    let device = Some(registered.measurement_device);
    let issuer = Issuer::new("EdDSA");
    Issuer::publish(&[&issuer], server.data());
    let nobody = server.api(None);
    let groups = Group::ALL.map(|group| (group, server.manager(group)));
    let mut participants: Vec<(String, Vec<Scope>, bool, Api)> = Vec::new();
    for scope in Scope::ALL.into_iter().map(Some).chain([None]) {
        // Without any scope, for certificates as near as they get: one that is never asked for.
        let scopes = scope.map_or_else(Scopes::default, |scope| Scopes::from_iter([scope]));
        let token = issuer.token(&claims(&server, EMAIL, &scopes.to_string()));
        let own = scope.into_iter().collect();
        participants.push((format!("token {scope:?}"), own, false, bearer(&server, &token)));
        let Some(scope) = scope else { continue };
        for device in [device, None] {
            let api = server.api(Some(&server.issue(EMAIL, device, scopes.clone())));
            let name = format!("certificate {scope} {}", device.is_some());
            participants.push((name, vec![scope], device.is_some(), api));
        }
    }
    // The certificates that devices have.
    for (name, scopes) in
        [("frontend", Scopes::of_a_frontend()), ("measuring", Scopes::of_a_device())]
    {
        let api = server.api(Some(&server.issue(EMAIL, device, scopes.clone())));
        let own = Scope::ALL.into_iter().filter(|scope| scopes.contains(*scope)).collect();
        participants.push((name.to_owned(), own, true, api));
    }
    for endpoint in endpoints() {
        let name = format!("{} {}", endpoint.method, endpoint.path);
        let open = endpoint.access == Access::Anybody;
        let (status, kind) = ask(&nobody, &endpoint, &registered).await;
        assert_eq!(kind == problem_type::UNAUTHENTICATED, !open, "{name} for nobody: {status}");

        for (group, api) in &groups {
            let allowed = match endpoint.access {
                Access::Anybody => true,
                Access::Groups(groups) => groups.contains(group),
                Access::Scope(_)
                | Access::EitherScope(_)
                | Access::AllScopes(_)
                | Access::Device
                | Access::DeviceScope(_)
                | Access::Server => false,
                Access::Administration => *group == Group::Administrators,
            };
            let (status, kind) = ask(api, &endpoint, &registered).await;
            let expected = if allowed { "" } else { problem_type::GROUP };
            let got = if is_refusal(&kind) { kind.as_str() } else { "" };
            assert_eq!(got, expected, "{name} for {group}: {status}");
            assert!(status < 500, "{name} for {group}: {status}");
        }
        if endpoint.path.ends_with("/consent") && endpoint.method != "GET" {
            continue;
        }
        for (who, scopes, by_device, api) in &participants {
            let has = |needed: &Scope| scopes.contains(needed);
            let expected = match endpoint.access {
                Access::Anybody => "",
                Access::Groups(_) | Access::Administration | Access::Server => problem_type::GROUP,
                Access::Scope(needed) if has(&needed) => "",
                Access::EitherScope(needed) if needed.iter().any(has) => "",
                Access::AllScopes(needed) if needed.iter().all(has) => "",
                // Nobody here has more than one.
                Access::Scope(_) | Access::EitherScope(_) | Access::AllScopes(_) => {
                    problem_type::SCOPE
                }
                Access::Device | Access::DeviceScope(_) if !by_device => problem_type::GROUP,
                Access::Device => "",
                Access::DeviceScope(needed) if has(&needed) => "",
                Access::DeviceScope(_) => problem_type::SCOPE,
            };
            let (status, kind) = ask(api, &endpoint, &registered).await;
            let got = if is_refusal(&kind) { kind.as_str() } else { "" };
            assert_eq!(got, expected, "{name} for {who}: {status}");
            assert!(status < 500, "{name} for {who}: {status}");
        }
    }
}

#[tokio::test]
async fn another_households_identity_learns_nothing() {
    let server = Server::start().await;
    let registered = server.register(EMAIL).await;
    let (_, other) = server.household("max@example.org").await;
    let unknown = Registered {
        household: uuid::Uuid::nil(),
        participant: uuid::Uuid::nil(),
        measurement_device: uuid::Uuid::nil(),
        meters: vec![uuid::Uuid::nil()],
        pv_systems: vec![uuid::Uuid::nil()],
    };
    for endpoint in
        harmless().iter().filter(|e| matches!(e.access, Access::Scope(_) | Access::AllScopes(_)))
    {
        if endpoint.path.contains('{') {
            let foreign = ask(&other, endpoint, &registered).await;
            // As for an unknown identifier.
            assert_eq!(foreign, ask(&other, endpoint, &unknown).await, "{endpoint:?}");
            assert!((400..500).contains(&foreign.0), "{endpoint:?} {foreign:?}");
        } else {
            let answer =
                other.request(endpoint.method.clone(), endpoint.path).send().await.unwrap();
            let text = answer.text().await.unwrap();
            for own in [registered.household, registered.measurement_device, registered.meters[0]] {
                assert!(!text.contains(&own.to_string()), "{endpoint:?}");
            }
            assert!(!text.contains(EMAIL), "{endpoint:?}");
        }
    }
}
