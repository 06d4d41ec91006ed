//! Correcting a household and its members, also by two researchers at once.

use ebp_core::scope::Group;
use ebp_store::HouseholdId;

use crate::world::{Answer, Browser, World};

/// The fields of the form as it was shown.
fn entered(page: &Answer) -> Vec<(String, String)> {
    let names = [
        "token",
        "version",
        "name",
        "email",
        "street",
        "postal_code",
        "city",
        "country",
        "latitude",
        "longitude",
        "children",
        "adults",
        "adults_with_job",
    ];
    let mut pairs: Vec<_> = names.map(|name| (name.to_owned(), page.input(name))).into();
    for name in ["battery", "metering_concept"] {
        let select = page.body.split(&format!("name=\"{name}\"")).nth(1).unwrap();
        let chosen = select.split(" selected").next().unwrap().rsplit("value=\"").next().unwrap();
        pairs.push((name.to_owned(), chosen.trim_end_matches('"').to_owned()));
    }
    if page.body.contains("name=\"heat_pump\" value=\"yes\" checked") {
        pairs.push(("heat_pump".to_owned(), "yes".to_owned()));
    }
    pairs
}

async fn send(
    browser: &mut Browser,
    path: &str,
    pairs: &[(String, String)],
    name: &str,
    value: &str,
) -> Answer {
    let changed = pairs
        .iter()
        .map(|(other, kept)| (other.as_str(), if other == name { value } else { kept.as_str() }));
    let pairs: Vec<_> = changed.chain([("do", "save")]).collect();
    browser.send(path, &pairs).await
}

#[tokio::test]
async fn only_what_was_changed_is_in_the_history() {
    let world = World::on_sqlite().await;
    let household = world.register(1).await.household;
    let (page, path) = (
        format!("/registration/household/{household}"),
        format!("/registration/household/{household}/edit"),
    );
    let mut browser = world.signed_in(Group::Researchers).await;
    let form = browser.get(&path).await;
    let pairs = entered(&form);
    let same = send(&mut browser, &path, &pairs, "", "").await;
    assert_eq!((same.status, same.location()), (303, page.as_str()), "nothing was changed");
    let changed = send(&mut browser, &path, &pairs, "street", "Gasse 2").await;
    assert_eq!(changed.location(), format!("{page}?note=changed"), "{}", changed.body);
    let shown = browser.get(changed.location()).await;
    assert!(
        shown.body.contains("Gasse 2")
            && shown.body.contains("geändert</td><td>Straße und Hausnummer"),
        "{}",
        shown.body
    );
    let stored = world.store().registration(HouseholdId(household)).await.unwrap();
    assert_eq!(stored.participant.unwrap().email, "erika1@example.org");
    assert_eq!(stored.location.unwrap().latitude, 50.85, "the place stays");

    let wrong = entered(&browser.get(&path).await);
    let wrong = send(&mut browser, &path, &wrong, "email", "erika").await;
    assert_eq!((wrong.status, wrong.input("email").as_str()), (422, "erika"));
}

#[tokio::test]
async fn of_two_researchers_the_second_sees_both_versions() {
    let world = World::on_sqlite().await;
    let household = world.register(1).await.household;
    let path = format!("/registration/household/{household}/edit");
    let mut one = world.signed_in(Group::Researchers).await;
    let mut two = world.signed_in(Group::Researchers).await;
    let (of_one, of_two) = (entered(&one.get(&path).await), entered(&two.get(&path).await));
    assert_eq!(send(&mut one, &path, &of_one, "street", "Gasse 2").await.status, 303);
    let conflict = send(&mut two, &path, &of_two, "city", "Bonn").await;
    assert_eq!(conflict.status, 412);
    for text in ["Heidestraße 1</bdi></td><td><bdi>Gasse 2", "Bonn</bdi></td><td><bdi>Köln"] {
        assert!(conflict.body.contains(text), "{text} in {}", conflict.body);
    }
    let stored = world.store().registration(HouseholdId(household)).await.unwrap();
    assert_eq!(stored.address.unwrap().city, "Köln", "nothing was saved");
    // Having seen both, the second saves.
    let resolved = entered(&conflict);
    assert_eq!(send(&mut two, &path, &resolved, "street", "Gasse 2").await.status, 303);
    let stored = world.store().registration(HouseholdId(household)).await.unwrap();
    let address = stored.address.unwrap();
    assert_eq!((address.street.as_str(), address.city.as_str()), ("Gasse 2", "Bonn"));
}

