//! A survey with pages, and a browser without script that asks them.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use axum::{Router, body::Body, http::Request};
use ebp_core::{
    clock::Clock,
    contract::{
        AlertChannel, AlertRules, Registered, Registration, SurveyContact, SurveyInformation,
    },
    scope::Group,
};
use ebp_store::{Database, Store, open_store};
use ebp_survey::{
    BackupState, ErrorGroup, ServerState, SignInError, Survey, VerifySecret,
    masking::{MaskingFiles, mask_by},
};
use ebp_testkit::cluster;
use ebp_web::{
    cloud::{CloudParts, router},
    kit::{host::HostNames, moment::time_zone},
};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use tower::ServiceExt;

pub const HOST: &str = "survey.example.org";
pub const NOW: &str = "2026-03-02T10:00:00Z";
pub const RESEARCHERS: &str = "the researchers' secret";
pub const ADMINISTRATORS: &str = "the administrators' secret";

/// A clock that tests move.
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A server that counts how often it was woken.
#[derive(Default)]
pub struct TestServer {
    woken: AtomicUsize,
    is_clock_wrong: AtomicBool,
    errors: Mutex<Vec<ErrorGroup>>,
}

impl TestServer {
    pub fn woken(&self) -> usize {
        self.woken.load(Ordering::SeqCst)
    }

    pub fn count_error(&self, group: ErrorGroup) {
        self.errors.lock().unwrap().push(group);
    }

    pub fn break_clock(&self) {
        self.is_clock_wrong.store(true, Ordering::SeqCst);
    }
}

impl ServerState for TestServer {
    fn configured_rules(&self) -> AlertRules {
        AlertRules {
            enabled: true,
            silent: Some(7_200),
            late: Some(10_800),
            channels: vec![AlertChannel::Webhook],
            ..AlertRules::default()
        }
    }

    fn wake_alerts(&self) {
        self.woken.fetch_add(1, Ordering::SeqCst);
    }

    fn wake_jobs(&self) {}

    fn fault(&self) -> Option<String> {
        let is_wrong = self.is_clock_wrong.load(Ordering::SeqCst);
        is_wrong.then(|| "the clocks disagree".to_owned())
    }

    fn backup(&self) -> BackupState {
        BackupState::Unknown
    }

    fn errors(&self) -> Vec<ErrorGroup> {
        self.errors.lock().unwrap().clone()
    }
}

/// Verifies the two secrets, and has whoever says `too often` wait.
pub struct TestSecrets;

#[async_trait]
impl VerifySecret for TestSecrets {
    async fn verify_secret(
        &self,
        group: Group,
        secret: &str,
        _: IpAddr,
    ) -> Result<(), SignInError> {
        let right = match group {
            Group::Researchers => RESEARCHERS,
            Group::Administrators => ADMINISTRATORS,
        };
        match secret {
            "too often" => Err(SignInError::Wait(17)),
            secret if secret == right => Ok(()),
            _ => Err(SignInError::Wrong),
        }
    }
}

