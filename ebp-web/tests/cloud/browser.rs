//! The researchers' day in headless Chromium: signing in, importing ten households, correcting one,
//! two who correct the same one, the keyboard alone, no script, both languages; each page is checked by
//! axe.

use std::{io::Write, thread};

use ebp_needs::needs;
use ebp_testkit::browser::{Browser, View, key};
use ebp_web::kit::listener::{Limits, serve};
use tokio::runtime::{Builder, Runtime};

use crate::world::{HOST, RESEARCHERS, World};

const AXE: &str = include_str!("../axe/axe.min.js");

/// Pages on a port of their own, served by a thread of their own.
struct Site {
    world: World,
    address: String,
    runtime: Runtime,
}

impl Site {
    fn start() -> Self {
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

    fn browse(&self, width: u32, language: &str, has_script: bool) -> Browser {
        Browser::open(View { hosts: &[HOST], width, language, has_script, switches: &[] })
    }

    fn sign_in(&self, browser: &Browser) {
        browser.open_address(&format!("{}/registration", self.address));
        browser.fill_in("#secret", RESEARCHERS);
        browser.fill_in("#label", "EM");
        browser.click("form[action='/sign-in'] button");
        browser.wait_for("nav");
    }
}

/// Looks at the page as it is: width, headings, console, axe.
#[track_caller]
fn look(browser: &Browser, name: &str, expected: &[u16]) {
    let over = browser.run("return document.documentElement.scrollWidth - innerWidth");
    assert!(over.as_i64().unwrap() <= 0, "{name} scrolls sideways by {over} px");
    assert_eq!(browser.run("return document.querySelectorAll('h1').length"), 1, "{name}");
    let found = browser.run(&format!(
        "{AXE};
         return axe.run(document, {{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }})
             .then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200))))"
    ));
    assert_eq!(found, serde_json::json!([]), "{name}");
    assert_eq!(browser.console(expected), Vec::<String>::new(), "{name}");
    if let Some(folder) = std::env::var_os("EBP_PICTURES") {
        let path = std::path::PathBuf::from(folder).join(format!("{name}.png"));
        std::fs::write(path, browser.picture()).unwrap();
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
    let household = site.register(60).remove(0);
    for (width, language) in [(320, "de"), (390, "en"), (1280, "de"), (1280, "en")] {
        let browser = site.browse(width, language, true);
        browser.open_address(&format!("{}/sign-in", site.address));
        look(&browser, &format!("reg-sign-in-{language}-{width}"), &[404]);
        site.sign_in(&browser);
        for (path, name) in [
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
            look(&browser, &format!("reg-{name}-{language}-{width}"), &[404]);
        }
        browser.open_address(&format!("{}/registration/household/{household}", site.address));
        browser.click("form[action$='/sheet'] button");
        browser.wait_for(".paper");
        look(&browser, &format!("reg-sheet-{language}-{width}"), &[404]);
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
            look(&browser, "reg-report-de-1280", &[404]);
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
