//! A server on a port of its own and clients with certificates of its authority.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{Problem, Registered, Registration, paths},
    scope::{Group, Scopes},
};
use ebp_server::{
    Limits, ServeError, Settings,
    auth::{KeySource, TokenSettings, hash_secret},
    serve,
};
use ebp_store::{Database, PostgresSettings, Quota, Store, open_store};
use ebp_survey::{
    atomic_file::write_atomic,
    authority::{Authority, ClientRequest, Issued},
};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use uuid::Uuid;

use crate::cluster;

/// The machine's clock, ahead by so many seconds as a test wants.
#[derive(Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// Which database a server uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each program of tests has one")]
pub enum Engine {
    Sqlite,
    /// A database of its own in the shared cluster.
    Postgres,
}

/// In a server's folder, so that the next server over it finds the database again.
pub const URL: &str = "database-url";

pub struct Server {
    pub dir: tempfile::TempDir,
    pub authority: Authority,
    pub clock: Arc<TestClock>,
    pub store: Arc<dyn Store>,
    pub address: std::net::SocketAddr,
    /// Participants' identifiers by their e-mail addresses.
    participants: Mutex<HashMap<String, Uuid>>,
    shutdown: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub async fn with_limits(limits: Limits) -> Self {
        Self::on(crate::ENGINE, limits).await
    }

    pub async fn on(engine: Engine, limits: Limits) -> Self {
        Self::open(Self::prepare(engine).await, limits).await
    }

    pub async fn with_quota(limits: Limits, quota: Option<Quota>) -> Self {
        let settle = |settings: &mut Settings, _: &TestClock| {
            settings.limits = limits;
            settings.quota = quota;
        };
        Self::open_with(Self::prepare(crate::ENGINE).await, settle).await
    }

    /// A folder with an authority, and a database where that is not in the folder.
    pub async fn prepare(engine: Engine) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        Authority::init(&dir.path().join("authority"), "Test CA", clock).unwrap();
        if engine == Engine::Postgres {
            let url = cluster::shared().database().await.0;
            std::fs::write(dir.path().join(URL), url).unwrap();
        }
        dir
    }

    /// A server over a folder that holds an authority already.
    pub async fn open(dir: tempfile::TempDir, limits: Limits) -> Self {
        let settle = |settings: &mut Settings, _: &TestClock| settings.limits = limits;
        Self::open_with(dir, settle).await
    }

    /// The same, told what the caller changes of its settings and clock.
    pub async fn open_with(
        dir: tempfile::TempDir,
        settle: impl FnOnce(&mut Settings, &TestClock),
    ) -> Self {
        let clock = Arc::new(TestClock::default());
        let authority = Authority::open(&dir.path().join("authority"), clock.clone()).unwrap();
        let mut settings = Settings::in_folder(dir.path(), vec!["127.0.0.1".into()], clock.clone());
        if let Ok(url) = std::fs::read_to_string(dir.path().join(URL)) {
            let few = PostgresSettings { connections: 4, ..PostgresSettings::new(url) };
            settings.database = Database::Postgres(few);
        }
        settings.tokens = Some(TokenSettings {
            audience: "ebp".into(),
            issuer: Some("https://issuer.example".into()),
            keys: KeySource::File(dir.path().join("keys.json")),
        });
        settle(&mut settings, &clock);
        let store = open_store(&settings.database).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, asked) = oneshot::channel();
        let task = tokio::spawn(serve(settings, listener, async {
            let _ = asked.await;
        }));
        let participants = Mutex::default();
        let shutdown = Some(shutdown);
        Self { dir, authority, clock, store, address, participants, shutdown, task }
    }

    /// Tells the server to end and waits until it has.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.shutdown.take().unwrap().send(()).unwrap();
        self.task.await.unwrap().unwrap();
        self.store.close().await.unwrap();
        self.dir
    }

    /// How the server ended, by itself.
    pub async fn ended(self) -> Result<(), ServeError> {
        self.task.await.unwrap()
    }

    pub fn data(&self) -> &Path {
        self.dir.path()
    }

    /// The SQLite file, if that is where its data is.
    pub fn database(&self) -> Option<PathBuf> {
        Some(self.data().join("ebp.sqlite")).filter(|path| path.exists())
    }

    pub async fn register(&self, email: &str) -> Registered {
        let registered =
            self.store.register_further(registration(email), self.clock.now()).await.unwrap();
        self.remember(email, &registered);
        registered
    }

    /// Of the participant who is registered with that address, or else of nobody.
    pub fn issue(&self, email: &str, device: Option<Uuid>, scopes: Scopes) -> Issued {
        let email_key = email.to_ascii_lowercase();
        let participant = self.participants.lock().unwrap().get(&email_key).copied();
        let participant = participant.unwrap_or_else(Uuid::new_v4);
        let validity = Duration::from_secs(3600);
        let request = ClientRequest { participant, email: email.into(), device, scopes, validity };
        self.authority.issue(&request).unwrap()
    }

    /// By that address certificates are issued to that participant.
    fn remember(&self, email: &str, registered: &Registered) {
        let mut participants = self.participants.lock().unwrap();
        participants.insert(email.to_ascii_lowercase(), registered.participant);
    }

    /// A client with a fresh certificate and all scopes.
    pub fn device(&self, email: &str, registered: &Registered) -> Api {
        self.remember(email, registered);
        let device = Some(registered.measurement_device);
        self.api(Some(&self.issue(email, device, Scopes::all())))
    }

    pub fn api(&self, identity: Option<&Issued>) -> Api {
        Api::new(self.address, self.authority.certificate_pem(), identity)
    }

    /// A client with that group's secret.
    pub fn manager(&self, group: Group) -> Api {
        let secret = format!("the secret of {group}");
        // In the file of before, from which it gets into the database.
        let path = self.data().join("secrets.toml");
        let mut text = std::fs::read_to_string(&path).unwrap_or_default();
        if !text.contains(group.name()) {
            text += &format!("{group} = {:?}\n", hash_secret(&secret).unwrap());
            write_atomic(&path, text.as_bytes(), 0o600).unwrap();
        }
        let credentials = BASE64_STANDARD.encode(format!("{group}:{secret}"));
        self.api(None).authorized(format!("Basic {credentials}"))
    }

    /// A bare connection with that client's certificate.
    pub async fn raw(&self, api: &Api) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::from(self.address.ip());
        TlsConnector::from(api.tls.clone()).connect(name, stream).await.unwrap()
    }

    /// A registered household with its device's client.
    pub async fn household(&self, email: &str) -> (Registered, Api) {
        let registered = self.register(email).await;
        let api = self.device(email, &registered);
        (registered, api)
    }

    /// A household that has granted consent to that version of the text.
    pub async fn consenting_to(&self, email: &str, version: u32) -> (Registered, Api) {
        let (registered, api) = self.household(email).await;
        let agreed = json!({"text_version": version, "language": "de"});
        api.json(Method::POST, paths::CONSENT, &agreed).expect(StatusCode::CREATED).await;
        (registered, api)
    }

    /// A household that has granted consent, a second ago.
    pub async fn consenting(&self, email: &str) -> (Registered, Api) {
        let (registered, api) = self.household(email).await;
        api.post(paths::CONSENT).expect(StatusCode::CREATED).await;
        self.clock.advance(1);
        (registered, api)
    }
}

