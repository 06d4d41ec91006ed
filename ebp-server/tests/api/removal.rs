//! Removing what was registered by mistake.

use ebp_core::{
    clock::Clock,
    contract::{Registered, paths, problem_type},
    scope::Group,
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Api, Server, measurement};

fn path_of(template: &str, registered: &Registered, uuid: Uuid) -> String {
    template
        .replace("{household}", &registered.household.to_string())
        .replace("{uuid}", &uuid.to_string())
}

async fn removed(api: &Api, path: &str) {
    assert_eq!(api.delete(path).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    api.delete(path).problem(404, problem_type::NOT_FOUND).await;
}

#[tokio::test]
async fn a_mistake_is_removed_and_what_was_measured_is_not() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let (researcher, administrator) =
        (server.manager(Group::Researchers), server.manager(Group::Administrators));
    let [grid, generation] = registered.meters[..] else { panic!() };
    let meter = |uuid| path_of(paths::MANAGED_METER, &registered, uuid);
    let system = path_of(paths::MANAGED_PV_SYSTEM, &registered, registered.pv_systems[0]);
    let device = |uuid| path_of(paths::MANAGED_DEVICE, &registered, uuid);
    api.upload(&[measurement(1, grid, server.clock.now())]).ok().await;
    let problem = researcher.delete(&meter(grid)).problem(409, problem_type::IN_USE).await;
    assert_eq!(problem.detail.unwrap(), "the meter has measurements, which are kept");
    researcher.delete(&meter(generation)).problem(409, problem_type::IN_USE).await;
    removed(&researcher, &system).await;
    removed(&researcher, &meter(generation)).await;

    let own = device(registered.measurement_device);
    administrator.delete(&own).problem(409, problem_type::IN_USE).await;
    let body = json!({"household": registered.household, "meters": [grid]});
    let call = administrator.json(Method::POST, paths::MANAGEMENT_DEVICE, &body);
    let second: Uuid =
        serde_json::from_value(call.expect(StatusCode::CREATED).await["uuid"].clone()).unwrap();
    let back = json!({"meters": [grid]});
    let seen = administrator.json(Method::PATCH, &own, &back).ok().await;
    assert_eq!(seen["meters"], json!([grid]));
    assert_eq!(administrator.json(Method::PATCH, &own, &json!({})).ok().await, seen);
    removed(&administrator, &device(second)).await;
    researcher.delete(&own).problem(403, problem_type::GROUP).await;
    administrator.delete(&meter(grid)).problem(403, problem_type::GROUP).await;
}
