//! What researchers, administrators and the servers' own access rules ask of every store.

use ebp_core::{
    contract::{HouseholdChange, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::{ConsentState, IncidentType, MeterType},
};
use ebp_store::{DeviceCounts, HouseholdId, ListQuery, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

/// Incidents: no action where nothing changes, and a resolved one is opened again.
pub async fn incidents(store: &dyn Store) {
    let (first, later) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
    let made = store.register(registration("incident@example.org"), first).await.unwrap();
    let (id, meter) = (HouseholdId(made.household), made.meters[0]);
    let kind = IncidentType::SerialPortUnavailable;
    let missing = store.resolve_incident(id, meter, kind, first).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    let open = store.report_incident(id, meter, kind, first).await.unwrap();
    assert_eq!((open.reported_at, open.resolved_at), (first, None));
    assert_eq!(store.report_incident(id, meter, kind, later).await.unwrap(), open);
    // Even by a clock that was set back.
    let ended = store.resolve_incident(id, meter, kind, at("2025-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(ended.resolved_at, Some(first));
    assert_eq!(store.resolve_incident(id, meter, kind, later).await.unwrap(), ended);
    let again = store.report_incident(id, meter, kind, later).await.unwrap();
    assert_eq!((again.reported_at, again.resolved_at), (later, None));
    assert_eq!(store.incidents(id, meter).await.unwrap(), [again]);
    let other = HouseholdId(Uuid::nil());
    assert!(matches!(store.incidents(other, meter).await, Err(StoreError::NotFound)));
}

/// Lists come in the order of registration, page by page; revocation withholds a household.
pub async fn lists(store: &dyn Store) {
    let start = at("2026-01-01T00:00:00Z");
    let mut made = Vec::new();
    for i in 0..5_i64 {
        let registration = registration(&format!("list{i}@example.org"));
        // Two at the same instant.
        let at = start + SignedDuration::from_secs(i / 2);
        made.push(store.register(registration, at).await.unwrap());
    }
    let mut query = ListQuery { after: None, limit: 2 };
    let mut listed = Vec::new();
    loop {
        let page = store.registrations(query).await.unwrap();
        listed.extend(page.items.iter().map(|entry| (entry.registered_at, entry.uuid)));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!((listed.len(), &listed), (5, &sorted));

    let id = HouseholdId(made[0].household);
    store.grant_consent(id, start).await.unwrap();
    let items = vec![measurement(1, made[0].meters[0], start)];
    store.insert_measurements(id, items, start).await.unwrap();
    let all = ListQuery { after: None, limit: 100 };
    let health = store.health(all).await.unwrap();
    let of = |uuid| health.items.iter().find(|health| health.uuid == uuid).unwrap();
    let granted = of(made[0].household);
    assert_eq!((granted.consent, granted.withheld), (ConsentState::Granted, false));
    assert_eq!(granted.meters[0].last_measurement, Some(start));
    assert_eq!(granted.meters[1].last_measurement, None);
    assert_eq!(granted.measurement_devices[0].meters, made[0].meters);

    let before = store.registration(id).await.unwrap();
    assert_eq!(before.participant.unwrap().email, "list0@example.org");
    let id = crate::masking::revoke(store, id).await;
    assert!(matches!(store.registration(id).await, Err(StoreError::NotFound)));
    assert_eq!(store.registrations(all).await.unwrap().items.len(), 4);
    assert!(store.health(all).await.unwrap().items.iter().any(|health| health.withheld));

    let devices = store.all_devices(all).await.unwrap().items;
    assert_eq!(devices.len(), 4);
    store.note_report(made[1].measurement_device, start).await.unwrap();
    let counts = |since| store.device_counts(since);
    let expected = DeviceCounts { active: 1, silent: 0, never: 3, revoked: 1, clock_wrong: 0 };
    assert_eq!(counts(start).await.unwrap(), expected);
    let expected = DeviceCounts { active: 0, silent: 1, never: 3, revoked: 1, clock_wrong: 0 };
    assert_eq!(counts(start + SignedDuration::from_secs(1)).await.unwrap(), expected);
}

fn faults(error: StoreError) -> Vec<String> {
    match error {
        StoreError::Registration(faults) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// A meter that was taken down is read by no device, until it is found to be there after all.
async fn exchange(
    store: &dyn Store,
    id: HouseholdId,
    device: Uuid,
    meters: &[Uuid],
    at: Timestamp,
) {
    let (old, other) = (meters[0], meters[1]);
    let removed = MeterChange { removed_at: Some(Some(at)), ..MeterChange::default() };
    store.change_meter(id, old, removed.clone()).await.unwrap();
    let meter = store.meters(id).await.unwrap().remove(0);
    assert_eq!((meter.uuid, meter.removed_at, meter.measurement_device), (old, Some(at), None));
    for change in [
        MeterChange { measurement_device: Some(Some(device)), ..MeterChange::default() },
        MeterChange { measurement_device: Some(Some(device)), ..removed },
    ] {
        assert_eq!(faults(store.change_meter(id, old, change).await.unwrap_err()).len(), 1);
    }
    let refused = [
        store.add_device(id, vec![old]).await.map(drop),
        store.change_device(device, vec![other, old]).await,
    ];
    for refused in refused {
        assert!(matches!(refused, Err(StoreError::InUse(_))), "{refused:?}");
    }
    let back = MeterChange {
        removed_at: Some(None),
        measurement_device: Some(Some(device)),
        ..MeterChange::default()
    };
    store.change_meter(id, old, back).await.unwrap();
    let meter = store.meters(id).await.unwrap().remove(0);
    assert_eq!((meter.removed_at, meter.measurement_device), (None, Some(device)));
}

/// Changes of a registration are checked whole, and lost where one fault is.
pub async fn changes(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration("change@example.org"), now).await.unwrap();
    store.register(registration("taken@example.org"), now).await.unwrap();
    let id = HouseholdId(made.household);
    let given = registration("New@example.org");
    let mut change = HouseholdChange {
        participant: Some(given.participant),
        address: Some(given.address),
        metadata: Some(given.metadata),
        location: None,
    };
    change.metadata.as_mut().unwrap().children = 3;
    store.change_household(id, change.clone(), now).await.unwrap();
    let household = store.registration(id).await.unwrap();
    assert_eq!(household.participant.unwrap().email, "New@example.org");
    assert_eq!(household.metadata.unwrap().children, 3);
    change.participant.as_mut().unwrap().email = "TAKEN@example.org".into();
    change.metadata.as_mut().unwrap().adults_with_job = 9;
    change.metadata.as_mut().unwrap().children = 4;
    let told = faults(store.change_household(id, change, now).await.unwrap_err());
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(store.registration(id).await.unwrap().metadata.unwrap().children, 3);

    let device = store.add_device(id, vec![made.meters[1]]).await.unwrap();
    assert_eq!(store.managed_device(device).await.unwrap().meters, [made.meters[1]]);
    let foreign = store.add_device(id, vec![Uuid::nil()]).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));

    let meter = NewMeter {
        uuid: None,
        kind: MeterType::PvGeneration,
        model: "EASY".into(),
        measurement_device: Some(device),
        generation_register: None,
    };
    let uuid = store.add_meter(id, meter.clone()).await.unwrap();
    assert_eq!(store.meters(id).await.unwrap()[2].uuid, uuid);
    let wrong = NewMeter {
        uuid: Some(uuid),
        model: String::new(),
        measurement_device: Some(Uuid::nil()),
        ..meter
    };
    assert_eq!(faults(store.add_meter(id, wrong).await.unwrap_err()).len(), 3);
    let change = MeterChange { measurement_device: Some(None), ..MeterChange::default() };
    store.change_meter(id, uuid, change).await.unwrap();
    assert_eq!(store.meters(id).await.unwrap()[2].measurement_device, None);
    exchange(store, id, device, &made.meters, now).await;

    let system = NewPvSystem {
        nominal_power: "9.9".parse().unwrap(),
        azimuth: 90.into(),
        tilt: 10.into(),
        installed_on: "2024-02-29".parse().unwrap(),
        meter: Some(uuid),
    };
    let system = store.add_pv_system(id, system).await.unwrap();
    let change = MeterChange { kind: Some(MeterType::Electricity), ..MeterChange::default() };
    assert_eq!(faults(store.change_meter(id, uuid, change).await.unwrap_err()).len(), 1);
    let change = PvSystemChange {
        tilt: Some(91.into()),
        meter: Some(Some(made.meters[0])),
        ..PvSystemChange::default()
    };
    assert_eq!(faults(store.change_pv_system(id, system, change).await.unwrap_err()).len(), 2);
    let change = PvSystemChange { tilt: Some(0.into()), ..PvSystemChange::default() };
    store.change_pv_system(id, system, change.clone()).await.unwrap();
    assert_eq!(store.pv_systems(id).await.unwrap()[2].tilt, 0.into());

    let unknown = store.change_pv_system(id, Uuid::nil(), change.clone()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)));
    store.grant_consent(id, now).await.unwrap();
    let old = id;
    let id = crate::masking::revoke(store, old).await;
    let over = store.change_pv_system(id, system, change.clone()).await;
    assert!(matches!(over, Err(StoreError::ConsentRevoked)));
    let over = store.change_pv_system(old, system, change).await;
    assert!(matches!(over, Err(StoreError::NotFound)));
}
