//! Running it: readiness, metrics, request identifiers, zstd.

use std::collections::HashSet;

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::Group,
};
use serde_json::json;

use crate::harness::{Call, Server, measurement, outcomes};

#[tokio::test]
async fn metrics_count_and_tell_of_nobody() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    server.register("max@example.org").await;
    let now = server.clock.now();
    let mut items = vec![measurement(1, registered.meters[0], now)];
    api.upload(&items).ok().await;
    items.push(measurement(2, uuid::Uuid::nil(), now));
    api.upload(&items).ok().await;
    api.get("/erika@example.org").problem(404, problem_type::NOT_FOUND).await;
    server.api(None).get(paths::METRICS).problem(401, problem_type::UNAUTHENTICATED).await;
    let call = server.manager(Group::Administrators).get(paths::METRICS);
    let answer = call.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.unwrap();
    for line in [
        r#"ebp_uploads_total 2"#,
        r#"ebp_measurements_total{outcome="accepted"} 1"#,
        r#"ebp_measurements_total{outcome="duplicate"} 1"#,
        r#"ebp_measurements_total{outcome="refused"} 1"#,
        r#"ebp_devices{state="active"} 1"#,
        r#"ebp_devices{state="never"} 1"#,
        r#"ebp_requests_total{method="POST",route="/household/meter/measurement",status="200"} 2"#,
        r#"ebp_request_duration_seconds_count{route="/household/consent"} 1"#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
    }
    let meter = registered.meters[0].to_string();
    assert!(!text.contains("example.org") && !text.contains(&meter), "{text}");
}

#[tokio::test]
async fn ready_while_the_database_is_there() {
    let server = Server::start().await;
    let nobody = server.api(None);
    assert_eq!(nobody.get(paths::READYZ).ok().await["status"], "ready");
}

#[tokio::test]
async fn the_description_is_there_without_the_internet() {
    let server = Server::start().await;
    let nobody = server.api(None);
    let document = nobody.get(paths::OPENAPI).ok().await;
    assert!(document["paths"][paths::MEASUREMENT]["post"].is_object());
    let root = nobody.get(paths::ROOT).send().await.unwrap();
    assert_eq!(root.status(), 200);
    let links = root.headers()["link"].to_str().unwrap().to_owned();
    let text = root.text().await.unwrap();
    for path in [paths::DOCS, paths::OPENAPI] {
        assert!(links.contains(&format!("<{path}>")) && text.contains(path), "{links} {text}");
        assert_eq!(nobody.get(path).send().await.unwrap().status(), 200);
    }
    let page = nobody.get(paths::DOCS).send().await.unwrap();
    assert!(page.headers().contains_key("content-security-policy"));
    let text = page.text().await.unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"), "it loads nothing foreign");
}

#[tokio::test]
async fn each_answer_names_its_request() {
    let server = Server::start().await;
    let nobody = server.api(None);
    let mut ids = HashSet::new();
    for path in [paths::HEALTHZ, paths::ACCOUNT, "/nowhere"] {
        let answer = nobody.get(path).send().await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap();
        assert!(ids.insert(id.parse::<uuid::Uuid>().unwrap()));
    }
}

#[tokio::test]
async fn a_report_packed_as_zstd() {
    let server = Server::start().await;
    let (registered, api) = server.consenting("erika@example.org").await;
    let item = measurement(1, registered.meters[0], server.clock.now());
    let body = json!({ "measurements": [item] }).to_string();
    let packed = zstd::bulk::compress(body.as_bytes(), 3).unwrap();
    let call = |body: Vec<u8>| {
        Call(api.post(paths::MEASUREMENT).0.header("content-encoding", "zstd").body(body))
    };
    assert_eq!(outcomes(&call(packed.clone()).ok().await), ["accepted"]);
    let cut = packed[..packed.len() - 3].to_vec();
    call(cut).problem(400, problem_type::INVALID).await;
}
