//! What decides about access, in every store: tokens, certificates, for whom they stand, tries at
//! secrets.

use ebp_core::{
    contract::{HouseholdChange, Registered},
    model::Participant,
    scope::Scopes,
};
use ebp_store::{
    Actor, CertificateKind, Enrolment, HouseholdId, Issuance, ListQuery, Names, NewCertificate,
    Origin, RegisterEntry, Serial, Store, StoreError, TryLimits, TrySource,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, registration};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn serial(byte: u8) -> Serial {
    Serial::from_octets(&[byte; 16]).unwrap()
}

fn entry(byte: u8, device: Uuid, now: Timestamp) -> RegisterEntry {
    RegisterEntry {
        serial: serial(byte),
        kind: CertificateKind::Client,
        device: Some(device),
        scopes: Scopes::of_a_device(),
        not_before: now,
        not_after: now + DAY * 90,
        revoked_at: None,
        holder: None,
        administrator: None,
    }
}

/// A certificate for a key of its own that was asked for by another one.
fn renewal(byte: u8, by: u8, device: Uuid, now: Timestamp) -> NewCertificate {
    let origin = Origin::Renewal(serial(by));
    NewCertificate { entry: entry(byte, device, now), device, key: [byte; 32], origin }
}

async fn listed(store: &dyn Store, device: Uuid) -> Vec<(u8, bool)> {
    let all = ListQuery { after: None, limit: 100 };
    let page = store.certificates(device, all).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|e| (e.serial.octets()[0], e.revoked_at.is_none())).collect()
}

/// A redeemed token, and the certificate that it was redeemed for.
async fn enrolled(store: &dyn Store, byte: u8, device: Uuid, now: Timestamp) -> NewCertificate {
    let enrolment = Enrolment {
        token: [byte; 32],
        device,
        scopes: Scopes::of_a_device(),
        expires_at: now + DAY,
        sign_in_hash: None,
    };
    store.create_enrolment(enrolment).await.unwrap();
    store.redeem_enrolment([byte; 32], [byte; 32], None, now).await.unwrap();
    let origin = Origin::Enrolment([byte; 32]);
    NewCertificate { entry: entry(byte, device, now), device, key: [byte; 32], origin }
}

/// A token enrolls one key of one device, until it expires.
pub async fn enrolment(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let later = now + SignedDuration::from_hours(1);
    let made = store.register(registration("enrol@example.org"), now).await.unwrap();
    let device = made.measurement_device;
    let token = |byte| Enrolment {
        token: [byte; 32],
        device,
        scopes: Scopes::of_a_device(),
        expires_at: later,
        sign_in_hash: None,
    };
    let unknown = Enrolment { device: Uuid::nil(), ..token(0) };
    assert!(matches!(store.create_enrolment(unknown).await, Err(StoreError::NotFound)));
    store.create_enrolment(token(1)).await.unwrap();
    store.create_enrolment(token(2)).await.unwrap();
    let redeem = |byte, key, at| store.redeem_enrolment([byte; 32], [key; 32], None, at);
    let void = |result| assert!(matches!(result, Err(StoreError::NotFound)));
    void(redeem(1, 1, now).await.map(drop));
    let enrolled = redeem(2, 1, now).await.unwrap();
    assert_eq!((enrolled.device, &*enrolled.email), (device, "enrol@example.org"));
    assert_eq!(enrolled.participant, made.participant);
    assert_eq!(enrolled.scopes, Scopes::of_a_device());
    assert!(redeem(2, 1, now).await.is_ok(), "the answer was lost");
    void(redeem(2, 2, now).await.map(drop));
    void(redeem(2, 1, later).await.map(drop));
    void(redeem(3, 1, now).await.map(drop));
    store.create_enrolment(token(4)).await.unwrap();
    let id = HouseholdId(made.household);
    store.grant_consent(id, now).await.unwrap();
    store.revoke_consent(id, now).await.unwrap();
    void(redeem(4, 1, now).await.map(drop));
}

