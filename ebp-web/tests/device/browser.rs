//! A household's decisions in headless Chromium, on a name of the home network over plain HTTP.

use std::{path::PathBuf, time::Duration};

use ebp_core::model::{ConsentState, IncidentType};
use ebp_needs::needs;
use ebp_testkit::browser::{Cdp, ReadLog, picture};
use ebp_web::kit::listener::{Limits, serve};
use fantoccini::{Client, Locator};
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    driver::{Driver, browse, click, sign_in},
    world::{World, session},
};

const AXE: &str = include_str!("../axe/axe.min.js");

/// What axe cannot decide, and why it is sound: the rule, a part of the element, the reason.
const EXPLAINED: [(&str, &str, &str); 4] = [
    (
        "color-contrast",
        "<text",
        "axe computes no contrast of text in an SVG: palette.rs does, for both themes",
    ),
    ("color-contrast", "<th", SCROLLED),
    ("color-contrast", "<td", SCROLLED),
    ("color-contrast", "<small>kWh</small>", SCROLLED),
];

const SCROLLED: &str =
    "a cell that a narrow screen shows after scrolling its table has the colours of the others";

fn is_explained(found: &str) -> bool {
    EXPLAINED.iter().any(|(rule, part, _)| found.starts_with(rule) && found.contains(part))
}

/// Looks at the page as it is: width, headings, console, axe; keeps a picture.
async fn look(client: &Client, name: &str) {
    let count = |script: &'static str| async move { client.execute(script, vec![]).await.unwrap() };
    overflows_nowhere(client, name).await;
    assert_eq!(count("return document.querySelectorAll('h1').length").await, 1, "{name}");
    let foreign = count(
        "return performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith(location.origin + '/'))",
    );
    assert_eq!(foreign.await, json!([]), "{name} asks another host");
    client.execute(AXE, vec![]).await.unwrap();
    let run = "const done = arguments[arguments.length - 1];
        const nodes = found => found.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200)));
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
           .then(r => done([nodes(r.violations), nodes(r.incomplete)]), e => done([[String(e)], []]))";
    let found = client.execute_async(run, vec![]).await.unwrap();
    let found: [Vec<String>; 2] = serde_json::from_value(found).unwrap();
    let [violations, incomplete] = found;
    assert_eq!(violations, Vec::<String>::new(), "{name}");
    let unexplained: Vec<_> = incomplete.iter().filter(|found| !is_explained(found)).collect();
    assert!(unexplained.is_empty(), "{name}: {unexplained:#?}");
    let log = client.issue_cmd(ReadLog("browser")).await.unwrap();
    assert_eq!(log, json!([]), "{name}");
    if let Some(folder) = std::env::var_os("EBP_PICTURES") {
        let picture = picture(client).await;
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), picture).unwrap();
    }
}

/// The page is as wide as the screen, be it a small or a large telephone's or a computer's. Frames of
/// those widths would not do: the page is in none.
async fn overflows_nowhere(client: &Client, name: &str) {
    let own = client.execute("return innerWidth", vec![]).await.unwrap();
    // The last one is the page's own again, without the bars of a computer's windows.
    let widths = [(json!(320), false), (json!(390), false), (json!(1280), false), (own, true)];
    for (width, is_mobile) in widths {
        let mut screen = json!({ "height": 1500, "deviceScaleFactor": 1, "mobile": is_mobile });
        screen["width"] = width.clone();
        let command = "Emulation.setDeviceMetricsOverride";
        client.issue_cmd(Cdp(command, screen)).await.unwrap();
        let measure = "return [innerWidth, document.documentElement.scrollWidth]";
        let found = client.execute(measure, vec![]).await.unwrap();
        assert_eq!(found[0], width, "{name}");
        assert!(
            found[1].as_i64() <= width.as_i64(),
            "{name} scrolls sideways at {width} px: {found}"
        );
    }
}

/// A page on a port of its own.
async fn start() -> (World, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::at(listener.local_addr().unwrap().port());
    let address = format!("http://{}", world.host());
    tokio::spawn(serve(listener, world.router.clone(), Limits::default(), std::future::pending()));
    (world, address)
}

#[needs(chromium)]
#[tokio::test]
async fn pages_are_sound_at_every_width_in_both_themes_and_languages() {
    let driver = Driver::start();
    for width in [320, 390, 1280] {
        for (language, theme) in [("de", "light"), ("en", "dark")] {
            let (world, address) = start().await;
            world.cloud.change(|server| server.gap = true);
            world.make_lifelike();
            let client = browse(&driver, width, true).await;
            let name = |page: &str| format!("{page}-{language}-{theme}-{width}");
            client.goto(&format!("{address}/?lang={language}&theme={theme}")).await.unwrap();
            look(&client, &name("sign-in")).await;
            sign_in(&client).await;
            look(&client, &name("today")).await;
            for (path, page) in [
                (
                    "/measurements?period=day&date=2026-06-15&import_price=32.5&export_price=8.1",
                    "day",
                ),
                ("/measurements?period=week&date=2026-06-10", "week"),
                ("/measurements?period=month&date=2026-06-10", "month"),
                ("/measurements?period=year&date=2026-06-10", "year"),
                ("/pending", "pending"),
                ("/live?read=1", "live"),
                ("/registration", "registration"),
                ("/devices", "devices"),
                ("/remote-access", "remote-access"),
                ("/consent", "consent"),
                ("/data", "data"),
                ("/help", "help"),
                ("/privacy", "privacy"),
                ("/accessibility", "accessibility"),
                ("/nothing", "problem"),
            ] {
                client.goto(&format!("{address}{path}")).await.unwrap();
                if page == "problem" {
                    // The console notes the status 404 itself.
                    client.issue_cmd(ReadLog("browser")).await.unwrap();
                }
                look(&client, &name(page)).await;
            }
            client.close().await.unwrap();
        }
    }
}

