//! Signing in and out: each state of the page.

use std::time::Duration;

use super::world::{Browser, CODE, World};

#[tokio::test]
async fn the_right_code_opens_the_page_that_was_asked_for() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    let page = browser.get("/measurements?period=month").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Ihr Zugangscode"), "{}", page.text());
    let page = browser.submit(&page, "/sign-in", &[("code", "k7qm 2xtd")]).await;
    assert!(page.text().contains("Juni 2026"), "{}", page.text());
    let cookie = browser.cookies.iter().find(|(name, _)| name == "ebp_session_80");
    assert_eq!(cookie.map(|(_, value)| value.len()), Some(43), "256 bits");
}

#[tokio::test]
async fn the_cookie_is_strict_and_out_of_reach_of_scripts() {
    let world = World::new();
    let browser = Browser::new(&world);
    for (stay, expected) in [
        ("no", "ebp_session_80=X; HttpOnly; SameSite=Strict; Path=/"),
        ("yes", "ebp_session_80=X; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000"),
    ] {
        let request = axum::http::Request::post("/sign-in")
            .header("host", world.host())
            .header("origin", format!("http://{}", world.host()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("code={CODE}&stay={stay}").into())
            .unwrap();
        let answer = browser.world.send(request).await;
        assert_eq!(answer.status, 303);
        let cookie = answer.header("set-cookie");
        let value = cookie.split(['=', ';']).nth(1).unwrap();
        assert_eq!(cookie.replace(value, "X"), expected);
    }
}

#[tokio::test]
async fn wrong_codes_are_told_and_then_wait() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    for _ in 0..4 {
        let page = browser.post("/sign-in", &[("code", "AAAA-AAAA")]).await;
        assert_eq!(page.status, 422);
        assert!(page.text().contains("nicht richtig") && page.body.contains("aria-invalid"));
    }
    let page = browser.post("/sign-in", &[("code", "AAAA-AAAA")]).await;
    assert_eq!((page.status, page.header("retry-after")), (429, "2"));
    assert!(page.text().contains("In 2 Sekunden"), "{}", page.text());
    let page = browser.post("/sign-in", &[("code", CODE)]).await;
    assert_eq!(page.status, 429, "the right one waits, too");
    world.clock.advance(Duration::from_secs(2));
    let page = browser.post("/sign-in", &[("code", CODE)]).await;
    assert!(page.text().contains("Alles in Ordnung"), "{}", page.text());
    for wait in [0, 0, 0, 0, 2, 4, 8, 16, 32, 64] {
        browser.post("/sign-in", &[("code", "AAAA-AAAA")]).await;
        world.clock.advance(Duration::from_secs(wait));
    }
    let page = browser.post("/sign-in", &[("code", "AAAA-AAAA")]).await;
    assert!(page.text().contains("Um 14:05 geht es weiter"), "{}", page.text());
}

#[tokio::test]
async fn sessions_end_and_say_so() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    browser.pass(29).await;
    assert!(browser.get("/today").await.text().contains("Heute bisher"));
    browser.pass(31).await;
    let page = browser.get("/today").await;
    assert!(page.text().contains("Ihre Anmeldung ist abgelaufen"), "{}", page.text());

    let mut browser = Browser::signed_in(&world).await;
    let token = browser.cookies.clone();
    let page = browser.get("/today").await;
    let page = browser.submit(&page, "/sign-out", &[]).await;
    assert!(page.text().contains("Sie sind abgemeldet"), "{}", page.text());
    browser.cookies = token;
    assert_eq!(browser.get_once("/today").await.status, 303, "the old token opens nothing");
}

#[tokio::test]
async fn a_phone_may_look_and_has_to_enter_the_code_to_decide() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.post("/sign-in", &[("code", CODE), ("stay", "yes")]).await;
    browser.pass(24 * 60 * 20).await;
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    assert!(page.text().contains("noch einmal ein"), "{}", page.text());
    let refused = browser.submit(&page, "/consent/revoke", &[("code", "AAAA-AAAA")]).await;
    assert_eq!(refused.status, 422);
    assert!(world.web.parts.ended.get().is_none());
    let ended = browser.submit(&refused, "/consent/revoke", &[("code", CODE)]).await;
    assert_eq!(ended.status, 410);
}

#[tokio::test]
async fn other_states() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    let page = browser.get("/signed-in?next=%2Ftoday").await;
    assert!(page.text().contains("Erlauben Sie Cookies"), "{}", page.text());
    std::fs::remove_file(world.folder.path().join("hash")).unwrap();
    let page = browser.get("/").await;
    assert!(
        page.text().contains("noch nicht eingerichtet") && !page.body.contains("name=\"code\"")
    );
}
