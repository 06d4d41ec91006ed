//! The researchers' day in headless Chromium: signing in, importing ten households, correcting one,
//! two who correct the same one, the keyboard alone, no script, both languages; each page is checked by
//! axe.

use std::{collections::BTreeSet, io::Write, thread};

use ebp_core::{
    clock::Clock,
    contract::{MessageAbout, NewMessage},
    model::device_host_name,
};
use ebp_needs::needs;
use ebp_store::HouseholdId;
use ebp_testkit::browser::{Browser, Pixels, View, key};
use ebp_web::kit::listener::{Limits, serve};
use jiff::SignedDuration;
use tokio::runtime::{Builder, Runtime};

use crate::{
    look::look,
    world::{HOST, RESEARCHERS, World},
};

/// Pages on a port of their own, served by a thread of their own.
pub struct Site {
    pub world: World,
    pub address: String,
    pub runtime: Runtime,
}

impl Site {
    pub fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = runtime.block_on(World::on_loopback());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let limits = Limits { connections: 64, ..Limits::default() };
        runtime.spawn(serve(listener, world.router.clone(), limits, std::future::pending()));
        Self { world, address: format!("http://{HOST}:{port}"), runtime }
    }

    fn register(&self, households: usize) -> Vec<String> {
        let register = async |number| self.world.register(number).await.household.to_string();
        (1..=households).map(|number| self.runtime.block_on(register(number))).collect()
    }

    /// A survey that goes on since half a year: consents, of which some were revoked, and a message.
    fn live(&self) -> String {
        let all = self.runtime.block_on(async {
            let (store, now) = (self.world.store(), self.world.clock.now());
            let mut all = Vec::new();
            for number in 1..=60 {
                let id = HouseholdId(self.world.register(number).await.household);
                all.push(id);
                if number % 10 == 9 {
                    continue;
                }
                let months = i64::try_from(number % 6).unwrap();
                store
                    .grant_consent(id, now - SignedDuration::from_hours(730 * months))
                    .await
                    .unwrap();
                if number % 20 == 10 {
                    store.revoke_consent(id, now).await.unwrap();
                }
            }
            let text = "Unser Zähler am Netz heißt MT681.".to_owned().into();
            let message = NewMessage { about: MessageAbout::Meter, text };
            store.add_message(all[0], message, now).await.unwrap();
            all
        });
        all[0].0.to_string()
    }

    pub fn browse(&self, width: u32, language: &str, has_script: bool) -> Browser {
        Browser::open(View { hosts: &[HOST], width, language, has_script, switches: &[] })
    }

    pub fn sign_in(&self, browser: &Browser) {
        browser.open_address(&format!("{}/registration", self.address));
        browser.fill_in("#secret", RESEARCHERS);
        browser.fill_in("#label", "EM");
        browser.click("form[action='/sign-in'] button");
        browser.wait_for("nav");
    }
}

/// A table of ten households.
fn table(folder: &std::path::Path) -> String {
    let path = folder.join("ten.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(
        file,
        "Name;E-Mail;Straße;PLZ;Ort;Land;Breite;Länge;Kinder;Erwachsene;Berufstätige;Wallbox;\
         Wärmepumpe;Heimspeicher;Zählerart;Zähler"
    )
    .unwrap();
    for row in 1..=10 {
        writeln!(
            file,
            "Jörg Müller {row};joerg{row}@example.org;Gasse {row};51147;Köln;DE;50,85;7,1;1;2;1;nein;\
             ja;nein;ELECTRICITY;MT175"
        )
        .unwrap();
    }
    path.to_str().unwrap().to_owned()
}