/// Certificates are revoked once, whether they are known or not, and listed a part at a time.
pub async fn certificates(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("cert@example.org"), now).await.unwrap();
    let device = made.measurement_device;
    let new = renewal(1, 9, device, now);
    assert_eq!(store.register_certificate(new, now).await.unwrap(), Issuance::Registered);
    let known = entry(1, device, now);
    assert_eq!(store.certificate(serial(1)).await.unwrap(), Some(known));
    assert_eq!(store.certificate(serial(2)).await.unwrap(), None);
    for byte in [1, 2] {
        let entry = entry(byte, device, now);
        let revoked = store.revoke_certificate(entry.clone(), now).await.unwrap();
        assert_eq!(revoked.revoked_at, Some(now));
        let later = now + SignedDuration::from_hours(2);
        assert_eq!(store.revoke_certificate(entry, later).await.unwrap(), revoked);
    }
    for byte in [5, 4, 3] {
        let earlier = now - DAY * i32::from(byte);
        store.revoke_certificate(entry(byte, device, earlier), now).await.unwrap();
    }
    let mut query = ListQuery { after: None, limit: 2 };
    let mut parts = Vec::new();
    loop {
        let page = store.certificates(device, query).await.unwrap();
        parts.push(page.items.iter().map(|entry| entry.serial.octets()[0]).collect::<Vec<_>>());
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(parts, [vec![5, 4], vec![3, 1], vec![2]]);
}

/// A device renews once a day, and has two valid certificates for the same scopes.
pub async fn renewals(store: &dyn Store) {
    let mut now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("renew@example.org"), now).await.unwrap();
    let device = made.measurement_device;
    let first = enrolled(store, 1, device, now).await;
    assert_eq!(store.register_certificate(first, now).await.unwrap(), Issuance::Registered);
    let renew = |byte, by, now| store.register_certificate(renewal(byte, by, device, now), now);
    assert_eq!(renew(2, 1, now).await.unwrap(), Issuance::Registered);
    let early = now + SignedDuration::from_hours(23);
    for by in [1, 2] {
        assert_eq!(renew(3, by, early).await.unwrap(), Issuance::TooEarly(now + DAY));
    }
    // Whoever lost the answer asks again with the same key, and what was lost ends.
    let again = NewCertificate { key: [2; 32], ..renewal(4, 1, device, early) };
    assert_eq!(store.register_certificate(again, early).await.unwrap(), Issuance::Registered);
    assert_eq!(listed(store, device).await, [(1, true), (2, false), (4, true)]);
    // A purpose of its own has its own two.
    let mut other = renewal(5, 1, device, early);
    other.entry.scopes = Scopes::all();
    assert_eq!(store.register_certificate(other, early).await.unwrap(), Issuance::Registered);

    now = early + DAY;
    assert_eq!(renew(6, 4, now).await.unwrap(), Issuance::Registered);
    let expected = [(1, false), (2, false), (4, true), (5, true), (6, true)];
    assert_eq!(listed(store, device).await, expected);
    // What has ended renews nothing.
    assert_eq!(renew(7, 1, now + DAY).await.unwrap(), Issuance::Ended);
    // An enrolment leaves the youngest.
    let anew = enrolled(store, 8, device, now).await;
    assert_eq!(store.register_certificate(anew, now).await.unwrap(), Issuance::Registered);
    let valid: Vec<_> =
        listed(store, device).await.into_iter().filter(|(_, valid)| *valid).collect();
    assert_eq!(valid, [(5, true), (6, true), (8, true)]);
}

