//! Each page and the states that it has, as people read it.

use ebp_core::{
    contract::{HouseholdRelease, ReleaseTier},
    model::{ConsentState, IncidentType},
};
use ebp_device::socket::Reason;
use ebp_web::device::MetersideError;

use super::world::{Browser, World};

async fn text_of(world: &World, path: &str) -> String {
    let mut browser = Browser::signed_in(world).await;
    browser.get(path).await.text()
}

#[tokio::test]
async fn today_in_both_languages() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/today").await;
    insta::assert_snapshot!("today_de", page.text());
    assert!(page.body.len() < 30_000, "{} bytes", page.body.len());
    let page = browser.get("/today?lang=en").await;
    assert!(page.body.contains("<html lang=\"en\""));
    insta::assert_snapshot!("today_en", browser.get("/today").await.text());
}

#[tokio::test]
async fn states_of_today() {
    let world = World::new();
    world.meterside.change(|status| status.meters.iter_mut().for_each(|m| m.measured_at = None));
    assert!(text_of(&world, "/today").await.contains("Den ersten Messwert gibt es um 14:15"));

    let world = World::new();
    let incident = |kind| {
        move |status: &mut ebp_device::socket::Status| status.meters[0].incidents = vec![kind]
    };
    world.meterside.change(incident(IncidentType::ObisCodesUnavailable));
    world.cloud.change(|server| server.locked = true);
    let text = text_of(&world, "/today").await;
    assert!(
        text.contains("ganze Kilowattstunden") && text.contains("3,0 bis 5,0\u{a0}kWh"),
        "{text}"
    );

    assert!(text.contains("Kürzere Zeiten sind nicht bekannt"), "{text}");

    let world = World::new();
    world.meterside.change(incident(IncidentType::SerialPortUnavailable));
    assert!(text_of(&world, "/today").await.contains("Lesekopf ist nicht erreichbar"));

    let world = World::new();
    world.meterside.change(|status| status.knows_the_time = false);
    assert!(text_of(&world, "/today").await.contains("Die Uhr dieses Geräts"));

    let world = World::new();
    world.cloud.change(|server| server.consent = ConsentState::NotGranted);
    let text = text_of(&world, "/today").await;
    assert!(
        text.contains("öffnet das Gerät keinen Lesekopf") && !text.contains("Heute bisher"),
        "{text}"
    );

    let world = World::new();
    world.cloud.change(|server| server.away = true);
    let text = text_of(&world, "/today").await;
    assert!(
        text.contains("Alles in Ordnung") && text.contains("seit 14:00 nicht erreichbar"),
        "{text}"
    );

    let world = World::new();
    *world.meterside.0.lock().unwrap() = Err(MetersideError::Missing);
    assert!(
        text_of(&world, "/today").await.contains("Messprogramm auf diesem Gerät antwortet nicht")
    );

    let world = World::new();
    world.clock.advance(std::time::Duration::from_secs(3600));
    assert!(text_of(&world, "/today").await.contains("vor 1 Stunde entstanden"));
}

#[tokio::test]
async fn measurements_by_every_period() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    for period in ["day", "week", "month", "year"] {
        let page = browser.get(&format!("/measurements?period={period}&date=2026-06-10")).await;
        assert!(page.body.len() < 40_000, "{period}: {} bytes", page.body.len());
        assert_eq!(page.body.matches("<h1").count(), 1);
        insta::assert_snapshot!(format!("measurements_{period}"), page.text());
    }
    let page = browser.get("/measurements?period=day&date=2026-06-15&lang=en").await;
    assert!(page.text().contains("1,234.57\u{a0}kWh"), "{}", page.text());
    assert!(page.text().contains("before: 987.60\u{a0}kWh"), "{}", page.text());
    assert!(
        page.text().contains("← Day before") && !page.text().contains("Day after →"),
        "tomorrow is not offered"
    );
}

