//! Granting and revoking: steps, races, and a server that is away.

use ebp_core::{contract::Language, model::ConsentState};

use super::world::{Browser, World};

#[tokio::test]
async fn granting_and_revoking_take_the_same_steps() {
    let world = World::new();
    world.cloud.change(|server| server.consent = ConsentState::NotGranted);
    let mut browser = Browser::signed_in(&world).await;
    browser.posts.clear();
    let page = browser.get("/consent").await;
    assert!(page.text().contains("Text 3 auf Deutsch."), "{}", page.text());
    assert!(!page.body.contains("checked"), "nothing is ticked beforehand");
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    insta::assert_snapshot!("confirm_grant", page.text());
    let page = browser.submit(&page, "/consent/grant", &[]).await;
    assert!(page.text().contains("Ihre Einwilligung ist erteilt"), "{}", page.text());
    let granted = browser.posts.split_off(0);
    world.cloud.change(|server| {
        let grant = server.granted_to.unwrap();
        assert_eq!((grant.text_version, grant.language), (Some(3), Some(Language::De)));
    });

    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    insta::assert_snapshot!("confirm_revoke", page.text());
    let page = browser.submit(&page, "/consent/revoke", &[]).await;
    assert_eq!(page.status, 410);
    insta::assert_snapshot!("ended", page.text());
    assert_eq!(granted, browser.posts, "as many requests with as many fields");
}

#[tokio::test]
async fn the_tick_is_needed() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[]).await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("Setzen Sie zuerst das Häkchen"), "{}", page.text());
}

#[tokio::test]
async fn the_end_survives_a_restart_and_shows_at_every_address() {
    let mut world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    browser.submit(&page, "/consent/revoke", &[]).await;
    world.cloud.change(|server| server.away = true);
    world.restart();
    let mut browser = Browser::new(&world);
    for path in ["/", "/today", "/consent", "/data.json", "/help", "/nothing"] {
        let page = browser.get_once(path).await;
        assert_eq!(page.status, 410, "{path}");
        assert!(page.text().contains("Geben Sie es der Forschungsgruppe zurück"), "{path}");
    }
    assert_eq!(browser.post("/sign-in", &[("code", super::world::CODE)]).await.status, 410);
    world
        .cloud
        .change(|server| assert!(server.requests.iter().filter(|r| **r == "revoke").count() == 1));
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for secret in ["Erika", "Heidestra", "1234.5678", "12345.6789"] {
            assert!(!text.contains(secret), "{secret} is stored");
        }
    }
}

#[tokio::test]
async fn a_revocation_from_elsewhere_ends_the_page_at_the_next_request() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    world.cloud.change(|server| server.consent = ConsentState::Revoked);
    assert_eq!(browser.get("/today").await.status, 410);
    assert_eq!(browser.get("/devices").await.status, 410);
}

/// The answer is lost: the page finds out what happened, and never says "done" without knowing.
#[tokio::test]
async fn a_lost_answer_is_looked_up() {
    for (then_away, step) in
        [(false, "grant"), (true, "grant"), (false, "revoke"), (true, "revoke")]
    {
        let world = World::new();
        if step == "grant" {
            world.cloud.change(|server| server.consent = ConsentState::NotGranted);
        }
        let mut browser = Browser::signed_in(&world).await;
        let page = browser.get("/consent").await;
        let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
        world.cloud.change(|server| (server.loses_answer, server.then_away) = (true, then_away));
        let page = browser.submit(&page, &format!("/consent/{step}"), &[]).await;
        match (then_away, step) {
            (true, _) => {
                assert_eq!(page.status, 503);
                assert!(page.text().contains("Das Ergebnis ist nicht bekannt"), "{}", page.text());
                assert!(world.web.parts.ended.get().is_none());
            }
            (false, "grant") => assert!(page.text().contains("Ihre Einwilligung ist erteilt")),
            (false, _) => assert_eq!(page.status, 410),
        }
    }
}

#[tokio::test]
async fn away_from_the_start_nothing_is_changed() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    world.cloud.change(|server| server.away = true);
    let page = browser.submit(&page, "/consent/revoke", &[]).await;
    assert_eq!(page.status, 503);
    world.cloud.change(|server| {
        server.away = false;
        assert_eq!(server.consent, ConsentState::Granted);
    });
    assert!(browser.get("/today").await.text().contains("Alles in Ordnung"));
}

#[tokio::test]
async fn a_text_that_has_changed_is_shown_again() {
    let world = World::new();
    world.cloud.change(|server| server.consent = ConsentState::NotGranted);
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    world.cloud.change(|server| server.text_version = 4);
    let page = browser.submit(&page, "/consent/grant", &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.text().contains("Der Text hat sich geändert"), "{}", page.text());
    assert!(page.text().contains("Text 4 auf Deutsch."), "{}", page.text());
    world.cloud.change(|server| assert_eq!(server.consent, ConsentState::NotGranted));
}

/// Two tabs: the second press finds it done, and both say so.
#[tokio::test]
async fn a_second_press_changes_nothing() {
    let world = World::new();
    world.cloud.change(|server| server.consent = ConsentState::NotGranted);
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    for _ in 0..2 {
        let done = browser.submit(&page, "/consent/grant", &[]).await;
        assert!(done.text().contains("Ihre Einwilligung ist erteilt"), "{}", done.text());
    }
    let page = browser.get("/consent").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    for _ in 0..2 {
        assert_eq!(browser.submit(&page, "/consent/revoke", &[]).await.status, 410);
    }
}