#[needs(chromium)]
#[test]
fn pages_are_sound_at_every_width_in_both_languages() {
    let site = Site::start();
    let household = site.live();
    for width in [320, 390, 1280] {
        for (language, theme) in [("de", "light"), ("en", "dark")] {
            let browser = site.browse(width, language, true);
            let name = |page: &str| format!("registration-{page}-{language}-{theme}-{width}");
            browser.open_address(&format!("{}/sign-in?theme={theme}", site.address));
            look(&browser, &name("sign-in"), &[404]);
            site.sign_in(&browser);
            for (path, page) in [
                ("/registration", "households"),
                ("/registration?q=nobody", "none-found"),
                ("/registration/new", "new"),
                (&format!("/registration/household/{household}"), "household"),
                (&format!("/registration/household/{household}/edit"), "edit"),
                (&format!("/registration/household/{household}/withdrawal"), "withdrawal"),
                (&format!("/registration/household/{household}/meter/new"), "meter"),
                ("/registration/import", "import"),
                ("/registration/messages", "messages"),
                ("/registration/consents", "consents"),
                ("/registration/geodata", "geodata"),
                ("/privacy", "privacy"),
                ("/nothing", "nothing"),
            ] {
                browser.open_address(&format!("{}{path}", site.address));
                look(&browser, &name(page), &[404]);
            }
            browser.open_address(&format!("{}/registration/household/{household}", site.address));
            browser.click("form[action$='/sheet'] button");
            browser.wait_for(".paper");
            look(&browser, &name("sheet"), &[404]);
        }
    }
}

#[needs(chromium)]
#[test]
fn ten_are_imported_and_one_is_corrected() {
    let site = Site::start();
    let folder = tempfile::tempdir().unwrap();
    let file = table(folder.path());
    for has_script in [true, false] {
        let browser = site.browse(1280, "de", has_script);
        site.sign_in(&browser);
        browser.open_address(&format!("{}/registration/import", site.address));
        browser.fill_in("#file", &file);
        browser.click("main form button");
        browser.wait_for_text("Die Tabelle hat 10 Zeilen");
        browser.click("main form button");
        browser.wait_for_text("Alle Zeilen sind richtig.");
        if has_script {
            look(&browser, "registration-report-de-light-1280", &[404]);
        }
        browser.click("form[action$='/run'] button");
        browser.wait_for_text("Der Import wartet");
    }
    // What the servers' workers do is not these pages'.
    site.register(10);
    let browser = site.browse(390, "de", false);
    site.sign_in(&browser);
    browser.open_address(&format!("{}/registration?q=Mustermann+7", site.address));
    browser.click("tbody a");
    browser.click("a[href$='/edit']");
    browser.fill_in("#city", "-Porz");
    browser.click(".wide > .row button");
    browser.wait_for_text("Die Änderung ist gespeichert.");
    assert!(browser.text().contains("Köln-Porz"), "{}", browser.text());
}

#[needs(chromium)]
#[test]
fn of_two_researchers_the_second_sees_both_versions() {
    let site = Site::start();
    let household = site.register(1).remove(0);
    let path = format!("{}/registration/household/{household}/edit", site.address);
    let (one, two) = (site.browse(1280, "en", true), site.browse(1280, "de", false));
    for browser in [&one, &two] {
        site.sign_in(browser);
        browser.open_address(&path);
    }
    one.fill_in("#city", " Porz");
    one.click(".wide > .row button");
    one.wait_for_text("The change is saved.");
    two.fill_in("#street", "a");
    two.click(".wide > .row button");
    two.wait_for_text("Jemand anderes hat diesen Haushalt inzwischen geändert");
    let shown = two.text();
    assert!(shown.contains("Heidestraße 1a") && shown.contains("Köln Porz"), "{shown}");
}

