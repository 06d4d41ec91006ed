//! Remote access on the page: its states, and the household's switch.

use ebp_fleet::tunnel::{TunnelAccess, local::SessionEnd};
use ebp_web::device::TunnelsideError;

use super::world::{Browser, CODE, FakeTunnelside, World, session};

fn tunnel(world: &World) -> &FakeTunnelside {
    world.tunnelside.as_ref().unwrap()
}

async fn text_of(world: &World, path: &str) -> String {
    Browser::signed_in(world).await.get(path).await.text()
}

#[tokio::test]
async fn each_state_is_told() {
    let world = World::new();
    type Change = fn(&mut ebp_fleet::tunnel::local::Status);
    let states: [(Change, &[&str]); 6] = [
        (
            |_| {},
            &["Fernzugriff ist erlaubt.", "seit 00:00 erreichbar", "Erreichbar ist nur: ssh."],
        ),
        (|status| status.connected_since = None, &["zurzeit nicht erreichbar"]),
        (
            |status| status.access_until = "2026-06-20T22:00:00Z".parse().ok(),
            &["bis 21. Juni 2026, 00:00 erlaubt", "Meine Wahl zurücknehmen"],
        ),
        (
            |status| {
                status.permitted = false;
                status.access_until = "2026-06-15T11:00:00Z".parse().ok();
            },
            &["Fernzugriff ist ausgeschaltet."],
        ),
        (
            |status| {
                status.permitted = false;
                status.access = TunnelAccess::UntilSwitchedOn;
                status.access_until = None;
            },
            &["Fernzugriff ist aus, bis Sie ihn einschalten."],
        ),
        (|status| status.access = TunnelAccess::Never, &["auf diesem Gerät nie erlaubt"]),
    ];
    for (change, expected) in states {
        tunnel(&world).change(change);
        let mut browser = Browser::signed_in(&world).await;
        let page = browser.get("/remote-access").await;
        for part in expected {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        let has_switch = page.body.contains("name=\"choice\"");
        assert_eq!(has_switch, !expected[0].contains("nie erlaubt"), "{}", page.text());
        let devices = browser.get("/devices").await.text();
        assert!(devices.contains("Fernzugriff"), "{devices}");
    }
    let mut world = World::new();
    *tunnel(&world).0.lock().unwrap() = Err(TunnelsideError::Missing);
    let text = text_of(&world, "/remote-access").await;
    assert!(text.contains("antwortet nicht") && !text.contains("Zugriffe"), "{text}");
    world.tunnelside = None;
    world.restart();
    let text = text_of(&world, "/remote-access").await;
    assert!(text.contains("kein Fernzugriff eingerichtet"), "{text}");
    let text = text_of(&world, "/devices").await;
    assert!(text.contains("kein Fernzugriff eingerichtet"), "{text}");
}

#[tokio::test]
async fn who_is_connected_now_and_who_was() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    assert!(!browser.get("/today").await.text().contains("Jetzt verbunden"));
    tunnel(&world).change(|status| status.connected = vec![session("erika", None)]);
    for path in ["/today", "/remote-access"] {
        let text = browser.get(path).await.text();
        assert!(text.contains("Jetzt verbunden: erika seit 12:00 (ssh)."), "{path}: {text}");
    }
    let text = browser.get("/remote-access?lang=en").await.text();
    for row in [
        "12:00 erika ssh 2\u{a0}h 00\u{a0}min still open",
        "maxerika ssh 1\u{a0}h 05\u{a0}min ended",
    ] {
        assert!(text.contains(row), "{row}: {text}");
    }
    // A name that an administrator chose is text.
    let hostile = "\"><img src=x onerror=alert(1)>";
    tunnel(&world).change(|status| {
        status.connected = vec![session(hostile, Some(SessionEnd::Broken))];
        status.services = vec![hostile.to_owned()];
    });
    for path in ["/today", "/remote-access"] {
        let page = browser.get(path).await;
        assert!(!page.body.contains("<img"), "{path}: {}", page.body);
    }
}

#[tokio::test]
async fn the_household_switches() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/remote-access").await;
    let page = browser
        .submit(&page, "/remote-access", &[("until", "2026-06-20"), ("choice", "until")])
        .await;
    assert!(page.text().contains("Ihre Wahl gilt ab sofort."), "{}", page.text());
    // To the end of that day, in the household's zone.
    let until = tunnel(&world).0.lock().unwrap().as_ref().unwrap().access_until;
    assert_eq!(until, "2026-06-20T22:00:00Z".parse().ok());
    let page = browser.submit(&page, "/remote-access", &[("choice", "off")]).await;
    assert!(page.text().contains("Fernzugriff ist ausgeschaltet."), "{}", page.text());
    let page = browser.submit(&page, "/remote-access", &[("choice", "standard")]).await;
    assert!(page.text().contains("Fernzugriff ist erlaubt."), "{}", page.text());
    for day in ["", "2026-06-14", "2027-06-17", "heute", "2026-02-30", "\"><b>"] {
        let sent = [("until", day), ("choice", "until")];
        let page = browser.submit(&page, "/remote-access", &sent).await;
        assert_eq!(page.status, 422, "{day}");
        assert!(page.text().contains("höchstens ein Jahr voraus"), "{day}: {}", page.text());
        assert!(!page.body.contains("<b>"), "{}", page.body);
    }
    assert_eq!(tunnel(&world).0.lock().unwrap().as_ref().unwrap().access_until, None);
    let wrong = browser.submit(&page, "/remote-access", &[("choice", "maybe")]).await;
    assert_eq!(wrong.status, 403);
    *tunnel(&world).0.lock().unwrap() = Err(TunnelsideError::Missing);
    let page = browser.submit(&page, "/remote-access", &[("choice", "off")]).await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("nichts wurde geändert"), "{}", page.text());
}

#[tokio::test]
async fn nobody_switches_without_signing_in_a_form_or_the_code() {
    let world = World::new();
    let mut stranger = Browser::new(&world);
    assert_eq!(stranger.get_once("/remote-access").await.status, 303);
    stranger.post("/remote-access", &[("choice", "off")]).await;
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.post("/remote-access", &[("token", "x"), ("choice", "off")]).await;
    assert_eq!(page.status, 403);
    assert!(tunnel(&world).0.lock().unwrap().as_ref().unwrap().permitted);
    // A phone that stays signed in only looks, until the code is entered again.
    let mut phone = Browser::new(&world);
    phone.post("/sign-in", &[("code", CODE), ("stay", "yes")]).await;
    phone.pass(11).await;
    let page = phone.get("/remote-access").await;
    assert!(page.body.contains("name=\"code\""), "{}", page.text());
    for code in ["", "0000-0000"] {
        let page =
            phone.submit(&page, "/remote-access", &[("code", code), ("choice", "off")]).await;
        assert_eq!(page.status, 422, "{code}");
    }
    assert!(tunnel(&world).0.lock().unwrap().as_ref().unwrap().permitted);
    let page = phone.submit(&page, "/remote-access", &[("code", CODE), ("choice", "off")]).await;
    assert!(page.text().contains("Fernzugriff ist ausgeschaltet."), "{}", page.text());
}
