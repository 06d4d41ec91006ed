//! Signing in: by the secret, by a link, from a mail, and with what was entered before.

use ebp_core::scope::Group;
use jiff::SignedDuration;

use crate::world::{ADMINISTRATORS, RESEARCHERS, World};

#[tokio::test]
async fn each_group_comes_to_its_own_pages() {
    let world = World::on_sqlite().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/").await.location(), "/sign-in");
    for (group, secret, home) in [
        (Group::Researchers, RESEARCHERS, "/registration"),
        (Group::Administrators, ADMINISTRATORS, "/status"),
    ] {
        let mut browser = world.browser();
        let pairs = [("group", group.name()), ("secret", secret)];
        let answer = browser.send("/sign-in", &pairs).await;
        assert_eq!(answer.status, 303);
        assert_eq!(browser.get(answer.location()).await.location(), home);
        assert_eq!(browser.get("/").await.location(), home);
    }
    // The other group's pages say whose they are.
    let mut browser = world.signed_in(Group::Administrators).await;
    let page = browser.get("/registration").await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("Diese Seite ist für Forschende."), "{}", page.body);
}

#[tokio::test]
async fn a_wrong_secret_opens_nothing() {
    let world = World::on_sqlite().await;
    let mut browser = world.browser();
    let pairs = [("group", "researchers"), ("secret", ADMINISTRATORS), ("label", "<EM>")];
    let answer = browser.send("/sign-in", &pairs).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Das Geheimnis ist falsch"), "{}", answer.body);
    assert!(!answer.body.contains(ADMINISTRATORS) && !answer.body.contains("<EM>"));
    assert!(browser.cookies.is_empty());
    let pairs = [("group", "researchers"), ("secret", "too often")];
    let answer = browser.send("/sign-in?lang=en", &pairs).await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "17"));
    assert!(answer.body.contains("Try again in 17 seconds."), "{}", answer.body);
    let elsewhere = ["https://evil.example", "null", "http://survey.example.org"];
    for origin in elsewhere {
        let pairs = [("group", "researchers"), ("secret", RESEARCHERS)];
        assert_eq!(browser.send_from(origin, "/sign-in", &pairs).await.status, 403, "{origin}");
    }
    assert!(!browser.cookies.contains_key("__Host-ebp"));
}

#[tokio::test]
async fn a_link_from_a_mail_works_signed_in_and_out() {
    let world = World::on_sqlite().await;
    let linked = |browser: &mut crate::world::Browser| {
        browser.headers = vec![("sec-fetch-site".into(), "cross-site".into())];
    };
    // The browser leaves a strict cookie out, and sends it once the page asks for itself.
    let mut signed_in = world.signed_in(Group::Researchers).await;
    let cookies = std::mem::take(&mut signed_in.cookies);
    linked(&mut signed_in);
    let first = signed_in.get("/registration?q=K%C3%B6ln").await;
    assert_eq!((first.status, first.headers["refresh"].to_str().unwrap()), (200, "0"));
    assert!(first.body.contains("/registration?q=K%C3%B6ln"), "{}", first.body);
    signed_in.headers = vec![("sec-fetch-site".into(), "same-origin".into())];
    signed_in.cookies = cookies;
    assert_eq!(signed_in.get("/registration?q=K%C3%B6ln").await.status, 200);

    let mut signed_out = world.browser();
    linked(&mut signed_out);
    assert!(signed_out.get("/registration").await.headers.contains_key("refresh"));
    signed_out.headers = vec![("sec-fetch-site".into(), "same-origin".into())];
    let second = signed_out.get("/registration").await;
    assert_eq!(second.location(), "/sign-in?group=researchers&next=%2Fregistration");
}

#[tokio::test]
async fn a_one_time_link_signs_in_once() {
    let world = World::on_sqlite().await;
    let minutes = SignedDuration::from_mins(15);
    let made = world.survey.create_sign_in_link(Group::Administrators, "erika", minutes).await;
    let (token, _) = made.unwrap();
    let path = format!("/link/{}", token.as_str());
    let mut browser = world.browser();
    for _ in 0..2 {
        assert_eq!(browser.get(&path).await.status, 200, "who looks at it does not use it up");
    }
    let answer = browser.send(&path, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(browser.get("/").await.location(), "/status");
    let sessions = world.survey.web_sessions().await.unwrap();
    assert_eq!(sessions[0].label.as_deref(), Some("erika"));
    let mut other = world.browser();
    assert_eq!(other.send(&path, &[]).await.status, 410);
    assert!(other.cookies.is_empty());

    let made = world.survey.create_sign_in_link(Group::Administrators, "erika", minutes).await;
    let path = format!("/link/{}", made.unwrap().0.as_str());
    world.clock.advance(minutes);
    assert_eq!(other.send(&path, &[]).await.status, 410, "it is too late");
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    let world = World::on_sqlite().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil", "/status"] {
        let mut browser = world.browser();
        let pairs = [("group", "researchers"), ("secret", RESEARCHERS), ("next", next)];
        let answer = browser.send("/sign-in", &pairs).await;
        assert_eq!(answer.location(), "/signed-in?next=%2Fregistration", "{next}");
        let path = format!("/signed-in?next={}", ebp_web::kit::page::encode(next));
        assert_eq!(browser.get(&path).await.location(), "/registration", "{next}");
    }
    // A browser that keeps no cookies is told so.
    let mut browser = world.browser();
    assert_eq!(browser.get("/signed-in").await.location(), "/sign-in?cookies=off");
}

#[tokio::test]
async fn every_page_says_what_went_wrong_in_both_languages() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let german = browser.get("/nothing?lang=de").await;
    assert_eq!(german.status, 404);
    assert!(german.body.contains("<html lang=\"de\"") && german.body.contains("Nicht gefunden"));
    let english = browser.get("/nothing?lang=en").await;
    assert!(english.body.contains("<html lang=\"en\"") && english.body.contains("Not found"));
    for path in ["/privacy", "/accessibility", "/sign-in"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let foreign = axum::http::Request::builder()
        .uri("/")
        .header("host", "evil.example")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(browser.ask(foreign).await.status, 421);
}
