//! The roll-out: begun, steered by two administrators, and what it shows of devices.

use ebp_core::{
    contract::{DeviceUpdate, RevertedUpdate},
    scope::Group,
};
use ebp_needs::needs;

use super::consenting;
use crate::world::World;

const PAGE: &str = "/status/rollout";

async fn is_steered(world: World) {
    let household = consenting(&world, 1).await;
    let device = household.measurement_device;
    let mut browser = world.signed_in(Group::Administrators).await;
    let page = browser.get("/status/rollout?lang=en").await;
    assert!(page.body.contains("No version was ever rolled out"), "{}", page.body);
    assert_eq!((page.input("steps"), page.input("soak")), ("5, 25, 100".into(), "24".into()));
    let named = device.to_string();
    let pairs = |version: &'static str, steps: &'static str| {
        let first = ("first", named.as_str());
        vec![("version", version), first, ("steps", steps), ("soak", "1")]
    };
    for (version, steps, status, said) in [
        ("newest", "100", 422, "Shares rise up to 100"),
        ("1.4.2", "25, 5", 422, "Shares rise up to 100"),
    ] {
        let answer = browser.submit(PAGE, PAGE, &pairs(version, steps)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(said), "{}", answer.body);
        assert_eq!(answer.input("first"), named, "what was typed stays");
    }
    let unknown = [("version", "1.4.2"), ("first", "00000000-0000-0000-0000-000000000009")];
    let answer = browser.submit(PAGE, PAGE, &unknown).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("One of the devices does not exist"), "{}", answer.body);
    let answer = browser.submit(PAGE, PAGE, &pairs("1.4.2", "50, 100")).await;
    assert_eq!(answer.location(), "/status/rollout?done=begun", "{}", answer.body);

    // The device is offered the version, takes it, and goes back.
    let mut said = DeviceUpdate { kept: Some("1.4.1".to_owned()), ..DeviceUpdate::default() };
    world.survey.report_update(device, said.clone()).await.unwrap();
    while world.survey.judge_rollout().await.unwrap() {}
    world.survey.report_update(device, said.clone()).await.unwrap();
    let reason = "read.service was restarted <3> times".to_owned();
    said.reverted = Some(RevertedUpdate { version: "1.4.2".to_owned(), reason });
    world.survey.report_update(device, said).await.unwrap();
    let page = browser.get("/status/rollout?done=begun").await;
    for said in [
        "The version is rolled out.",
        "1 of 3: the devices that were named",
        "did not keep the version: read.service was restarted &#60;3&#62; times",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(!page.body.contains("name=\"version\""), "there is one at a time");

    // Two administrators: the second sees what the first did.
    let path = page.body.split("action=\"/status/rollout/").nth(1).unwrap();
    let path = format!("/status/rollout/{}", path.split('"').next().unwrap());
    let revision = page.input("revision");
    let halt = [("revision", revision.as_str()), ("action", "halt")];
    let answer = browser.submit(PAGE, &path, &halt).await;
    assert_eq!(answer.location(), "/status/rollout?done=changed", "{}", answer.body);
    let end = [("revision", revision.as_str()), ("action", "end")];
    let answer = browser.submit(PAGE, &path, &end).await;
    assert_eq!(answer.status, 412);
    assert!(answer.body.contains("Somebody else changed it"), "{}", answer.body);
    assert!(answer.body.contains("halted by an administrator"), "{}", answer.body);
    let revision = answer.input("revision");
    let resume = [("revision", revision.as_str()), ("action", "resume")];
    let answer = browser.submit(PAGE, &path, &resume).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = browser.get(PAGE).await;
    assert!(page.body.contains("failed, and somebody went on"), "{}", page.body);
    let revision = page.input("revision");
    let resume = [("revision", revision.as_str()), ("action", "resume")];
    assert_eq!(browser.submit(PAGE, &path, &resume).await.status, 409);
    assert_eq!(browser.submit(PAGE, &path, &[("action", "burn")]).await.status, 404);
    let end = [("revision", revision.as_str()), ("action", "end")];
    assert_eq!(browser.submit(PAGE, &path, &end).await.status, 303);
    let page = browser.get("/status/rollout?lang=de").await;
    assert!(page.body.contains("beendet, Schritt 1, von EM"), "{}", page.body);
    assert_eq!(page.input("version"), "", "another one can begin");
}

#[tokio::test]
async fn on_sqlite() {
    is_steered(World::on_sqlite().await).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn on_postgresql() {
    is_steered(World::on_postgresql().await).await;
}
