//! A headless Chromium, driven by WebDriver, as a test uses it from one thread.
//!
//! A page in a home network has a name of that network and comes over plain HTTP. Browsers treat
//! loopback differently (cookies, `Sec-Fetch-Site`, secure contexts), so the page's name is mapped to
//! this machine instead of being asked for at `127.0.0.1`.

use std::{
    collections::BTreeSet,
    fmt::Display,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
    wd::WebDriverCompatibleCommand,
};
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use url::{ParseError, Url};

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(40);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Keys that have no letter, as WebDriver names them.
pub mod key {
    /// To the next element that can be used.
    pub const TAB: char = '\u{e004}';
    /// Follows a link, presses a button.
    pub const ENTER: char = '\u{e007}';
    /// Ticks a box.
    pub const SPACE: char = ' ';
}

/// How pages are looked at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// A name that leads to this machine.
    pub host: &'a str,
    /// The screen's width, CSS pixels.
    pub width: u32,
    /// The reader's language, as `Accept-Language` has it.
    pub language: &'a str,
    /// Whether scripts run.
    pub has_script: bool,
}

/// A browser with one page. It ends when it is dropped.
pub struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    driver: Child,
    _home: TempDir,
}

impl Browser {
    /// Starts one.
    #[must_use]
    pub fn open(view: View<'_>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("HOME", home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut browser = Self { runtime, client: None, driver, _home: home };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(browser.driver.try_wait().unwrap().is_none(), "the driver has ended");
            thread::sleep(LOOK);
        }
        let Value::Object(capabilities) = capabilities(view) else { unreachable!() };
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let mut builder = ClientBuilder::new(connector);
        let address = format!("http://127.0.0.1:{port}");
        let session = builder.capabilities(capabilities).connect(&address);
        browser.client = Some(browser.runtime.block_on(session).unwrap());
        browser
    }

    fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    /// Opens an address as if it was typed.
    pub fn open_address(&self, address: &str) {
        self.runtime.block_on(self.client().goto(address)).unwrap();
    }

    /// The address of the page that is shown.
    #[must_use]
    pub fn address(&self) -> Url {
        self.runtime.block_on(self.client().current_url()).unwrap()
    }

    /// Waits for an element.
    #[track_caller]
    pub fn wait_for(&self, selector: &str) -> Element {
        self.found(Locator::Css(selector), selector)
    }

    /// Waits for an element with that text in it.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str) -> Element {
        let path = format!(
            "//*[self::h1 or self::h2 or self::p or self::strong or self::li or self::dt or self::dd or self::a or self::button or self::span][contains(., \"{text}\")]"
        );
        self.found(Locator::XPath(&path), text)
    }

    #[track_caller]
    fn found(&self, locator: Locator<'_>, what: impl Display) -> Element {
        let client = self.client();
        let wait = client.wait().at_most(LIMIT).every(LOOK);
        let found = self.runtime.block_on(wait.for_element(locator));
        found.unwrap_or_else(|error| panic!("no {what}: {error}\n{}", self.text()))
    }

    /// Opens the same address again until that text is there.
    #[track_caller]
    pub fn reload_until(&self, text: &str) {
        for _ in 0..LIMIT.as_millis() / 500 {
            if self.text().contains(text) {
                return;
            }
            thread::sleep(Duration::from_millis(500));
            self.runtime.block_on(self.client().refresh()).unwrap();
        }
        panic!("waited in vain for `{text}`:\n{}", self.text());
    }

    /// Clicks an element as soon as it is there.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let element = self.wait_for(selector);
        self.runtime.block_on(element.click()).unwrap();
    }

    /// Types into a field.
    #[track_caller]
    pub fn fill_in(&self, selector: &str, text: &str) {
        let element = self.wait_for(selector);
        self.runtime.block_on(element.send_keys(text)).unwrap();
    }

    /// What a reader sees of the page.
    #[must_use]
    pub fn text(&self) -> String {
        let read = async { self.client().find(Locator::Css("body")).await?.text().await };
        // Between two pages there is none.
        self.runtime.block_on(read).unwrap_or_default()
    }

    /// Presses keys one after the other, wherever the page's focus is.
    pub fn press(&self, keys: impl IntoIterator<Item = char>) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.runtime.block_on(self.client().perform_actions(actions)).unwrap();
    }

    /// Presses the tabulator until an element has the focus, as somebody without a mouse does.
    #[track_caller]
    pub fn tab_to(&self, selector: &str) {
        self.wait_for(selector);
        for _ in 0..80 {
            self.press([key::TAB]);
            if self.run(&format!("return document.activeElement.matches(\"{selector}\")")) == true {
                return;
            }
        }
        panic!("{selector} cannot be reached by the keyboard");
    }

    /// Runs a script of the test in the page, whatever the page's own policy for scripts is.
    #[must_use]
    pub fn run(&self, script: &str) -> Value {
        self.runtime.block_on(self.client().execute(script, vec![])).unwrap()
    }

    /// A picture (PNG) of what is visible.
    #[must_use]
    pub fn picture(&self) -> Vec<u8> {
        self.runtime.block_on(self.client().screenshot()).unwrap()
    }

    /// What the console said since it was asked last, reports of the content security policy included,
    /// but for the browser's own lines about answers with these statuses.
    #[must_use]
    pub fn console(&self, expected: &[u16]) -> Vec<String> {
        let lines = self.log("browser");
        let messages = lines.iter().filter_map(|line| line["message"].as_str());
        let is_expected = |message: &&str| {
            expected
                .iter()
                .any(|status| message.contains(&format!("responded with a status of {status}")))
        };
        messages.filter(|message| !is_expected(message)).map(str::to_owned).collect()
    }

    /// The hosts, with their ports, that anything was asked of since this was asked last.
    #[must_use]
    pub fn asked_hosts(&self) -> BTreeSet<String> {
        let lines = self.log("performance");
        let events = lines.iter().filter_map(|line| line["message"].as_str());
        let events = events.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        let address = |event: Value| -> Option<String> {
            let address = event["message"]["params"]["request"]["url"].as_str()?.parse::<Url>();
            let address = address.ok().filter(|address| address.scheme() != "data")?;
            Some(format!("{}:{}", address.host_str()?, address.port_or_known_default()?))
        };
        sent.filter_map(address).collect()
    }

    fn log(&self, kind: &'static str) -> Vec<Value> {
        match self.runtime.block_on(self.client().issue_cmd(ReadLog(kind))).unwrap() {
            Value::Array(lines) => lines,
            other => panic!("the driver's log is {other}"),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // With the driver gone, the browser is as well.
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(view: View<'_>) -> Value {
    // 1 lets scripts run, 2 does not.
    let script = if view.has_script { 1 } else { 2 };
    let screen = json!({ "width": view.width, "height": 1500, "pixelRatio": 1, "touch": false });
    json!({
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": {
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                format!("--host-resolver-rules=MAP {} 127.0.0.1", view.host),
            ],
            "prefs": {
                "profile.managed_default_content_settings.javascript": script,
                "intl.accept_languages": view.language,
            },
            "mobileEmulation": { "deviceMetrics": screen },
        },
    })
}

/// Reads a log of the driver, which forgets what was read.
#[derive(Debug)]
struct ReadLog(&'static str);

impl WebDriverCompatibleCommand for ReadLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": self.0 }).to_string()))
    }
}
