//! States that come from a server that is away, a device that cannot send, and what the survey says.

use std::time::Duration;

use ebp_core::{
    contract::{Notice, SurveyPrice},
    model::{ConsentState, IncidentType},
};
use ebp_web::device::CloudError;

use super::world::{Browser, CODE, World};

async fn text_of(world: &World, path: &str) -> String {
    Browser::signed_in(world).await.get(path).await.text()
}

fn price(from: &str, import: &str, export: &str) -> SurveyPrice {
    SurveyPrice {
        from: from.parse().unwrap(),
        import: import.parse().unwrap(),
        export: export.parse().unwrap(),
    }
}

#[tokio::test]
async fn todays_figures_say_how_old_they_are() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let text = browser.get("/today").await.text();
    assert!(text.contains("Die Zahlen reichen bis 14:00"), "{text}");
    world.cloud.change(|server| server.away = true);
    world.clock.advance(Duration::from_secs(600));
    let text = browser.get("/today").await.text();
    assert!(text.contains("Stand: 14:00") && text.contains("1.234,57\u{a0}kWh"), "{text}");
    assert!(text.contains("seit 14:10 nicht erreichbar"), "{text}");
    // What was measured is forgotten with the day, and with the process.
    world.clock.advance(Duration::from_secs(11 * 3600));
    let text = text_of(&world, "/today").await;
    assert!(!text.contains("1.234,57"), "{text}");
}

#[tokio::test]
async fn why_measurements_wait() {
    let world = World::new();
    let text = text_of(&world, "/pending").await;
    assert!(
        text.contains("Zuletzt gesendet: 13:05 (vor 55 Minuten)")
            && text.contains("gegen 14:05")
            && !text.contains("darum warten"),
        "{text}"
    );
    world.cloud.change(|server| server.away = true);
    assert!(
        text_of(&world, "/pending").await.contains("seit 14:00 nicht erreichbar; darum warten")
    );
    for (change, expected) in [
        (CloudError::NotAccepted, "erkennt dieses Gerät nicht mehr an"),
        (CloudError::Refused(500), "gibt zurzeit keine Auskunft"),
    ] {
        let world = World::new();
        let mut browser = Browser::signed_in(&world).await;
        world.cloud.change(|server| server.refuses = Some(change));
        let text = browser.get("/pending").await.text();
        assert!(text.contains(expected), "{text}");
    }
    for (notice, expected) in [
        (Notice::SpoolFull, "Speicher des Geräts ist voll"),
        (Notice::SpoolDamaged, "Speicher des Geräts kann nicht gelesen"),
        (Notice::SpoolSetAside, "war beschädigt"),
    ] {
        let world = World::new();
        world.cloud.change(|server| server.notices = vec![notice]);
        let text = text_of(&world, "/pending").await;
        assert!(text.contains(expected), "{text}");
    }
    let world = World::new();
    world.meterside.change(|status| status.knows_the_time = false);
    assert!(
        text_of(&world, "/pending").await.contains("Uhr dieses Geräts ist noch nicht gestellt")
    );
    world.cloud.change(|server| server.last_report = None);
    assert!(text_of(&world, "/pending").await.contains("noch nie gesendet"));
    world.cloud.change(|server| server.last_report = "2026-06-15T10:40:00Z".parse().ok());
    assert!(text_of(&world, "/pending").await.contains("überfällig"));
}

#[tokio::test]
async fn what_a_meter_showed_last_stays_when_its_head_is_away() {
    let world = World::new();
    world.meterside.change(|status| {
        status.meters[0].incidents = vec![IncidentType::SerialPortUnavailable];
    });
    for path in ["/live", "/live?read=1"] {
        let text = text_of(&world, path).await;
        assert!(text.contains("Lesekopf ist nicht erreichbar"), "{path}: {text}");
    }
    let text = text_of(&world, "/live").await;
    assert!(
        text.contains("Zuletzt gelesen: 13:45 , vor 14 Minuten") && text.contains("12.345,6789"),
        "{text}"
    );
}

/// A device that asks for consent runs; whether it measures, only what it sends shows.
#[tokio::test]
async fn a_device_is_judged_by_what_it_sends() {
    let world = World::new();
    assert!(text_of(&world, "/devices").await.contains("Es misst und sendet."));
    for (sent, expected) in [
        (Some("2026-06-15T08:30:00Z"), "Es hat seit mehr als drei Stunden nichts gesendet."),
        (None, "Es hat noch nichts gesendet."),
    ] {
        world.cloud.change(|server| server.last_report = sent.map(|at| at.parse().unwrap()));
        let text = text_of(&world, "/devices").await;
        assert!(text.contains(expected) && text.contains("Zuletzt gemeldet"), "{text}");
        assert!(!text.contains("Es misst und sendet."), "{text}");
        assert_eq!(text.contains("Zuletzt gesendet"), sent.is_some(), "{text}");
        let today = text_of(&world, "/today").await;
        assert_eq!(today.contains("Zuletzt gesendet"), sent.is_some(), "{today}");
    }
    world.cloud.change(|server| server.consent = ConsentState::NotGranted);
    let text = text_of(&world, "/devices").await;
    assert!(text.contains("Es wird nichts gemessen: Ihre Einwilligung fehlt."), "{text}");
}