#[needs(chromium)]
#[test]
fn a_household_is_registered_by_keyboard_alone() {
    let site = Site::start();
    let browser = site.browse(1280, "de", true);
    browser.open_address(&format!("{}/registration/new", site.address));
    browser.tab_to("#secret");
    browser.press(RESEARCHERS.chars());
    browser.press([key::ENTER]);
    browser.wait_for("#name");
    for (field, text) in [
        ("name", "Max Beispiel"),
        ("email", "max@example.org"),
        ("street", "Gasse 1"),
        ("postal_code", "01067"),
        ("city", "Dresden"),
        ("children", "0"),
        ("adults", "2"),
        ("adults_with_job", "1"),
        ("meter-0-model", "MT175"),
    ] {
        browser.tab_to(&format!("#{field}"));
        browser.press(text.chars());
    }
    browser.press([key::ENTER]);
    browser.wait_for_text("Der Haushalt ist registriert.");
    // What the server says while it is typed.
    browser.open_address(&format!("{}/registration/new", site.address));
    browser.fill_in("#email", "max");
    let fault = "return document.getElementById('email-fault').textContent";
    for _ in 0..100 {
        if browser.run(fault) != "" {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(browser.run(fault).as_str().unwrap().contains("erika@example.org"));
}

#[needs(chromium)]
#[test]
fn what_is_typed_outlives_a_session_and_is_forgotten_once_saved() {
    let site = Site::start();
    let browser = site.browse(1280, "de", true);
    site.sign_in(&browser);
    let new = format!("{}/registration/new", site.address);
    let value = |field: &str| {
        let value = browser.run(&format!("return document.getElementById('{field}').value"));
        value.as_str().unwrap().to_owned()
    };
    let is_offered = || browser.run("return !document.getElementById('draft').hidden") == true;
    browser.open_address(&new);
    assert!(!is_offered(), "nothing was typed");
    browser.fill_in("#name", "Max Beispiel");
    browser.click("button[value='add-meter']");
    browser.wait_for("#meter-1-model");
    browser.fill_in("#meter-1-model", "MT175");
    site.runtime.block_on(async {
        for session in site.world.survey.web_sessions().await.unwrap() {
            site.world.survey.end_web_session(session.uuid).await.unwrap();
        }
    });
    site.sign_in(&browser);
    browser.open_address(&new);
    assert!(is_offered());
    browser.click("[data-restore]");
    browser.wait_for("#meter-1-model");
    assert_eq!((value("name"), value("meter-1-model")), ("Max Beispiel".into(), "MT175".into()));
    for (field, text) in [
        ("email", "max@example.org"),
        ("street", "Gasse 1"),
        ("postal_code", "01067"),
        ("city", "Dresden"),
        ("children", "0"),
        ("adults", "2"),
        ("adults_with_job", "1"),
        ("meter-0-model", "MT175"),
    ] {
        browser.fill_in(&format!("#{field}"), text);
    }
    browser.click(".wide > .row button");
    // A generation meter without a system is unusual.
    browser.click("button[value='save-anyway']");
    browser.wait_for_text("Der Haushalt ist registriert.");
    browser.open_address(&new);
    assert!(!is_offered() && value("name").is_empty(), "what is saved is forgotten");

    browser.fill_in("#name", "Erika");
    browser.click("form[action='/sign-out'] button");
    browser.wait_for("#secret");
    let kept = browser.run("return Object.keys(sessionStorage).length");
    assert_eq!(kept, 0, "and so is everything by signing out");
    assert_eq!(browser.console(&[401, 404]), Vec::<String>::new());
}

/// The sheet is one page, and a reader of QR codes finds on it the address and the token that stand
/// beside the codes.
#[needs(chromium)]
#[test]
fn the_sheet_prints_on_one_page() {
    let site = Site::start();
    let registered = site.runtime.block_on(site.world.register(1));
    let household = registered.household;
    let address = format!("http://{}.local/", device_host_name(registered.measurement_device));
    for language in ["de", "en"] {
        let browser = site.browse(1280, language, true);
        site.sign_in(&browser);
        browser.open_address(&format!("{}/registration/household/{household}", site.address));
        browser.click("form[action$='/sheet'] button");
        browser.wait_for(".paper");
        let token = browser.run("return document.querySelector('.installer code').textContent");
        assert!(browser.text().contains(&address), "{address}");
        let printed = browser.print();
        assert!(printed.starts_with(b"%PDF-"));
        let text = String::from_utf8_lossy(&printed);
        assert_eq!(text.matches("/Type /Page\n").count(), 1, "{language}: it is one page");
        // A4, in points.
        let size = text.split("/MediaBox [0 0 ").nth(1).and_then(|rest| rest.split(']').next());
        let size: Vec<f64> = size.unwrap().split(' ').map(|side| side.parse().unwrap()).collect();
        assert!((size[0] - 595.0).abs() < 1.0 && (size[1] - 842.0).abs() < 1.0, "{size:?}");
        let codes = read_codes(&browser.show_printed(&printed));
        assert_eq!(codes, [address.as_str(), token.as_str().unwrap()].map(str::to_owned).into());
    }
}

/// The texts of the QR codes in a picture, as a telephone reads them.
fn read_codes(picture: &Pixels) -> BTreeSet<String> {
    let Pixels { width, height, brightness } = picture;
    let at = |x: usize, y: usize| brightness[y * width + x];
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(*width, *height, at);
    let decoded = picture.detect_grids().into_iter().filter_map(|grid| grid.decode().ok());
    decoded.map(|(_, text)| text).collect()
}

/// Without script the place is moved by buttons, and what was typed stays; by keyboard alone.
#[needs(chromium)]
#[test]
fn the_place_is_moved_by_keyboard_without_script() {
    let site = Site::start();
    let browser = site.browse(390, "en", false);
    site.sign_in(&browser);
    browser.open_address(&format!("{}/registration/new", site.address));
    browser.tab_to("#name");
    browser.press("Max Beispiel".chars());
    let value = |field: &str| {
        let value = browser.run(&format!("return document.getElementById('{field}').value"));
        value.as_str().unwrap().to_owned()
    };
    // From the middle of Germany on.
    for (button, latitude, longitude) in [
        ("north", "51.01000", "10.00000"),
        ("east", "51.01000", "10.01500"),
        ("south", "51.00000", "10.01500"),
        ("west", "51.00000", "10.00000"),
    ] {
        browser.tab_to(&format!("[name=do][value={button}]"));
        browser.press([key::ENTER]);
        browser.wait_for(&format!("#latitude[value='{latitude}']"));
        assert_eq!(value("longitude"), longitude, "{button}");
        assert_eq!(value("name"), "Max Beispiel", "{button}");
    }
    browser.wait_for("[data-region]");
    // The map of the one region, and back.
    browser.tab_to("[name=do][value=near]");
    browser.press([key::ENTER]);
    browser.wait_for("[name=map][src^='/registration/region/']");
    // Pressed by keyboard, the map says nothing of a place.
    browser.tab_to("[name=map]");
    let _ = browser.run("document.documentElement.dataset.before = 'yes'");
    browser.press([key::ENTER]);
    browser.wait_for("html:not([data-before])");
    browser.tab_to("[name=do][value=far]");
    browser.press([key::ENTER]);
    browser.wait_for("[name=map][src='/registration/regions.svg']");
    assert_eq!((value("latitude"), value("longitude")), ("51.00000".into(), "10.00000".into()));
    assert_eq!(browser.console(&[404]), Vec::<String>::new());
}

/// The place is moved on the map by arrow keys, without a request.
#[needs(chromium)]
#[test]
fn the_place_is_moved_by_arrow_keys() {
    let site = Site::start();
    let browser = site.browse(1280, "de", true);
    site.sign_in(&browser);
    browser.open_address(&format!("{}/registration/new", site.address));
    let place = || {
        let read =
            "return ['latitude', 'longitude'].map(name => document.getElementById(name).value)";
        let fields: [String; 2] = serde_json::from_value(browser.run(read)).unwrap();
        fields.map(|field| field.replace(',', ".").parse::<f64>().unwrap_or_default())
    };
    let marker =
        || browser.run("return document.querySelector('.marker circle').getAttribute('cx')");
    assert_eq!(place(), [0.0, 0.0], "there is none yet");
    browser.tab_to("[name=map]");
    // To the right and down; the first of them begins in the middle.
    browser.press(['\u{e014}', '\u{e015}']);
    let (first, at) = (place(), marker());
    assert!((47.0..56.0).contains(&first[0]) && (6.0..15.0).contains(&first[1]), "{first:?}");
    browser.press(['\u{e014}', '\u{e015}']);
    let second = place();
    assert!(second[0] < first[0] && second[1] > first[1], "{first:?} {second:?}");
    assert_ne!(marker(), at, "and the marker is moved with it");
    assert_eq!(browser.console(&[404]), Vec::<String>::new());
}
