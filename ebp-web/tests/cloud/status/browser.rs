//! The administrators' pages in headless Chromium: a device goes silent and comes back, by mouse and
//! by keyboard, with and without script; every page at three widths, in both languages and themes.

use std::{thread, time::Duration};

use ebp_core::{clock::Clock, contract::Registered, model::IncidentType};
use ebp_needs::needs;
use ebp_store::{HouseholdId, JobPolicy};
use ebp_survey::AlertPolicy;
use ebp_testkit::browser::{Browser, View, key};
use ebp_web::kit::listener::{Limits, serve};
use jiff::SignedDuration;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};
use uuid::Uuid;

use super::{consenting, page, past, report};
use crate::{
    look::look,
    world::{ADMINISTRATORS, HOST, World},
};

/// A survey whose pages are served on this machine.
struct Served {
    runtime: Runtime,
    world: World,
    address: String,
}

impl Served {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (world, address) = runtime.block_on(async {
            let world = World::on_loopback().await;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let limits = Limits::default();
            tokio::spawn(serve(listener, world.router.clone(), limits, std::future::pending()));
            (world, format!("http://{HOST}:{port}"))
        });
        Self { runtime, world, address }
    }

    fn browse(&self, width: u32, language: &str, has_script: bool) -> Browser {
        Browser::open(View { hosts: &[HOST], width, language, has_script, switches: &[] })
    }

    fn open(&self, browser: &Browser, path: &str) {
        browser.open_address(&format!("{}{path}", self.address));
    }

    fn sign_in(&self, browser: &Browser) {
        self.open(browser, "/sign-in?group=administrators&next=%2Fstatus");
        browser.fill_in("[name=secret]", ADMINISTRATORS);
        browser.press([key::ENTER]);
        browser.wait_for("#fleet");
        // The sign-in page's own lines are looked at elsewhere.
        let _ = browser.console(&[]);
    }

    fn report(&self, household: &Registered) {
        self.runtime.block_on(report(&self.world, household, "1.2.0"));
    }

    /// Half hours pass, at the end of each of which the watcher looks.
    fn pass(&self, half_hours: usize) {
        self.runtime.block_on(async {
            let (store, policy) = (self.world.store(), AlertPolicy::default());
            for _ in 0..half_hours {
                self.world.clock.advance(SignedDuration::from_mins(30));
                let lease = store.watch_alerts(Uuid::from_u128(1), JobPolicy::default()).await;
                let lease = lease.unwrap().expect("nobody else watches");
                assert!(self.world.survey.look_for_alerts(lease, &policy).await.unwrap());
            }
        });
    }
}

#[needs(chromium)]
#[test]
fn a_device_goes_silent_and_comes_back() {
    let served = Served::start();
    let household = served.runtime.block_on(consenting(&served.world, 1));
    served.report(&household);
    served.pass(1);
    let browser = served.browse(1280, "en", true);
    served.sign_in(&browser);
    browser.wait_for_text("All devices are well.");

    served.pass(5);
    served.sign_in(&browser);
    browser.wait_for_text("1 device needs attention.");
    browser.click("ul.counts a[href*='state=silent']");
    assert!(browser.address().as_str().ends_with("/status?state=silent"));
    browser.click("tbody th a");
    browser.wait_for_text("Silent: last report 3 hours ago");

    // The alert leads to the same page.
    browser.click("nav a[href='/status/alerts']");
    browser.wait_for_text("Silent device");
    browser.click("article a");
    assert!(browser.address().path().ends_with(&household.measurement_device.to_string()));

    served.report(&household);
    served.pass(1);
    served.sign_in(&browser);
    served.open(&browser, "/status/alerts");
    browser.wait_for_text("over: Silent device");
    served.open(&browser, "/status");
    browser.wait_for_text("All devices are well.");
    assert_eq!(browser.console(&[]), Vec::<String>::new());
    assert_eq!(browser.asked_hosts().len(), 1, "no other host is asked");
}