#[tokio::test]
async fn states_of_measurements() {
    let world = World::new();
    world
        .cloud
        .change(|server| (server.has_generation, server.gap, server.reset) = (false, true, true));
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/measurements?period=day&date=2026-06-15").await;
    let text = page.text();
    assert!(text.contains("Kein Zähler misst"), "{text}");
    assert!(text.contains("nicht gemessen (schraffiert)") && page.body.contains("class=\"gap\""));
    assert!(text.contains("Ein Zähler wurde in dieser Zeit getauscht"), "{text}");
    for (date, hours) in [("2026-03-29", "23 Stunden"), ("2025-10-26", "25 Stunden")] {
        let page = browser.get(&format!("/measurements?period=day&date={date}")).await;
        assert!(page.text().contains(hours), "{date}");
    }
    let page = browser.get("/measurements?period=day&date=2026-12-24").await;
    assert!(page.text().contains("Für diese Zeit gibt es keine Messwerte"), "the future");
    for wrong in ["date=2026-02-30", "date=0001-01-01", "date=9999-12-31", "period=hour"] {
        let text = browser.get(&format!("/measurements?{wrong}")).await.text();
        assert!(text.contains("Diesen Tag oder Zeitraum gibt es nicht"), "{wrong}: {text}");
        let file = browser.get(&format!("/measurements.csv?{wrong}")).await;
        assert_eq!(file.status, 400, "{wrong}");
        assert!(file.text().contains("muss wie 2026-03-31 geschrieben sein"), "{wrong}");
    }
    world.cloud.change(|server| server.away = true);
    let page = browser.get("/measurements").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("Ihr Gerät misst weiter"), "{}", page.text());
}

#[tokio::test]
async fn money_at_own_prices() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page =
        browser.get("/measurements?date=2026-06-15&import_price=32%2C5&export_price=8.1").await;
    // 12.5 kWh at 8.1 ct, 7.5 kWh at 32.5 ct.
    assert!(
        page.text().contains("1,01\u{a0}€") && page.text().contains("2,44\u{a0}€"),
        "{}",
        page.text()
    );
    let page = browser.get("/measurements?import_price=x&export_price=8").await;
    assert!(page.text().contains("Geben Sie beide Preise"), "{}", page.text());
}

#[tokio::test]
async fn files_of_measurements() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let path = "/measurements.csv?period=week&date=2026-06-10";
    let german = browser.get(&format!("{path}&form=german")).await;
    assert_eq!(
        german.header("content-disposition"),
        "attachment; filename=\"ebp-week-2026-06-08.csv\""
    );
    insta::assert_snapshot!("csv_german", german.body);
    let rfc = browser.get(&format!("{path}&form=rfc4180")).await;
    assert!(
        rfc.body.starts_with("start,import_kwh,") && rfc.body.contains(",0.37,"),
        "{}",
        rfc.body
    );
    let json = browser.get("/measurements.json?period=week&date=2026-06-10").await;
    let parsed: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(parsed["starts"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn what_waits() {
    let world = World::new();
    insta::assert_snapshot!("pending", text_of(&world, "/pending").await);
    world.meterside.change(|status| (status.unplaced, status.refused) = (1, 2));
    let text = text_of(&world, "/pending").await;
    assert!(
        text.contains("1 Messwert hat noch keine Zeit")
            && text.contains("2 Messwerte hat der Server nicht"),
        "{text}"
    );
    *world.meterside.0.lock().unwrap() = Err(MetersideError::Refused(Reason::Spool));
    assert!(text_of(&world, "/pending").await.contains("Speicher des Geräts kann nicht gelesen"));
    *world.meterside.0.lock().unwrap() = Err(MetersideError::Missing);
    assert!(text_of(&world, "/pending").await.contains("Messprogramm"));
}

#[tokio::test]
async fn live_values() {
    let world = World::new();
    insta::assert_snapshot!("live", text_of(&world, "/live?read=1").await);
    world.meterside.change(|status| status.consent = Some("not-granted".into()));
    assert!(
        text_of(&world, "/live?read=1")
            .await
            .contains("Ohne Ihre Einwilligung wird kein Zähler gelesen")
    );
}

/// The direction stands in the name where it is known: nobody has to read a sign.
#[tokio::test]
async fn live_power_has_a_direction() {
    let world = World::new();
    world.make_lifelike();
    let text = text_of(&world, "/live").await;
    assert!(text.contains("Strom ins Netz") && text.contains("Leistung der Solaranlage"), "{text}");
    assert!(!text.contains('\u{2212}'), "{text}");
}

#[tokio::test]
async fn registration_and_messages() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/registration?about=meter").await;
    insta::assert_snapshot!("registration", page.text());
    assert!(page.body.contains("value=\"meter\" selected"));
    let long = "Ω".repeat(2001);
    let refused =
        browser.submit(&page, "/registration", &[("about", "meter"), ("text", &long)]).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("2.001 Zeichen") && refused.body.contains(&long),
        "the draft stays"
    );
    let checked =
        browser.submit(&page, "/registration", &[("about", "meter"), ("text", "  ")]).await;
    assert_eq!(checked.status, 422);
    world.cloud.change(|server| server.away = true);
    let kept = browser
        .submit(&page, "/registration", &[("about", "meter"), ("text", "<b>Zähler</b>")])
        .await;
    assert_eq!(kept.status, 503);
    assert!(kept.body.contains(">&#60;b&#62;Zähler&#60;/b&#62;</textarea>"), "{}", kept.body);
    world.cloud.change(|server| server.away = false);
    let sent = browser
        .submit(&page, "/registration", &[("about", "meter"), ("text", "Falsch\r\nhier")])
        .await;
    assert!(sent.text().contains("Ihre Nachricht ist angekommen"), "{}", sent.text());
    world.cloud.change(|server| {
        assert_eq!(server.messages[0].text, "Falsch\nhier");
        server.messages[0].answer = Some("Danke.".into());
    });
    assert!(browser.get("/registration").await.text().contains("Antwort: Danke."));
}

