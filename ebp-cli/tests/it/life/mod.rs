//! A household's life with the page of its device, in a browser on a name of the home network, against
//! a real server, real daemons and a virtual meter.

mod budget;
mod house;
mod users;

use std::fs;

use ebp_needs::needs;
use ebp_testkit::browser::{Browser, key};
use serde_json::Value;

use crate::support::meter::Meter;
use house::{ENGLISH, GERMAN, House, Texts, WIDTH, assert_quiet, end, lose};

/// Both steps of a decision about consent, up to the button that carries it out.
fn decide(browser: &Browser, step: &str) {
    browser.click("#read");
    browser.click("main form button");
    browser.click(&format!("form[action='/consent/{step}'] button"));
}

fn sign_in(browser: &Browser, house: &House) {
    browser.open_address(&house.address());
    browser.fill_in("#code", &house.code);
    browser.click("main form button");
    browser.wait_for("header nav");
}

/// What the server has of the household's consent, as a researcher sees it.
fn consent(house: &House) -> Value {
    let shown = house.as_researcher(&["household", "show", &house.household]).done();
    shown.json().remove(0)["consent"].clone()
}

/// From the sheet to the device's return, in German.
#[needs(chromium)]
#[test]
fn from_the_sheet_to_the_final_page() {
    let mut house = House::enrol();
    let words = GERMAN;
    let meter = house.start_meter();
    let (reading, sending) = (house.start_daemon("read"), house.start_daemon("transmit"));
    let page = house.start_page();
    let browser = house.browse("de", true);

    // Enrolled, and nothing is measured without consent.
    sign_in(&browser, &house);
    browser.wait_for_text(words.say("state-not-granted"));
    browser.click("main a[href='/consent']");
    decide(&browser, "grant");
    browser.wait_for_text(words.say("granted-now"));
    assert_eq!(consent(&house)["text"]["language"], "de");
    let today = format!("{}/today", house.address());
    browser.open_address(&today);
    browser.reload_until(words.say("last-measured"));
    browser.reload_until(words.say("last-sent"));
    browser.wait_for_text(words.say("state-well"));
    assert!(browser.text().contains(" kW"), "{}", browser.text());

    let _meter = a_gap(&browser, &house, meter);
    a_mistake(&browser, &house);
    assert_quiet(&browser, &house, &[]);

    // The server is away: the page says what it knows, and that measuring goes on.
    house.server.end();
    browser.open_address(&today);
    browser.wait_for_text(words.say("cloud-away-since"));
    browser.wait_for_text(words.say("state-well"));
    browser.reload_until("warten auf diesem Gerät");
    browser.open_address(&format!("{}/consent", house.address()));
    browser.wait_for_text(words.say("away-holds"));
    house.server.go_on();
    browser.reload_until(words.say("revoke-tick"));
    assert_quiet(&browser, &house, &[503]);

    // Revoked: both daemons end for good, and every address shows the final page.
    decide(&browser, "revoke");
    browser.wait_for_text(words.say("ended-title"));
    browser.open_address(&today);
    browser.wait_for_text(words.say("ended-title"));
    assert_quiet(&browser, &house, &[410]);
    for daemon in [reading, sending] {
        assert_eq!(daemon.end().code, Some(4));
    }
    end(page).done();

    // It outlives a restart without the server and without the spool, and holds nothing of anybody.
    lose(&house.at("spool"));
    house.server.end();
    let page = house.start_page();
    browser.open_address(&house.address());
    browser.wait_for_text(words.say("ended-title"));
    assert!(!browser.text().contains("Erika"), "{}", browser.text());
    assert_quiet(&browser, &house, &[410]);
    for entry in fs::read_dir(house.at("page")).unwrap() {
        let kept = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!kept.contains("Erika") && !kept.contains("Muster"), "{kept}");
    }
    let said = end(page).done().stderr;
    assert!(!said.contains(&house.code) && !said.contains("Erika"), "{said}");
}

