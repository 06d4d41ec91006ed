//! What attackers try (the parts that concern these pages): markup in every field, foreign hosts, long
//! bodies, other people's identifiers.

use axum::{body::Body, http::Request};
use ebp_core::scope::Group;

use crate::world::{HOST, World};

/// Texts that become markup, a formula or a break where they are not escaped.
const HOSTILE: [&str; 4] = [
    "\"><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)//{{7*7}}",
    "\u{202e}evil",
];

#[tokio::test]
async fn what_households_say_is_text_on_every_page() {
    let world = World::on_sqlite().await;
    let mut pages = vec!["/registration".to_owned(), "/registration/messages".to_owned()];
    for (number, text) in HOSTILE.iter().enumerate() {
        let mut registration = crate::world::registration(number);
        registration.participant.name = (*text).to_owned();
        registration.address.street = (*text).to_owned();
        registration.address.city = (*text).to_owned();
        registration.meters[0].model = text.chars().take(40).collect();
        let made = world.store().register(registration, world.survey.clock().now()).await;
        if text.contains('\u{202e}') {
            assert!(made.is_err(), "what turns the direction of text is not taken");
            continue;
        }
        let made = made.unwrap();
        let page = format!("/registration/household/{}", made.household);
        pages.extend([page.clone(), format!("{page}/edit"), format!("{page}/withdrawal")]);
    }
    let mut browser = world.signed_in(Group::Researchers).await;
    for text in HOSTILE {
        let query = ebp_web::kit::page::encode(text);
        pages.push(format!("/registration?q={query}&sort={query}&after={query}&consent={query}"));
        pages.push(format!("/sign-in?next={query}&group={query}"));
    }
    for page in pages {
        let answer = browser.get(&page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.body);
        for markup in ["<img src=x", "<script>alert", "href=\"javascript:", "onerror=alert(1)>"] {
            assert!(!answer.body.contains(markup), "{markup} in {page}: {}", answer.body);
        }
        assert!(!answer.body.contains("style=\"") && !answer.body.contains("onclick"), "{page}");
    }
}

#[tokio::test]
async fn every_answer_has_the_policy_and_no_other_host_is_answered() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    for path in
        ["/registration", "/nothing", "/static/nothing", "/registration/regions.svg", "/sign-in"]
    {
        let answer = browser.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'")
        );
        assert_eq!(answer.headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(answer.headers["cross-origin-opener-policy"], "same-origin", "{path}");
    }
    for host in ["evil.example", "survey.example.org.evil.example", "survey.example.org."] {
        let request = Request::builder()
            .uri("/registration")
            .header("host", host)
            .header("x-forwarded-host", HOST)
            .body(Body::empty())
            .unwrap();
        assert_eq!(browser.ask(request).await.status, 421, "{host}");
    }
}

#[tokio::test]
async fn long_and_odd_requests_are_refused() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let long = "x".repeat(300 * 1024);
    let answer = browser.send("/registration/new", &[("name", &long)]).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    let many: Vec<(&str, &str)> = vec![("a", "b"); 10_000];
    assert_eq!(browser.send("/registration/new", &many).await.status, 413);
    for path in [
        "/registration/household/..%2f..%2fetc",
        "/registration/household/nothing",
        "/registration/import/nothing",
        "/static/..%2fCargo.toml",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    let mut json = Request::builder()
        .method("POST")
        .uri("/registration/new")
        .header("host", HOST)
        .header("origin", format!("https://{HOST}"))
        .header("content-type", "text/plain");
    for (name, value) in &browser.cookies {
        json = json.header("cookie", format!("{name}={value}"));
    }
    let json = json.body(Body::from("{\"name\":\"x\"}")).unwrap();
    assert_eq!(browser.ask(json).await.status, 403);
    let delete = Request::builder()
        .method("DELETE")
        .uri("/registration")
        .header("host", HOST)
        .body(Body::empty())
        .unwrap();
    assert_eq!(browser.ask(delete).await.status, 405);
}
