//! The authority as an administrator uses it.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use ebp_core::{clock::FixedClock, scope::Scope};
use x509_parser::prelude::*;

use super::*;

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock("2026-11-24T12:00:00Z".parse().unwrap()))
}

fn founded() -> (tempfile::TempDir, Authority) {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::init(&dir.path().join("ca"), "Test CA", clock()).unwrap();
    (dir, authority)
}

fn request() -> ClientRequest {
    ClientRequest {
        participant: Uuid::from_u128(5),
        email: "erika@example.org".into(),
        device: Some(Uuid::from_u128(7)),
        scopes: [Scope::Consent, Scope::MeasurementWrite].into_iter().collect(),
        validity: Duration::from_secs(86_400),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn founding_is_once_and_private() {
    let (dir, authority) = founded();
    let ca = dir.path().join("ca");
    assert_eq!(mode(&ca), 0o700);
    assert_eq!(mode(&ca.join("ca.key")), 0o600);
    let key = fs::read(ca.join("ca.key")).unwrap();
    assert!(matches!(Authority::init(&ca, "Another", clock()), Err(AuthorityError::Exists { .. })));
    assert_eq!(fs::read(ca.join("ca.key")).unwrap(), key);
    assert!(authority.can_issue());
    assert!(matches!(Authority::open(dir.path(), clock()), Err(AuthorityError::Missing { .. })));
}

#[test]
fn an_interrupted_founding_is_taken_up_with_its_key() {
    let (dir, _) = founded();
    let ca = dir.path().join("ca");
    let key = fs::read(ca.join("ca.key")).unwrap();
    fs::remove_file(ca.join("ca.pem")).unwrap();
    Authority::init(&ca, "Test CA", clock()).unwrap();
    assert_eq!(fs::read(ca.join("ca.key")).unwrap(), key);
}

#[test]
fn a_client_certificate_says_what_was_asked() {
    let (dir, authority) = founded();
    let issued = authority.issue(&request()).unwrap();
    let (_, pem) = parse_x509_pem(issued.chain_pem.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    assert_eq!(Serial::from_octets(certificate.raw_serial()), Some(issued.entry.serial));
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(
        *names,
        [
            GeneralName::RFC822Name("erika@example.org"),
            GeneralName::URI("urn:ebp:participant:00000000-0000-0000-0000-000000000005"),
            GeneralName::URI("urn:uuid:00000000-0000-0000-0000-000000000007")
        ]
    );
    let scopes = certificate.get_extension_unique(&scope_extension::oid().unwrap()).unwrap();
    let scopes = scopes.unwrap();
    assert!(!scopes.critical);
    assert_eq!(scope_extension::decode(scopes.value), Some(request().scopes));
    assert!(!certificate.is_ca());

    let (chain, key) = (dir.path().join("d.pem"), dir.path().join("d.key"));
    issued.save(&chain, &key).unwrap();
    assert_eq!((mode(&chain), mode(&key)), (0o600, 0o600));
    assert_eq!(fs::read_to_string(chain).unwrap().matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn the_register_knows_serials_and_no_addresses() {
    let (dir, authority) = founded();
    let first = authority.issue(&request()).unwrap().entry;
    let server = authority.issue_server(&["localhost".into(), "::1".into()]).unwrap().entry;
    assert_eq!(authority.list().unwrap(), [first.clone(), server]);
    let text = fs::read_to_string(dir.path().join("ca/register.jsonl")).unwrap();
    assert!(!text.contains("erika") && !text.contains("example.org"), "{text}");

    let revoked = authority.revoke(&first.serial).unwrap();
    assert!(revoked.revoked_at.is_some());
    assert_eq!(authority.revoke(&first.serial).unwrap(), revoked);
    assert_eq!(authority.list().unwrap()[0], revoked);
    let unknown = Serial::random();
    assert!(matches!(authority.revoke(&unknown), Err(AuthorityError::UnknownSerial(_))));
}

#[test]
fn the_revocation_list_names_the_revoked_alone() {
    let (_dir, authority) = founded();
    let first = authority.issue(&request()).unwrap().entry;
    authority.issue(&request()).unwrap();
    authority.revoke(&first.serial).unwrap();
    let crl = authority.crl(&[]).unwrap();
    let (_, list) = parse_x509_crl(&crl.der).unwrap();
    let serials: Vec<_> = list
        .iter_revoked_certificates()
        .map(|revoked| Serial::from_octets(revoked.raw_serial()))
        .collect();
    assert_eq!(serials, [Some(first.serial)]);
    assert!(crl.pem.starts_with("-----BEGIN X509 CRL-----"));
}

#[test]
fn what_cannot_stand_in_a_certificate_is_refused() {
    let (_dir, authority) = founded();
    for email in ["", "erika", "@example.org", "erika@", "e rika@example.org", "é@example.org"] {
        let refused = authority.issue(&ClientRequest { email: email.into(), ..request() });
        assert!(matches!(refused, Err(AuthorityError::InvalidEmail)), "{email}");
    }
    for host in ["", "a b", "-a", "a..b", "ü.de", "https://a"] {
        let refused = authority.issue_server(&[host.into()]);
        assert!(matches!(refused, Err(AuthorityError::InvalidHost(_))), "{host}");
    }
    assert!(matches!(authority.issue_server(&[]), Err(AuthorityError::NoHost)));
    let none = ClientRequest { scopes: Default::default(), ..request() };
    assert!(matches!(authority.issue(&none), Err(AuthorityError::NoScope)));
    let long = ClientRequest { validity: Duration::from_secs(86_400 * 5000), ..request() };
    assert!(matches!(authority.issue(&long), Err(AuthorityError::OutlivesAuthority(_))));
    let endless = ClientRequest { validity: Duration::MAX, ..request() };
    assert!(matches!(authority.issue(&endless), Err(AuthorityError::InvalidValidity)));
    assert_eq!(authority.list().unwrap(), []);
}

#[test]
fn a_damaged_register_names_its_line() {
    let (dir, authority) = founded();
    authority.issue(&request()).unwrap();
    let path = dir.path().join("ca/register.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + "{\n").unwrap();
    let error = authority.list().unwrap_err();
    assert!(matches!(error, AuthorityError::DamagedRegister { line: 2, .. }), "{error}");
    assert!(authority.issue(&request()).is_err(), "nothing is issued that cannot be registered");
}

#[test]
fn many_at_once_lose_nothing() {
    let (dir, _) = founded();
    let ca = dir.path().join("ca");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let authority = Authority::open(&ca, clock()).unwrap();
                for _ in 0..5 {
                    let entry = authority.issue(&request()).unwrap().entry;
                    authority.revoke(&entry.serial).unwrap();
                }
            });
        }
    });
    let list = Authority::open(&ca, clock()).unwrap().list().unwrap();
    assert_eq!(list.len(), 40);
    assert!(list.iter().all(|entry| entry.revoked_at.is_some()));
}
