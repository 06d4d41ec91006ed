//! A headless Chromium, as a test uses it from one thread.

use std::{collections::BTreeSet, fmt::Display, thread, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use fantoccini::{
    Client, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
    wd::WebDriverCompatibleCommand,
};
use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use url::{ParseError, Url};

pub use crate::driver::{Driver, View};

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

/// How bright each pixel of a picture is, row by row from the top: its green, from 0 to 255.
pub struct Pixels {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// All of them.
    pub brightness: Vec<u8>,
}

/// A browser with one page. It ends when it is dropped.
pub struct Browser {
    runtime: Runtime,
    client: Option<Client>,
    _driver: Driver,
}

impl Browser {
    /// Starts one.
    #[must_use]
    pub fn open(view: View<'_>) -> Self {
        let driver = Driver::start();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(driver.browse(view));
        Self { runtime, client: Some(client), _driver: driver }
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

    /// A picture (PNG) of the whole page.
    #[must_use]
    pub fn picture(&self) -> Vec<u8> {
        self.runtime.block_on(picture(self.client()))
    }

    /// The page as it is printed (PDF).
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let options = json!({ "preferCSSPageSize": true, "printBackground": false });
        let printed = self.client().issue_cmd(Cdp("Page.printToPDF", options));
        data(&self.runtime.block_on(printed).unwrap())
    }

    /// A printed page (PDF, in A4) as the browser's own viewer draws it, large enough to read codes on it.
    /// The browser shows it afterwards.
    #[must_use]
    pub fn show_printed(&self, printed: &[u8]) -> Pixels {
        // 150 % of a page of 794 x 1123 CSS pixels.
        let screen =
            json!({ "width": 1280, "height": 1760, "deviceScaleFactor": 1, "mobile": false });
        let command = Cdp("Emulation.setDeviceMetricsOverride", screen);
        self.runtime.block_on(self.client().issue_cmd(command)).unwrap();
        let document = BASE64_STANDARD.encode(printed);
        let viewer = "#toolbar=0&navpanes=0&zoom=150";
        self.open_address(&format!("data:application/pdf;base64,{document}{viewer}"));
        let mut before = Vec::new();
        for _ in 0..LIMIT.as_millis() / 500 {
            // It is drawn by parts, and before that there is a grey screen.
            thread::sleep(Duration::from_millis(500));
            let shown = Cdp("Page.captureScreenshot", json!({ "format": "png" }));
            let picture = data(&self.runtime.block_on(self.client().issue_cmd(shown)).unwrap());
            if picture == before && picture.len() > 20_000 {
                return self.pixels(&picture);
            }
            before = picture;
        }
        panic!("the printed page is not shown");
    }

    /// What a picture (PNG) is made of. The browser decodes it.
    fn pixels(&self, picture: &[u8]) -> Pixels {
        let script = "const done = arguments[arguments.length - 1];
            const image = new Image();
            image.onload = () => {
                const canvas = document.createElement('canvas');
                [canvas.width, canvas.height] = [image.width, image.height];
                const context = canvas.getContext('2d');
                context.drawImage(image, 0, 0);
                const { data } = context.getImageData(0, 0, image.width, image.height);
                let text = '';
                for (let at = 1; at < data.length; at += 4) text += String.fromCharCode(data[at]);
                done([image.width, image.height, btoa(text)]);
            };
            image.src = 'data:image/png;base64,' + arguments[0];";
        self.open_address("about:blank");
        let arguments = vec![BASE64_STANDARD.encode(picture).into()];
        let read = self.client().execute_async(script, arguments);
        let read = self.runtime.block_on(read).unwrap();
        let side = |place: usize| read[place].as_u64().unwrap().try_into().unwrap();
        let brightness = BASE64_STANDARD.decode(read[2].as_str().unwrap()).unwrap();
        Pixels { width: side(0), height: side(1), brightness }
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
    }
}

/// A picture (PNG) of the whole page, also of what is below the screen.
pub async fn picture(client: &Client) -> Vec<u8> {
    let measure = "const box = document.documentElement.getBoundingClientRect();
        return [innerWidth, Math.ceil(box.height)]";
    let size = client.execute(measure, vec![]).await.unwrap();
    let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
    let options = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
    data(&client.issue_cmd(Cdp("Page.captureScreenshot", options)).await.unwrap())
}

/// What an answer of the browser has as Base64.
fn data(answer: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
}

/// A command of the browser's own protocol, with its parameters.
#[derive(Debug)]
pub struct Cdp(pub &'static str, pub Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

/// Reads a log of the driver, which forgets what was read.
#[derive(Debug)]
pub struct ReadLog(pub &'static str);

impl WebDriverCompatibleCommand for ReadLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": self.0 }).to_string()))
    }
}