#[needs(chromium)]
#[test]
fn the_overview_renews_itself_until_it_is_paused() {
    let served = Served::start();
    let household = served.runtime.block_on(consenting(&served.world, 1));
    let browser = served.browse(1280, "en", true);
    served.sign_in(&browser);
    browser.wait_for_text("Never spoke");
    // Who comes back to the page does not wait for half a minute.
    let come_back = "document.dispatchEvent(new Event('visibilitychange'));
        return document.getElementById('fleet').getAttribute('aria-busy')";
    served.report(&household);
    assert_eq!(browser.run(come_back), "true");
    wait_until(|| browser.text().contains("All devices are well."));
    browser.click("[data-pause]");
    let pressed = "return document.querySelector('[data-pause]').getAttribute('aria-pressed')";
    assert_eq!(browser.run(pressed), "true");
    assert_eq!(browser.run(come_back), Value::Null, "it is paused");
}

fn wait_until(holds: impl Fn() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("waited in vain");
}

#[needs(chromium)]
#[test]
fn without_script_and_by_the_keyboard_alone() {
    let served = Served::start();
    let household = served.runtime.block_on(consenting(&served.world, 1));
    let browser = served.browse(390, "de", false);
    served.sign_in(&browser);
    browser.tab_to("tbody th a");
    browser.press([key::ENTER]);
    browser.wait_for_text("Nie gemeldet");
    browser.tab_to("#reason");
    browser.press("Urlaub".chars());
    browser.press([key::ENTER]);
    browser.wait_for_text("Das Gerät ist stummgeschaltet.");
    served.report(&household);
    served.open(&browser, "/status");
    browser.wait_for_text("Alle Geräte sind in Ordnung.");
}

#[needs(chromium)]
#[test]
fn pages_are_sound_at_every_width_in_both_themes_and_languages() {
    let served = Served::start();
    let (device, rules) = served.runtime.block_on(async {
        let world = &served.world;
        // Two whose devices fall silent, before the others report.
        for number in [5, 6] {
            let household = consenting(world, number).await;
            report(world, &household, "1.1.9").await;
        }
        world.clock.advance(SignedDuration::from_hours(5));
        for number in [7, 8] {
            let household = consenting(world, number).await;
            report(world, &household, "1.2.0").await;
        }
        let second = world.register(2).await;
        past(world, &second).await;
        let households = [consenting(world, 1).await, second, consenting(world, 3).await];
        world.register(4).await;
        let (id, meter) = (HouseholdId(households[1].household), households[1].meters[0]);
        let (kind, now) = (IncidentType::SerialPortUnavailable, world.clock.now());
        for household in &households[..2] {
            report(world, household, "1.2.0").await;
        }
        world.store().report_incident(id, meter, kind, now).await.unwrap();
        world.survey.test_alerts(vec![ebp_core::contract::AlertChannel::Mail]).await.unwrap();
        let new = ebp_core::contract::NewRollout {
            version: "1.4.2".to_owned(),
            first: vec![households[0].measurement_device],
            steps: None,
            soak: None,
        };
        world.survey.begin_rollout(new, "ea".to_owned()).await.unwrap();
        (page(&households[1]), "/status/alerts/rules")
    });
    served.pass(1);
    for width in [320, 390, 1280] {
        for (language, theme) in [("de", "light"), ("en", "dark")] {
            let browser = served.browse(width, language, true);
            served.sign_in(&browser);
            for (path, name) in [
                ("/status", "status-overview"),
                ("/status?q=nobody", "status-none-found"),
                (device.as_str(), "status-device"),
                (&format!("{device}/certificate/all"), "status-problem"),
                ("/status/alerts", "status-alerts"),
                (rules, "status-rules"),
                ("/status/rollout", "status-rollout"),
                ("/status/server", "status-server"),
            ] {
                let sign = if path.contains('?') { '&' } else { '?' };
                served.open(&browser, &format!("{path}{sign}lang={language}&theme={theme}"));
                look(&browser, &format!("{name}-{language}-{theme}-{width}"), &[404, 503]);
            }
        }
    }
}
