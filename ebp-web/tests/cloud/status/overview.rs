//! The overview: states, filters, orders, pages.

use ebp_core::{model::IncidentType, scope::Group};
use ebp_needs::needs;
use ebp_store::HouseholdId;
use jiff::SignedDuration;

use super::{consenting, report};
use crate::world::World;
use ebp_core::clock::Clock;

async fn shows_the_fleet(world: World) {
    let mut browser = world.signed_in(Group::Administrators).await;
    let none = browser.get("/status?lang=en").await;
    assert_eq!(none.status, 200, "{}", none.body);
    assert!(none.body.contains("No device is registered yet.") && !none.body.contains("<table"));

    world.register(1).await;
    let all_well = browser.get("/status").await;
    assert!(all_well.body.contains("All devices are well."), "{}", all_well.body);

    consenting(&world, 2).await;
    let well = consenting(&world, 3).await;
    let troubled = consenting(&world, 4).await;
    report(&world, &well, "1.2.0").await;
    report(&world, &troubled, "1.2.0").await;
    let (id, meter) = (HouseholdId(troubled.household), troubled.meters[0]);
    let (kind, now) = (IncidentType::SerialPortUnavailable, world.clock.now());
    world.store().report_incident(id, meter, kind, now).await.unwrap();

    let page = browser.get("/status").await;
    let order = ["<b>Never spoke", "<b>Incident", "Healthy", "Without consent"];
    let rows = page.body.split("<tbody>").nth(1).unwrap();
    let places: Vec<_> = order.map(|state| rows.find(state).expect(state)).to_vec();
    assert!(places.is_sorted(), "what needs attention first: {rows}");
    assert!(rows.contains("Reading head unreachable") && rows.contains("Erika Mustermann 4"));
    assert!(page.body.contains("2 devices need attention."));
    // Of people there is the name, and nothing else.
    for other in ["example.org", "Heidestra", "Köln", "51147"] {
        assert!(!page.body.contains(other), "{other}");
    }

    // The address carries filter, search and order.
    let only = browser.get("/status?state=healthy&sort=-last-report").await;
    assert_eq!(only.body.matches("<tr><th scope=\"row\">").count(), 1);
    assert!(only.body.contains("name=\"state\" value=\"healthy\""));
    assert!(only.body.contains("name=\"sort\" value=\"-last-report\""));
    assert!(only.body.contains("aria-sort=\"descending\""));
    let named = browser.get("/status?q=mustermann+3").await;
    assert_eq!(named.body.matches("<tr><th scope=\"row\">").count(), 1);
    let nobody = browser.get("/status?q=%3Cscript%3Ealert(1)").await;
    assert!(nobody.body.contains("No device is like that.") && !nobody.body.contains("<script>a"));
    let odd = browser.get("/status?state=gone&cursor=1").await;
    assert!(odd.status == 200 && odd.body.contains("was left out."), "{}", odd.body);

    // Silent after two report cycles, and well again.
    world.clock.advance(SignedDuration::from_mins(150));
    let mut browser = world.signed_in(Group::Administrators).await;
    let silent = browser.get("/status?state=silent&lang=en").await;
    assert!(silent.body.contains("last report 2 hours ago"), "{}", silent.body);
    report(&world, &well, "1.2.0").await;
    let silent = browser.get("/status?state=silent").await;
    assert_eq!(silent.body.matches("<tr><th scope=\"row\">").count(), 1, "{}", silent.body);
}

#[tokio::test]
async fn on_sqlite() {
    shows_the_fleet(World::on_sqlite().await).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn on_postgresql() {
    shows_the_fleet(World::on_postgresql().await).await;
}

#[tokio::test]
async fn a_hundred_and_one_devices_are_two_pages() {
    let world = World::on_sqlite().await;
    for number in 0..101 {
        consenting(&world, number).await;
    }
    let mut browser = world.signed_in(Group::Administrators).await;
    for sort in ["", "?sort=participant", "?sort=-last-report"] {
        let first = browser.get(&format!("/status{sort}")).await;
        assert!(first.body.len() < 60_000, "{} bytes", first.body.len());
        let next = first.body.split("rel=\"next\" href=\"").nth(1).expect("a next page");
        let next = crate::world::unescaped(next.split('"').next().unwrap());
        let second = browser.get(&next).await;
        let rows = |page: &str| page.matches("<tr><th scope=\"row\">").count();
        assert_eq!((rows(&first.body), rows(&second.body)), (100, 1), "{sort}");
        assert!(!second.body.contains("rel=\"next\""));
    }
    // A cursor of another order is left out.
    let first = browser.get("/status?sort=participant").await;
    let next = first.body.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let cursor = next.split("cursor=").nth(1).unwrap().to_owned();
    let other = browser.get(&format!("/status?sort=-damaged&cursor={cursor}")).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_database_that_is_away_is_said() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Administrators).await;
    assert_eq!(browser.get("/status").await.status, 200);
    world.store().close().await.unwrap();
    let away = browser.get("/status").await;
    assert_eq!(away.status, 503, "{}", away.body);
}