#[tokio::test]
async fn a_meter_that_is_silent_beside_others_is_told() {
    let world = World::new();
    assert!(text_of(&world, "/today").await.contains("Alles in Ordnung"));
    world.meterside.change(|status| {
        status.meters[1].measured_at = "2026-06-12T08:00:00Z".parse().ok();
    });
    let text = text_of(&world, "/today").await;
    assert!(text.contains("Einer Ihrer Zähler wurde zuletzt vor 3 Tagen gemessen."), "{text}");
}

#[tokio::test]
async fn devices_tell_of_certificates_and_of_what_nobody_counts() {
    let world = World::new();
    let text = text_of(&world, "/devices").await;
    assert!(text.contains("1. September 2026") && !text.contains("läuft bald ab"), "{text}");
    assert!(text.contains("Fernzugriff Fernzugriff ist erlaubt."), "{text}");
    world.cloud.change(|server| {
        server.certificate_end = "2026-07-05T08:00:00Z".parse().ok();
        server.has_generation = false;
    });
    let text = text_of(&world, "/devices").await;
    assert!(text.contains("läuft bald ab"), "{text}");
    assert!(text.contains("Solaranlagen, die kein Zähler misst"), "{text}");
}

#[tokio::test]
async fn a_copy_of_the_consent_can_be_saved_at_once() {
    let world = World::new();
    world.cloud.change(|server| server.consent = ConsentState::NotGranted);
    let mut browser = Browser::signed_in(&world).await;
    assert_eq!(browser.get("/consent/copy").await.status, 404, "there is nothing to copy");
    let page = browser.get("/consent?lang=en").await;
    let page = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    let page = browser.submit(&page, "/consent/grant", &[]).await;
    assert!(page.body.contains("href=\"/consent/copy\""), "{}", page.text());
    let copy = browser.get("/consent/copy?lang=de").await;
    assert_eq!(copy.header("content-disposition"), "attachment; filename=\"ebp-consent.html\"");
    // In the language in which it was agreed to, with everything that proves it.
    for part in [
        "<html lang=\"en\">",
        "1 June 2026, 10:00 (2026-06-01T08:00:00Z)",
        "Text 3 in English.",
        "Universität <strong>X</strong>",
        "Universität X, 12345 Y",
        "z@example.org",
        "Studie",
    ] {
        assert!(copy.body.contains(part), "{part}: {}", copy.body);
    }
    assert!(!copy.body.contains("Erika"), "the text, not the person");
    world.cloud.change(|server| server.text_version = 4);
    let page = browser.get("/consent").await;
    assert!(page.text().contains("neuer als der"), "{}", page.text());
    assert_eq!(browser.get("/consent/copy").await.status, 404, "it would be another text");
}

