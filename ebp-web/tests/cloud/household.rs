//! A household's page: messages and answers, withdrawal, devices and their sheet, removal; consents over
//! time and geodata.

use ebp_core::{
    contract::{MessageAbout, NewMessage},
    model::{ConsentState, device_host_name},
    scope::Group,
};
use ebp_store::HouseholdId;

use crate::world::World;

#[tokio::test]
async fn messages_are_answered_and_closed() {
    let world = World::on_sqlite().await;
    let household = HouseholdId(world.register(1).await.household);
    let now = world.survey.clock().now();
    let write = async |text: &str| {
        let message = NewMessage { about: MessageAbout::Meter, text: text.to_owned().into() };
        world.store().add_message(household, message, now).await.unwrap().uuid
    };
    let (first, second) =
        (write("Der Zähler <b>blinkt</b>\n\"><script>").await, write("Noch etwas").await);
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = format!("/registration/household/{}", household.0);
    let open = browser.get("/registration/messages").await;
    assert!(open.body.contains("Noch etwas") && !open.body.contains("<b>blinkt"), "{}", open.body);
    let of = household.0.to_string();
    let (text, of_field) = (format!("text-{first}"), format!("household-{first}"));
    let empty = [(&*of_field, of.as_str()), (&*text, "  "), ("do", "answer")];
    let wrong = browser.submit(&page, &format!("/registration/message/{first}"), &empty).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    let answer = [(&*of_field, of.as_str()), (&*text, "Danke,\r\nwir kommen."), ("do", "answer")];
    let sent = browser.submit(&page, &format!("/registration/message/{first}"), &answer).await;
    assert_eq!(sent.location(), format!("{page}?note=answered#messages"), "{}", sent.body);
    let shown = browser.get(&page).await;
    assert!(shown.body.contains("Danke,\nwir kommen."), "{}", shown.body);
    let again = browser.submit(&page, &format!("/registration/message/{first}"), &answer).await;
    assert_eq!(again.status, 409, "it is closed");
    let close = [("do", "close")];
    let closed = browser.submit(&page, &format!("/registration/message/{second}"), &close).await;
    assert_eq!(closed.location(), "/registration/messages");
    let none = browser.get("/registration/messages").await;
    assert!(none.body.contains("Keine Nachrichten."));
    let done = browser.get("/registration/messages?closed=1").await;
    assert!(done.body.contains("Noch etwas") && done.body.contains("wir kommen"));
}

#[tokio::test]
async fn a_withdrawal_by_letter_is_asked_about_and_recorded() {
    let world = World::on_sqlite().await;
    let household = HouseholdId(world.register(1).await.household);
    let now = world.survey.clock().now();
    let page = format!("/registration/household/{}", household.0);
    let path = format!("{page}/withdrawal");
    let mut browser = world.signed_in(Group::Researchers).await;
    assert!(!browser.get(&page).await.body.contains(&path), "there is no consent yet");
    world.store().grant_consent(household, now).await.unwrap();
    assert!(browser.get(&page).await.body.contains(&path));
    for wrong in [("2026-03-03", "letter"), ("2026-03-01", "fax"), ("", "letter")] {
        let pairs = [("received_on", wrong.0), ("channel", wrong.1), ("do", "record")];
        assert_eq!(browser.submit(&path, &path, &pairs).await.status, 422, "{wrong:?}");
    }
    let pairs = [("received_on", "2026-03-02"), ("channel", "letter"), ("do", "confirm")];
    let asked = browser.submit(&path, &path, &pairs).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("Das kann niemand rückgängig machen."), "{}", asked.body);
    let stored = world.store().registration(household).await.unwrap();
    assert_eq!(stored.consent.state, ConsentState::Granted, "nothing is done yet");
    let pairs = [("received_on", "2026-03-02"), ("channel", "letter"), ("do", "record")];
    let done = browser.submit(&path, &path, &pairs).await;
    assert_eq!(done.location(), "/registration?consent=revoked", "{}", done.body);
    let list = browser.get(done.location()).await;
    assert!(!list.body.contains("Erika") && list.body.contains("widerrufen"));
    let left = list.body.split("href=\"/registration/household/").nth(1).unwrap();
    let left =
        browser.get(&format!("/registration/household/{}", left.split('"').next().unwrap())).await;
    assert!(left.body.contains("Brief") && left.body.contains("März 2026"), "{}", left.body);
    assert_eq!(browser.get(&path).await.status, 404, "the identifier is another one");
}

