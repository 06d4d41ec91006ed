//! Every endpoint with every single scope: table 4.4 of the specification.

use ebp_core::{
    contract::{paths, problem_type},
    scope::{Scope, Scopes},
};
use reqwest::Method;

use crate::harness::Server;

#[tokio::test]
async fn every_endpoint_with_every_scope() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let list = paths::measurements_of(registered.meters[0]);
    let incidents = paths::incidents_of(registered.meters[0]);
    // The order matters: consent is granted before it is revoked, and revoked last.
    let table = [
        (Method::GET, paths::ACCOUNT, Scope::Account, 200),
        (Method::GET, paths::HOUSEHOLD, Scope::Household, 200),
        (Method::GET, paths::MEASUREMENT_DEVICE, Scope::Household, 200),
        (Method::GET, paths::METER, Scope::Household, 200),
        (Method::GET, paths::PV_SYSTEM, Scope::Household, 200),
        (Method::GET, &list, Scope::MeasurementRead, 200),
        (Method::POST, paths::MEASUREMENT, Scope::MeasurementWrite, 400),
        (Method::GET, paths::CONSENT, Scope::Consent, 200),
        (Method::POST, paths::CONSENT, Scope::Consent, 201),
        (Method::DELETE, paths::CONSENT, Scope::Consent, 200),
    ];
    let device = Some(registered.measurement_device);
    let client = |scopes| server.api(Some(&server.issue("erika@example.org", device, scopes)));
    let with = Scope::ALL.map(|scope| (scope, client(Scopes::from_iter([scope]))));
    // Participants see what devices report.
    for (scope, api) in &with {
        let call = api.get(&incidents);
        match scope {
            Scope::Household | Scope::MeasurementWrite => drop(call.ok().await),
            _ => drop(call.problem(403, problem_type::SCOPE).await),
        }
    }
    for (method, path, needed, status) in table {
        for (scope, api) in &with {
            if *scope != needed {
                let problem =
                    api.request(method.clone(), path).problem(403, problem_type::SCOPE).await;
                assert_eq!(
                    problem.detail,
                    Some(format!("the scope `{needed}` is missing")),
                    "{method} {path}"
                );
            }
        }
        let all_but = Scope::ALL.into_iter().filter(|scope| *scope != needed).collect();
        let refused = client(all_but).request(method.clone(), path);
        refused.problem(403, problem_type::SCOPE).await;
        let (_, api) = with.iter().find(|(scope, _)| *scope == needed).unwrap();
        let answer = api.request(method.clone(), path).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path} with {needed}");
    }
}