#[tokio::test]
async fn the_surveys_prices() {
    let world = World::new();
    world.cloud.change(|server| server.prices = vec![price("2026-01-01", "0.325", "0.081")]);
    let mut browser = Browser::signed_in(&world).await;
    let text = browser.get("/measurements?date=2026-06-15").await.text();
    for part in [
        "Vergütung: 12,50 kWh eingespeist × 8,1 ct = 1,01\u{a0}€",
        "Gespart: 7,50 kWh selbst verbraucht × 32,5 ct = 2,44\u{a0}€",
        "mit den Preisen der Studie",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = browser.get("/measurements?date=2025-12-24").await.text();
    assert!(!text.contains("mit den Preisen der Studie"), "there is none yet: {text}");
    // From the 10th on everything is worth a euro: each day of the week by its own price.
    let world = World::new();
    world.cloud.change(|server| {
        server.prices = vec![price("2026-01-01", "0", "0"), price("2026-06-10", "1", "1")];
    });
    let text = text_of(&world, "/measurements?period=week&date=2026-06-10").await;
    assert!(text.contains("Jeder Tag ist mit seinem Preis gerechnet"), "{text}");
    assert!(text.contains("Ab 10. Juni 2026: 100,0 ct"), "{text}");
    // Five days of 0.37 kWh fed in, and of 0.55 - 0.37 kWh used.
    assert!(
        text.contains("Vergütung 1,85\u{a0}€") && text.contains("Gespart 0,90\u{a0}€"),
        "{text}"
    );
}

/// Each quarter hour has its own price, exactly; what the series does not say, the day's price does.
#[tokio::test]
async fn prices_by_quarter_hours() {
    let world = World::new();
    // From midnight on; it is 14:00, so 56 quarter hours have passed, the last twelve from noon.
    world.cloud.change(|server| server.quarter_prices = "2026-06-14T22:00:00Z".parse().ok());
    let text = text_of(&world, "/measurements?date=2026-06-15").await;
    assert!(text.contains("Der Preis ändert sich jede Viertelstunde"), "{text}");
    // Noon to 14:00: fed in 0.37 at 12 o'clock, and 0.46 at 13 o'clock; before noon it has no price.
    assert!(text.contains("Vergütung: 3,32 kWh eingespeist, im Mittel 200,00 ct"), "{text}");
    assert!(text.contains("= 6,64\u{a0}€") && text.contains("48 Viertelstunden fehlen"), "{text}");
    // The day's price fills in what the series lacks.
    let world = World::new();
    world.cloud.change(|server| server.quarter_prices = "2026-06-14T22:00:00Z".parse().ok());
    world.cloud.change(|server| server.prices = vec![price("2026-01-01", "1", "1")]);
    let text = text_of(&world, "/measurements?date=2026-06-15").await;
    assert!(!text.contains("fehlen in der Summe"), "{text}");
    let year = text_of(&world, "/measurements?period=year&date=2026-06-15").await;
    assert!(year.contains("Wählen Sie einen Monat oder weniger"), "{year}");
    let before = text_of(&world, "/measurements?date=2026-06-10").await;
    assert!(before.contains("eingespeist × 100,0 ct"), "{before}");
    let mut browser = Browser::signed_in(&world).await;
    let own = "/measurements?date=2026-06-15&import_price=40&export_price=10";
    assert!(browser.get(own).await.text().contains("mit Ihren Preisen"));
}

/// Days to come are not missing, and where the meters do not tell own use nothing is saved.
#[tokio::test]
async fn prices_that_change_in_a_week_that_goes_on() {
    let world = World::new();
    world.cloud.change(|server| {
        server.prices = vec![price("2026-01-01", "1", "1"), price("2026-06-17", "2", "2")];
        server.has_generation = false;
    });
    let text = text_of(&world, "/measurements?period=week&date=2026-06-15").await;
    assert!(text.contains("Vergütung 0,37\u{a0}€") && text.contains("Gespart –"), "{text}");
    assert!(!text.contains("in der Summe"), "{text}");
}

#[tokio::test]
async fn own_prices_stay_in_the_browser() {
    let world = World::new();
    world.cloud.change(|server| server.prices = vec![price("2026-01-01", "0.325", "0.081")]);
    let mut browser = Browser::signed_in(&world).await;
    browser.get("/measurements?import_price=40&export_price=10").await;
    let text = browser.get("/measurements?period=month").await.text();
    assert!(text.contains("mit Ihren Preisen") && text.contains("× 10,0 ct"), "{text}");
    let text = browser.get("/measurements?prices=survey").await.text();
    assert!(text.contains("mit den Preisen der Studie"), "{text}");
    let text = browser.get("/measurements").await.text();
    assert!(text.contains("mit den Preisen der Studie"), "{text}");
    browser.cookies.push(("ebp_prices".into(), "<b>/x".into()));
    let page = browser.get("/measurements").await;
    assert!(page.status == 200 && !page.body.contains("<b>/"), "{}", page.body);
}

#[tokio::test]
async fn the_registration_shows_place_and_connection() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/registration").await;
    assert!(page.body.contains("<circle cx=\"216\" cy=\"1170\" r=\"40\"/>"), "{}", page.body);
    assert!(page.text().contains("Anschluss der Solaranlage nicht angegeben"), "{}", page.text());
    let map = browser.get("/regions.svg").await;
    assert_eq!((map.status, map.header("content-type")), (200, "image/svg+xml"));
    assert_eq!(Browser::new(&world).get_once("/regions.svg").await.status, 303);
}

#[tokio::test]
async fn a_clock_that_is_not_set_and_the_future() {
    let world = World::new();
    world.clock.lose_synchronisation();
    let mut browser = Browser::new(&world);
    assert!(browser.get("/").await.text().contains("Uhr dieses Geräts ist noch nicht gestellt"));
    browser.post("/sign-in", &[("code", CODE)]).await;
    let text = browser.get("/measurements").await.text();
    assert!(text.contains("Uhr dieses Geräts ist noch nicht gestellt"), "{text}");
    let text = browser.get("/measurements?date=2026-12-24").await.text();
    assert!(text.contains("liegt in der Zukunft"), "{text}");
}