/// A client.
pub struct Api {
    client: Client,
    base: String,
    tls: Arc<ClientConfig>,
    authorization: Option<String>,
}

impl Api {
    pub fn new(address: std::net::SocketAddr, root: &str, identity: Option<&Issued>) -> Self {
        Self::from_address(address, root, identity, None)
    }

    /// The same, from that address of this machine.
    pub fn from_address(
        address: std::net::SocketAddr,
        root: &str,
        identity: Option<&Issued>,
        source: Option<IpAddr>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(issued) => {
                let chain = CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes())
                    .collect::<Result<_, _>>()
                    .unwrap();
                let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let client = Client::builder()
            .tls_backend_preconfigured(config.clone())
            .local_address(source)
            .no_proxy()
            .build()
            .unwrap();
        Self { client, base: format!("https://{address}"), tls: config.into(), authorization: None }
    }

    pub fn request(&self, method: Method, path: &str) -> Call {
        let request = self.client.request(method, format!("{}{path}", self.base));
        Call(match &self.authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        })
    }

    /// The same, with that header in every request.
    pub fn authorized(mut self, authorization: String) -> Self {
        self.authorization = Some(authorization);
        self
    }

    pub fn get(&self, path: &str) -> Call {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.request(Method::POST, path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.request(Method::DELETE, path)
    }

    pub fn json(&self, method: Method, path: &str, body: &Value) -> Call {
        Call(self.request(method, path).0.json(body))
    }

    pub fn upload(&self, measurements: &[Value]) -> Call {
        Call(self.post(paths::MEASUREMENT).0.json(&json!({ "measurements": measurements })))
    }
}

/// A request that is about to be sent.
pub struct Call(pub RequestBuilder);

impl Call {
    pub async fn send(self) -> reqwest::Result<Response> {
        self.0.send().await
    }

    /// The body of an answer with that status.
    pub async fn expect(self, status: StatusCode) -> Value {
        let response = self.send().await.unwrap();
        let got = response.status();
        let body = response.text().await.unwrap();
        assert_eq!(got, status, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn ok(self) -> Value {
        self.expect(StatusCode::OK).await
    }

    /// The problem that is the answer; asserts status and type.
    pub async fn problem(self, status: u16, kind: &str) -> Problem {
        let response = self.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let got = response.status().as_u16();
        let problem: Problem = response.json().await.unwrap();
        assert_eq!((got, problem.kind.as_str()), (status, kind), "{problem:?}");
        assert_eq!(problem.status, status);
        problem
    }
}

pub fn registration(email: &str) -> Registration {
    serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": email},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "location": {"latitude": 50.8503, "longitude": 7.1017},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                   {"type": "PV-GENERATION", "model": "MT681"}],
        "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                        "installed_on": "2019-05-03", "meter": 1}]
    }))
    .unwrap()
}

pub fn measurement(uuid: u128, meter: Uuid, measured_at: Timestamp) -> Value {
    json!({
        "uuid": Uuid::from_u128(uuid),
        "meter": meter,
        "measured_at": measured_at,
        "data": [{"0100010800ff": 12345.6789}, {"0100100700ff": -0.015}]
    })
}

/// The result of each, as `accepted`, `duplicate` or the reason of the refusal.
pub fn outcomes(response: &Value) -> Vec<String> {
    response["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let reason = item.get("reason").unwrap_or(&item["outcome"]);
            reason.as_str().unwrap().to_owned()
        })
        .collect()
}
