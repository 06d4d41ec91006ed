//! Switching the language leads on from each page, those that answer a form as well, and what is typed
//! stays.

use ebp_core::{contract::MessageAbout, scope::Group};
use ebp_store::HouseholdId;
use uuid::Uuid;

use crate::{
    import::{columns, table, upload},
    reading::{Switch, fields_of, form_paths, language_switch},
    status::consenting,
    world::{Answer, Browser, World},
};

/// The same page in the other language.
async fn switched(browser: &mut Browser, page: &Answer) -> Answer {
    match language_switch(&page.body).unwrap() {
        Switch::Link(address) => browser.get(&address).await,
        Switch::Form { address, fields } => {
            let pairs: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            browser.send(&address, &pairs).await
        }
    }
}

fn is_english(page: &Answer) -> bool {
    page.body.contains("<html lang=\"en\"")
}

/// Sends what a form on a page has, with changes.
async fn submit(
    browser: &mut Browser,
    page: &Answer,
    form: &str,
    path: &str,
    typed: &[(&str, &str)],
) -> Answer {
    let mut pairs = fields_of(&page.body, form);
    pairs.retain(|(name, _)| typed.iter().all(|(other, _)| other != name));
    let pairs = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str()));
    let pairs: Vec<_> = pairs.chain(typed.iter().copied()).collect();
    browser.send(path, &pairs).await
}

#[tokio::test]
async fn each_answer_to_a_form_leads_to_the_other_language() {
    let world = World::on_sqlite().await;
    let mut paths = Vec::new();
    for source in [
        include_str!("../../src/cloud/router.rs"),
        include_str!("../../src/registration/router.rs"),
        include_str!("../../src/status/routes/mod.rs"),
    ] {
        paths.extend(form_paths(source));
    }
    assert!(paths.len() > 30, "{paths:?}");
    let mut followed = 0;
    for (number, path) in paths.into_iter().enumerate() {
        // A form may remove it.
        let made = consenting(&world, number).await;
        // First with things that are there, then with such that are not.
        for (household, device, meter) in [
            (made.household, made.measurement_device, made.meters[0]),
            (Uuid::nil(), Uuid::nil(), Uuid::nil()),
        ] {
            let path = path
                .replace("{household}", &household.to_string())
                .replace("{device}", &device.to_string())
                .replace("{of}/{member}", &format!("meter/{meter}"))
                .replace("{serial}", "1f")
                .replace(['{', '}'], "");
            for who in [None, Some(Group::Researchers), Some(Group::Administrators)] {
                for is_own in [true, false] {
                    let mut browser = match who {
                        Some(group) => world.signed_in(group).await,
                        None => world.browser(),
                    };
                    let home = if who == Some(Group::Administrators) {
                        "/status/alerts/rules?lang=de"
                    } else {
                        "/registration/import?lang=de"
                    };
                    let first = browser.get(home).await;
                    let token = match (who, is_own) {
                        (Some(_), true) => first.input("token"),
                        _ => "planted".to_owned(),
                    };
                    browser.cookies.insert("ebp_language".into(), "de".into());
                    let pairs = [("token", token.as_str()), ("do", "unknown"), ("text", "x")];
                    let page = browser.send(&path, &pairs).await;
                    let Some(switch) = language_switch(&page.body) else {
                        assert!(page.status == 303 || page.body.starts_with('{'), "{path}");
                        continue;
                    };
                    let mut other = switched(&mut browser, &page).await;
                    // Signing in, or the start of a group's pages.
                    for _ in 0..2 {
                        if other.status == 303 {
                            let target = other.location().to_owned();
                            other = browser.get(&target).await;
                        }
                    }
                    // What is not there (any more) is not found, in either language.
                    let is_there = matches!(other.status, 200 | 303)
                        || other.status == page.status
                        || (other.status == 404
                            && (household.is_nil()
                                || path.ends_with("/remove")
                                || path.contains("/certificate/")
                                || path.contains("/session/")));
                    assert!(
                        is_there && is_english(&other),
                        "{path} by {who:?}: {switch:?}, {}",
                        other.status
                    );
                    followed += 1;
                }
            }
        }
    }
    assert!(followed > 150, "{followed}");
}

#[tokio::test]
async fn a_registration_half_filled_in_survives_the_switch() {
    let world = World::on_sqlite().await;
    world.register(1).await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = browser.get("/registration/new?lang=de").await;
    let typed = [("name", "Jörg \"<b>\" Müller"), ("email", "erika1@"), ("do", "add-meter")];
    let page = submit(&mut browser, &page, "household-form", "/registration/new", &typed).await;
    let english = switched(&mut browser, &page).await;
    assert!(english.status == 200 && is_english(&english), "{}", english.body);
    let fields = fields_of(&english.body, "household-form");
    let field =
        |name: &str| fields.iter().find(|(other, _)| other == name).map(|(_, v)| v.as_str());
    assert_eq!((field("name"), field("email")), (Some(typed[0].1), Some("erika1@")));
    assert_eq!(field("meters"), Some("2"));
    // What is wrong is said in the other language, too, and nothing is saved.
    let wrong =
        submit(&mut browser, &english, "household-form", "/registration/new", &[("do", "save")])
            .await;
    assert_eq!(wrong.status, 422);
    let german = switched(&mut browser, &wrong).await;
    assert_eq!(german.status, 422);
    assert!(german.body.contains("<html lang=\"de\"") && german.body.contains("aria-invalid"));
    // The Enter key saves: the first button of the form is not the switch's.
    let first = page.body.find("form=\"household-form\"").unwrap();
    assert!(page.body[first..].starts_with("form=\"household-form\" class=\"default\""));
}

