//! Switching the language leads on from each page, those that answer a form as well, and what is typed
//! stays.

use super::{
    reading::{Switch, fields_of, form_paths, language_switch},
    world::{Answer, Browser, CODE, World},
};

async fn switched(browser: &mut Browser<'_>, page: &Answer) -> Answer {
    match language_switch(&page.body).unwrap() {
        Switch::Link(address) => browser.get(&address).await,
        Switch::Form { address, fields } => {
            let pairs: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            browser.post(&address, &pairs).await
        }
    }
}

fn is_english(page: &Answer) -> bool {
    page.body.contains("<html lang=\"en\"")
}

/// The page once that is typed into a form's fields, and the switch is pressed.
async fn typed(browser: &mut Browser<'_>, page: &Answer, typed: &[(&str, &str)]) -> Answer {
    let switch = language_switch(&page.body).unwrap();
    let Switch::Form { address, mut fields } = switch else { panic!("{switch:?}") };
    fields.retain(|(name, _)| typed.iter().all(|(other, _)| other != name));
    fields.extend(typed.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())));
    let pairs: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    browser.post(&address, &pairs).await
}

#[tokio::test]
async fn each_answer_to_a_form_leads_to_the_other_language() {
    let paths = form_paths(include_str!("../../src/device/router.rs"));
    assert!(paths.len() >= 9, "{paths:?}");
    let mut followed = 0;
    for path in paths {
        for (is_signed_in, is_own, is_away) in [
            (true, true, false),
            (true, true, true),
            (true, false, false),
            (false, false, false),
            (false, false, true),
        ] {
            for more in [
                &[("do", ""), ("text", "x")][..],
                &[("read", "yes"), ("text_version", "3"), ("about", "x"), ("text", "x")],
                &[("choice", "until"), ("until", "0001-01-01")],
                &[("choice", "give"), ("name", "letters"), ("code", "wrong")],
            ] {
                let world = World::new();
                let mut browser = match is_signed_in {
                    true => Browser::signed_in(&world).await,
                    false => Browser::new(&world),
                };
                let token = match is_own {
                    true => fields_of(&browser.get("/registration").await.body, "message-form")
                        .into_iter()
                        .find_map(|(name, value)| (name == "token").then_some(value))
                        .unwrap(),
                    false => "planted".to_owned(),
                };
                world.cloud.change(|server| server.away = is_away);
                let pairs = [&[("token", token.as_str())], more].concat();
                let page = browser.post(&path, &pairs).await;
                let Some(switch) = language_switch(&page.body) else {
                    assert!(page.body.starts_with('{'), "{path}: {}", page.body);
                    continue;
                };
                let other = switched(&mut browser, &page).await;
                let is_there = other.status == 200 || other.status == page.status;
                // The address of a page that needs the server, which is away.
                let is_there = is_there || (is_away && other.status == 503);
                assert!(is_there && is_english(&other), "{path}: {switch:?}, {}", other.status);
                followed += 1;
            }
        }
    }
    assert!(followed > 100, "{followed}");
}

#[tokio::test]
async fn a_message_half_written_survives_the_switch() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/registration").await;
    let text = "Der Zähler\nist \"falsch\"";
    let english = typed(&mut browser, &page, &[("about", "device"), ("text", text)]).await;
    assert!(english.status == 200 && is_english(&english), "{}", english.text());
    let kept = fields_of(&english.body, "message-form");
    assert_eq!(kept[1..], [("about".into(), "device".into()), ("text".into(), text.to_owned())]);
    assert!(world.cloud.0.lock().unwrap().messages.is_empty(), "nothing is sent");
    // Where the session had ended, too.
    browser.pass(31).await;
    let page =
        browser.submit(&english, "/registration", &[("about", "device"), ("text", text)]).await;
    assert_eq!(page.status, 401);
    let german = switched(&mut browser, &page).await;
    assert!(german.body.contains("<html lang=\"de\""), "{}", german.text());
    let kept = fields_of(&german.body, "sign-in");
    assert!(kept.contains(&("text".to_owned(), text.to_owned())), "{kept:?}");
    assert!(fields_of(&switched(&mut browser, &german).await.body, "sign-in").len() >= 3);
}

#[tokio::test]
async fn the_last_step_of_consent_is_the_same_in_the_other_language() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/consent").await;
    let german = browser.submit(&page, "/consent/confirm", &[("read", "yes")]).await;
    assert_eq!(german.status, 200, "{}", german.text());
    let english = switched(&mut browser, &german).await;
    assert!(english.status == 200 && is_english(&english), "{}", english.text());
    assert_eq!(fields_of(&german.body, "confirm-form"), fields_of(&english.body, "confirm-form"));
    assert!(english.body.contains("action=\"/consent/revoke\""));
    // A wrong code, and the code that is typed stay where they are: nothing is revoked by a switch.
    let again = typed(&mut browser, &english, &[("code", CODE)]).await;
    assert!(again.body.contains("action=\"/consent/revoke\"") && !again.body.contains(CODE));
    let gone = browser.submit(&again, "/consent/revoke", &[]).await;
    assert_eq!(gone.status, 410, "{}", gone.text());
}
