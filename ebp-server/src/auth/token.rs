//! JWT bearer tokens, for sources of measurements other than our devices (thesis 4.3.1 and 5).
//!
//! | claim | what |
//! |---|---|
//! | `email` | the participant's e-mail address |
//! | `scope` | scopes, names with a space between (RFC 8693, 4.2) |
//! | `aud` | this server's audience, as configured |
//! | `exp` | seconds since the Unix epoch, demanded; `nbf` counts where it is given |
//! | `participant` | the participant's UUID, as `ebp household show` prints it; if it is given it decides, and the address must be that participant's |
//! | `device` | the UUID of the device, needed if the participant has several households |
//!
//! Signed with EdDSA (Ed25519) or ES256 by a key of the configured key set (RFC 7517), chosen by
//! `kid` where the token names one.
//!
//! Enters: a token, the key set, now. Leaves: the identity that it proves. Absent: whether they are
//! registered.

use ebp_core::scope::Scopes;
use ebp_store::Names;
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Validation,
    crypto::{CryptoProvider, JwkUtils, JwtVerifier},
    decode, decode_header,
    errors::{Error, ErrorKind},
    signature::{self, Verifier},
};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use uuid::Uuid;

use super::{KeySet, KeySource, TokenError};
use crate::problem::ApiError;

/// How far clocks may differ.
const LEEWAY: i64 = 60;
/// The longest token that is looked at.
const LONGEST: usize = 8 << 10;
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
    /// The identity that it proves.
    pub names: Names,
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
    participant: Option<Uuid>,
    #[serde(default)]
    device: Option<Uuid>,
}

/// Verifies tokens.
pub struct Tokens {
    settings: TokenSettings,
    keys: KeySet,
}

impl Tokens {
    /// For these tokens.
    ///
    /// # Errors
    /// If an address is no HTTPS address, or TLS cannot be set up.
    pub fn new(settings: TokenSettings) -> Result<Self, TokenError> {
        // Fails only if it exists already.
        let _ = PROVIDER.install_default();
        let keys = KeySet::new(settings.keys.clone())?;
        Ok(Self { settings, keys })
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
        let set = self.keys.with(header.kid.as_deref(), now).await?;
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
        let Claims { participant, email, device, .. } = claims;
        Ok(TokenIdentity { names: Names { participant, email, device }, scopes })
    }
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
