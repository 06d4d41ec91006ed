//! A device's first certificate and the next one.

use ebp_core::{
    contract::{paths, problem_type},
    scope::Group,
};
use ebp_store::RegisterEntry;
use ebp_survey::authority::Issued;
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Api, Server};

fn csr(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

async fn token(server: &Server, device: &uuid::Uuid, wish: Value) -> Value {
    let path = paths::MANAGED_ENROLMENT.replace("{uuid}", &device.to_string());
    server
        .manager(Group::Administrators)
        .json(Method::POST, &path, &wish)
        .expect(StatusCode::CREATED)
        .await
}

/// A client with the certificate of an answer.
fn client(server: &Server, answer: &Value, key: &KeyPair) -> Api {
    let entry: RegisterEntry = serde_json::from_value(json!({
        "serial": "0".repeat(32), "kind": "client", "device": null, "scopes": "",
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-01-01T00:00:00Z",
        "revoked_at": null
    }))
    .unwrap();
    let chain_pem = answer["chain"].as_str().unwrap().to_owned();
    server.api(Some(&Issued { entry, chain_pem, key_pem: key.serialize_pem() }))
}

#[tokio::test]
async fn a_token_enrolls_one_key_of_either_kind() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let nobody = server.api(None);
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let made = token(&server, &device, json!({})).await;
        let key = KeyPair::generate_for(algorithm).unwrap();
        let body = json!({"token": made["token"], "csr": csr(&key)});
        let enroll = |body: &Value| nobody.json(Method::POST, paths::ENROLL, body);
        let answer = enroll(&body).expect(StatusCode::CREATED).await;
        assert_eq!(answer["device"], device.to_string());
        let api = client(&server, &answer, &key);
        assert_eq!(api.get(paths::CONSENT).ok().await["state"], "not-granted");
        // A device's usual scopes and no more.
        api.get(paths::ACCOUNT).problem(403, problem_type::SCOPE).await;
        enroll(&body).expect(StatusCode::CREATED).await;
        let other = json!({"token": made["token"],
                           "csr": csr(&KeyPair::generate().unwrap())});
        enroll(&other).problem(401, problem_type::UNAUTHENTICATED).await;
    }
}

#[tokio::test]
async fn what_does_not_enroll() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let nobody = server.api(None);
    let made = token(&server, &device, json!({"hours": 1, "scopes": "household"})).await;
    let enroll = |token: &Value, csr: &str| {
        nobody.json(Method::POST, paths::ENROLL, &json!({"token": token, "csr": csr}))
    };
    let good = csr(&KeyPair::generate().unwrap());
    let foreign = csr(&KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap());
    // By OpenSSL, signed as one for a key on P-256 is.
    let by_openssl = include_str!("../../../ebp-survey/src/authority/p384-sha256.csr.pem");
    for csr in [&*foreign, by_openssl] {
        let problem = enroll(&made["token"], csr).problem(422, problem_type::INCONSISTENT).await;
        let [fault] = &*problem.faults else { panic!("{problem:?}") };
        assert_eq!(fault.pointer, "/csr");
        assert!(fault.detail.ends_with("not of ECDSA P-384"), "{fault:?}");
    }
    let mut forged = good.clone();
    forged.replace_range(100..101, if &forged[100..101] == "A" { "B" } else { "A" });
    enroll(&made["token"], "").problem(400, problem_type::INVALID).await;
    for csr in ["x", &forged, server.authority.certificate_pem()] {
        enroll(&made["token"], csr).problem(422, problem_type::INCONSISTENT).await;
    }
    enroll(&json!("guess"), &good).problem(401, problem_type::UNAUTHENTICATED).await;
    // None of them has used the token up.
    enroll(&made["token"], &good).expect(StatusCode::CREATED).await;
    server.clock.advance(3601);
    enroll(&made["token"], &good).problem(401, problem_type::UNAUTHENTICATED).await;
    let administrator = server.manager(Group::Administrators);
    let path = paths::MANAGED_ENROLMENT.replace("{uuid}", &device.to_string());
    for (wish, faults) in [(json!({"hours": 0, "scopes": ""}), 2), (json!({"hours": 721}), 1)] {
        let call = administrator.json(Method::POST, &path, &wish);
        assert_eq!(call.problem(400, problem_type::INVALID).await.faults.len(), faults);
    }
    let unknown = path.replace(&device.to_string(), &uuid::Uuid::nil().to_string());
    let call = administrator.json(Method::POST, &unknown, &json!({}));
    call.problem(404, problem_type::NOT_FOUND).await;
}

#[tokio::test]
async fn a_device_renews_and_is_revoked() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let made = token(&server, &device, json!({})).await;
    let key = KeyPair::generate().unwrap();
    let body = json!({"token": made["token"], "csr": csr(&key)});
    let nobody = server.api(None);
    let first = nobody.json(Method::POST, paths::ENROLL, &body).expect(StatusCode::CREATED).await;
    let api = client(&server, &first, &key);
    server.clock.advance(60 * 86_400);
    let next_key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let renew = json!({"csr": csr(&next_key)});
    nobody
        .json(Method::POST, paths::RENEW, &renew)
        .problem(401, problem_type::UNAUTHENTICATED)
        .await;
    let participant =
        server.api(Some(&server.issue("erika@example.org", None, ebp_core::scope::Scopes::all())));
    let call = participant.json(Method::POST, paths::RENEW, &renew);
    call.problem(403, problem_type::GROUP).await;
    let next = api.json(Method::POST, paths::RENEW, &renew).expect(StatusCode::CREATED).await;
    assert!(next["not_after"].as_str() > first["not_after"].as_str());
    let api = client(&server, &next, &next_key);
    api.get(paths::CONSENT).ok().await;

    let administrator = server.manager(Group::Administrators);
    let list = paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string());
    let all = administrator.get(&list).ok().await;
    let serial = all["items"][1]["serial"].as_str().unwrap();
    administrator.delete(&format!("{list}/{serial}")).ok().await;
    api.get(paths::CONSENT).problem(401, problem_type::UNAUTHENTICATED).await;
    api.json(Method::POST, paths::RENEW, &renew).problem(401, problem_type::UNAUTHENTICATED).await;
}