#[tokio::test]
async fn what_was_revoked_meanwhile_is_told() {
    let world = World::on_sqlite().await;
    let household = world.register(1).await.household;
    let (store, now) = (world.store(), world.survey.clock().now());
    let path = format!("/registration/household/{household}/edit");
    let mut browser = world.signed_in(Group::Researchers).await;
    let pairs = entered(&browser.get(&path).await);
    store.grant_consent(HouseholdId(household), now).await.unwrap();
    store.revoke_consent(HouseholdId(household), now).await.unwrap();
    let late = send(&mut browser, &path, &pairs, "city", "Bonn").await;
    // By its former identifier nobody finds it any more.
    assert!([404, 410].contains(&late.status), "{} {}", late.status, late.body);
    let all = browser.get("/registration?consent=revoked").await;
    let left = all.body.split("href=\"/registration/household/").nth(1).unwrap();
    let left = format!("/registration/household/{}", left.split('"').next().unwrap());
    let page = browser.get(&left).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Das ist, was bleibt.") && !page.body.contains("Erika"));
    let form = browser.get(&format!("{left}/edit")).await;
    assert_eq!(form.status, 410);
    assert!(form.body.contains("hat seine Einwilligung widerrufen"), "{}", form.body);
}

#[tokio::test]
async fn meters_and_systems_are_added_changed_and_removed() {
    let world = World::on_sqlite().await;
    let made = world.register(1).await;
    let page = format!("/registration/household/{}", made.household);
    let mut browser = world.signed_in(Group::Researchers).await;
    let mut submit = async |path: &str, pairs: &[(&str, &str)]| {
        let form = browser.get(path).await;
        let (token, version) = (form.input("token"), form.input("version"));
        let hidden = [("token", token.as_str()), ("version", version.as_str())];
        browser.send(path, &[&hidden, pairs].concat()).await
    };
    let meter = [("do", "save"), ("type", "PV-GENERATION"), ("model", "EHZ"), ("register", "")];
    let added = submit(&format!("{page}/meter/new"), &meter).await;
    assert_eq!(added.location(), format!("{page}?note=changed"), "{}", added.body);
    let stored = world.store().registration(HouseholdId(made.household)).await.unwrap();
    let new = stored.meters[2].uuid;
    let changed = [("do", "save"), ("type", "ELECTRICITY"), ("model", ""), ("register", "")];
    let wrong = submit(&format!("{page}/meter/{new}"), &changed).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("Bitte das Modell"), "{}", wrong.body);
    let removed = submit(&format!("{page}/meter/{new}"), &[("do", "remove")]).await;
    assert_eq!(removed.status, 303, "{}", removed.body);
    // A system is connected to the second.
    let connected = stored.meters[1].uuid;
    let kept = submit(&format!("{page}/meter/{connected}"), &[("do", "remove")]).await;
    assert_eq!(kept.status, 409, "{}", kept.body);
    let system = [
        ("do", "save"),
        ("power", "3,5"),
        ("azimuth", "90"),
        ("tilt", "30"),
        ("installed", "2020-01-31"),
        ("meter", ""),
    ];
    assert_eq!(submit(&format!("{page}/system/new"), &system).await.status, 303);
    let stored = world.store().registration(HouseholdId(made.household)).await.unwrap();
    assert_eq!(stored.pv_systems[1].nominal_power.to_string(), "3.5");
    // For a version that is gone nothing is done.
    let mut browser = world.signed_in(Group::Researchers).await;
    let path = format!("{page}/system/new");
    let token = browser.get(&path).await.input("token");
    let old = [&[("token", token.as_str()), ("version", "0")], system.as_slice()].concat();
    assert_eq!(browser.send(&path, &old).await.status, 412);
    for nothing in ["meter/new2", "roof/new", &format!("meter/{}", made.household)] {
        assert_eq!(browser.get(&format!("{page}/{nothing}")).await.status, 404, "{nothing}");
    }
}