#[tokio::test]
async fn members_withdrawals_and_answers_survive_the_switch() {
    let world = World::on_sqlite().await;
    let made = consenting(&world, 1).await;
    let id = HouseholdId(made.household);
    let new =
        ebp_core::contract::NewMessage { about: MessageAbout::Meter, text: "?".to_owned().into() };
    let written = world.store().add_message(id, new, world.survey.clock().now()).await.unwrap();
    let mut browser = world.signed_in(Group::Researchers).await;
    let of = format!("/registration/household/{}", made.household);
    let answer = format!("text-{}", written.uuid);
    for (path, form, name, typed) in [
        (format!("{of}/meter/new"), "member", "model", "MT 17"),
        (format!("{of}/withdrawal"), "withdrawal", "received_on", "2026-05-01"),
        (of.clone(), "answers", &*answer, "Danke,\nwir sehen nach"),
        ("/registration/messages".to_owned(), "answers", &*answer, "Danke"),
    ] {
        browser.cookies.insert("ebp_language".into(), "de".into());
        let mut page = browser.get(&path).await;
        let fields = fields_of(&page.body, form);
        assert!(fields.iter().any(|(other, _)| other == name), "{path}: {fields:?}");
        // As a browser has it once that is typed.
        let switch = language_switch(&page.body).unwrap();
        let Switch::Form { address, mut fields } = switch else { panic!("{path}: {switch:?}") };
        fields.retain(|(other, _)| other != name);
        fields.push((name.to_owned(), typed.to_owned()));
        let pairs: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        page = browser.send(&address, &pairs).await;
        assert!(page.status == 200 && is_english(&page), "{path}: {}", page.status);
        let kept = fields_of(&page.body, form);
        assert!(kept.contains(&(name.to_owned(), typed.to_owned())), "{path}: {kept:?}");
    }
}

#[tokio::test]
async fn what_is_shown_once_is_the_same_in_the_other_language() {
    let world = World::on_sqlite().await;
    let made = world.register(1).await;
    let device = made.measurement_device;
    let secrets =
        |page: &Answer| [page.input("enrolment"), page.input("code"), page.input("expires")];
    for (group, page, path) in [
        (
            Group::Researchers,
            format!("/registration/household/{}", made.household),
            format!("/registration/household/{}/device/{device}/sheet", made.household),
        ),
        (
            Group::Administrators,
            format!("/status/device/{device}"),
            format!("/status/device/{device}/token"),
        ),
    ] {
        let mut browser = world.signed_in(group).await;
        let german = browser.submit(&page, &path, &[]).await;
        let english = switched(&mut browser, &german).await;
        assert!(german.status == 200 && english.status == 200 && is_english(&english));
        assert_eq!(secrets(&german), secrets(&english));
        assert!(!secrets(&german)[0].is_empty());
        // Another one is made when it is asked for.
        let new = browser.submit(&page, &path, &[]).await;
        assert_ne!(secrets(&new), secrets(&english));
    }
}

#[tokio::test]
async fn an_import_is_switched_at_each_step() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let nothing = upload(&mut browser, b"x").await;
    assert_eq!(nothing.status, 422);
    let english = switched(&mut browser, &nothing).await;
    assert!(english.status == 200 && english.body.contains("id=\"fault\""), "{}", english.body);
    browser.cookies.insert("ebp_language".into(), "de".into());
    let page = upload(&mut browser, &table(2)).await;
    let english = switched(&mut browser, &page).await;
    assert!(is_english(&english));
    assert_eq!(columns(&english), columns(&page));
    browser.cookies.insert("ebp_language".into(), "de".into());
    let pairs = columns(&page);
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let report = browser.send("/registration/import/check", &pairs).await;
    let english = switched(&mut browser, &report).await;
    assert!(english.status == 200 && is_english(&english), "{}", english.body);
    assert!(english.body.contains("<dt>new</dt><dd>2</dd>"), "{}", english.body);
    assert_eq!(english.input("file"), report.input("file"));
    assert!(browser.get("/registration").await.body.contains("No household"), "nothing is stored");
}

#[tokio::test]
async fn a_draft_of_a_lost_session_survives_the_switch() {
    let world = World::on_sqlite().await;
    let mut browser = world.browser();
    browser.cookies.insert("ebp_language".into(), "de".into());
    let pairs = [("name", "Jörg"), ("do", "save")];
    let page = browser.send("/registration/new", &pairs).await;
    assert_eq!(page.status, 401);
    let english = switched(&mut browser, &page).await;
    assert!(english.status == 200 && is_english(&english));
    assert_eq!(english.input("draft"), page.input("draft"));
    let secret = ("secret", crate::world::RESEARCHERS);
    let kept = submit(&mut browser, &english, "sign-in", "/sign-in", &[secret]).await;
    assert_eq!(kept.input("name"), "Jörg", "{}", kept.body);
    let german = switched(&mut browser, &kept).await;
    assert!(german.body.contains("<html lang=\"de\""), "{}", german.body);
    assert_eq!(german.input("name"), "Jörg");
}
