//! Headless Chromium by its driver.

use std::{
    net::TcpListener as StdListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

use super::world::CODE;

/// Chromium's driver, which ends with the test.
pub struct Driver(Child, u16);

impl Driver {
    pub async fn start() -> Self {
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
    pub async fn browse(&self, width: u32, has_script: bool) -> Client {
        self.browse_with(width, has_script, &[]).await
    }

    /// The same, with further switches.
    pub async fn browse_with(&self, width: u32, has_script: bool, further: &[&str]) -> Client {
        let mut switches = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP ebp-7k3f.local 127.0.0.1, MAP attacker.example 127.0.0.1",
        ];
        switches.extend(further);
        let capabilities = json!({
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "args": switches,
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

pub async fn click(client: &Client, selector: &str) {
    client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
}

pub async fn sign_in(client: &Client) {
    client.find(Locator::Css("#code")).await.unwrap().send_keys(CODE).await.unwrap();
    click(client, "main form button").await;
    // Two redirects later.
    client.wait().for_element(Locator::Css("header nav")).await.unwrap();
}
