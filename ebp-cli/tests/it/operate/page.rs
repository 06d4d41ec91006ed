//! `ebp serve device`: the participant's page, from the printed code to the household's figures.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ebp_core::clock::{Clock, SystemClock};
use reqwest::{
    blocking::{Client, Response},
    redirect::Policy,
};
use rustix::process::Signal;

use super::people::Participant;
use crate::support::{ebp, process, process::Running, server::Server};

/// A browser that has signed in, or not yet.
pub struct Browser {
    http: Client,
    origin: String,
    cookie: String,
}

impl Browser {
    /// One that has opened the page there.
    pub fn at(origin: String) -> Self {
        // Fails only if it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { http, origin, cookie: String::new() }
    }

    /// Signs in.
    #[track_caller]
    pub fn sign_in(&mut self, code: &str) {
        let response = self.submit("/sign-in", &format!("code={code}"));
        assert_eq!(response.status(), 303, "{response:?}");
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    /// Signs in to the pages of a group.
    #[track_caller]
    pub fn sign_in_as(&mut self, group: &str, secret: &str) {
        let response = self.submit("/sign-in", &format!("group={group}&secret={secret}"));
        assert_eq!(response.status(), 303, "{response:?}");
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let request = self.http.get(format!("{}{path}", self.origin));
        read(request.header("accept-language", "en").header("cookie", &self.cookie).send().unwrap())
    }

    /// Sends a form.
    pub fn submit(&self, path: &str, fields: &str) -> Response {
        let request = self.http.post(format!("{}{path}", self.origin));
        let form = "application/x-www-form-urlencoded";
        let request = request.header("origin", &self.origin).header("content-type", form);
        let request = request.header("accept-language", "en").header("cookie", &self.cookie);
        request.body(fields.to_owned()).send().unwrap()
    }
}

fn read(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().unwrap())
}

/// Starts the page, and gives it with a browser that has opened it.
pub fn serve(erika: &Participant, config: &str) -> (Running, Browser) {
    let config = erika.file("page.toml", config);
    let mut command = ebp();
    command.args(["serve", "device", "--config"]).arg(config);
    let mut page = Running::start(command);
    let line = page.wait_for("serving the participant's page at http://127.0.0.1:");
    let origin = line.split_whitespace().last().unwrap().to_owned();
    (page, Browser::at(origin))
}

/// Enrols the participant's device with its page. Gives the code, the device's folder, and the page's
/// configuration.
pub fn enrol(server: &Server, erika: &Participant) -> (String, PathBuf, String) {
    let secret = erika.file("secret", "the secret of the administrators\n");
    let token = erika.folder.path().join("its.token");
    let mut command = ebp();
    command.args(["device", "token", &erika.device.to_string(), "--url", &server.url()]);
    command.arg("--ca").arg(server.ca()).arg("--secret-file").arg(secret);
    command.arg("--output").arg(&token);
    let printed = process::run(command, b"").done().stderr;
    let code = printed.lines().find(|line| line.contains("shown once")).unwrap();
    let code = code.rsplit(' ').next().unwrap().to_owned();
    let device = erika.folder.path().join("device");
    server.enroll(&token, &device).done();

    // The folder of enrolment has every file that the example names, but for the state and the socket.
    let mut command = ebp();
    command.args(["serve", "device", "--print-config"]);
    let example = process::run(command, b"").done().stdout;
    fs::create_dir(erika.folder.path().join("page")).unwrap();
    let config = example
        .replace("# listen = \"0.0.0.0:8080\"", "listen = \"127.0.0.1:0\"")
        .replace("/var/lib/ebp-web", "page")
        .replace("/run/ebp/read.sock", "no.sock")
        .replace("/etc/ebp-web/", "device/frontend/")
        .replace("https://ebp.example.org:8443", &server.url());
    (code, device, config)
}

