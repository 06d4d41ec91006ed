//! A headless Chromium by WebDriver: its driver, and browsers that it opens.
//!
//! A page in a home network has a name of that network and comes over plain HTTP. Browsers treat
//! loopback differently (cookies, `Sec-Fetch-Site`, secure contexts), so the page's name is mapped to
//! this machine instead of being asked for at `127.0.0.1`.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How pages are looked at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Names that lead to this machine.
    pub hosts: &'a [&'a str],
    /// The screen's width, CSS pixels.
    pub width: u32,
    /// The reader's language, as `Accept-Language` has it.
    pub language: &'a str,
    /// Whether scripts run.
    pub has_script: bool,
    /// Further switches of Chromium.
    pub switches: &'a [&'a str],
}

/// Chromium's driver. It ends when it is dropped.
pub struct Driver {
    process: Child,
    port: u16,
    _home: TempDir,
}

impl Driver {
    /// Starts it, and waits until it listens.
    #[must_use]
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("HOME", home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut driver = Self { process, port, _home: home };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(driver.process.try_wait().unwrap().is_none(), "the driver has ended");
            thread::sleep(Duration::from_millis(50));
        }
        driver
    }

    /// Opens a browser.
    pub async fn browse(&self, view: View<'_>) -> Client {
        let Value::Object(capabilities) = capabilities(view) else { unreachable!() };
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let mut builder = ClientBuilder::new(connector);
        let address = format!("http://127.0.0.1:{}", self.port);
        builder.capabilities(capabilities).connect(&address).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn capabilities(view: View<'_>) -> Value {
    // 1 lets scripts run, 2 does not.
    let script = if view.has_script { 1 } else { 2 };
    let screen = json!({ "width": view.width, "height": 1500, "pixelRatio": 1, "touch": false });
    let rules: Vec<_> = view.hosts.iter().map(|host| format!("MAP {host} 127.0.0.1")).collect();
    let rules = format!("--host-resolver-rules={}", rules.join(", "));
    let own = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        rules.as_str(),
    ];
    let switches: Vec<&str> = own.into_iter().chain(view.switches.iter().copied()).collect();
    json!({
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": {
            "args": switches,
            "prefs": {
                "profile.managed_default_content_settings.javascript": script,
                "intl.accept_languages": view.language,
            },
            "mobileEmulation": { "deviceMetrics": screen },
        },
    })
}
