//! Messages about mistakes, their answers and their end.

use ebp_core::{
    contract::{paths, problem_type},
    scope::{Group, Scope, Scopes},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Api, Call, Server};

fn write(api: &Api, about: &str, text: &str) -> Call {
    api.json(Method::POST, paths::MESSAGE, &json!({"about": about, "text": text}))
}

fn answer(api: &Api, message: &Value, text: &str) -> Call {
    let path = paths::MESSAGE_ANSWER.replace("{uuid}", message["uuid"].as_str().unwrap());
    api.json(Method::POST, &path, &json!({ "text": text }))
}

#[tokio::test]
async fn written_answered_and_gone() {
    let server = Server::start().await;
    let (registered, erika) = server.consenting("erika@example.org").await;
    let (_, max) = server.household("max@example.org").await;
    let researcher = server.manager(Group::Researchers);
    let written =
        write(&erika, "pv-system", "Es sind 9,9 kWp.\nNicht 7.").expect(StatusCode::CREATED).await;
    assert_eq!(written["household"], json!(registered.household));
    assert_eq!((&written["answer"], &written["closed_at"]), (&Value::Null, &Value::Null));
    // Before consent, too.
    let other = write(&max, "other", "<script>alert(1)</script>").expect(StatusCode::CREATED).await;

    let open = researcher.get("/management/message?open=true&limit=1").ok().await;
    assert_eq!(open["items"], json!([written]));
    let next = format!("/management/message?open=true&cursor={}", open["next"].as_str().unwrap());
    assert_eq!(researcher.get(&next).ok().await["items"], json!([other]));

    let answered = answer(&researcher, &written, "Danke, ist berichtigt.").ok().await;
    assert_eq!(answered["answer"], "Danke, ist berichtigt.");
    answer(&researcher, &written, "Noch einmal").problem(409, problem_type::MESSAGE_CLOSED).await;
    let close = paths::MESSAGE_CLOSE.replace("{uuid}", other["uuid"].as_str().unwrap());
    let closed = researcher.post(&close).ok().await;
    assert!(closed["answer"].is_null() && closed["closed_at"].is_string());
    researcher.post(&close).problem(409, problem_type::MESSAGE_CLOSED).await;
    assert_eq!(erika.get(paths::MESSAGE).ok().await["items"], json!([answered]));
    assert_eq!(max.get(paths::MESSAGE).ok().await["items"], json!([closed]));
    assert_eq!(researcher.get("/management/message?open=true").ok().await["items"], json!([]));
    let unknown = json!({"uuid": uuid::Uuid::nil()});
    answer(&researcher, &unknown, "x").problem(404, problem_type::NOT_FOUND).await;

    erika.delete(paths::CONSENT).ok().await;
    erika.get(paths::MESSAGE).problem(410, problem_type::CONSENT_REVOKED).await;
    write(&erika, "other", "x").problem(410, problem_type::CONSENT_REVOKED).await;
    let left = researcher.get("/management/message").ok().await;
    assert_eq!(left["items"], json!([closed]));
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let server = Server::start().await;
    let (registered, api) = server.household("erika@example.org").await;
    write(&api, "meter", &"Ω".repeat(2000)).expect(StatusCode::CREATED).await;
    for (about, text) in [
        ("meter", ""),
        ("meter", " \n "),
        ("meter", "\u{0}"),
        ("meter", "a\u{1b}[2J"),
        ("weather", "x"),
    ] {
        write(&api, about, text).problem(400, problem_type::INVALID).await;
    }
    write(&api, "meter", &"Ω".repeat(2001)).problem(400, problem_type::INVALID).await;
    let researcher = server.manager(Group::Researchers);
    for wrong in ["open=1", "open=", "limit=0", "cursor=x", "household=1"] {
        let call = researcher.get(&format!("/management/message?{wrong}"));
        call.problem(400, problem_type::INVALID).await;
    }
    // Whoever may only measure writes nothing.
    let scopes = Scopes::from_iter([Scope::MeasurementWrite, Scope::Consent]);
    let device = Some(registered.measurement_device);
    let measuring = server.api(Some(&server.issue("erika@example.org", device, scopes)));
    write(&measuring, "meter", "x").problem(403, problem_type::SCOPE).await;
}

#[tokio::test]
async fn a_hundred_may_be_open() {
    let server = Server::start().await;
    let (_, api) = server.household("erika@example.org").await;
    for i in 0..100 {
        write(&api, "other", &format!("{i}")).expect(StatusCode::CREATED).await;
    }
    let problem = write(&api, "other", "one more").problem(409, problem_type::TOO_MANY_MESSAGES);
    assert!(problem.await.detail.unwrap().contains("100 messages are open"));
    // Another household is not held up.
    let (_, max) = server.household("max@example.org").await;
    write(&max, "other", "mine").expect(StatusCode::CREATED).await;
}
