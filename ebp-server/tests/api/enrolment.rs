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

pub fn csr(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

pub async fn token(server: &Server, device: &uuid::Uuid, wish: Value) -> Value {
    let path = paths::MANAGED_ENROLMENT.replace("{uuid}", &device.to_string());
    server
        .manager(Group::Administrators)
        .json(Method::POST, &path, &wish)
        .expect(StatusCode::CREATED)
        .await
}

/// A client with the certificate of an answer.
pub fn client(server: &Server, answer: &Value, key: &KeyPair) -> Api {
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

/// The page of a device: a certificate of its own by the same token, renewed by itself.
#[tokio::test]
async fn a_token_enrolls_the_devices_page_as_well() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let nobody = server.api(None);
    let made = token(&server, &device, json!({})).await;
    let (key, page_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let enroll = |own: &str, page: &str| {
        let body = json!({"token": made["token"], "csr": own, "frontend_csr": page});
        nobody.json(Method::POST, paths::ENROLL, &body)
    };
    // Nothing of these has used the token up.
    let (own, page) = (csr(&key), csr(&page_key));
    let fault = enroll(&own, &own).problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(fault.faults[0].pointer, "/frontend_csr");
    let fault = enroll(&own, "x").problem(422, problem_type::INCONSISTENT).await;
    assert_eq!(fault.faults[0].pointer, "/frontend_csr");
    enroll(&own, "").problem(400, problem_type::INVALID).await;

    let answer = enroll(&own, &page).expect(StatusCode::CREATED).await;
    enroll(&own, &page).expect(StatusCode::CREATED).await;
    let other = csr(&KeyPair::generate().unwrap());
    enroll(&own, &other).problem(401, problem_type::UNAUTHENTICATED).await;
    let measuring = client(&server, &answer, &key);
    let frontend = client(&server, &answer["frontend"], &page_key);

    // What the household may see, and nothing that a device does.
    for path in [
        paths::ACCOUNT,
        paths::HOUSEHOLD,
        paths::CONSENT,
        paths::MEASUREMENT_DEVICE,
        paths::METER,
        paths::PV_SYSTEM,
    ] {
        frontend.get(path).ok().await;
    }
    frontend.get(&paths::incidents_of(registered.meters[0])).ok().await;
    frontend.get(&paths::measurements_of(registered.meters[0])).ok().await;
    frontend.upload(&[]).problem(403, problem_type::SCOPE).await;
    let report = format!("{}/report", paths::incidents_of(registered.meters[0]));
    let kind = json!({"type": "SERIAL-PORT-UNAVAILABLE"});
    frontend.json(Method::POST, &report, &kind).problem(403, problem_type::SCOPE).await;
    let further = json!({"csr": other});
    let call = frontend.json(Method::POST, paths::DEVICE_FRONTEND, &further);
    call.problem(403, problem_type::SCOPE).await;
    measuring.get(paths::ACCOUNT).problem(403, problem_type::SCOPE).await;

    // Each renews by itself and once a day, and stays what it is.
    server.clock.advance(10);
    let next_key = KeyPair::generate().unwrap();
    let renew =
        |api: &Api, key: &KeyPair| api.json(Method::POST, paths::RENEW, &json!({"csr": csr(key)}));
    let next = renew(&frontend, &next_key).expect(StatusCode::CREATED).await;
    let renewed = client(&server, &next, &next_key);
    renewed.get(paths::ACCOUNT).ok().await;
    renewed.upload(&[]).problem(403, problem_type::SCOPE).await;
    let early = KeyPair::generate().unwrap();
    renew(&frontend, &early).problem(429, problem_type::RENEWED_RECENTLY).await;
    renew(&measuring, &early).expect(StatusCode::CREATED).await;
    // The page's is to be had by the device's own, if it is lost; two of them are valid.
    let lost = KeyPair::generate().unwrap();
    let fetch =
        || measuring.json(Method::POST, paths::DEVICE_FRONTEND, &json!({"csr": csr(&lost)}));
    fetch().problem(429, problem_type::RENEWED_RECENTLY).await;
    server.clock.advance(86_401);
    let fetched = fetch().expect(StatusCode::CREATED).await;
    client(&server, &fetched, &lost).get(paths::ACCOUNT).ok().await;
    frontend.get(paths::ACCOUNT).problem(401, problem_type::UNAUTHENTICATED).await;
    renewed.get(paths::ACCOUNT).ok().await;

    // Revocation ends both, from the next request on.
    let revoke = paths::MANAGED_CERTIFICATES.replace("{uuid}", &device.to_string());
    server.manager(Group::Administrators).delete(&revoke).ok().await;
    for api in [&measuring, &renewed, &client(&server, &fetched, &lost)] {
        api.get(paths::CONSENT).problem(401, problem_type::UNAUTHENTICATED).await;
    }
}

/// A device that was enrolled before pages had certificates goes on, and fetches one later.
#[tokio::test]
async fn a_device_without_a_page_fetches_its_certificate_later() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let made = token(&server, &registered.measurement_device, json!({})).await;
    let (key, page_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let body = json!({"token": made["token"], "csr": csr(&key)});
    let nobody = server.api(None);
    let first = nobody.json(Method::POST, paths::ENROLL, &body).expect(StatusCode::CREATED).await;
    assert_eq!(first.get("frontend"), None);
    let measuring = client(&server, &first, &key);
    let body = json!({"csr": csr(&page_key)});
    let answer = measuring.json(Method::POST, paths::DEVICE_FRONTEND, &body);
    let page = client(&server, &answer.expect(StatusCode::CREATED).await, &page_key);
    page.get(paths::HOUSEHOLD).ok().await;
    // Another e-mail address ends both.
    let path = paths::MANAGED_HOUSEHOLD.replace("{household}", &registered.household.to_string());
    let change = json!({"participant": {"name": "Erika", "email": "new@example.org"}});
    server.manager(Group::Researchers).json(Method::PATCH, &path, &change).ok().await;
    for api in [&measuring, &page] {
        api.get(paths::CONSENT).problem(401, problem_type::UNAUTHENTICATED).await;
    }
}

/// The code is told once; the device gets what verifies it, and another one takes its place.
#[tokio::test]
async fn a_sign_in_code_comes_with_the_token_and_can_be_replaced() {
    let server = Server::start().await;
    let registered = server.register("erika@example.org").await;
    let device = registered.measurement_device;
    let made = token(&server, &device, json!({})).await;
    let code = made["sign_in_code"].as_str().unwrap();
    assert!(code.parse::<ebp_core::sign_in::SignInCode>().is_ok() && code.len() == 9, "{code}");
    let key = KeyPair::generate().unwrap();
    let body = json!({"token": made["token"], "csr": csr(&key)});
    let nobody = server.api(None);
    let answer = nobody.json(Method::POST, paths::ENROLL, &body).expect(StatusCode::CREATED).await;
    let hash = answer["sign_in_hash"].as_str().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=6144,"), "{hash}");
    assert!(!answer.to_string().contains(code));
    let measuring = client(&server, &answer, &key);
    assert_eq!(measuring.get(paths::DEVICE_SIGN_IN).ok().await["sign_in_hash"], hash);

    let path = paths::MANAGED_SIGN_IN_CODE.replace("{uuid}", &device.to_string());
    for group in Group::ALL {
        let made = server.manager(group).post(&path).expect(StatusCode::CREATED).await;
        assert_ne!(made["sign_in_code"], code);
    }
    let renewed = json!({"csr": csr(&KeyPair::generate().unwrap())});
    let answer = measuring.json(Method::POST, paths::RENEW, &renewed);
    let answer = answer.expect(StatusCode::CREATED).await;
    assert_ne!(answer["sign_in_hash"], hash);
    assert_eq!(
        measuring.get(paths::DEVICE_SIGN_IN).ok().await["sign_in_hash"],
        answer["sign_in_hash"]
    );
    let unknown = path.replace(&device.to_string(), &uuid::Uuid::nil().to_string());
    let call = server.manager(Group::Researchers).post(&unknown);
    call.problem(404, problem_type::NOT_FOUND).await;
    measuring.post(paths::CONSENT).expect(StatusCode::CREATED).await;
    measuring.delete(paths::CONSENT).ok().await;
    let call = server.manager(Group::Researchers).post(&path);
    call.problem(410, problem_type::CONSENT_REVOKED).await;
}