/// Brings a state about.
type Change = fn(&World);

/// The states that look different from the page as it is when all is well.
#[needs(chromium)]
#[tokio::test]
async fn states_are_sound() {
    let driver = Driver::start();
    let client = browse(&driver, 390, true).await;
    let states: [(&str, &str, Change); 11] = [
        ("before-consent", "/today", |world| {
            world.cloud.change(|server| server.consent = ConsentState::NotGranted);
        }),
        ("grant", "/consent", |world| {
            world.cloud.change(|server| server.consent = ConsentState::NotGranted);
        }),
        ("cloud-away", "/today", |world| world.cloud.change(|server| server.away = true)),
        ("waits", "/pending", |world| {
            world.cloud.change(|server| server.away = true);
            world.meterside.change(|status| (status.unplaced, status.knows_the_time) = (2, false));
        }),
        ("head-away", "/live", |world| {
            let kind = IncidentType::SerialPortUnavailable;
            world.meterside.change(|status| status.meters[0].incidents = vec![kind]);
        }),
        ("locked", "/today", |world| {
            world.cloud.change(|server| server.locked = true);
            let kind = IncidentType::ObisCodesUnavailable;
            world.meterside.change(|status| status.meters[0].incidents = vec![kind]);
        }),
        ("certificate", "/devices", |world| {
            world.cloud.change(|server| {
                server.certificate_end = "2026-06-20T08:00:00Z".parse().ok();
                server.has_generation = false;
            });
        }),
        ("no-generation", "/measurements?period=week&date=2026-06-10", |world| {
            world.cloud.change(|server| server.has_generation = false);
        }),
        ("granted", "/consent?done=granted", |_| {}),
        ("connected", "/remote-access", |world| {
            let connected = vec![session("erika", None)];
            world.tunnelside.as_ref().unwrap().change(|status| status.connected = connected);
        }),
        ("remote-off", "/remote-access", |world| {
            world.tunnelside.as_ref().unwrap().change(|status| {
                status.permitted = false;
                status.access_until = "2026-06-15T11:00:00Z".parse().ok();
            });
        }),
    ];
    for (name, path, change) in states {
        let (world, address) = start().await;
        change(&world);
        client.goto(&format!("{address}{path}")).await.unwrap();
        sign_in(&client).await;
        look(&client, &format!("state-{name}")).await;
    }
    let (_world, address) = start().await;
    client.goto(&address).await.unwrap();
    client.find(Locator::Css("#code")).await.unwrap().send_keys("AAAA-AAAA").await.unwrap();
    click(&client, "main form button").await;
    client.wait().for_element(Locator::Css("#fault")).await.unwrap();
    click(&client, "summary").await;
    // The console notes the status 422 itself.
    client.issue_cmd(ReadLog("browser")).await.unwrap();
    look(&client, "state-wrong-code").await;
    client.close().await.unwrap();
}

#[needs(chromium)]
#[tokio::test]
async fn a_household_decides_with_and_without_script() {
    let driver = Driver::start();
    for has_script in [true, false] {
        let (world, address) = start().await;
        world.cloud.change(|server| server.consent = ConsentState::NotGranted);
        let client = browse(&driver, 390, has_script).await;
        client.goto(&format!("{address}/consent")).await.unwrap();
        sign_in(&client).await;
        for step in ["grant", "revoke"] {
            client.wait().for_element(Locator::Css("#read")).await.unwrap();
            click(&client, "#read").await;
            click(&client, "main form button").await;
            let confirm = format!("form[action='/consent/{step}'] button");
            client.wait().for_element(Locator::Css(&confirm)).await.unwrap();
            if has_script {
                look(&client, &format!("confirm-{step}")).await;
            }
            click(&client, "main form button").await;
            let expected =
                if step == "grant" { ConsentState::Granted } else { ConsentState::Revoked };
            // A click returns before the answer is there.
            let decided = || world.cloud.0.lock().unwrap().consent == expected;
            for _ in 0..100 {
                if decided() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(decided(), "{step}");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let title = client.find(Locator::Css("h1")).await.unwrap().text().await.unwrap();
        assert!(title.contains("revoked") || title.contains("widerrufen"), "{title}");
        if has_script {
            client.issue_cmd(ReadLog("browser")).await.unwrap();
            look(&client, "ended").await;
        }
        client.close().await.unwrap();
    }
}

/// The islands: the chart is read out by keys, and a message is checked while it is typed.
#[needs(chromium)]
#[tokio::test]
async fn islands_work_under_the_policy() {
    let driver = Driver::start();
    let (world, address) = start().await;
    let client = browse(&driver, 390, true).await;
    client.goto(&format!("{address}/measurements?date=2026-06-15&lang=de")).await.unwrap();
    sign_in(&client).await;
    let plot = client.find(Locator::Css(".plot")).await.unwrap();
    plot.send_keys("\u{e014}\u{e014}").await.unwrap();
    let readout = client.find(Locator::Css(".readout")).await.unwrap().text().await.unwrap();
    assert!(readout.starts_with("00:15: Bezogen 0,12"), "{readout}");
    client.goto(&format!("{address}/today")).await.unwrap();
    world.meterside.change(|status| status.pending = 77);
    client.execute("document.dispatchEvent(new Event('visibilitychange'))", vec![]).await.unwrap();
    let renewed = client.wait().for_element(Locator::XPath("//*[@id='now']//a[contains(., '77')]"));
    assert!(renewed.await.is_ok(), "the region shows what the server says now");
    let log = client.issue_cmd(ReadLog("browser")).await.unwrap();
    assert_eq!(log, json!([]));
    client.close().await.unwrap();
}
