//! JWT bearer tokens, for sources of measurements other than our devices (thesis 4.3.1 and 5).
//!
//! | claim | what |
//! |---|---|
//! | `email` | the participant's e-mail address |
//! | `scope` | scopes, names with a space between (RFC 8693, 4.2) |
//! | `aud` | this server's audience, as configured |
//! | `exp` | seconds since the Unix epoch, demanded; `nbf` counts where it is given |
//! | `device` | the uuid of the device that it stands for, where the participant has several households |
//!
//! Signed with EdDSA (Ed25519) or ES256 by a key of the configured key set (RFC 7517), chosen by
//! `kid` where the token names one. The key set is a file, read again when it changes, or an HTTPS
//! address, asked again when a token names an unknown key and once in a while.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use ebp_core::scope::Scopes;
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation,
    crypto::{CryptoProvider, JwkUtils, JwtVerifier},
    decode, decode_header,
    errors::{Error, ErrorKind},
    jwk::JwkSet,
    signature::{self, Verifier},
};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use uuid::Uuid;

use crate::problem::ApiError;

/// How far clocks may differ.
const LEEWAY: i64 = 60;
/// The longest token that is looked at.
const LONGEST: usize = 8 << 10;
/// How often a key set's address is asked at most, whatever tokens say.
const AT_MOST: Duration = Duration::from_secs(60);
/// How old a key set may become.
const FRESH: Duration = Duration::from_secs(3600);
/// The longest key set that is read.
const LONGEST_SET: usize = 256 << 10;

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file that holds a JSON Web Key Set.
    File(PathBuf),
    /// An HTTPS address that answers with one.
    Url(String),
}

/// Which tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// What `aud` has to be.
    pub audience: String,
    /// What `iss` has to be, if anything.
    pub issuer: Option<String>,
    /// By whose keys they are signed.
    pub keys: KeySource,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenIdentity {
    /// The participant's e-mail address.
    pub email: String,
    /// The device that it stands for.
    pub device: Option<Uuid>,
    /// What it permits.
    pub scopes: Scopes,
}

#[derive(Deserialize)]
struct Claims {
    email: String,
    #[serde(default)]
    scope: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    device: Option<Uuid>,
}

/// Verifies tokens.
pub struct Tokens {
    settings: TokenSettings,
    keys: Mutex<Option<Keys>>,
    http: Option<reqwest::Client>,
    /// One asks for the key set, the others wait for its answer.
    asking: tokio::sync::Mutex<()>,
}

struct Keys {
    set: Arc<JwkSet>,
    /// Of a file: when it was changed and how long it is.
    version: Option<(SystemTime, u64)>,
    /// Of an address: when it was asked.
    asked: Instant,
}

impl Tokens {
    /// For these tokens.
    ///
    /// # Errors
    /// If an address is no HTTPS address, or TLS cannot be set up.
    pub fn new(settings: TokenSettings) -> Result<Self, TokenError> {
        // Fails only if it is there already.
        let _ = PROVIDER.install_default();
        let http = match &settings.keys {
            KeySource::File(_) => None,
            KeySource::Url(url) => {
                if !url.starts_with("https://") {
                    return Err(TokenError::NoHttps(url.clone()));
                }
                Some(client()?)
            }
        };
        Ok(Self { settings, keys: Mutex::default(), http, asking: tokio::sync::Mutex::default() })
    }

