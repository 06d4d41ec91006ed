//! Messages to the researchers: nothing that was written is lost, and faults stand beside their
//! fields.

use super::world::{Browser, CODE, World};

const PATH: &str = "/registration";

#[tokio::test]
async fn a_message_survives_the_end_of_the_session() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(PATH).await;
    browser.pass(31).await;
    let text = "<b>Zähler</b>\r\nist \"falsch\"";
    let asked = browser.submit(&page, PATH, &[("about", "meter"), ("text", text)]).await;
    assert_eq!(asked.status, 401);
    assert!(asked.text().contains("Ihre Nachricht bleibt erhalten"), "{}", asked.text());
    let hidden = unescaped(&asked, "text");
    assert_eq!((hidden.as_str(), unescaped(&asked, "about").as_str()), (text, "meter"));

    // A wrong code does not lose it.
    let fields = [("about", "meter"), ("text", text), ("code", "AAAA-AAAA")];
    let wrong = browser.post("/sign-in", &fields).await;
    assert_eq!((wrong.status, unescaped(&wrong, "text").as_str()), (422, text));
    let again =
        browser.post("/sign-in", &[("about", "meter"), ("text", text), ("code", CODE)]).await;
    assert_eq!(again.status, 200);
    assert!(again.text().contains("noch nicht gesendet"), "{}", again.text());
    assert!(again.body.contains("value=\"meter\" selected"), "{}", again.body);
    assert!(again.body.contains(">&#60;b&#62;Zähler&#60;/b&#62;\r\nist "), "{}", again.body);
    world.cloud.change(|server| assert!(server.messages.is_empty()));
    let sent = browser.submit(&again, PATH, &[("about", "meter"), ("text", text)]).await;
    assert!(sent.text().contains("Ihre Nachricht ist angekommen"), "{}", sent.text());

    // Without a message the way is the one of any other page.
    browser.pass(31).await;
    let led = browser.post(PATH, &[("about", "meter"), ("text", " ")]).await;
    assert!(led.status == 200 && !led.body.contains("name=\"text\""), "{}", led.body);
}

/// The value of a hidden field.
fn unescaped(page: &super::world::Answer, name: &str) -> String {
    let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let value = page.body.split(&start).nth(1).unwrap().split("\">").next().unwrap();
    value.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"")
}

#[tokio::test]
async fn faults_stand_beside_their_fields() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(PATH).await;
    assert!(!page.body.contains("aria-invalid"));
    let fault = |page: &super::world::Answer, name: &str| {
        let start = format!("id=\"{name}-fault\"");
        let rest = page.body.split(&start).nth(1).unwrap().split("</p>").next().unwrap();
        rest.split_once('>').unwrap().1.to_owned()
    };
    let refused = browser.submit(&page, PATH, &[("about", "weather"), ("text", "a")]).await;
    assert_eq!((refused.status, fault(&refused, "text").as_str()), (422, ""));
    assert_eq!(fault(&refused, "about"), "Wählen Sie, worum es geht.");
    let about = "name=\"about\" aria-describedby=\"about-fault\" aria-invalid=\"true\"";
    assert!(refused.body.contains(about) && refused.body.contains("href=\"#about\""));
    assert!(!refused.body.contains("href=\"#text\"") && refused.body.contains("autofocus"));

    // What is empty once it is cleaned is told as that, and not as a fault of the server.
    let refused = browser.submit(&page, PATH, &[("about", ""), ("text", "\u{1}\u{2}")]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(fault(&refused, "text"), "Schreiben Sie, was nicht stimmt.");
    assert!(refused.body.contains("href=\"#about\"") && refused.body.contains("href=\"#text\""));

    // A fault of the server is none of a field.
    world.cloud.change(|server| server.away = true);
    let kept = browser.submit(&page, PATH, &[("about", "meter"), ("text", "a")]).await;
    assert_eq!((kept.status, kept.body.contains("aria-invalid")), (503, false), "{}", kept.body);
    assert!(kept.text().contains("konnte nicht gesendet werden"), "{}", kept.text());
    world.cloud.change(|server| server.away = false);
}

#[tokio::test]
async fn a_tab_keeps_words_apart() {
    let world = World::new();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(PATH).await;
    let fields = [("about", "meter"), ("text", "Bezug\t123\u{7}\r\nkWh")];
    let sent = browser.submit(&page, PATH, &fields).await;
    assert!(sent.text().contains("Ihre Nachricht ist angekommen"), "{}", sent.text());
    world.cloud.change(|server| assert_eq!(server.messages[0].text, "Bezug 123\nkWh"));
}
