//! Every page and form of the administrators with every session, and with none.

use ebp_core::scope::Group;
use uuid::Uuid;

use super::{consenting, page};
use crate::world::World;

/// The paths of pages, and of forms.
fn paths(device: &str) -> [Vec<String>; 2] {
    let (serial, some) = ("01".repeat(16), Uuid::from_u128(1));
    let of_device = |path: &str| format!("{device}{path}");
    let pages = vec![
        "/status".to_owned(),
        of_device(""),
        of_device(&format!("/certificate/{serial}")),
        of_device("/certificate/all"),
        "/status/alerts".to_owned(),
        "/status/alerts/rules".to_owned(),
        "/status/rollout".to_owned(),
        "/status/server".to_owned(),
        format!("/status/server/session/{some}"),
    ];
    let forms = vec![
        of_device("/silence"),
        of_device("/silence/end"),
        of_device("/token"),
        of_device(&format!("/certificate/{serial}")),
        of_device("/certificate/all"),
        of_device(&format!("/session/{some}/end")),
        "/status/alerts/rules".to_owned(),
        "/status/alerts/test".to_owned(),
        "/status/rollout".to_owned(),
        format!("/status/rollout/{some}"),
        format!("/status/server/job/{some}/cancel"),
        format!("/status/server/job/{some}/retry"),
        format!("/status/server/session/{some}"),
    ];
    [pages, forms]
}

#[tokio::test]
async fn pages_and_forms_are_for_administrators_alone() {
    let world = World::on_sqlite().await;
    let household = consenting(&world, 1).await;
    let [pages, forms] = paths(&page(&household));
    let mut nobody = world.browser();
    let mut researcher = world.signed_in(Group::Researchers).await;
    let mut administrator = world.signed_in(Group::Administrators).await;
    let own = researcher.get("/registration").await.input("token");
    for path in &pages {
        let answer = nobody.get(path).await;
        assert!(answer.location().starts_with("/sign-in?group=administrators"), "{path}");
        assert_eq!(researcher.get(path).await.status, 403, "{path}");
        assert!([200, 404].contains(&administrator.get(path).await.status), "{path}");
        let foreign = [("sec-fetch-site".to_owned(), "same-origin".to_owned())];
        nobody.headers = foreign.to_vec();
        assert_eq!(nobody.get(path).await.status, 303, "{path}");
        nobody.headers.clear();
    }
    for path in &forms {
        let answer = nobody.send(path, &[("token", "x")]).await;
        assert!(!answer.headers.contains_key("location"), "{path}");
        assert!(answer.body.contains("name=\"secret\""), "{path} asks who it is: {}", answer.body);
        let answer = researcher.send(path, &[("token", &own)]).await;
        assert_eq!(answer.status, 403, "{path}");
        // Neither another page's token, nor another origin, nor looking does anything.
        for token in ["", own.as_str()] {
            assert_eq!(administrator.send(path, &[("token", token)]).await.status, 403, "{path}");
        }
        let token = administrator.get("/status").await.input("token");
        for origin in ["null", "https://evil.example", "http://survey.example.org"] {
            let answer = administrator.send_from(origin, path, &[("token", &token)]).await;
            assert_eq!(answer.status, 403, "{path} from {origin}");
        }
        if !pages.contains(path) {
            assert_eq!(administrator.get(path).await.status, 405, "{path}");
        }
    }
    // Nothing of all that was done.
    assert!(world.store().alert_rules(1).await.unwrap().is_empty());
    assert_eq!(world.store().latest_rollout().await.unwrap(), None);
    assert_eq!(world.survey.web_sessions().await.unwrap().len(), 2);
    assert_eq!(world.server.woken(), 0);
    let silence = world.survey.device_silence(household.measurement_device).await;
    assert!(silence.is_err());
}

#[tokio::test]
async fn every_page_is_in_both_languages() {
    let world = World::on_sqlite().await;
    let household = consenting(&world, 1).await;
    let [pages, _] = paths(&page(&household));
    let mut browser = world.signed_in(Group::Administrators).await;
    for path in pages {
        for (language, word) in [("de", "Abmelden"), ("en", "Sign out")] {
            let answer = browser.get(&format!("{path}?lang={language}")).await.body;
            assert!(answer.contains(&format!("<html lang=\"{language}\"")), "{path}");
            assert!(answer.contains(word), "{path}");
            assert_eq!(answer.matches("<h1>").count(), 1, "{path}");
            assert!(!answer.contains(" style=") && !answer.contains("onclick"), "{path}");
        }
    }
}