pub struct World {
    pub survey: Arc<Survey>,
    pub clock: Arc<TestClock>,
    pub server: Arc<TestServer>,
    pub router: Router,
    database: Database,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("ebp.sqlite"));
        Self::open(folder, database, "https").await
    }

    /// Without TLS, as the demo on this machine.
    pub async fn on_loopback() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("ebp.sqlite"));
        Self::open(folder, database, "http").await
    }

    pub async fn on_postgresql() -> Self {
        let (_, settings) = cluster::shared().database().await;
        Self::open(tempfile::tempdir().unwrap(), Database::Postgres(settings), "https").await
    }

    async fn open(folder: tempfile::TempDir, database: Database, scheme: &'static str) -> Self {
        let clock = Arc::new(TestClock(Mutex::new(NOW.parse().unwrap())));
        let survey = Self::survey(&database, &clock).await;
        let server = Arc::new(TestServer::default());
        let router = Self::pages(&survey, &server, scheme);
        Self { survey, clock, server, router, database, _folder: folder }
    }

    async fn survey(database: &Database, clock: &Arc<TestClock>) -> Arc<Survey> {
        let store = open_store(database).await.unwrap();
        mask_by(&store, &MaskingFiles::default(), false).await.unwrap();
        let contact = |name: &str, email: &str| SurveyContact {
            name: name.to_owned(),
            email: Some(email.to_owned()),
            phone: Some("+49 30 1234567".to_owned()),
        };
        let contacts = vec![
            contact("Institut für Beispiele, Abteilung für Haushalte", "study@example.org"),
            contact("Dr. Erika Beispiel", "erika.beispiel@example.org"),
        ];
        let information = SurveyInformation { contacts, ..SurveyInformation::default() };
        Arc::new(Survey::new(store, clock.clone()).with_information(information))
    }

    fn pages(survey: &Arc<Survey>, server: &Arc<TestServer>, scheme: &'static str) -> Router {
        router(CloudParts {
            survey: survey.clone(),
            secrets: Arc::new(TestSecrets),
            server: server.clone(),
            zone: time_zone("Europe/Berlin").unwrap(),
            hosts: HostNames::new("", &[HOST.to_owned()]),
            scheme,
        })
    }

    /// Another server of the same database.
    pub async fn other_server(&self) -> Router {
        Self::pages(&Self::survey(&self.database, &self.clock).await, &self.server, "https")
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.survey.store()
    }

    /// A browser that nobody has signed in with.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone(), "https")
    }

    /// A browser with which somebody of the group is signed in.
    pub async fn signed_in(&self, group: Group) -> Browser {
        let mut browser = self.browser();
        let secret = match group {
            Group::Researchers => RESEARCHERS,
            Group::Administrators => ADMINISTRATORS,
        };
        let pairs = [("group", group.name()), ("secret", secret), ("label", "EM")];
        let answer = browser.send("/sign-in", &pairs).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    pub async fn register(&self, number: usize) -> Registered {
        let registration = registration(number);
        self.store().register(registration, self.clock.now()).await.unwrap()
    }
}

/// A household that differs from others by its number.
pub fn registration(number: usize) -> Registration {
    serde_json::from_value(serde_json::json!({
        "participant": {"name": format!("Erika Mustermann {number}"),
                        "email": format!("erika{number}@example.org")},
        "address": {"street": format!("Heidestraße {number}"), "postal_code": "51147",
                    "city": "Köln", "country": "DE"},
        "location": {"latitude": 50.85, "longitude": 7.1},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                     "electric_vehicle_charger": false, "home_battery": false,
                     "metering_concept": "surplus-feed-in", "battery": "none"},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "PV-GENERATION", "model": "MT681"}],
        "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                        "installed_on": "2019-05-03", "meter": 1}]
    }))
    .unwrap()
}

pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers["location"].to_str().unwrap()
    }

    /// The value of the first input of that name.
    pub fn input(&self, name: &str) -> String {
        let at = self.body.find(&format!("name=\"{name}\"")).expect(name);
        let start = self.body[..at].rfind('<').unwrap();
        let tag = &self.body[start..start + self.body[start..].find('>').unwrap()];
        let value = tag.split("value=\"").nth(1).unwrap_or_default();
        unescaped(value.split('"').next().unwrap_or_default())
    }
}

pub fn unescaped(text: &str) -> String {
    let named = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    named.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter))
}

/// Keeps cookies, says where forms come from, and runs no script.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    scheme: &'static str,
    pub cookies: BTreeMap<String, String>,
    /// Headers of each request besides.
    pub headers: Vec<(String, String)>,
}

impl Browser {
    pub fn new(router: Router, scheme: &'static str) -> Self {
        Self { router, scheme, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// The same browser at another server.
    pub fn at(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path).header("host", HOST);
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(a, b)| format!("{a}={b}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    pub async fn ask(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie::Cookie::parse(cookie.to_str().unwrap()).unwrap();
            match cookie.value() {
                "" => self.cookies.remove(cookie.name()),
                value => self.cookies.insert(cookie.name().to_owned(), value.to_owned()),
            };
        }
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.ask(request).await
    }

    /// Sends a form as it is.
    pub async fn send(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let origin = format!("{}://{HOST}", self.scheme);
        self.send_from(&origin, path, pairs).await
    }

    pub async fn send_from(&mut self, origin: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(pairs);
        let request = self
            .request("POST", path)
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.finish()))
            .unwrap();
        self.ask(request).await
    }

    /// Sends a form of that page: with its token.
    pub async fn submit(&mut self, page: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.input("token");
        let pairs = [&[("token", token.as_str())], pairs].concat();
        self.send(path, &pairs).await
    }
}
