//! Alerts: rules that two administrators change, a test, the log.

use ebp_core::scope::Group;
use ebp_needs::needs;

use crate::world::World;

const RULES: &str = "/status/alerts/rules";

async fn changes_rules(world: World) {
    let mut browser = world.signed_in(Group::Administrators).await;
    let page = browser.get("/status/alerts?lang=en").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("no report for 2 hours"), "{}", page.body);
    assert!(page.body.contains("No message was sent yet."));
    assert!(page.body.contains("The rules are those of the configuration."));

    let form = browser.get(RULES).await;
    assert_eq!((form.input("version"), form.input("silent")), ("0".into(), "120".into()));
    let pairs =
        |version: &'static str, silent: &'static str, more: &[(&'static str, &'static str)]| {
            let pairs = [("version", version), ("silent", silent), ("late", ""), ("damaged", "30")];
            [&pairs[..], more].concat()
        };
    for (more, said) in [
        (&[("incident", "never")][..], "Between 1 minute and 366 days"),
        (&[("quiet_from", "22:00"), ("quiet_to", "22:00")], "Quiet hours need two different"),
        (&[("quiet_from", "22:00"), ("quiet_to", "7")], "Quiet hours need two different"),
    ] {
        let answer = browser.submit(RULES, RULES, &pairs("0", "77", more)).await;
        assert_eq!(answer.status, 422, "{more:?}");
        assert!(answer.body.contains(said), "{more:?}: {}", answer.body);
        assert_eq!(answer.input("silent"), "77", "what was typed stays");
    }
    let quiet = [("quiet_from", "22:00"), ("quiet_to", "07:00")];
    let answer = browser.submit(RULES, RULES, &pairs("0", "60", &quiet)).await;
    assert_eq!(answer.location(), "/status/alerts?done=rules", "{}", answer.body);
    let page = browser.get("/status/alerts?done=rules").await.body;
    assert!(page.contains("no report for 1 hour") && page.contains("not used"), "{page}");
    assert!(page.contains("Nothing is sent from 22:00 to 07:00") && page.contains("Version 1,"));

    // A second administrator had opened the form before.
    let answer = browser.submit(RULES, RULES, &pairs("0", "90", &[])).await;
    assert_eq!(answer.status, 412);
    assert!(answer.body.contains("no report for 1 hour"), "theirs: {}", answer.body);
    assert_eq!((answer.input("silent"), answer.input("version")), ("90".into(), "1".into()));
    let answer = browser.submit(RULES, RULES, &pairs("1", "90", &[])).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let kept = world.store().alert_rules(9).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|it| (it.version, it.rules.silent)).collect();
    assert_eq!(kept, [(2, Some(5_400)), (1, Some(3_600))]);
}

#[tokio::test]
async fn on_sqlite() {
    changes_rules(World::on_sqlite().await).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn on_postgresql() {
    changes_rules(World::on_postgresql().await).await;
}

#[tokio::test]
async fn a_test_is_made_and_logged() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Administrators).await;
    browser.get("/status/alerts?lang=en").await;
    for _ in 0..21 {
        let answer = browser.submit("/status/alerts", "/status/alerts/test", &[]).await;
        assert_eq!(answer.location(), "/status/alerts?done=test");
    }
    assert_eq!(world.server.woken(), 21);
    let page = browser.get("/status/alerts?done=test").await.body;
    assert!(page.contains("A test was made"), "{page}");
    assert_eq!(page.matches("<h3>Test,").count(), 20);
    assert!(page.contains("Webhook: waiting, 0 attempts"), "{page}");
    let older = page.split("quiet\" href=\"/status/alerts?until=").nth(1).expect("older ones");
    let older = older.split('"').next().unwrap();
    let page = browser.get(&format!("/status/alerts?until={older}")).await.body;
    assert_eq!(page.matches("<h3>Test,").count(), 1);
    assert!(page.contains("Latest messages") && !page.contains("Older messages"));
}
