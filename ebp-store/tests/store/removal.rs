//! Removing what was registered by mistake, in every store.

use ebp_core::{
    contract::{DeviceStatus, HouseholdChange, MeterChange, MeterTelegrams, PvSystemChange},
    model::IncidentType,
    scope::Scopes,
};
use ebp_store::{
    CertificateKind, Enrolment, HouseholdId, NewCertificate, Origin, RegisterEntry, Serial, Store,
    StoreError,
};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

fn needed<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    match result {
        Err(StoreError::InUse(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn missing<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
}

/// A mistake goes with all that hangs on it; what was measured keeps what it was measured by.
pub async fn mistakes(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("mistake@example.org"), now).await.unwrap();
    let other = store.register(registration("other@example.org"), now).await.unwrap();
    let (id, device) = (HouseholdId(made.household), made.measurement_device);
    let [grid, generation] = made.meters[..] else { panic!() };
    let [roof, shed] = made.pv_systems[..] else { panic!() };
    store.grant_consent(id, now).await.unwrap();

    for (meter, system) in [(Uuid::nil(), Uuid::nil()), (other.meters[0], other.pv_systems[0])] {
        missing(store.remove_meter(id, meter).await);
        missing(store.remove_pv_system(id, system).await);
    }
    missing(store.remove_device(Uuid::nil()).await);

    // A meter with measurements stays, and so do its system and its device.
    assert!(needed(store.remove_meter(id, generation).await).contains("photovoltaic system"));
    let item = measurement(1, generation, now);
    store.insert_measurements(id, vec![item], now).await.unwrap();
    assert!(needed(store.remove_meter(id, generation).await).contains("measurements"));
    assert!(needed(store.remove_pv_system(id, roof).await).contains("measurements"));
    assert!(needed(store.remove_device(device).await).contains("measurements"));
    store.remove_pv_system(id, shed).await.unwrap();
    let change = PvSystemChange { meter: Some(None), ..PvSystemChange::default() };
    store.change_pv_system(id, roof, change).await.unwrap();
    store.remove_pv_system(id, roof).await.unwrap();
    assert_eq!(store.pv_systems(id).await.unwrap(), []);

    // The other goes with its incidents and what the device told of it.
    let kind = IncidentType::SerialPortUnavailable;
    store.report_incident(id, grid, kind, now).await.unwrap();
    let told = MeterTelegrams { meter: grid, telegrams: 1, damaged: 1 };
    let status = DeviceStatus { meters: vec![told], ..DeviceStatus::default() };
    store.report_status(device, status, now).await.unwrap();
    store.remove_meter(id, grid).await.unwrap();
    missing(store.incidents(id, grid).await);
    missing(store.remove_meter(id, grid).await);
    let left = store.devices(id).await.unwrap().remove(0);
    assert_eq!((left.meters, left.health.unwrap().meters), (vec![generation], vec![]));

    // A device goes once it reads nothing that was measured, unless a certificate names it.
    let second = store.add_device(id, vec![generation]).await.unwrap();
    store.change_device(device, vec![generation]).await.unwrap();
    missing(store.change_device(second, vec![other.meters[0]]).await);
    assert_eq!(store.managed_device(device).await.unwrap().meters, [generation]);
    let token = Enrolment {
        token: [1; 32],
        device: second,
        scopes: Scopes::of_a_device(),
        expires_at: at("2026-02-01T00:00:00Z"),
        sign_in_hash: None,
    };
    store.create_enrolment(token).await.unwrap();
    store.remove_device(second).await.unwrap();
    missing(
        store.redeem_enrolment([1; 32], [1; 32], None, now).await.map(|enrolled| enrolled.device),
    );
    let entry = RegisterEntry {
        serial: Serial::from_octets(&[7; 16]).unwrap(),
        kind: CertificateKind::Client,
        device: Some(device),
        scopes: Scopes::of_a_device(),
        not_before: now,
        not_after: at("2026-02-01T00:00:00Z"),
        revoked_at: None,
        holder: None,
        administrator: None,
    };
    let origin = Origin::Renewal(entry.serial);
    let new = NewCertificate { entry, device, key: [0; 32], origin };
    store.register_certificate(new, now).await.unwrap();
    store.change_device(device, Vec::new()).await.unwrap();
    assert!(needed(store.remove_device(device).await).contains("certificates"));

    // Unmeasured meters are read by nobody then.
    store.remove_device(other.measurement_device).await.unwrap();
    let meters = store.meters(HouseholdId(other.household)).await.unwrap();
    assert!(meters.iter().all(|meter| meter.measurement_device.is_none()));
    let change = MeterChange { measurement_device: Some(Some(device)), ..MeterChange::default() };
    let foreign = store.change_meter(HouseholdId(other.household), meters[0].uuid, change).await;
    assert!(matches!(foreign, Err(StoreError::Registration(_))));
    store.mask_by(crate::masking::masking(), false).await.unwrap();
    let location = serde_json::json!({"latitude": 50.85, "longitude": 7.1});
    let change = HouseholdChange {
        location: Some(serde_json::from_value(location).unwrap()),
        ..HouseholdChange::default()
    };
    store.change_household(id, change, at("2026-01-03T00:00:00Z")).await.unwrap();
    let id = crate::masking::revoke(store, id).await;
    let over = store.remove_meter(id, generation).await;
    assert!(matches!(over, Err(StoreError::ConsentRevoked)));
    let over = store.remove_device(device).await;
    assert!(matches!(over, Err(StoreError::ConsentRevoked)));
}
