//! A household is registered once by mistake at most, and removed while nothing was measured in it.

use std::sync::Arc;

use ebp_core::{
    contract::{HouseholdChange, Registration},
    scope::Scopes,
};
use ebp_store::{
    Actor, CertificateKind, Enrolment, HouseholdId, NewCertificate, Origin, RegisterEntry, Serial,
    Store, StoreError,
};
use uuid::Uuid;

use crate::story::{at, measurement, names, registration};

fn at_address(email: &str, street: &str) -> Registration {
    let mut registration = registration(email);
    registration.address.street = street.to_owned();
    registration
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Uuid {
    match answer {
        Err(StoreError::RegisteredAlready(household)) => household,
        other => panic!("{other:?}"),
    }
}

/// The same participant and address, however both are written, unless it is said to be another one.
pub async fn registered_once(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let first = store.register(registration("erika@example.org"), now).await.unwrap();
    let mut same = at_address("ERIKA@example.org", "heidestr. 17");
    same.address.city = "Porz".to_owned();
    assert_eq!(refused(store.register(same.clone(), now).await), first.household);
    assert_eq!(refused(store.check_registration(same.clone(), false).await), first.household);
    // Its own identifiers are those of the first one, which are no faults then.
    let mut repeated = registration("erika@example.org");
    repeated.measurement_device = Some(first.measurement_device);
    repeated.meters[0].uuid = Some(first.meters[0]);
    assert_eq!(refused(store.register(repeated.clone(), now).await), first.household);
    let conflict = store.register_further(repeated, now).await;
    assert!(matches!(conflict, Err(StoreError::Registration(_))), "{conflict:?}");
    // A fault is told, and not that it is there already.
    let mut wrong = same.clone();
    wrong.metadata.adults_with_job = 99;
    assert!(matches!(store.register(wrong, now).await, Err(StoreError::Registration(_))));

    // Others at that address, and the participant elsewhere, are other households.
    store.check_registration(same.clone(), true).await.unwrap();
    let further = store.register_further(same, now).await.unwrap();
    assert_eq!(further.participant, first.participant);
    let elsewhere = at_address("erika@example.org", "Heidestraße 18");
    store.check_registration(elsewhere.clone(), false).await.unwrap();
    let elsewhere = store.register(elsewhere, now).await.unwrap();
    store.register(registration("max@example.org"), now).await.unwrap();
    // What moves is known by its new address.
    let change = HouseholdChange {
        address: Some(at_address("x@example.org", "Neuer Weg 1").address),
        ..HouseholdChange::default()
    };
    store.change_household(HouseholdId(elsewhere.household), change, now).await.unwrap();
    let there = store.register(at_address("erika@example.org", "Neuer Weg 1"), now).await;
    assert_eq!(refused(there), elsewhere.household);
    store.register(at_address("erika@example.org", "Heidestraße 18"), now).await.unwrap();
}

/// Of many at once that register the same one does.
pub async fn registered_at_once(stores: [Arc<dyn Store>; 2]) {
    let now = at("2026-01-01T00:00:00Z");
    for round in 0..5 {
        let email = format!("p{round}@example.org");
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let (store, registration) = (stores[number % 2].clone(), registration(&email));
                tokio::spawn(async move { store.register(registration, now).await })
            })
            .collect();
        let (mut made, mut known) = (Vec::new(), Vec::new());
        for task in tasks {
            match task.await.unwrap() {
                Ok(registered) => made.push(registered.household),
                Err(StoreError::RegisteredAlready(household)) => known.push(household),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((made.len(), known.len()), (1, 7));
        assert!(known.iter().all(|household| *household == made[0]));
    }
}

/// A household goes with all that belongs to it, until something was measured in it.
pub async fn removed_while_unmeasured(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let email = "mistake@example.org";
    let made = store.register(registration(email), now).await.unwrap();
    let (id, device) = (HouseholdId(made.household), made.measurement_device);
    // Granted, enrolled, with trouble of a meter: nothing of it is a measurement.
    store.grant_consent(id, now).await.unwrap();
    let kind = ebp_core::model::IncidentType::SerialPortUnavailable;
    store.report_incident(id, made.meters[0], kind, now).await.unwrap();
    let later = at("2026-02-01T00:00:00Z");
    let token = |token| Enrolment {
        token,
        device,
        scopes: Scopes::of_a_device(),
        expires_at: later,
        sign_in_hash: None,
    };
    store.create_enrolment(token([1; 32])).await.unwrap();
    let entry = RegisterEntry {
        serial: Serial::from_octets(&[7; 16]).unwrap(),
        kind: CertificateKind::Client,
        device: Some(device),
        scopes: Scopes::of_a_device(),
        not_before: now,
        not_after: later,
        revoked_at: None,
        holder: None,
        administrator: None,
    };
    let origin = Origin::Renewal(entry.serial);
    let new = NewCertificate { entry: entry.clone(), device, key: [0; 32], origin };
    store.register_certificate(new, now).await.unwrap();
    store.remove_household(id, now).await.unwrap();

    for gone in [store.remove_household(id, now).await, store.registration(id).await.map(drop)] {
        assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    }
    assert!(matches!(store.managed_device(device).await, Err(StoreError::NotFound)));
    assert!(matches!(store.participant(email).await, Err(StoreError::NotFound)));
    assert_eq!(store.actor(&names(email, Some(device))).await.unwrap(), Actor::Unknown);
    let used = store.redeem_enrolment([1; 32], [1; 32], None, now).await;
    assert!(matches!(used, Err(StoreError::NotFound)));
    let certificate = store.certificate(entry.serial).await.unwrap().unwrap();
    assert!(certificate.revoked_at.is_some() && certificate.device.is_none(), "{certificate:?}");

    // Its identifiers and its address are free again.
    let mut again = registration(email);
    again.measurement_device = Some(device);
    again.meters[0].uuid = Some(made.meters[0]);
    let again = store.register(again, now).await.unwrap();
    assert_ne!(again.participant, made.participant);

    // The participant stays with another household; measurements stay with theirs.
    let mut second = registration(email);
    second.address.street = "Am Markt 1".to_owned();
    let second = store.register(second, now).await.unwrap();
    store.remove_household(HouseholdId(second.household), now).await.unwrap();
    assert_eq!(store.participant(email).await.unwrap(), again.participant);
    let id = HouseholdId(again.household);
    store.grant_consent(id, now).await.unwrap();
    let item = measurement(1, again.meters[0], now);
    store.insert_measurements(id, vec![item], now).await.unwrap();
    let kept = store.remove_household(id, now).await;
    assert!(matches!(kept, Err(StoreError::InUse(_))), "{kept:?}");
    assert_eq!(store.registration(id).await.unwrap().meters.len(), 2);

    // Nor is one removed that revoked its consent.
    store.mask_by(crate::masking::masking(), false).await.unwrap();
    let location = serde_json::json!({"latitude": 50.85, "longitude": 7.1});
    let change = HouseholdChange {
        location: Some(serde_json::from_value(location).unwrap()),
        ..HouseholdChange::default()
    };
    store.change_household(id, change, now).await.unwrap();
    let id = crate::masking::revoke(store, id).await;
    let over = store.remove_household(id, now).await;
    assert!(matches!(over, Err(StoreError::ConsentRevoked)), "{over:?}");
}

/// While a household is removed others measure in it: either it stays or nothing was measured.
pub async fn removed_or_measured([one, other]: [Arc<dyn Store>; 2]) {
    let now = at("2026-01-01T00:00:00Z");
    for round in 0..20_u128 {
        let made = one.register(registration(&format!("p{round}@example.org")), now).await.unwrap();
        let id = HouseholdId(made.household);
        one.grant_consent(id, now).await.unwrap();
        let item = measurement(round + 1, made.meters[0], now);
        let (removed, measured) = tokio::join!(
            one.remove_household(id, now),
            other.insert_measurements(id, vec![item], now)
        );
        match (&removed, &measured) {
            (Err(StoreError::InUse(_)), Ok(_)) => {}
            (Ok(()), Err(StoreError::NotFound | StoreError::ConsentRevoked)) => {}
            unlikely => panic!("{unlikely:?}"),
        }
        assert_eq!(one.registration(id).await.is_ok(), measured.is_ok());
    }
}