#[tokio::test]
async fn token_and_code_are_shown_once_on_a_sheet() {
    let world = World::on_sqlite().await;
    let made = world.register(1).await;
    let page = format!("/registration/household/{}", made.household);
    let path = format!("{page}/device/{}/sheet", made.measurement_device);
    let mut browser = world.signed_in(Group::Researchers).await;
    let sheet = browser.submit(&page, &path, &[]).await;
    assert_eq!(sheet.status, 200, "{}", sheet.body);
    assert_eq!(sheet.headers["cache-control"], "no-store");
    assert_eq!(sheet.body.matches("<svg class=\"qr\"").count(), 2);
    let machine = device_host_name(made.measurement_device);
    assert!(sheet.body.contains(&format!("http://{machine}.local/")));
    assert!(sheet.body.contains(&format!("hostnamectl set-hostname {machine}</code>")));
    let code = sheet.body.split("<p class=\"big\"><strong>").nth(1).unwrap();
    let code = code.split('<').next().unwrap();
    assert_eq!(code.len(), 9, "{code}");
    let shown = browser.get(&page).await;
    assert!(!shown.body.contains(code), "once");
    assert!(shown.body.contains("Token gemacht"), "{}", shown.body);
    // Another household's page has none of its devices.
    let other = world.register(2).await;
    let foreign = format!(
        "/registration/household/{}/device/{}/sheet",
        other.household, made.measurement_device
    );
    assert_eq!(browser.submit(&page, &foreign, &[]).await.status, 404);
    assert_eq!(browser.get(&path).await.status, 405, "looking makes nothing");

    let version = shown.input("version");
    let add = format!("{page}/device");
    let added = browser.submit(&page, &add, &[("version", &version)]).await;
    assert_eq!(added.status, 303, "{}", added.body);
    let stored = world.store().registration(HouseholdId(made.household)).await.unwrap();
    assert_eq!(stored.measurement_devices.len(), 2);
}

#[tokio::test]
async fn a_household_of_a_mistake_is_removed() {
    let world = World::on_sqlite().await;
    let household = world.register(1).await.household;
    let path = format!("/registration/household/{household}/remove");
    let mut browser = world.signed_in(Group::Researchers).await;
    let form = browser.get(&path).await;
    let (token, version) = (form.input("token"), form.input("version"));
    let pairs = [("token", token.as_str()), ("version", "1")];
    assert!(browser.get(&path).await.body.contains("aus Versehen"));
    let pairs_right = [pairs[0], ("version", version.as_str())];
    let removed = browser.send(&path, &pairs_right).await;
    assert_eq!((removed.status, removed.location()), (303, "/registration"));
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test]
async fn consents_over_time_and_geodata() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let none = browser.get("/registration/consents").await;
    assert!(none.body.contains("Noch hat kein Haushalt eingewilligt."), "{}", none.body);
    for number in 1..=3 {
        let household = HouseholdId(world.register(number).await.household);
        world.store().grant_consent(household, world.survey.clock().now()).await.unwrap();
        world.clock.advance(jiff::SignedDuration::from_hours(24 * 20));
    }
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = browser.get("/registration/consents").await;
    assert!(
        page.body.contains("<th scope=\"row\">März 2026</th><td>2</td><td>0</td><td>2</td>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("<th scope=\"row\">April 2026</th><td>1</td><td>0</td><td>3</td>"));
    assert!(page.body.contains("<svg class=\"chart\""));
    let page = browser.get("/registration/geodata").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<dt>Regionen</dt><dd>40"), "{}", page.body);
    let picture = browser.get("/registration/regions.svg").await;
    assert_eq!((picture.status, picture.body.starts_with("<svg")), (200, true));
}
