//! The household's browser: headless Chromium on a name of its network.

pub use ebp_testkit::driver::Driver;
use ebp_testkit::driver::View;
use fantoccini::{Client, Locator};

use super::world::{CODE, HOST};

/// A browser with a screen of that width.
pub async fn browse(driver: &Driver, width: u32, has_script: bool) -> Client {
    browse_with(driver, width, has_script, &[]).await
}

/// The same, with further switches.
pub async fn browse_with(
    driver: &Driver,
    width: u32,
    has_script: bool,
    switches: &[&str],
) -> Client {
    let hosts = &[HOST, "attacker.example"];
    driver.browse(View { hosts, width, language: "en", has_script, switches }).await
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