#[tokio::test]
async fn devices_and_data_and_documents() {
    let world = World::new();
    insta::assert_snapshot!("devices", text_of(&world, "/devices").await);
    world.clock.advance(std::time::Duration::from_secs(4 * 3600));
    assert!(text_of(&world, "/devices").await.contains("seit mehr als drei Stunden"));
    insta::assert_snapshot!("data", text_of(&world, "/data").await);
    world.cloud.change(|server| {
        let release = |number, tier, recipient: Option<&str>, detail: &str| HouseholdRelease {
            number,
            name: format!("ebp-{number}"),
            tier,
            recipient: recipient.map(|name| format!("{name}{}", server.text)),
            as_of: "2026-05-01T22:00:00Z".parse().unwrap(),
            confirmed_at: "2026-05-12T08:00:00Z".parse().unwrap(),
            detail: detail.to_owned(),
        };
        server.releases = Some(vec![
            release(1, ReleaseTier::Research, Some("University of Examples"), "nuts1"),
            release(2, ReleaseTier::Public, None, "country"),
            release(3, ReleaseTier::Research, None, "of-a-newer-server"),
        ]);
    });
    insta::assert_snapshot!("data_in_releases", text_of(&world, "/data").await);
    world.cloud.change(|server| server.releases = None);
    assert!(!text_of(&world, "/data").await.contains("Datensätze, in denen"));
    let mut browser = Browser::signed_in(&world).await;
    let everything = browser.get("/data.json").await;
    assert_eq!(everything.body.lines().count(), 100);
    assert!(
        everything.body.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
    let csv = browser.get("/data.csv?meter=00000000-0000-0000-0000-000000000001").await;
    assert!(
        csv.body.contains("2026-06-15T10:00:00Z,2026-06-15T10:00:00Z,12345.6789,"),
        "{}",
        csv.body
    );
    for path in ["/help", "/privacy", "/accessibility"] {
        for language in ["de", "en"] {
            let page = Browser::new(&world).get(&format!("{path}?lang={language}")).await;
            assert_eq!((page.status, page.body.matches("<h1").count()), (200, 1), "{path}");
        }
    }
    world.cloud.change(|server| server.away = true);
    assert_eq!(browser.get("/data.json").await.status, 503);
    assert_eq!(browser.get("/nothing").await.status, 404);
}