/// With a device's certificates end those that it is about to be given.
pub async fn device_revocation(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("stolen@example.org"), now).await.unwrap();
    let other = store.register(registration("other@example.org"), now).await.unwrap();
    let device = made.measurement_device;
    for device in [device, other.measurement_device] {
        let byte = if device == made.measurement_device { 1 } else { 9 };
        let new = enrolled(store, byte, device, now).await;
        store.register_certificate(new, now).await.unwrap();
    }
    // Signed, and not registered when the device is revoked.
    let by_token = enrolled(store, 2, device, now).await;
    let by_certificate = renewal(3, 1, device, now);
    let by_known = renewal(5, 4, device, now);
    assert_eq!(store.add_to_register(vec![entry(4, device, now)]).await.unwrap(), 1);
    assert_eq!(store.revoke_device(device, now).await.unwrap(), 2);
    assert_eq!(store.revoke_device(device, now).await.unwrap(), 0);
    for new in [by_token, by_certificate, by_known] {
        assert_eq!(store.register_certificate(new, now).await.unwrap(), Issuance::Ended);
    }
    let void = store.redeem_enrolment([2; 32], [2; 32], None, now).await.map(drop);
    assert!(matches!(void, Err(StoreError::NotFound)));
    assert_eq!(listed(store, device).await, [(1, false), (4, false)]);
    assert_eq!(listed(store, other.measurement_device).await, [(9, true)]);
    let registered = store.registered(serial(4)).await.unwrap().unwrap();
    assert_eq!(registered.revoked_at, Some(now));
    let unknown = store.revoke_device(Uuid::nil(), now).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)));
    // It is enrolled anew.
    let anew = enrolled(store, 6, device, now).await;
    assert_eq!(store.register_certificate(anew, now).await.unwrap(), Issuance::Registered);
}

fn names(made: &Registered, email: &str, device: bool) -> Names {
    Names {
        participant: Some(made.participant),
        email: email.to_owned(),
        device: device.then_some(made.measurement_device),
    }
}

async fn move_to(store: &dyn Store, made: &Registered, email: &str, now: Timestamp) {
    let participant = Participant { name: "Erika Mustermann".into(), email: email.into() };
    let change = HouseholdChange { participant: Some(participant), ..HouseholdChange::default() };
    store.change_household(HouseholdId(made.household), change, now).await.unwrap();
}

/// The identifier decides for whom a certificate stands; with another e-mail address, and with the
/// revocation of consent, the earlier ones end.
pub async fn participants(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("one@example.org"), now).await.unwrap();
    let again = store.register_further(registration("ONE@example.org"), now).await.unwrap();
    assert_eq!(again.participant, made.participant, "one participant of two households");
    assert_eq!(store.participant("One@Example.org").await.unwrap(), made.participant);
    assert!(matches!(store.participant("x@example.org").await, Err(StoreError::NotFound)));
    let acts = async |names: &Names| {
        matches!(store.actor(names).await.unwrap(), Actor::Participant { .. })
    };
    let (person, device) =
        (names(&made, "ONE@example.org", false), names(&made, "one@example.org", true));
    assert!(acts(&person).await && acts(&device).await);
    let another = Names { participant: Some(Uuid::nil()), ..device.clone() };
    assert_eq!(store.actor(&another).await.unwrap(), Actor::Superseded);
    let another = Names { participant: Some(Uuid::nil()), ..person.clone() };
    assert_eq!(store.actor(&another).await.unwrap(), Actor::Unknown);

    for (byte, of) in [(1, &made), (2, &again)] {
        let new = enrolled(store, byte, of.measurement_device, now).await;
        store.register_certificate(new, now).await.unwrap();
    }
    let underway = enrolled(store, 3, again.measurement_device, now).await;
    // Written otherwise it is the same address.
    move_to(store, &made, "One@example.org", now).await;
    assert!(acts(&person).await && acts(&device).await);
    assert_eq!(listed(store, made.measurement_device).await, [(1, true)]);

    move_to(store, &made, "two@example.org", now).await;
    move_to(store, &made, "one@example.org", now).await;
    let next = store.participant("one@example.org").await.unwrap();
    assert_ne!(next, made.participant);
    let shown = store.registration(HouseholdId(made.household)).await.unwrap();
    assert_eq!(shown.participant_uuid, Some(next));
    assert_eq!(store.actor(&person).await.unwrap(), Actor::Unknown);
    for earlier in [&device, &names(&again, "one@example.org", true)] {
        assert_eq!(store.actor(earlier).await.unwrap(), Actor::Superseded);
    }
    assert_eq!(listed(store, made.measurement_device).await, [(1, false)]);
    assert_eq!(listed(store, again.measurement_device).await, [(2, false)]);
    assert_eq!(store.register_certificate(underway, now).await.unwrap(), Issuance::Ended);

    // The next holder of an address is somebody else, and devices hear of the revocation.
    let gone = store.register(registration("gone@example.org"), now).await.unwrap();
    let new = enrolled(store, 4, gone.measurement_device, now).await;
    store.register_certificate(new, now).await.unwrap();
    let id = HouseholdId(gone.household);
    store.grant_consent(id, now).await.unwrap();
    store.revoke_consent(id, now).await.unwrap();
    assert_eq!(listed(store, gone.measurement_device).await, [(4, false)]);
    let successor = store.register(registration("gone@example.org"), now).await.unwrap();
    assert_ne!(successor.participant, gone.participant);
    assert_eq!(
        store.actor(&names(&gone, "gone@example.org", false)).await.unwrap(),
        Actor::Revoked
    );
    assert_eq!(store.actor(&names(&gone, "gone@example.org", true)).await.unwrap(), Actor::Revoked);
    assert!(acts(&names(&successor, "gone@example.org", false)).await);
}