#[test]
fn the_printed_code_opens_the_households_page() {
    // Of a whole day, before the first measurement.
    let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let yesterday = berlin.to_datetime(SystemClock.now()).date().yesterday().unwrap();
    let measurements = format!("/measurements?period=day&date={yesterday}");
    let server = Server::start();
    server.set_secrets();
    let erika = Participant::register(&server, "Erika Beispiel", "erika@example.org");
    let (code, device, config) = enrol(&server, &erika);
    let (page, mut browser) = serve(&erika, &config);

    // Nothing of the household is shown without the code.
    let response = browser.http.get(format!("{}/today", browser.origin)).send().unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "/?next=%2Ftoday");
    let (status, text) = browser.get("/");
    assert!(status == 200 && text.contains("name=\"code\""), "{status} {text}");
    let wrong = if code.starts_with('0') { "1111-1111" } else { "0000-0000" };
    assert_eq!(browser.submit("/sign-in", &format!("code={wrong}")).status(), 422);
    browser.sign_in(&code);

    let (status, text) = browser.get("/today");
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("Nothing is measured: your consent is still missing."), "{text}");
    assert!(text.contains("The measuring program on this device does not answer"), "{text}");
    erika.account(&server).grant();
    assert_eq!(erika.report(&server, 0..3).unwrap().0, 200);
    let (status, text) = browser.get("/today");
    assert!(status == 200 && text.contains("Your consent is granted."), "{status} {text}");
    assert!(!text.contains("gives no information"), "{text}");
    let (status, text) = browser.get(&measurements);
    assert!(status == 200 && text.contains("had been measured here yet"), "{status} {text}");
    assert!(!text.contains("gives no information"), "{text}");
    renew_under(&server, &erika, &device);
    let (status, text) = browser.get(&measurements);
    assert!(status == 200 && text.contains("had been measured here yet"), "{status} {text}");
    let (status, text) = browser.get("/registration");
    assert!(status == 200 && text.contains("Musterstraße 17"), "{status} {text}");

    // After a revocation, by whoever, nothing but the final page is shown, and that is kept.
    erika.account(&server).revoke();
    let (status, text) = browser.get("/today");
    assert!(status == 410 && !text.contains("Musterstraße"), "{status} {text}");
    page.signal(Signal::TERM);
    let ended = page.end().done();
    assert!(!ended.stderr.contains(&code) && !ended.stderr.contains("Erika"), "{ended:?}");
    let (page, browser) = serve(&erika, &config);
    assert_eq!(browser.get("/today").0, 410);
    drop(page);
}

/// The page's certificate is renewed, and the one before revoked, while the page is served.
fn renew_under(server: &Server, erika: &Participant, device: &Path) {
    let serials = || -> Vec<String> {
        let listed = server.run(["ca", "list", "--format", "json"], "").done().json();
        let own = listed.iter().filter(|entry| entry["device"] == erika.device.to_string());
        own.map(|entry| entry["serial"].as_str().unwrap().to_owned()).collect()
    };
    let before = serials();
    let mut command = ebp();
    command.args(["device", "renew", "--now", "--url", &server.url(), "--frontend"]);
    command.arg(device.join("frontend")).arg("--ca").arg(device.join("ca.pem"));
    process::run(command, b"").done();
    assert_eq!(serials().len(), before.len() + 1);
    for serial in before {
        server.run(["ca", "revoke", &serial], "").done();
    }
}

#[test]
fn a_page_without_its_certificate_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("page.toml");
    let mut command = ebp();
    command.args(["serve", "device", "--print-config"]);
    let example = process::run(command, b"").done().stdout.replace("/etc/ebp-web/", "missing/");
    fs::write(&config, example).unwrap();
    let serve = || {
        let mut command = ebp();
        command.args(["serve", "device", "--config"]).arg(&config);
        process::run(command, b"")
    };
    serve().refused(1, &["frontend.pem", "`ebp device enroll`"]);
    fs::write(&config, "listen = 8080\n").unwrap();
    serve().refused(1, &["line 1", "--print-config"]);
}
