//! Registering a household: right, wrong, step by step without script, checked as it is typed, and kept
//! over the end of a session.

use ebp_core::scope::Group;
use jiff::SignedDuration;

use crate::reading::fields_of;
use crate::world::{RESEARCHERS, World};

const PATH: &str = "/registration/new";

/// What a person enters.
pub const ENTERED: &[(&str, &str)] = &[
    ("name", "Max Beispiel"),
    ("email", "max@example.org"),
    ("street", "Gasse 1"),
    ("postal_code", "01067"),
    ("city", "Dresden"),
    ("country", "DE"),
    ("latitude", "51,05"),
    ("longitude", "13,74"),
    ("children", "1"),
    ("adults", "2"),
    ("adults_with_job", "1"),
    ("heat_pump", "yes"),
    ("battery", "none"),
    ("metering_concept", "surplus-feed-in"),
    ("meters", "2"),
    ("meter-0-type", "ELECTRICITY"),
    ("meter-0-model", "MT175"),
    ("meter-0-register", ""),
    ("meter-1-type", "PV-GENERATION"),
    ("meter-1-model", "MT681"),
    ("meter-1-register", "2.8.0"),
    ("systems", "1"),
    ("system-0-power", "7,48"),
    ("system-0-azimuth", "180"),
    ("system-0-tilt", "35"),
    ("system-0-installed", "2019-05-03"),
    ("system-0-meter", "1"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = ENTERED.iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
    kept.chain(changes).copied().collect()
}

#[tokio::test]
async fn a_household_is_registered_with_all_answers() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let answer = browser.submit(PATH, PATH, &with(&[("do", "save")])).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(answer.location().ends_with("?note=new"), "{}", answer.location());
    let page = browser.get(answer.location()).await;
    for text in [
        "Der Haushalt ist registriert.",
        "max@example.org",
        "01067",
        "51,05000",
        "Überschusseinspeisung",
        "7,48\u{a0}kWp",
        "Erzeugungszähler, MT681, 2.8.0",
        "Forschende (EM)",
    ] {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    // The same person at the same address: only if that is meant.
    let again = browser.submit(PATH, PATH, &with(&[("do", "save")])).await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("schon einen Haushalt an dieser Anschrift"), "{}", again.body);
    let further = browser.submit(PATH, PATH, &with(&[("do", "save-further")])).await;
    assert_eq!(further.status, 303, "{}", further.body);
    // Somebody else's e-mail address.
    let taken = with(&[("do", "save"), ("name", "Moritz Beispiel"), ("street", "Gasse 2")]);
    let taken = browser.submit(PATH, PATH, &taken).await;
    assert_eq!(taken.status, 422);
    assert!(taken.body.contains("Diese E-Mail-Adresse gehört einem anderen Menschen."));
}

#[tokio::test]
async fn each_fault_is_beside_its_field_and_nothing_is_lost() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let wrong = with(&[
        ("do", "save"),
        ("email", "\"><img src=x>"),
        ("postal_code", "123"),
        ("adults_with_job", "9"),
        ("system-0-power", "viel"),
    ]);
    let page = browser.submit(PATH, PATH, &wrong).await;
    assert_eq!(page.status, 422);
    for name in ["email", "postal_code", "adults_with_job", "system-0-power"] {
        assert!(page.body.contains(&format!("<a href=\"#{name}\">")), "{name} in {}", page.body);
        assert_eq!(page.input(name), wrong.iter().find(|(n, _)| *n == name).unwrap().1);
    }
    assert_eq!(page.input("name"), "Max Beispiel");
    assert!(page.body.contains("in Deutschland hat sie fünf Ziffern"), "{}", page.body);
    assert!(!page.body.contains("<img src=x"), "text stays text");
    assert!(world.survey.web_sessions().await.unwrap().len() == 1);
    let none = browser.get("/registration").await;
    assert!(none.body.contains("Noch kein Haushalt"), "nothing is stored");
}

#[tokio::test]
async fn what_is_unusual_is_asked_about_once() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let unusual = [("do", "save"), ("system-0-power", "31"), ("metering_concept", "no-system")];
    let page = browser.submit(PATH, PATH, &with(&unusual)).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("mehr als 30 kWp") && page.body.contains("Messkonzept"));
    let unusual = [("do", "save-anyway"), ("system-0-power", "31")];
    assert_eq!(browser.submit(PATH, PATH, &with(&unusual)).await.status, 303);
}

