//! A household's decisions in headless Chromium, on a name of the home network over plain HTTP.

use std::{
    net::TcpListener as StdListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::http::Method;
use ebp_core::model::ConsentState;
use ebp_needs::needs;
use ebp_web::kit::listener::{Limits, serve};
use fantoccini::{Client, ClientBuilder, Locator, wd::WebDriverCompatibleCommand};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::{ParseError, Url};

use super::world::{CODE, World};

const AXE: &str = include_str!("../axe/axe.min.js");

/// Chromium's driver, which ends with the test.
struct Driver(Child, u16);

impl Driver {
    async fn start() -> Self {
        let port = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = Self(command.spawn().unwrap(), port);
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return driver;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the driver does not listen");
    }

    /// A browser with a screen of that width.
    async fn browse(&self, width: u32, has_script: bool) -> Client {
        let capabilities = json!({
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--host-resolver-rules=MAP ebp-7k3f.local 127.0.0.1",
                ],
                "prefs": { "profile.managed_default_content_settings.javascript": if has_script { 1 } else { 2 } },
                "mobileEmulation": { "deviceMetrics": { "width": width, "height": 1500, "pixelRatio": 1, "touch": false } },
            },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.1))
            .await
            .unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the console said: errors and reports of the content security policy are in it.
#[derive(Debug)]
struct ReadLog;

impl WebDriverCompatibleCommand for ReadLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

async fn click(client: &Client, selector: &str) {
    client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
}

/// Looks at the page as it is: width, headings, console, axe; keeps a picture.
async fn look(client: &Client, name: &str) {
    let count = |script: &'static str| async move { client.execute(script, vec![]).await.unwrap() };
    let over = count("return document.documentElement.scrollWidth - innerWidth").await;
    assert!(over.as_i64().unwrap() <= 0, "{name} scrolls sideways by {over} px");
    assert_eq!(count("return document.querySelectorAll('h1').length").await, 1, "{name}");
    let foreign = count(
        "return performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith(location.origin + '/'))",
    );
    assert_eq!(foreign.await, json!([]), "{name} asks another host");
    client.execute(AXE, vec![]).await.unwrap();
    let run = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
           .then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 200)).join(' | '))), e => done(String(e)))";
    assert_eq!(client.execute_async(run, vec![]).await.unwrap(), json!([]), "{name}");
    let log = client.issue_cmd(ReadLog).await.unwrap();
    assert_eq!(log, json!([]), "{name}");
    if let Some(folder) = std::env::var_os("EBP_PICTURES") {
        let picture = client.screenshot().await.unwrap();
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), picture).unwrap();
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

async fn sign_in(client: &Client) {
    client.find(Locator::Css("#code")).await.unwrap().send_keys(CODE).await.unwrap();
    click(client, "main form button").await;
    // Two redirects later.
    client.wait().for_element(Locator::Css("header nav")).await.unwrap();
}

#[needs(chromium)]
#[tokio::test]
async fn pages_are_sound_at_every_width_in_both_themes_and_languages() {
    let driver = Driver::start().await;
    for width in [320, 390, 1280] {
        for (language, theme) in [("de", "light"), ("en", "dark")] {
            let (world, address) = start().await;
            world.cloud.change(|server| server.gap = true);
            let client = driver.browse(width, true).await;
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
                    client.issue_cmd(ReadLog).await.unwrap();
                }
                look(&client, &name(page)).await;
            }
            client.close().await.unwrap();
        }
    }
}

#[needs(chromium)]
#[tokio::test]
async fn a_household_decides_with_and_without_script() {
    let driver = Driver::start().await;
    for has_script in [true, false] {
        let (world, address) = start().await;
        world.cloud.change(|server| server.consent = ConsentState::NotGranted);
        let client = driver.browse(390, has_script).await;
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
            client.issue_cmd(ReadLog).await.unwrap();
            look(&client, "ended").await;
        }
        client.close().await.unwrap();
    }
}

/// The islands: the chart is read out by keys, and a message is checked while it is typed.
#[needs(chromium)]
#[tokio::test]
async fn islands_work_under_the_policy() {
    let driver = Driver::start().await;
    let (world, address) = start().await;
    let client = driver.browse(390, true).await;
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
    let log = client.issue_cmd(ReadLog).await.unwrap();
    assert_eq!(log, json!([]));
    client.close().await.unwrap();
}
