//! Granting and revoking: steps, races, and a server that is away.

use ebp_core::{contract::Language, model::ConsentState};

use super::world::{Answer, Browser, World};

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
    assert!(page.text().contains("Sie wurde auf dieser Seite erteilt."), "{}", page.text());
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

/// Further purposes: none ticked beforehand, each given and withdrawn by itself.
#[tokio::test]
async fn further_purposes_are_ticks_of_their_own() {
    let world = World::new();
    world.cloud.change(|server| {
        server.consent = ConsentState::NotGranted;
        server.offered = vec![("later-studies", "Invite me."), ("publication", "Name me.")];
    });
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent?lang=en").await;
    assert!(!page.body.contains("checked"), "nothing is ticked beforehand");
    assert_eq!(page.body.matches("type=\"checkbox\"").count(), 3, "{}", page.body);
    // The further ones alone are no consent.
    let only = browser.submit(&page, "/consent/confirm", &[("purpose-publication", "yes")]).await;
    assert_eq!(only.status, 422);
    let ticks = [("read", "yes"), ("purpose-later-studies", "yes"), ("purpose-unknown", "yes")];
    let page = browser.submit(&page, "/consent/confirm", &ticks).await;
    assert!(
        page.text().contains("You also agree\nInvite me.")
            || page.text().contains("You also agree Invite me."),
        "{}",
        page.text()
    );
    assert!(!page.text().contains("Name me."), "{}", page.text());
    let page = browser.submit(&page, "/consent/grant", &[]).await;
    assert!(page.text().contains("Your consent is granted"), "{}", page.text());
    assert!(page.text().contains("Given: 12:00."), "{}", page.text());
    assert!(page.text().contains("Not given."), "{}", page.text());
    world.cloud.change(|server| {
        let given: Vec<_> = server.purposes.iter().map(|given| given.name.as_str()).collect();
        assert_eq!((given, server.purposes[0].language), (vec!["later-studies"], Language::En));
    });
    let copy = browser.get("/consent/copy").await;
    assert!(copy.body.contains("Invite me.<br>Given: 12:00."), "{}", copy.body);
    assert!(copy.body.contains("Name me.<br>Not given."), "{}", copy.body);

    // One is withdrawn, and nothing else changes; and one that the survey gave up still can be.
    world.cloud.change(|server| {
        server.offered.remove(0);
    });
    let page = browser.get("/consent").await;
    let page = decide(&mut browser, &page, "later-studies", "withdraw").await;
    assert!(page.text().contains("Your decision is stored."), "{}", page.text());
    assert!(!page.text().contains("Invite me."), "{}", page.text());
    assert_eq!(world.cloud.consent(), ConsentState::Granted);
    let page = decide(&mut browser, &page, "publication", "give").await;
    assert!(page.text().contains("Given: 12:00.") && !page.text().contains("Not given."));
    for (name, choice, status) in [
        ("publication", "maybe", 403),
        ("../revoke", "withdraw", 403),
        ("nothing", "withdraw", 502),
        ("nothing", "give", 502),
    ] {
        let page = browser.get("/consent").await;
        let page = decide(&mut browser, &page, name, choice).await;
        assert_eq!(page.status, status, "{name} {choice}: {}", page.text());
    }
}

/// Decides about one further purpose, by the page's token.
async fn decide(browser: &mut Browser<'_>, page: &Answer, name: &str, choice: &str) -> Answer {
    let token = page.body.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let fields = [("token", token.as_str()), ("name", name), ("choice", choice)];
    browser.post("/consent/purpose", &fields).await
}

/// Consent is granted, and a further purpose could not be stored: the page says so, and what holds.
#[tokio::test]
async fn a_further_purpose_that_is_not_stored() {
    let world = World::new();
    world.cloud.change(|server| {
        server.consent = ConsentState::NotGranted;
        server.offered = vec![("later-studies", "<b>Invite</b> me.")];
        server.refuses_purposes = true;
    });
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent?lang=en").await;
    assert!(!page.body.contains("<b>Invite"), "{}", page.body);
    let ticks = [("read", "yes"), ("purpose-later-studies", "yes")];
    let page = browser.submit(&page, "/consent/confirm", &ticks).await;
    let page = browser.submit(&page, "/consent/grant", &[]).await;
    assert_eq!(world.cloud.consent(), ConsentState::Granted);
    assert!(page.text().contains("Not all of the further consents"), "{}", page.text());
    assert!(page.text().contains("Not given."), "{}", page.text());
    // A phone that only looks needs the code.
    world.cloud.change(|server| server.refuses_purposes = false);
    let mut phone = Browser::new(&world);
    phone.post("/sign-in", &[("code", super::world::CODE), ("stay", "yes")]).await;
    phone.pass(11).await;
    let page = phone.get("/consent?lang=en").await;
    let wrong = phone.submit(&page, "/consent/purpose", &[("choice", "give")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    let right = [("code", super::world::CODE), ("choice", "give")];
    let page = phone.submit(&page, "/consent/purpose", &right).await;
    assert!(page.text().contains("Given: "), "{}", page.text());
}
