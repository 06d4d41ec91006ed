//! The requests of devices and participants, over mutual TLS.
//!
//! Enters: the server's address, the device's [`Identity`]. Leaves: the contract's bodies, or a
//! [`ClientError`] that says whether to retry later, to ask a person, or to give up. Absent:
//! retrying and waiting; storage.

use std::{
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use reqwest::{
    Method, Url,
    blocking::{RequestBuilder, Response},
    header::{self, HeaderMap, HeaderValue},
};
use rustls::ClientConfig;
use serde::de::DeserializeOwned;

use crate::{
    ClientError, identity::Identity, kept::KeptConnection, server_clock::ServerClock,
    validity::Validity,
};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{
        Account, Consent, Household, HouseholdRelease, MeasurementDevice, UploadRequest,
        UploadResponse, paths,
    },
    model::{Meter, PvSystem},
    retry_after,
    trace::{TRACEPARENT, TraceContext},
};

/// A longer response is not read: the largest page is a tenth of it.
const MAX_ANSWER: u64 = 64 << 20;

/// How long a connection is kept that was not asked to be: as long as a server does.
const USUALLY_KEPT: Duration = Duration::from_secs(30);

/// The client's settings.
#[derive(Clone)]
pub struct ClientOptions {
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for the whole answer.
    pub timeout: Duration,
    /// Whether a connection is kept from question to question, and how long: one that a router forgot
    /// meanwhile is noticed. Otherwise it is kept for half a minute.
    pub kept: Option<Duration>,
    /// The version of the program, sent as `user-agent`.
    pub version: String,
    /// The clock against which the validity of the server's certificate is checked.
    pub clock: Arc<dyn Clock>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            kept: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// A client of one Data API.
#[derive(Clone)]
pub struct Client {
    pub(crate) http: reqwest::blocking::Client,
    pub(crate) server: String,
    clock: Arc<dyn Clock>,
    /// For a client with a certificate.
    server_clock: Option<ServerClock>,
    kept: Arc<KeptConnection>,
    /// The request that this one's are a part of.
    trace: Option<TraceContext>,
}

impl Client {
    /// A client of the Data API at `base_url` (`https://host:port`, a path may follow) that
    /// authenticates with `identity` and trusts only its authority. Nothing is sent yet.
    ///
    /// # Errors
    /// Returns [`ClientError::InvalidUrl`] if the address is no HTTPS address, and
    /// [`ClientError::SetUp`] if TLS cannot be set up.
    pub fn new(
        base_url: &str,
        identity: &Identity,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        let tls = |e: rustls::Error| set_up(base_url, e.to_string());
        let config = identity.client_config(options.clock.clone()).map_err(tls)?;
        let anonymous = identity.anonymous_config(options.clock.clone()).map_err(tls)?;
        let validity = Validity::of_der(identity.certificate());
        let client = Self::with_tls(base_url, config, None, options)?;
        let server_clock = validity.map(|validity| ServerClock::new(anonymous, validity));
        Ok(Self { server_clock, ..client })
    }

    /// A client with that TLS configuration and, where given, that `Authorization` header.
    pub(crate) fn with_tls(
        base_url: &str,
        tls: ClientConfig,
        authorization: Option<HeaderValue>,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        let server = base_url.trim_end_matches('/').to_owned();
        let valid = Url::parse(&server).is_ok_and(|url| {
            url.scheme() == "https"
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !valid {
            return Err(ClientError::InvalidUrl { url: base_url.to_owned() });
        }
        let set_up = |reason: String| set_up(&server, reason);
        let mut headers = HeaderMap::new();
        headers.extend(authorization.map(|value| (header::AUTHORIZATION, value)));
        let http = reqwest::blocking::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .pool_idle_timeout(options.kept.unwrap_or(USUALLY_KEPT))
            .pool_max_idle_per_host(if options.kept.is_some() { 1 } else { usize::MAX })
            .user_agent(format!("ebp/{}", options.version))
            .default_headers(headers)
            .build()
            .map_err(|e| set_up(e.to_string()))?;
        let kept = Arc::new(KeptConnection::new(options.kept));
        Ok(Self { http, server, clock: options.clock, server_clock: None, kept, trace: None })
    }

    /// The same client, whose requests keep the identifier of one that they are a part of: a page
    /// passes on what a browser asked for. Otherwise each request has its own.
    #[must_use]
    pub fn within(self, trace: TraceContext) -> Self {
        Self { trace: Some(trace), ..self }
    }

    /// The Data API's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Endpoint 1: the participant.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn account(&self) -> Result<Account, ClientError> {
        self.get(paths::ACCOUNT)
    }

    /// Endpoint 2: the household's registration details.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn household(&self) -> Result<Household, ClientError> {
        self.get(paths::HOUSEHOLD)
    }

    /// The household's consent.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn consent(&self) -> Result<Consent, ClientError> {
        self.get(paths::CONSENT)
    }

    /// Endpoint 3: grants consent, which is possible once.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status
    /// 409 if it was granted before.
    pub fn grant_consent(&self) -> Result<Consent, ClientError> {
        self.send(Method::POST, paths::CONSENT)
    }

