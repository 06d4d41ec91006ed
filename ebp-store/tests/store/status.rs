//! What devices tell of themselves, in every store.

use ebp_core::contract::{
    ClockState, DeviceStatus, MeterChange, MeterTelegrams, Notice, SpoolFigures,
};
use ebp_store::{HouseholdId, ListQuery, Store, StoreError};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::story::{at, registration};

fn status(version: &str, meters: &[(Uuid, u64, u64)]) -> DeviceStatus {
    let meter = |&(meter, telegrams, damaged)| MeterTelegrams { meter, telegrams, damaged };
    DeviceStatus {
        components: [("reader", "0.1.0"), ("transmitter", version)]
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .into(),
        clock: Some(ClockState::Unsynchronised),
        spool: Some(SpoolFigures { pending: 4, refused: 1, unplaced: 2, bytes: 81_920 }),
        meters: meters.iter().map(meter).collect(),
        notices: vec![Notice::SpoolDamaged, Notice::SpoolSetAside],
        host_keys: Vec::new(),
        errors: Vec::new(),
    }
}

/// The last status is shown, with what is worth comparing; consent's end forgets it.
pub async fn is_shown_and_deleted(store: &dyn Store) {
    let (start, hour) = (at("2026-01-01T00:00:00Z"), SignedDuration::from_hours(1));
    let made = store.register(registration("status@example.org"), start).await.unwrap();
    let (id, device) = (HouseholdId(made.household), made.measurement_device);
    let [first, second] = made.meters[..] else { panic!() };
    let other = store.register(registration("other@example.org"), start + hour).await.unwrap();
    let tell = |status, hours: i32| store.report_status(device, status, start + hour * hours);

    let silent = store.devices(id).await.unwrap().remove(0);
    assert!(silent.components.is_empty() && silent.health.is_none());
    tell(status("0.1.0", &[(first, 96, 3), (second, 0, 0)]), 0).await.unwrap();
    let same = status("0.2.0", &[(first, 100, 10), (second, 0, 0)]);
    tell(same.clone(), 1).await.unwrap();
    tell(same, 2).await.unwrap();
    let shown = store.devices(id).await.unwrap().remove(0);
    let since = |name: &str| shown.components[name].since;
    assert_eq!(shown.components["transmitter"].version, "0.2.0");
    assert_eq!((since("reader"), since("transmitter")), (start, start + hour));
    let health = shown.health.clone().unwrap();
    assert_eq!(health.reported_at, start + hour * 2);
    assert_eq!(health.clock, Some(ClockState::Unsynchronised));
    assert_eq!(health.spool.unwrap().bytes, 81_920);
    assert_eq!(health.notices, [Notice::SpoolSetAside, Notice::SpoolDamaged]);
    let [falling, none] = &health.meters[..] else { panic!() };
    assert_eq!((falling.meter, none.meter), (first, second));
    assert_eq!((falling.telegrams, falling.damaged), (100, 10));
    // The status that was told twice counts once.
    let share = |text: &str| Some(text.parse().unwrap());
    assert_eq!(falling.damaged_share, share("0.1"));
    assert_eq!(falling.damaged_share_before, share("0.0312"));
    assert_eq!((none.damaged_share, none.damaged_share_before), (None, None));

    // Administrators see the same.
    let all = ListQuery { after: None, limit: 10 };
    let listed = store.health(all).await.unwrap().items;
    assert_eq!(listed[0].measurement_devices, std::slice::from_ref(&shown));
    assert!(listed[1].measurement_devices[0].health.is_none());
    let managed = store.managed_device(device).await.unwrap();
    assert_eq!((&managed.components, &managed.health), (&shown.components, &shown.health));
    let devices = store.all_devices(all).await.unwrap().items;
    assert_eq!(devices.iter().find(|found| found.uuid == device), Some(&managed));

    // Refused whole, with every fault.
    let mut wrong = status("", &[(other.meters[0], 1, 2), (first, 1, 1)]);
    wrong.meters.push(MeterTelegrams { meter: Uuid::nil(), telegrams: 0, damaged: 0 });
    let Err(StoreError::Registration(faults)) = tell(wrong, 3).await else { panic!() };
    assert_eq!(faults.iter().count(), 4, "{faults:?}");
    assert_eq!(store.devices(id).await.unwrap()[0], shown);
    let nobody = store.report_status(Uuid::nil(), DeviceStatus::default(), start).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));

    // What another device told of a meter is not this one's.
    let change = MeterChange { measurement_device: Some(None), ..MeterChange::default() };
    store.change_meter(id, first, change).await.unwrap();
    let left = store.devices(id).await.unwrap().remove(0).health.unwrap();
    assert_eq!(left.meters.iter().map(|seen| seen.meter).collect::<Vec<_>>(), [second]);

    // The least takes the place of the most.
    tell(DeviceStatus::default(), 4).await.unwrap();
    let shown = store.devices(id).await.unwrap().remove(0);
    let health = shown.health.unwrap();
    assert!(shown.components.is_empty() && health.meters.is_empty() && health.notices.is_empty());
    assert_eq!((health.clock, health.spool), (None, None));

    tell(status("0.2.0", &[(second, 1, 1)]), 5).await.unwrap();
    store.grant_consent(id, start + hour * 6).await.unwrap();
    store.revoke_consent(id, start + hour * 7).await.unwrap();
    let over = tell(DeviceStatus::default(), 8).await;
    assert!(matches!(over, Err(StoreError::ConsentRevoked)));
    assert!(store.devices(id).await.unwrap().is_empty());
}
