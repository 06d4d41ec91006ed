//! The keys that tokens are signed by: a file, or an HTTPS address that is asked now and then.
//!
//! Enters: where the keys are, now. Leaves: the key set (RFC 7517). Absent: tokens.
//!
//! A file is read again when it changes. An address is asked again when the set is an hour old, or
//! when a token names a key that is not in it, but at most once a minute, whatever tokens say.
//! While it does not answer, the old set stays valid for a day: longer than outages last, and not
//! so long that a key that was withdrawn meanwhile stays good for ever.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::JwkSet;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::TokenError;
use crate::problem::ApiError;

/// How often an address is asked at most.
const AT_MOST: SignedDuration = SignedDuration::from_mins(1);
/// How old a set from an address may become.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// How old it may become where the address does not answer.
const STALE: SignedDuration = SignedDuration::from_hours(24);
/// The longest set that is read.
const LONGEST: usize = 256 << 10;
/// How long an address may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file that holds a JSON Web Key Set.
    File(PathBuf),
    /// An HTTPS address that answers with one.
    Url {
        /// The address.
        url: String,
        /// Its certificate authority (PEM file); by default the machine's own.
        authority: Option<PathBuf>,
    },
}

/// The keys, as of now.
pub struct KeySet {
    source: KeySource,
    state: Mutex<State>,
    http: Option<reqwest::Client>,
    /// One asks, the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    /// When an address was asked last, whatever it answered, and why there is no set of it.
    tried: Option<(Timestamp, Result<(), String>)>,
}

struct Known {
    set: Arc<JwkSet>,
    /// Of a file: when it was changed and how long it is.
    version: Option<(SystemTime, u64)>,
    /// When it was read.
    got: Timestamp,
}

impl KeySet {
    /// Those of that source; nothing is read or asked yet.
    ///
    /// # Errors
    /// If an address is no HTTPS address, or TLS cannot be set up.
    pub fn new(source: KeySource) -> Result<Self, TokenError> {
        let http = match &source {
            KeySource::File(_) => None,
            KeySource::Url { url, .. } if !url.starts_with("https://") => {
                return Err(TokenError::NoHttps(url.clone()));
            }
            KeySource::Url { authority, .. } => Some(client(authority.as_deref())?),
        };
        Ok(Self { source, state: Mutex::default(), http, asking: tokio::sync::Mutex::default() })
    }

    /// The set, fresh enough; where it lacks that key, one that may have got it meanwhile.
    ///
    /// # Errors
    /// 500 if the file cannot be used, 503 if the address never answered.
    pub async fn with(&self, kid: Option<&str>, now: Timestamp) -> Result<Arc<JwkSet>, ApiError> {
        let set = self.younger_than(FRESH, now).await?;
        match kid {
            Some(kid) if set.find(kid).is_none() => self.younger_than(AT_MOST, now).await,
            _ => Ok(set),
        }
    }

    async fn younger_than(
        &self,
        limit: SignedDuration,
        now: Timestamp,
    ) -> Result<Arc<JwkSet>, ApiError> {
        let url = match &self.source {
            KeySource::File(path) => return self.of_file(path, now),
            KeySource::Url { url, .. } => url,
        };
        if let Some(set) = self.known(limit, now) {
            return Ok(set);
        }
        let _turn = self.asking.lock().await;
        if let Some(set) = self.known(limit, now) {
            return Ok(set);
        }
        let tried = self.state().tried.clone();
        let reason = match tried {
            Some((at, outcome)) if within(AT_MOST, at, now) => outcome.err().unwrap_or_default(),
            _ => match self.ask(url).await {
                Ok(set) => {
                    self.state().tried = Some((now, Ok(())));
                    return Ok(self.keep(set.into(), None, now));
                }
                Err(reason) => {
                    tracing::warn!(%reason, "the key set is not to be had");
                    self.state().tried = Some((now, Err(reason.clone())));
                    reason
                }
            },
        };
        self.known(STALE, now)
            .ok_or_else(|| ApiError::Unavailable(format!("the key set is not to be had: {reason}")))
    }

    fn of_file(&self, path: &Path, now: Timestamp) -> Result<Arc<JwkSet>, ApiError> {
        let failed = |reason: String| {
            ApiError::Internal(format!("the key set {}: {reason}", path.display()))
        };
        let metadata = fs::metadata(path).map_err(|e| failed(e.to_string()))?;
        let version = metadata.modified().ok().map(|modified| (modified, metadata.len()));
        {
            let state = self.state();
            if let Some(known) = state.known.as_ref()
                && version.is_some()
                && known.version == version
            {
                return Ok(known.set.clone());
            }
        }
        let text = fs::read(path).map_err(|e| failed(e.to_string()))?;
        let set: JwkSet = serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?;
        Ok(self.keep(set.into(), version, now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known and was got within that time.
    fn known(&self, limit: SignedDuration, now: Timestamp) -> Option<Arc<JwkSet>> {
        let state = self.state();
        let known = state.known.as_ref().filter(|known| within(limit, known.got, now));
        known.map(|known| known.set.clone())
    }

    fn keep(
        &self,
        set: Arc<JwkSet>,
        version: Option<(SystemTime, u64)>,
        got: Timestamp,
    ) -> Arc<JwkSet> {
        self.state().known = Some(Known { set: set.clone(), version, got });
        set
    }

    async fn ask(&self, url: &str) -> Result<JwkSet, String> {
        let http = self.http.as_ref().ok_or("there is no client")?;
        let mut response = http.get(url).send().await.map_err(describe)?;
        if !response.status().is_success() {
            // A redirection, too: keys come from the address that was configured and no other.
            return Err(format!("the answer is {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(describe)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(format!("it is longer than {LONGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| "it is no key set".to_owned())
    }
}

/// Whether that was so short a time ago. If the clock was set back, nothing was.
fn within(limit: SignedDuration, then: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(then);
    age < limit && !age.is_negative()
}

/// The error with its causes: `error sending request` alone is not helpful.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Trusts that authority, or whom the machine trusts.
fn client(authority: Option<&Path>) -> Result<reqwest::Client, TokenError> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let failed = |reason: String| TokenError::SetUp(reason);
    let builder =
        ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|e| failed(e.to_string()))?;
    let tls = match authority {
        Some(path) => {
            let wrong = |reason: String| failed(format!("keys_ca, {}: {reason}", path.display()));
            let mut roots = RootCertStore::empty();
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
                roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it (PEM)".to_owned()));
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(|e| failed(e.to_string()))?,
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.with_no_client_auth())
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|e| failed(e.to_string()))
}
