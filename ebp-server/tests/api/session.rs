//! Sessions in pages, as administrators list and end them.

use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
    scope::Group,
};
use ebp_store::NewWebSession;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn they_are_listed_and_ended() {
    let server = Server::start().await;
    let administrator = server.manager(Group::Administrators);
    assert_eq!(
        administrator.get(paths::MANAGEMENT_SESSION).ok().await,
        json!({"items": [], "next": null})
    );
    let uuid = uuid::Uuid::from_u128(7);
    let new = NewWebSession {
        token: [7; 32],
        uuid,
        group: Group::Researchers,
        label: Some("EM".into()),
        browser: Some("Firefox, Linux".into()),
    };
    let now = server.clock.now();
    server.store.begin_web_session(new, now).await.unwrap();
    let listed = administrator.get(paths::MANAGEMENT_SESSION).ok().await;
    let session = &listed["items"][0];
    assert_eq!(session["uuid"], json!(uuid));
    assert_eq!((&session["group"], &session["label"]), (&json!("researchers"), &json!("EM")));
    assert_eq!(session["browser"], "Firefox, Linux");
    // Nothing of what opens it.
    assert!(!listed.to_string().contains("token"), "{listed}");
    let path = paths::MANAGED_SESSION.replace("{uuid}", &uuid.to_string());
    server.manager(Group::Researchers).delete(&path).problem(403, problem_type::GROUP).await;
    let ended = administrator.delete(&path).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    administrator.delete(&path).problem(404, problem_type::NOT_FOUND).await;
    assert_eq!(server.store.web_session([7; 32], true, now).await.unwrap(), None);
}