    /// Endpoint 4: revokes consent, for good.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn revoke_consent(&self) -> Result<Consent, ClientError> {
        self.send(Method::DELETE, paths::CONSENT)
    }

    /// Endpoint 5: the household's measurement devices.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn measurement_devices(&self) -> Result<Vec<MeasurementDevice>, ClientError> {
        self.get(paths::MEASUREMENT_DEVICE)
    }

    /// Endpoint 6: the household's meters.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn meters(&self) -> Result<Vec<Meter>, ClientError> {
        self.get(paths::METER)
    }

    /// The meters that this device reads. Needs a device's certificate.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn device_meters(&self) -> Result<Vec<Meter>, ClientError> {
        self.get(paths::DEVICE_METER)
    }

    /// Endpoint 8: uploads measurements; sending one again changes nothing.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem. If its
    /// answer was lost, it may have stored them.
    pub fn upload(&self, request: &UploadRequest) -> Result<UploadResponse, ClientError> {
        let body = compressed(request).map_err(|reason| ClientError::SetUp {
            server: self.server.clone(),
            reason: reason.to_string(),
        })?;
        let request = self
            .request(Method::POST, paths::MEASUREMENT)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(body);
        self.answer(paths::MEASUREMENT, request)
    }

    /// Endpoint 9: the household's photovoltaic systems.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn pv_systems(&self) -> Result<Vec<PvSystem>, ClientError> {
        self.get(paths::PV_SYSTEM)
    }

    /// The releases of the data set that the household is in, the first first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem: status 404 if
    /// it is older than this question.
    pub fn releases(&self) -> Result<Vec<HouseholdRelease>, ClientError> {
        self.get(paths::RELEASE)
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path)
    }

    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, ClientError> {
        self.answer(path, self.request(method, path))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server))
    }

    pub(crate) fn answer<T: DeserializeOwned>(
        &self,
        path: &str,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        let body = self.receive(path, request)?;
        serde_json::from_slice(&body).map_err(|e| self.garbled(path, place(&e)))
    }

    /// The same, with the version of what is answered (`ETag`).
    pub(crate) fn answer_with_version<T: DeserializeOwned>(
        &self,
        path: &str,
        request: RequestBuilder,
    ) -> Result<(T, Option<String>), ClientError> {
        let (version, body) = self.receive_with_version(path, request)?;
        let answer = serde_json::from_slice(&body).map_err(|e| self.garbled(path, place(&e)))?;
        Ok((answer, version))
    }

    pub(crate) fn garbled(&self, path: &str, reason: String) -> ClientError {
        let path = path.split('?').next().unwrap_or(path).to_owned();
        ClientError::Garbled { server: self.server.clone(), path, reason }
    }

    /// The body of a successful response.
    pub(crate) fn receive(
        &self,
        path: &str,
        request: RequestBuilder,
    ) -> Result<Vec<u8>, ClientError> {
        self.receive_with_version(path, request).map(|(_, body)| body)
    }

    fn receive_with_version(
        &self,
        path: &str,
        request: RequestBuilder,
    ) -> Result<(Option<String>, Vec<u8>), ClientError> {
        let response = self.open(request.header(header::ACCEPT, "application/json"))?;
        let version = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let version = version.map(str::to_owned);
        let body = self.read(response)?;
        if body.len() as u64 > MAX_ANSWER {
            return Err(self.garbled(path, format!("it is longer than {MAX_ANSWER} bytes")));
        }
        Ok((version, body))
    }

    /// A successful response, whose body is still to be read.
    pub(crate) fn open(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let transport = |error| {
            let error = ClientError::of_transport(&self.server, error);
            match &self.server_clock {
                Some(asked) => asked.explain(&self.server, &*self.clock, error),
                None => error,
            }
        };
        let trace = self.trace.map_or_else(TraceContext::begin, TraceContext::child);
        let request = request.header(TRACEPARENT, trace.to_string());
        let request = request.build().map_err(transport)?;
        let response = self.kept.ask(&self.http, request).map_err(transport)?;
        let status = response.status();
        let retry_after = asked_wait(status.as_u16(), response.headers(), &*self.clock);
        if status.is_success() {
            return Ok(response);
        }
        let body = self.read(response)?;
        Err(ClientError::of_answer(&self.server, status, &body, retry_after, trace.id()))
    }

    /// A body, and one byte more than there may be if it is longer.
    fn read(&self, response: Response) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        response.take(MAX_ANSWER + 1).read_to_end(&mut body).map_err(|e| {
            ClientError::Unreachable {
                server: self.server.clone(),
                reason: format!("the answer breaks off: {e}"),
            }
        })?;
        Ok(body)
    }
}

/// How long an answer asks to wait, where a later one may be another.
pub(crate) fn asked_wait(status: u16, headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let value = text(header::RETRY_AFTER).filter(|_| retry_after::is_passing(status))?;
    retry_after::parse(value, text(header::DATE), Some(clock.now()))
}

pub(crate) fn set_up(server: &str, reason: String) -> ClientError {
    ClientError::SetUp { server: server.to_owned(), reason }
}

/// Where a response violates the contract, without the values in it: they may be personal data.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "not what the contract says",
        serde_json::error::Category::Eof => "it breaks off",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is no JSON",
    };
    format!("{what}, line {} column {}", error.line(), error.column())
}

fn compressed(request: &UploadRequest) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut encoder, request)?;
    encoder.flush()?;
    encoder.finish()
}