#[tokio::test]
async fn who_stays_signed_in_does_so_over_a_restart() {
    let mut world = World::new();
    for (stays, expected) in [("yes", 200), ("no", 303)] {
        let mut browser = Browser::new(&world);
        browser.post("/sign-in", &[("code", CODE), ("stay", stays)]).await;
        let cookies = browser.cookies;
        world.restart();
        let mut browser = Browser::new(&world);
        browser.cookies = cookies.clone();
        assert_eq!(browser.get_once("/today").await.status, expected, "{stays}");
        // Signing out is stored, too.
        if expected == 200 {
            let page = browser.get("/today").await;
            browser.submit(&page, "/sign-out", &[]).await;
            world.restart();
            let mut browser = Browser::new(&world);
            browser.cookies = cookies;
            assert_eq!(browser.get_once("/today").await.status, 303);
        }
    }
}

#[tokio::test]
async fn the_first_page_says_whom_to_ask() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    browser.get("/").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let text = browser.get("/").await.text();
    assert!(text.contains("Dr. Z , +49 1 , z@example.org"), "{text}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.cloud.change(|server| {
        let asked = server.requests.iter().filter(|request| **request == "survey").count();
        assert_eq!(asked, 1, "strangers do not make it ask at each request");
    });
}

/// A day's page is small, whatever it shows.
#[tokio::test]
async fn pages_are_light() {
    let world = World::new();
    world.cloud.change(|server| {
        server.gap = true;
        server.prices = vec![price("2026-01-01", "0.325", "0.081")];
    });
    let mut browser = Browser::signed_in(&world).await;
    for (path, most) in [
        ("/measurements?period=day&date=2026-06-14", 20_000),
        ("/measurements?period=day&date=2025-10-26", 20_000),
        ("/today", 20_000),
        ("/measurements?period=month&date=2026-05-10", 16_000),
        ("/registration", 16_000),
    ] {
        let page = browser.get(path).await;
        println!("{path}: {} bytes", page.body.len());
        assert!(page.body.len() < most, "{path}: {} bytes", page.body.len());
    }
}

/// The texts between a page's tags.
fn text_nodes(html: &str) -> std::collections::BTreeSet<String> {
    let body = html.split("<body>").nth(1).unwrap();
    let nodes =
        body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    nodes.filter(|text| text.chars().any(char::is_alphabetic)).map(str::to_owned).collect()
}

/// What is the same in both languages: names, what people wrote, units and codes.
const ALIKE: [&str; 26] = [
    "Deutsch",
    "English",
    "ebp ",
    "Name",
    "JSON",
    "MT175",
    "Erika",
    "erika@",
    "Heidestra",
    "51147",
    "kWh",
    "€",
    "kWp",
    "0.4.0",
    "00000000-",
    "© GeoBasis-DE",
    "Universit",
    "z@example.org",
    "Cookies",
    "Controller",
    "Dr. Z",
    "ebp",
    "50",
    "Text ",
    "ct",
    "kW",
];

#[tokio::test]
async fn every_text_is_translated() {
    let world = World::new();
    world.cloud.change(|server| {
        server.gap = true;
        server.prices = vec![price("2026-01-01", "0.325", "0.081")];
    });
    let mut browser = Browser::signed_in(&world).await;
    let mut compared = 0;
    for path in [
        "/today",
        "/measurements?period=day",
        "/measurements?period=week",
        "/measurements?period=month",
        "/measurements?period=year",
        "/pending",
        "/live?read=1",
        "/registration",
        "/devices",
        "/consent",
        "/data",
        "/help",
        "/privacy",
        "/accessibility",
        "/nothing",
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let german = text_nodes(&browser.get(&format!("{path}{joint}lang=de")).await.body);
        let english = text_nodes(&browser.get(&format!("{path}{joint}lang=en")).await.body);
        compared += german.len();
        for text in german.intersection(&english) {
            let is_alike = ALIKE.iter().any(|alike| text.contains(alike));
            // Months and the short forms of days are partly the same words.
            let is_date = ["Apr", "Aug", "Sep", "Nov"].iter().any(|month| text.starts_with(month));
            let is_date = is_date || text.chars().count() <= 3;
            assert!(is_alike || is_date, "{path}: {text}");
        }
    }
    assert!(compared > 200, "{compared} texts");
}

/// An error page names its request, as the answer's header and the log do.
#[tokio::test]
async fn error_pages_name_their_request() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    world.cloud.change(|server| server.away = true);
    for (path, status) in [("/measurements", 503), ("/consent", 503), ("/nothing", 404)] {
        let page = browser.get_once(path).await;
        let id = page.header("x-request-id").to_owned();
        assert_eq!((page.status, id.len()), (status, 14), "{path}");
        assert!(page.text().contains(&format!("Kennung der Anfrage: {id}.")), "{}", page.text());
    }
    assert!(!browser.get_once("/today").await.text().contains("Kennung der Anfrage"));
}
