//! The list of households: every state, search, filter, order, pages, and the file.

use ebp_core::scope::Group;
use ebp_store::HouseholdId;
use jiff::SignedDuration;

use crate::world::World;

async fn with(households: usize) -> World {
    let world = World::on_sqlite().await;
    for number in 1..=households {
        world.register(number).await;
        world.clock.advance(SignedDuration::from_mins(1));
    }
    world
}

#[tokio::test]
async fn none_yet_and_none_found() {
    let world = with(0).await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = browser.get("/registration").await;
    assert!(page.body.contains("Noch kein Haushalt") && page.body.contains("/registration/new"));
    assert!(!page.body.contains("type=\"search\""), "there is nothing to search");
    world.register(1).await;
    let page = browser.get("/registration?q=nobody").await;
    assert!(page.body.contains("Kein Haushalt passt dazu."), "{}", page.body);
    let page = browser.get(&format!("/registration?q={}", "x".repeat(500))).await;
    assert!(page.body.contains("Die Suche ist zu lang") && page.body.contains("Mustermann 1"));
}

#[tokio::test]
async fn the_address_carries_search_filter_order_and_page() {
    let world = with(60).await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let first = browser.get("/registration?sort=email&q=example").await;
    let rows = |body: &str| body.matches("<tr><th scope=\"row\">").count();
    assert_eq!(rows(&first.body), 50);
    assert!(first.body.contains("aria-sort=\"ascending\""), "{}", first.body);
    let next = first.body.split("rel=\"next\"").next().unwrap();
    let next = next.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    let next = crate::world::unescaped(next);
    assert!(next.contains("q=example") && next.contains("sort=email"), "{next}");
    let second = browser.get(&next).await;
    assert_eq!(rows(&second.body), 10);
    assert!(!second.body.contains("rel=\"next\"") && second.body.contains("Zum Anfang"));
    // A page of fifty is small: an address of a phone's provider loads it in a moment.
    assert!(first.body.len() < 40_000, "{} octets", first.body.len());

    let one = browser.get("/registration?q=Mustermann+17").await;
    assert_eq!(rows(&one.body), 1);
    assert!(one.body.contains("erika17@example.org") && one.body.contains("51147 Köln"));
}

#[tokio::test]
async fn counts_and_filter_agree() {
    let world = with(3).await;
    let (store, now) = (world.store(), world.survey.clock().now());
    let all = store.search_households(query()).await.unwrap().items;
    store.grant_consent(HouseholdId(all[0].uuid), now).await.unwrap();
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = browser.get("/registration?consent=granted&lang=en").await;
    assert!(page.body.contains("<b>3</b> all") && page.body.contains("<b>2</b> not granted yet"));
    assert!(page.body.contains("<b>1</b> granted") && page.body.contains("<b>0</b> revoked"));
    assert_eq!(page.body.matches("<tr><th scope=\"row\">").count(), 1);
}

fn query() -> ebp_store::HouseholdQuery {
    ebp_store::HouseholdQuery { filter: Default::default(), after: None, limit: 10 }
}

#[tokio::test]
async fn the_file_has_all_that_the_list_has_and_no_formula() {
    let world = with(2).await;
    let mut registration = crate::world::registration(3);
    registration.participant.name = "=cmd|' /C calc'!A0".into();
    world.store().register(registration, world.survey.clock().now()).await.unwrap();
    let mut browser = world.signed_in(Group::Researchers).await;
    let file = browser.get("/registration/households.csv?sort=email").await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"households.csv\"");
    let lines: Vec<_> = file.body.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("uuid;registered_at;name;email;"), "{}", lines[0]);
    assert!(lines[1].contains(";Erika Mustermann 1;erika1@example.org;51147;Köln;not-granted;"));
    assert!(lines[3].contains(";\"'=cmd|' /C calc'!A0\";"), "{}", lines[3]);
    let english = browser.get("/registration/households.csv?lang=en").await;
    assert!(english.body.contains("uuid,registered_at"));
}
