//! What a revocation leaves says nothing of which household it was, and is the same in a database that
//! is put back from a backup.

use std::sync::Arc;

use ebp_anon::Position;
use ebp_core::{
    contract::{DeviceStatus, HouseholdChange, MeterChange, PvSystemChange},
    model::{IncidentType, measurement_id},
};
use ebp_store::{Actor, HouseholdId, InsertOutcome, PageQuery, RevokedAgain, Store, StoreError};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{
    masking::{ALL, consenting, masking, revoke, revoked, somewhere, without_regions},
    story::{at, measurement, names, registration},
};

/// What is left says nothing of which household it was: other identifiers, months, no order, no
/// device; and what was measured is there.
pub async fn nothing_says_which_it_was(store: &dyn Store) {
    store.mask_by(masking(), false).await.unwrap();
    let email = "1@example.org";
    let begun = at("2026-01-15T16:17:18Z");
    let made = store.register(somewhere(email, "Am Hang 3", 50.85, 7.1), begun).await.unwrap();
    let old = HouseholdId(made.household);
    store.grant_consent(old, begun).await.unwrap();
    let slot = ebp_core::cycle::Cycle::QUARTER_HOUR.slot(at("2026-01-20T00:00:00Z"));
    let mut item = measurement(0, made.meters[0], slot.start());
    item.uuid = measurement_id(made.meters[0], slot);
    let stored = store.insert_measurements(old, vec![item.clone()], slot.start()).await.unwrap();
    assert_eq!(stored, [InsertOutcome::Accepted]);
    let kind = IncidentType::SerialPortUnavailable;
    store.report_incident(old, made.meters[0], kind, begun).await.unwrap();
    store.touch_device(made.measurement_device, begun).await.unwrap();
    let told = store.revoke_consent(old, at("2026-02-03T04:05:06Z")).await.unwrap();
    // To who revokes the instant is told: when it was asked for, or the uploads before it had ended.
    let (asked, ended) = (at("2026-02-03T04:05:06Z"), told.revoked_at.unwrap());
    assert!(ended >= asked && ended < asked + SignedDuration::from_mins(1), "{ended}");

    let household = HouseholdId(revoked(store).await[0]);
    assert_ne!(household, old);
    let shown = store.registration(household).await.unwrap();
    assert_eq!(shown.registered_at, at("2026-01-01T00:00:00Z"));
    assert_eq!(shown.consent.granted_at, Some(at("2026-01-01T00:00:00Z")));
    assert_eq!(shown.consent.revoked_at, Some(at("2026-02-01T00:00:00Z")));
    assert!(shown.measurement_devices.is_empty());
    let text = serde_json::to_string(&shown).unwrap()
        + &format!("{:?}", store.health(ALL).await.unwrap())
        + &format!("{:?}", store.registrations(ALL).await.unwrap())
        + &format!("{:?}", store.evaluated_meters().await.unwrap())
        + &format!("{:?}", store.all_devices(ALL).await.unwrap());
    let mut before = vec![made.household, made.measurement_device];
    before.extend(made.meters.iter().chain(&made.pv_systems));
    for uuid in &before {
        assert!(!text.contains(&uuid.to_string()), "{uuid} {text}");
    }
    assert!(!text.contains("16:17:18") && !text.contains("04:05:06"), "{text}");
    let health = store.health(ALL).await.unwrap().items.remove(0);
    assert!(health.meters.is_empty() && health.measurement_devices.is_empty());
    assert!(matches!(store.registration(old).await, Err(StoreError::NotFound)));

    // The systems' meters are the renamed ones, and the measurement has their identifier.
    let meters: Vec<Uuid> = shown.meters.iter().map(|meter| meter.uuid).collect();
    assert!(shown.meters.iter().all(|meter| meter.measurement_device.is_none()));
    assert!(shown.pv_systems.iter().filter_map(|it| it.meter).all(|it| meters.contains(&it)));
    assert!(shown.pv_systems.iter().any(|it| it.meter.is_some()));
    let query = PageQuery { from: None, to: None, after: None, limit: 10 };
    let mut items = Vec::new();
    for meter in meters {
        let page = store.measurements_page(household, meter, query).await.unwrap();
        items.extend(page.items.into_iter().map(|item| (meter, item)));
        assert!(store.incidents(household, meter).await.unwrap().is_empty());
    }
    let [(meter, kept)] = &items[..] else { panic!("{items:?}") };
    assert_eq!((kept.measured_at, &kept.data), (item.measured_at, &item.data));
    assert_eq!(kept.uuid, measurement_id(*meter, slot));

    // The device is known as revoked, to whoever asks for it, and cannot be registered again.
    let device = made.measurement_device;
    assert_eq!(store.actor(&names(email, Some(device))).await.unwrap(), Actor::Revoked);
    assert_eq!(store.actor(&names("x@example.org", Some(device))).await.unwrap(), Actor::Revoked);
    assert_eq!(store.revoked_devices().await.unwrap(), [device]);
    assert!(matches!(store.managed_device(device).await, Err(StoreError::ConsentRevoked)));
    let status = store.report_status(device, DeviceStatus::default(), begun).await;
    assert!(matches!(status, Err(StoreError::ConsentRevoked)), "{status:?}");
    let upload = store.insert_measurements(old, vec![item], begun).await;
    assert!(matches!(upload, Err(StoreError::ConsentRevoked)), "{upload:?}");
    let mut again = somewhere("2@example.org", "Am Hang 3", 50.85, 7.1);
    again.measurement_device = Some(device);
    assert!(store.register(again, begun).await.is_err());
}