    /// What a token says, if it counts now.
    ///
    /// # Errors
    /// 401 if it does not count; 500 or 503 if the keys are not to be had.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<TokenIdentity, ApiError> {
        const WRONG: ApiError = ApiError::Unauthenticated("the token is not valid here");
        if token.len() > LONGEST {
            return Err(WRONG);
        }
        let header = decode_header(token).map_err(|_| WRONG)?;
        if !matches!(header.alg, Algorithm::EdDSA | Algorithm::ES256) {
            return Err(WRONG);
        }
        let mut set = self.keys(false).await?;
        if header.kid.as_deref().is_some_and(|kid| set.find(kid).is_none()) {
            set = self.keys(true).await?;
        }
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&self.settings.audience]);
        if let Some(issuer) = &self.settings.issuer {
            validation.set_issuer(&[issuer]);
        }
        validation.set_required_spec_claims(&["exp", "aud"]);
        if self.settings.issuer.is_some() {
            validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        }
        // By our clock, below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = set
            .keys
            .iter()
            .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            // A key is good for the algorithm of its kind only (RFC 8725, 3.1).
            .filter(|key| key.family() == header.alg.family())
            .find_map(|key| decode::<Claims>(token, &key, &validation).ok())
            .ok_or(WRONG)?
            .claims;
        let seconds = now.as_second();
        if claims.exp.saturating_add(LEEWAY) <= seconds {
            return Err(ApiError::Unauthenticated("the token is expired"));
        }
        if claims.nbf.is_some_and(|nbf| nbf.saturating_sub(LEEWAY) > seconds) {
            return Err(ApiError::Unauthenticated("the token is not valid yet"));
        }
        // A scope that this version does not know grants nothing.
        let scopes = claims.scope.split_whitespace().filter_map(|s| s.parse().ok()).collect();
        Ok(TokenIdentity { email: claims.email, device: claims.device, scopes })
    }

    /// The key set; `again` where it lacks a key that it may have got meanwhile.
    async fn keys(&self, again: bool) -> Result<Arc<JwkSet>, ApiError> {
        match &self.settings.keys {
            KeySource::File(path) => self.keys_of_file(path),
            KeySource::Url(url) => {
                let limit = if again { AT_MOST } else { FRESH };
                if let Some(set) = self.younger_than(limit) {
                    return Ok(set);
                }
                let _turn = self.asking.lock().await;
                if let Some(set) = self.younger_than(limit) {
                    return Ok(set);
                }
                let old = self.younger_than(Duration::MAX);
                match (self.ask(url).await, old) {
                    (Ok(set), _) => Ok(set),
                    (Err(reason), Some(old)) => {
                        tracing::warn!(%reason, "the key set is not to be had; the old one goes on");
                        Ok(self.keep(old, None))
                    }
                    (Err(reason), None) => Err(ApiError::Unavailable(format!(
                        "the key set is not to be had: {reason}"
                    ))),
                }
            }
        }
    }

    fn keys_of_file(&self, path: &std::path::Path) -> Result<Arc<JwkSet>, ApiError> {
        let failed = |reason: String| {
            ApiError::Internal(format!("the key set {}: {reason}", path.display()))
        };
        let metadata = fs::metadata(path).map_err(|e| failed(e.to_string()))?;
        let version = metadata.modified().ok().map(|modified| (modified, metadata.len()));
        {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(keys) = keys.as_ref()
                && version.is_some()
                && keys.version == version
            {
                return Ok(keys.set.clone());
            }
        }
        let text = fs::read(path).map_err(|e| failed(e.to_string()))?;
        let set = serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?;
        Ok(self.keep(Arc::new(set), version))
    }

    fn younger_than(&self, limit: Duration) -> Option<Arc<JwkSet>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().filter(|keys| keys.asked.elapsed() < limit).map(|keys| keys.set.clone())
    }

    fn keep(&self, set: Arc<JwkSet>, version: Option<(SystemTime, u64)>) -> Arc<JwkSet> {
        let keys = Keys { set: set.clone(), version, asked: Instant::now() };
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        set
    }

    async fn ask(&self, url: &str) -> Result<Arc<JwkSet>, String> {
        let http = self.http.as_ref().ok_or("there is no client")?;
        let mut response = http
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.without_url().to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| e.without_url().to_string())? {
            if body.len() + chunk.len() > LONGEST_SET {
                return Err("it is too long".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        let set = serde_json::from_slice(&body).map_err(|_| "it is no key set")?;
        Ok(self.keep(Arc::new(set), None))
    }
}

/// Why tokens cannot be accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Keys that anybody on the way may change verify nothing.
    #[error("the key set's address `{0}` must begin with https://")]
    NoHttps(String),
    /// TLS cannot be set up.
    #[error("cannot set up the way to the key set: {0}")]
    SetUp(String),
}

/// Trusts whom the machine trusts.
fn client() -> Result<reqwest::Client, TokenError> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let failed = |reason: String| TokenError::SetUp(reason);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|e| failed(e.to_string()))?
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|e| failed(e.to_string()))
}

/// jsonwebtoken's cryptography by ring, as everywhere else in this program.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: verifier,
    jwk_utils: JwkUtils::new_unimplemented(),
};

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let (family, ring): (_, &'static dyn VerificationAlgorithm) = match algorithm {
        Algorithm::EdDSA => (AlgorithmFamily::Ed, &ED25519),
        Algorithm::ES256 => (AlgorithmFamily::Ec, &ECDSA_P256_SHA256_FIXED),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    if key.family() != family {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(RingVerifier { algorithm: *algorithm, ring, key: key.as_bytes().to_vec() }))
}

struct RingVerifier {
    algorithm: Algorithm,
    ring: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(self.ring, &self.key)
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