#[tokio::test]
async fn buttons_without_script_change_the_form_and_store_nothing() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = browser.submit(PATH, PATH, &with(&[("do", "add-system")])).await;
    assert_eq!((page.status, page.input("systems").as_str()), (200, "2"));
    assert_eq!(page.input("system-0-power"), "7,48");
    let page = browser.submit(PATH, PATH, &with(&[("do", "remove-meter-0")])).await;
    assert_eq!(
        (page.input("meters").as_str(), page.input("meter-0-model").as_str()),
        ("1", "MT681")
    );
    let page = browser.submit(PATH, PATH, &with(&[("do", "north")])).await;
    assert_eq!(page.input("latitude"), "51,06000");
    // Pressed on the map, or by keyboard at its corner.
    let page = browser.submit(PATH, PATH, &with(&[("map.x", "140"), ("map.y", "120")])).await;
    assert_ne!(page.input("latitude"), "51,05", "{}", page.body);
    assert!(page.body.contains("Region:"), "{}", page.body);
    let page = browser.submit(PATH, PATH, &with(&[("map.x", "0"), ("map.y", "0")])).await;
    assert_eq!(page.input("latitude"), "51,05");
    // From near, the map is of the region (Dresden) alone, and a place on it is a place there.
    let page = browser.submit(PATH, PATH, &with(&[("do", "near")])).await;
    assert_eq!(page.input("near"), "yes");
    let picture = page.body.split("src=\"").find(|rest| rest.starts_with("/registration/region/"));
    let picture = picture.unwrap().split('"').next().unwrap().to_owned();
    let near = browser.get(&picture).await;
    assert!(near.status == 200 && near.body.starts_with("<svg"), "{picture}");
    let pressed = with(&[("near", "yes"), ("map.x", "140"), ("map.y", "60")]);
    let page = browser.submit(PATH, PATH, &pressed).await;
    let latitude: f64 = page.input("latitude").replace(',', ".").parse().unwrap();
    assert!(latitude != 51.05 && (latitude - 51.05).abs() < 0.2, "{latitude}");
    let page = browser.submit(PATH, PATH, &with(&[("do", "far"), ("near", "yes")])).await;
    assert!(page.body.contains("src=\"/registration/regions.svg\""));
    assert_eq!(browser.get("/registration/region/DE999").await.status, 404);
    assert_eq!(browser.get("/registration/region/..%2fx").await.status, 404);
    let list = browser.get("/registration").await;
    assert!(list.body.contains("Noch kein Haushalt"));
}

#[tokio::test]
async fn the_server_checks_as_it_is_typed() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let token = browser.get(PATH).await.input("token");
    let typed = [("token", token.as_str()), ("email", "erika"), ("country", "DE"), ("meters", "1")];
    let answer = browser.send("/registration/check", &typed).await;
    let faults: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let names: Vec<_> = faults.as_object().unwrap().keys().collect();
    assert_eq!(names, ["email"], "what is empty is not wrong yet");
    let whole = [&[("token", token.as_str())], ENTERED].concat();
    assert_eq!(browser.send("/registration/check", &whole).await.body, "{}");
}

#[tokio::test]
async fn what_was_entered_survives_the_end_of_the_session() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let token = browser.get(PATH).await.input("token");
    world.clock.advance(SignedDuration::from_mins(31));
    let late = with(&[("do", "save"), ("name", "Max & \"Moritz\"")]);
    let late = [&[("token", token.as_str())], late.as_slice()].concat();
    let page = browser.send(PATH, &late).await;
    assert_eq!(page.status, 401);
    assert!(page.body.contains("bleibt erhalten"), "{}", page.body);
    let (action, draft) = (page.input("action"), page.input("draft"));
    assert!(!draft.contains("token="), "the old session's token is not kept");
    // Wrong once: the draft is still there.
    let pairs = |secret| {
        [("group", "researchers"), ("secret", secret), ("action", &action), ("draft", &draft)]
            .map(|(name, value): (&str, &str)| (name.to_owned(), value.to_owned()))
    };
    let wrong = pairs("wrong");
    let wrong: Vec<(&str, &str)> = wrong.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let page = browser.send("/sign-in", &wrong).await;
    assert_eq!((page.status, page.input("draft")), (422, draft.clone()));
    let right = pairs(RESEARCHERS);
    let right: Vec<(&str, &str)> = right.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let page = browser.send("/sign-in", &right).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("action=\"/registration/new\""), "{}", page.body);
    assert_eq!(page.input("name"), "Max & \"Moritz\"");
    // The page's form, sent as a browser sends it.
    let fields = fields_of(&page.body, "again");
    let pairs: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let answer = browser.send(PATH, &pairs).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}