/// A withheld household is not there for researchers, whatever they ask; administrators see that it
/// is withheld and nothing else.
pub async fn hidden(store: &dyn Store, id: HouseholdId) {
    let missing = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
    };
    let uuid = Uuid::nil();
    missing(store.registration(id).await.map(|_| ()));
    missing(
        store.change_household(id, HouseholdChange::default(), at("2026-01-03T00:00:00Z")).await,
    );
    let meter = serde_json::json!({"type": "ELECTRICITY", "model": "EHZ"});
    missing(store.add_meter(id, serde_json::from_value(meter).unwrap()).await.map(|_| ()));
    missing(store.change_meter(id, uuid, MeterChange::default()).await);
    let system = serde_json::json!(
        {"nominal_power": 1, "azimuth": 0, "tilt": 0, "installed_on": "2019-01-01"}
    );
    missing(store.add_pv_system(id, serde_json::from_value(system).unwrap()).await.map(|_| ()));
    missing(store.change_pv_system(id, uuid, PvSystemChange::default()).await);
    missing(store.remove_meter(id, uuid).await);
    missing(store.remove_pv_system(id, uuid).await);
    missing(store.add_device(id, Vec::new()).await.map(|_| ()));
    let health = store.health(ALL).await.unwrap().items;
    let health = health.into_iter().find(|health| health.uuid == id.0).unwrap();
    assert!(health.withheld && health.meters.is_empty() && health.measurement_devices.is_empty());
    let evaluated = store.evaluated_meters().await.unwrap();
    let of_it = evaluated.iter().filter(|meter| meter.household == id);
    assert!(of_it.clone().count() > 0 && of_it.clone().all(|meter| meter.withheld));
}

/// A database that is put back from a backup gets the same identifiers and masked locations, and one
/// that was withheld in it gets the location that was drawn since.
pub async fn revoked_again(live: &dyn Store, copy: impl AsyncFnOnce() -> Arc<dyn Store>) {
    live.mask_by(without_regions(), false).await.unwrap();
    let one = consenting(live, somewhere("1@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let two = consenting(live, somewhere("2@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let bare = live.register(registration("3@example.org"), at("2026-01-01T00:00:00Z")).await;
    let bare = bare.unwrap();
    let withheld = revoke(live, two).await;
    let copy = copy().await;
    copy.mask_by(masking(), false).await.unwrap();

    // After the backup.
    let later = consenting(live, somewhere("4@example.org", "Am Hang 3", 50.85, 7.1)).await;
    live.grant_consent(HouseholdId(bare.household), at("2026-01-01T00:00:00Z")).await.unwrap();
    let mut all = Vec::new();
    for household in [one, HouseholdId(bare.household), later] {
        all.push(revoke(live, household).await);
    }
    let mut told = live.revoked_households().await.unwrap();
    let point = masking().draw(Some(Position::new(50.85, 7.1).unwrap())).unwrap();
    for household in &mut told {
        // As if this server had had regions.
        household.location = (household.household != all[1].0).then(|| point.clone());
    }
    let again = async |uuid: Uuid| {
        let household = told.iter().find(|it| it.household == uuid).unwrap();
        copy.revoke_again(household).await.unwrap()
    };
    let RevokedAgain::Revoked(Some(address)) = again(all[0].0).await else { panic!() };
    assert_eq!(address.street, "Am Hang 3");
    assert_eq!(again(withheld.0).await, RevokedAgain::Masked);
    assert!(matches!(again(all[1].0).await, RevokedAgain::Revoked(Some(_))));
    assert_eq!(again(all[2].0).await, RevokedAgain::Unknown);
    for uuid in [all[0].0, withheld.0, all[1].0] {
        assert_eq!(again(uuid).await, RevokedAgain::Already);
    }
    let kept = copy.revoked_households().await.unwrap();
    told.retain(|it| it.household != all[2].0);
    assert_eq!(kept, told);
    for id in [all[0], withheld] {
        let of = async |store: &dyn Store| {
            (store.meters(id).await.unwrap(), store.pv_systems(id).await.unwrap())
        };
        assert_eq!(of(live).await, of(&*copy).await, "the same identifiers");
    }
    // Devices that the backup does not have are known as revoked nevertheless.
    for device in live.revoked_devices().await.unwrap() {
        copy.remember_revoked_device(device).await.unwrap();
    }
    assert_eq!(copy.revoked_devices().await.unwrap(), live.revoked_devices().await.unwrap());
}
