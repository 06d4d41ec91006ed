//! Bearer tokens, for sources other than devices.

use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ebp_core::{
    clock::Clock,
    contract::{paths, problem_type},
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SigningKey};
use serde_json::{Value, json};

use crate::harness::{Api, Server, measurement, outcomes};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Who signs tokens.
pub struct Issuer {
    key: KeyPair,
    algorithm: &'static str,
}

impl Issuer {
    pub fn new(algorithm: &'static str) -> Self {
        let kind = if algorithm == "EdDSA" { &PKCS_ED25519 } else { &PKCS_ECDSA_P256_SHA256 };
        Self { key: KeyPair::generate_for(kind).unwrap(), algorithm }
    }

    fn jwk(&self) -> Value {
        let point = self.key.der_bytes();
        match self.algorithm {
            "EdDSA" => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": "EdDSA", "x": encode(point)})
            }
            _ => json!({"kty": "EC", "crv": "P-256", "kid": self.algorithm,
                        "x": encode(&point[1..33]), "y": encode(&point[33..])}),
        }
    }

    pub fn publish(issuers: &[&Self], folder: &Path) {
        let keys: Vec<_> = issuers.iter().map(|issuer| issuer.jwk()).collect();
        std::fs::write(folder.join("keys.json"), json!({ "keys": keys }).to_string()).unwrap();
    }

    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm, "kid": self.algorithm}), claims)
    }

    fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.key.sign(message.as_bytes()).unwrap();
        let signature = if self.algorithm == "EdDSA" { signature } else { fixed(&signature) };
        format!("{message}.{}", encode(signature))
    }
}

/// The two numbers of an ECDSA signature in DER, as JWTs carry them: 32 octets each.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut numbers = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[number.len().saturating_sub(32)..];
        numbers.extend(std::iter::repeat_n(0, 32 - number.len()));
        numbers.extend(number);
        rest = &rest[2 + length..];
    }
    numbers
}

pub fn claims(server: &Server, email: &str, scope: &str) -> Value {
    json!({"email": email, "scope": scope, "aud": "ebp", "iss": "https://issuer.example",
           "exp": server.clock.now().as_second() + 300})
}

pub fn bearer(server: &Server, token: &str) -> Api {
    server.api(None).authorized(format!("Bearer {token}"))
}

#[tokio::test]
async fn either_algorithm_uploads_within_its_scopes() {
    let server = Server::start().await;
    let (registered, _) = server.consenting("erika@example.org").await;
    let issuers = [Issuer::new("EdDSA"), Issuer::new("ES256")];
    Issuer::publish(&issuers.each_ref(), server.data());
    for (uuid, issuer) in (0..).zip(&issuers) {
        let token = issuer.token(&claims(&server, "erika@example.org", "measurement-write root"));
        let api = bearer(&server, &token);
        let item = measurement(uuid, registered.meters[0], server.clock.now());
        assert_eq!(outcomes(&api.upload(&[item]).ok().await), ["accepted"]);
        api.get(paths::ACCOUNT).problem(403, problem_type::SCOPE).await;
        api.get(paths::MANAGEMENT_HOUSEHOLD).problem(403, problem_type::GROUP).await;
        let renew = api.json(reqwest::Method::POST, paths::RENEW, &json!({"csr": ""}));
        renew.problem(403, problem_type::GROUP).await;
    }
    let token = issuers[0].token(&claims(&server, "erika@example.org", "account"));
    let api = bearer(&server, &token);
    api.get(paths::ACCOUNT).ok().await;
    server.clock.advance(300 + 61);
    let problem = api.get(paths::ACCOUNT).problem(401, problem_type::UNAUTHENTICATED).await;
    assert_eq!(problem.detail.as_deref(), Some("the token is expired"));
}

#[tokio::test]
async fn a_token_names_the_device_where_there_are_two_households() {
    let server = Server::start().await;
    let first = server.register("erika@example.org").await;
    server.register("erika@example.org").await;
    let issuer = Issuer::new("EdDSA");
    Issuer::publish(&[&issuer], server.data());
    let mut claims = claims(&server, "erika@example.org", "household");
    let api = bearer(&server, &issuer.token(&claims));
    api.get(paths::HOUSEHOLD).problem(409, problem_type::HOUSEHOLD_AMBIGUOUS).await;
    claims["device"] = json!(first.measurement_device);
    let api = bearer(&server, &issuer.token(&claims));
    assert_eq!(api.get(paths::HOUSEHOLD).ok().await["uuid"], first.household.to_string());
}

#[tokio::test]
async fn what_is_no_valid_token() {
    let server = Server::start().await;
    server.register("erika@example.org").await;
    let (issuer, other) = (Issuer::new("EdDSA"), Issuer::new("EdDSA"));
    let ec = Issuer::new("ES256");
    Issuer::publish(&[&issuer, &ec], server.data());
    let good = claims(&server, "erika@example.org", "account");
    bearer(&server, &issuer.token(&good)).get(paths::ACCOUNT).ok().await;
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        issuer.token(&claims)
    };
    let token = issuer.token(&good);
    let parts: Vec<_> = token.split('.').collect();
    let none = format!("{}.{}.", encode(r#"{"alg":"none"}"#), parts[1]);
    // Signed with the public key as the secret of an HMAC.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, issuer.key.der_bytes());
    let message = format!("{}.{}", encode(r#"{"alg":"HS256","kid":"EdDSA"}"#), parts[1]);
    let hmac = format!("{message}.{}", encode(ring::hmac::sign(&key, message.as_bytes())));
    let now = server.clock.now().as_second();
    let mut without_exp = good.clone();
    without_exp.as_object_mut().unwrap().remove("exp");
    let refused = [
        other.token(&good),
        ec.token_with(&json!({"alg": "ES256", "kid": "EdDSA"}), &good),
        ec.token_with(&json!({"alg": "EdDSA", "kid": "ES256"}), &good),
        issuer.token_with(&json!({"alg": "EdDSA", "kid": "unknown"}), &good),
        with("aud", json!("another")),
        with("iss", json!("https://another.example")),
        with("exp", json!(now - 61)),
        with("exp", json!("9999999999")),
        with("nbf", json!(now + 120)),
        with("email", json!("nobody@example.org")),
        with("email", Value::Null),
        issuer.token(&without_exp),
        format!(
            "{}.{}.{}",
            parts[0],
            encode(good.to_string().replace("account", "consent")),
            parts[2]
        ),
        none,
        hmac,
        "x.y.z".into(),
        "a".repeat(9000),
    ];
    for (index, token) in refused.iter().enumerate() {
        let answer = bearer(&server, token).get(paths::ACCOUNT).send().await.unwrap();
        assert_eq!(answer.status(), 401, "token {index}");
    }
    let without_kid = issuer.token_with(&json!({"alg": "EdDSA"}), &good);
    bearer(&server, &without_kid).get(paths::ACCOUNT).ok().await;
    // A key that is withdrawn counts no more.
    Issuer::publish(&[&ec], server.data());
    let api = bearer(&server, &issuer.token(&good));
    api.get(paths::ACCOUNT).problem(401, problem_type::UNAUTHENTICATED).await;
}