/// The reading head loses its meter, and finds it again.
fn a_gap(browser: &Browser, house: &House, meter: Meter) -> Meter {
    meter.kill();
    browser.reload_until(GERMAN.say("state-head"));
    let meter = house.start_meter();
    browser.reload_until(GERMAN.say("state-well"));
    meter
}

/// The household says what is wrong; the researchers correct and answer it.
fn a_mistake(browser: &Browser, house: &House) {
    browser.open_address(&format!("{}/registration?about=address#message", house.address()));
    browser.wait_for_text("Musterstraße 17");
    // A telephone shows a page that is wider than its screen smaller, instead of scrolling sideways.
    assert_eq!(browser.run("return innerWidth"), WIDTH, "the page is wider than the screen");
    browser.fill_in("#text", "Wir wohnen in Nummer 71.");
    browser.click("#message form button");
    browser.wait_for_text(GERMAN.say("message-sent"));
    let listed = house.as_researcher(&["message", "list", "--format", "json"]).done().json();
    let message = listed.iter().find(|message| message["text"] == "Wir wohnen in Nummer 71.");
    let message = message.unwrap_or_else(|| panic!("{listed:?}"))["uuid"].as_str().unwrap();
    let change = house.at("change.toml");
    let address = "[address]\nstreet = \"Musterstraße 71\"\npostal_code = \"65183\"\n\
                   city = \"Wiesbaden\"\ncountry = \"DE\"\n";
    fs::write(&change, address).unwrap();
    house.as_researcher(&["household", "edit", &house.household, change.to_str().unwrap()]).done();
    house.as_researcher(&["message", "answer", message, "--text", "Das ist berichtigt."]).done();
    browser.open_address(&format!("{}/registration", house.address()));
    browser.wait_for_text("Das ist berichtigt.");
    assert!(browser.text().contains("Musterstraße 71"), "{}", browser.text());
}

/// Granting and revoking in English, in a browser that runs no script.
#[needs(chromium)]
#[test]
fn granting_and_revoking_without_script() {
    let house = House::enrol();
    let _page = house.start_page();
    let browser = house.browse("en", false);
    sign_in(&browser, &house);
    for step in ["grant", "revoke"] {
        browser.open_address(&format!("{}/consent", house.address()));
        decide(&browser, step);
        after(&browser, &ENGLISH, step);
    }
    assert_quiet(&browser, &house, &[410]);
}

/// The same without a mouse.
#[needs(chromium)]
#[test]
fn granting_and_revoking_by_keyboard_alone() {
    let house = House::enrol();
    let _page = house.start_page();
    let browser = house.browse("de", true);
    browser.open_address(&house.address());
    focus(&browser, "#code");
    browser.press(house.code.chars());
    browser.press([key::ENTER]);
    browser.wait_for("header nav");
    for step in ["grant", "revoke"] {
        focus(&browser, "header nav a[href='/consent']");
        browser.press([key::ENTER]);
        focus(&browser, "#read");
        browser.press([key::SPACE]);
        focus(&browser, "main form button");
        browser.press([key::ENTER]);
        focus(&browser, &format!("form[action='/consent/{step}'] button"));
        browser.press([key::ENTER]);
        after(&browser, &GERMAN, step);
    }
    assert_quiet(&browser, &house, &[410]);
}

/// Goes to an element by the tabulator, and looks that it can be seen that it has the focus.
#[track_caller]
fn focus(browser: &Browser, selector: &str) {
    browser.tab_to(selector);
    let outline = "const style = getComputedStyle(document.activeElement);
        return style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2";
    assert_eq!(browser.run(outline), true, "{selector} does not show that it has the focus");
}

#[track_caller]
fn after(browser: &Browser, words: &Texts, step: &str) {
    browser.wait_for_text(words.say(if step == "grant" { "granted-now" } else { "ended-title" }));
}