/// Tries slow down by source and never over all, and what succeeds does not count.
pub async fn tries(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let second = SignedDuration::from_secs(1);
    let limits = |free| TryLimits {
        free,
        first_pause: second * 4,
        longest_pause: second * 60,
        memory: second * 600,
    };
    let from = |address: &str, network: &str| {
        let source = |name: &str, free| TrySource { name: name.into(), limits: limits(free) };
        [source(address, 2), source(network, 5)]
    };
    let (a, b) = (from("a", "net"), from("b", "net"));
    let begin = async |sources: &[TrySource], at| store.begin_try(sources, at).await;
    assert_eq!(begin(&a, now).await.unwrap(), None);
    store.forgive_try(&a).await.unwrap();
    for _ in 0..2 {
        assert_eq!(begin(&a, now).await.unwrap(), None);
    }
    // What is not let through does not count: the pause is no longer for it.
    for wait in 0..3 {
        assert_eq!(begin(&a, now + second * wait).await.unwrap(), Some(now + second * 4));
    }
    let now = now + second * 4;
    assert_eq!(begin(&a, now).await.unwrap(), None);
    assert_eq!(begin(&a, now + second * 7).await.unwrap(), Some(now + second * 8));
    // Others of the network have their own, until the network has too many.
    for _ in 0..2 {
        assert_eq!(begin(&b, now).await.unwrap(), None);
    }
    assert_eq!(begin(&from("c", "net"), now).await.unwrap(), Some(now + second * 4));
    for i in 0..40 {
        let elsewhere = from(&format!("d{i}"), &format!("net{i}"));
        assert_eq!(begin(&elsewhere, now).await.unwrap(), None, "never over all");
    }
    assert_eq!(begin(&a, now + second * 600).await.unwrap(), None, "they are forgotten");
    // A clock that is set back keeps nobody waiting for it.
    assert_eq!(begin(&a, now).await.unwrap(), None);
    assert!(begin(&a, now).await.unwrap().is_some());
    assert!(store.forget_tries().await.unwrap() > 0);
    assert_eq!(begin(&a, now).await.unwrap(), None);
}

