//! Attacks that only a browser shows.

use axum::{Router, response::Html, routing::get};
use ebp_needs::needs;
use ebp_web::kit::{
    defence::Defence,
    listener::{Limits, serve},
};
use fantoccini::Locator;
use tokio::net::TcpListener;

use super::{
    driver::{Driver, browse, browse_with, sign_in},
    holds_by,
    world::World,
};

/// The household's page on a port of its own, and a page of somebody else in the same network.
async fn start(other: impl Fn(&str) -> String) -> (World, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::at(listener.local_addr().unwrap().port());
    let own = format!("http://{}", world.host());
    tokio::spawn(serve(listener, world.router.clone(), Limits::default(), std::future::pending()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let foreign = format!("http://attacker.example:{}", listener.local_addr().unwrap().port());
    let html = other(&own);
    let router = Router::new().route("/", get(async move || Html(html)));
    tokio::spawn(serve(listener, router, Limits::default(), std::future::pending()));
    (world, own, foreign)
}

/// 1: hostile text runs as a script. Where it becomes markup, the policy still stops it.
#[needs(chromium)]
#[tokio::test]
async fn script_in_a_text() {
    let driver = Driver::start();
    holds_by(&[Defence::Escape, Defence::Policy], async || {
        let (world, own, _) = start(|_| String::new()).await;
        world.cloud.change(|server| {
            server.survey_text = "<img src=x onerror=\"document.title='taken'\">".to_owned();
        });
        let client = browse(&driver, 390, true).await;
        client.goto(&format!("{own}/consent")).await.unwrap();
        sign_in(&client).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let title = client.title().await.unwrap();
        client.close().await.unwrap();
        title == "taken"
    })
    .await;
}

/// 7: another page shows ours in a frame, to have clicks land in it.
#[needs(chromium)]
#[tokio::test]
async fn a_frame_of_another_page() {
    let driver = Driver::start();
    holds_by(&[Defence::Policy], async || {
        let (_world, _, foreign) =
            start(|own| format!("<title>x</title><iframe src=\"{own}/\"></iframe>")).await;
        let client = browse(&driver, 390, true).await;
        client.goto(&foreign).await.unwrap();
        let frame = client.find(Locator::Css("iframe")).await.unwrap();
        frame.enter_frame().await.unwrap();
        let is_shown = client.find(Locator::Css("#code")).await.is_ok();
        client.close().await.unwrap();
        is_shown
    })
    .await;
}

/// 12: a page of the internet has a form sent to the device. The household's cookie does not come
/// along; but wrong codes would make the household wait.
#[needs(chromium)]
#[tokio::test]
async fn a_form_of_the_internet() {
    let driver = Driver::start();
    holds_by(&[Defence::Origin], async || {
        let (world, own, foreign) = start(|own| {
            format!(
                "<form method=post action=\"{own}/sign-in\"><input name=code value=AAAA-AAAA></form>\
                 <script>document.forms[0].submit()</script>"
            )
        })
        .await;
        let port = foreign.rsplit(':').next().unwrap().to_owned();
        let space = format!("--ip-address-space-overrides=127.0.0.1:{port}=public");
        let client = browse_with(&driver, 390, true, &[&space]).await;
        for _ in 0..5 {
            client.goto(&foreign).await.unwrap();
            client.wait().for_url(&format!("{own}/sign-in").parse().unwrap()).await.unwrap();
        }
        client.goto(&own).await.unwrap();
        client.find(Locator::Css("#code")).await.unwrap().send_keys(super::world::CODE).await.unwrap();
        super::driver::click(&client, "main form button").await;
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        let is_shut_out = client.find(Locator::Css("header nav")).await.is_err();
        client.close().await.unwrap();
        drop(world);
        is_shut_out
    })
    .await;
}

/// 4: Back shows the figures after signing out, out of the browser's memory.
#[needs(chromium)]
#[tokio::test]
async fn back_after_signing_out() {
    let driver = Driver::start();
    holds_by(&[Defence::NoStore], async || {
        let (_world, own, _) = start(|_| String::new()).await;
        let client = browse(&driver, 390, true).await;
        client.goto(&format!("{own}/today")).await.unwrap();
        sign_in(&client).await;
        client.execute("document.querySelector('footer form').submit()", vec![]).await.unwrap();
        client.wait().for_element(Locator::Css("#code")).await.unwrap();
        client.back().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let seen = "const f = document.querySelector('#figures'); return !!f && f.offsetHeight > 0";
        let is_shown = client.execute(seen, vec![]).await.unwrap();
        client.close().await.unwrap();
        is_shown == true
    })
    .await;
}
