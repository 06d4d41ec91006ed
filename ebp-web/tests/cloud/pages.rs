//! Main pages as they are sent, but for what is drawn at random.

use ebp_core::scope::Group;

use crate::world::{Answer, World};

/// The page's content, with names in the place of what differs at each run.
fn content(page: &Answer, names: &[(&str, &str)]) -> String {
    let start = page.body.find("<main").unwrap();
    let end = page.body.find("</main>").unwrap();
    let token = if page.body.contains("name=\"token\"") { page.input("token") } else { "-".into() };
    let version = match page.body[start..end].contains("name=\"version\"") {
        true => page.input("version"),
        false => "-".into(),
    };
    let mut text = page.body[start..end].to_owned();
    for (value, name) in names.iter().chain(&[(&*token, "TOKEN"), (&*version, "VERSION")]) {
        if *value != "-" {
            text = text.replace(value, name);
        }
    }
    text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn main_pages_in_both_languages() {
    let world = World::on_sqlite().await;
    let made = world.register(1).await;
    let (household, device) = (made.household.to_string(), made.measurement_device.to_string());
    let meters: Vec<String> = made.meters.iter().map(ToString::to_string).collect();
    let system = made.pv_systems[0].to_string();
    let names = [
        (household.as_str(), "HOUSEHOLD"),
        (device.as_str(), "DEVICE"),
        (&device[..8], "DEVICE"),
        (meters[0].as_str(), "METER-0"),
        (meters[1].as_str(), "METER-1"),
        (system.as_str(), "SYSTEM"),
    ];
    let mut browser = world.signed_in(Group::Researchers).await;
    for language in ["de", "en"] {
        for (path, name) in [
            ("/registration".to_owned(), "households"),
            ("/registration/new".to_owned(), "new"),
            (format!("/registration/household/{household}"), "household"),
            (format!("/registration/household/{household}/withdrawal"), "withdrawal"),
            ("/registration/import".to_owned(), "import"),
            ("/sign-in".to_owned(), "sign_in"),
        ] {
            let page = browser.get(&format!("{path}?lang={language}")).await;
            assert_eq!(page.status, 200, "{path}");
            insta::assert_snapshot!(format!("{name}_{language}"), content(&page, &names));
        }
    }
}