/// The page of a device has a certificate and a sign-in code of its own, by the same token.
pub async fn frontends(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("page@example.org"), now).await.unwrap();
    let device = made.measurement_device;
    let token = |byte: u8| Enrolment {
        token: [byte; 32],
        device,
        scopes: Scopes::of_a_device(),
        expires_at: now + DAY,
        sign_in_hash: Some(format!("hash {byte}")),
    };
    let redeem = |byte, key, page: Option<u8>| {
        store.redeem_enrolment([byte; 32], [key; 32], page.map(|page| [page; 32]), now)
    };
    let code = async || store.sign_in_hash(device).await.unwrap();
    let void = |result| assert!(matches!(result, Err(StoreError::NotFound)));
    store.create_enrolment(token(1)).await.unwrap();
    assert_eq!(code().await, None, "a token that is not used changes nothing");
    // One that knows nothing of pages comes first, and its token is for one key of each.
    redeem(1, 1, None).await.unwrap();
    assert_eq!(code().await.as_deref(), Some("hash 1"));
    redeem(1, 1, Some(11)).await.unwrap();
    redeem(1, 1, Some(11)).await.unwrap();
    redeem(1, 1, None).await.unwrap();
    void(redeem(1, 1, Some(12)).await.map(drop));
    void(redeem(1, 2, Some(11)).await.map(drop));
    // The page's key is as good as the device's, and a third one is not.
    let page = |byte: u8, key: u8, origin| {
        let mut new =
            NewCertificate { entry: entry(byte, device, now), device, key: [key; 32], origin };
        new.entry.scopes = Scopes::of_a_frontend();
        new
    };
    let own = NewCertificate {
        entry: entry(1, device, now),
        device,
        key: [1; 32],
        origin: Origin::Enrolment([1; 32]),
    };
    let register = |new| store.register_certificate(new, now);
    assert_eq!(register(own).await.unwrap(), Issuance::Registered);
    let stolen = page(9, 9, Origin::Enrolment([1; 32]));
    assert_eq!(register(stolen).await.unwrap(), Issuance::Ended);
    let first = page(2, 11, Origin::Enrolment([1; 32]));
    assert_eq!(register(first).await.unwrap(), Issuance::Registered);

    // By the device's own: two of the purpose are valid, and it is once a day.
    let sibling = |byte, key| page(byte, key, Origin::Sibling(serial(1)));
    assert_eq!(register(sibling(3, 13)).await.unwrap(), Issuance::Registered);
    assert_eq!(listed(store, device).await, [(1, true), (2, true), (3, true)]);
    assert_eq!(register(sibling(4, 14)).await.unwrap(), Issuance::TooEarly(now + DAY));
    assert_eq!(register(sibling(4, 13)).await.unwrap(), Issuance::Registered);
    let valid = async || {
        let all = listed(store, device).await;
        all.into_iter().filter(|(_, valid)| *valid).map(|(byte, _)| byte).collect::<Vec<_>>()
    };
    assert_eq!(valid().await.len(), 3, "the device's own is of another purpose");
    // Each by itself, whatever the other does.
    let renewed = renewal(5, 1, device, now);
    assert_eq!(register(renewed).await.unwrap(), Issuance::Registered);

    // A code that was made meanwhile is the younger one.
    store.create_enrolment(token(6)).await.unwrap();
    store.set_sign_in_hash(device, "younger".into()).await.unwrap();
    redeem(6, 6, Some(16)).await.unwrap();
    assert_eq!(code().await.as_deref(), Some("younger"));
    let unknown = store.set_sign_in_hash(Uuid::nil(), "x".into()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)));

    // Both end together, and the code with them.
    store.revoke_device(device, now).await.unwrap();
    assert_eq!((valid().await, code().await), (Vec::new(), None));
    assert_eq!(register(sibling(7, 17)).await.unwrap(), Issuance::Ended);
    store.create_enrolment(token(8)).await.unwrap();
    redeem(8, 8, Some(18)).await.unwrap();
    let again = page(8, 18, Origin::Enrolment([8; 32]));
    assert_eq!(register(again).await.unwrap(), Issuance::Registered);
    let id = HouseholdId(made.household);
    store.grant_consent(id, now).await.unwrap();
    store.revoke_consent(id, now).await.unwrap();
    assert_eq!((valid().await, code().await), (Vec::new(), None));
    let over = store.set_sign_in_hash(device, "x".into()).await;
    assert!(matches!(over, Err(StoreError::ConsentRevoked)));
}
