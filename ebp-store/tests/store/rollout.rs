//! Roll-outs: the same on both databases.

use std::sync::Arc;

use ebp_core::contract::{
    DeviceUpdate, NewRollout, RolloutAction, RolloutState, UpdateWish, UpdateWishKind,
};
use ebp_store::{
    HouseholdId, ListQuery, RolloutPlace, RolloutWrite, Store, StoreError, judge_rollout,
    steer_rollout,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, registration};

const NOW: &str = "2026-03-02T10:00:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const ALL: ListQuery = ListQuery { after: None, limit: 1000 };

async fn device(store: &dyn Store, email: &str) -> (HouseholdId, Uuid) {
    let made = store.register(registration(email), at(NOW)).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, at(NOW)).await.unwrap();
    (household, made.measurement_device)
}

fn new(first: &[Uuid]) -> NewRollout {
    NewRollout {
        version: "1.4.2".to_owned(),
        first: first.to_vec(),
        steps: Some(vec![50, 100]),
        soak: Some(0),
    }
}

fn said() -> DeviceUpdate {
    DeviceUpdate { kept: Some("1.4.1".to_owned()), ..DeviceUpdate::default() }
}

async fn ask(store: &dyn Store, device: Uuid, now: Timestamp) -> UpdateWishKind {
    store.report_update(device, said(), now).await.unwrap().wish
}

async fn judge(store: &dyn Store, rollout: Uuid, now: Timestamp) {
    let view = store.rollout(rollout).await.unwrap();
    let write = judge_rollout(&view.rollout, &view.facts, now);
    store.write_rollout(rollout, view.rollout.revision, write, None, now).await.unwrap();
}

/// Devices ask, are offered the version, and are told so until it halts.
pub async fn devices_are_told_what_to_run(store: &dyn Store) {
    let now = at(NOW);
    let (_, first) = device(store, "erika@example.org").await;
    let (_, other) = device(store, "max@example.org").await;
    let unknown = store.report_update(Uuid::from_u128(9), said(), now).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)), "{unknown:?}");
    assert_eq!(ask(store, first, now).await, UpdateWishKind::Any);
    assert_eq!(store.latest_rollout().await.unwrap(), None);

    let missing = store.begin_rollout(Uuid::from_u128(1), new(&[Uuid::nil()]), "ea".into(), now);
    assert!(matches!(missing.await, Err(StoreError::NotFound)));
    assert_eq!(store.latest_rollout().await.unwrap(), None, "all or nothing");
    let uuid = Uuid::from_u128(1);
    let begun = store.begin_rollout(uuid, new(&[first]), "ea".into(), now).await.unwrap();
    assert_eq!((&*begun.steps, begun.revision), (&[0, 50, 100][..], 1));
    let second = store.begin_rollout(Uuid::from_u128(2), new(&[]), "ea".into(), now).await;
    assert!(matches!(second, Err(StoreError::RolloutState(RolloutState::Running))));

    // Both asked; the one that was named is offered the version, and learns of it when it asks.
    assert_eq!(ask(store, first, now).await, UpdateWishKind::Stay);
    assert_eq!(ask(store, other, now).await, UpdateWishKind::Stay);
    judge(store, uuid, now).await;
    let offer = async |device| {
        let facts = store.rollout(uuid).await.unwrap().facts;
        facts.into_iter().find(|facts| facts.device == device).unwrap().offer
    };
    assert_eq!(offer(first).await.unwrap().taken_at, None);
    let wish = store.report_update(first, said(), now + HOUR).await.unwrap();
    assert_eq!(wish, UpdateWish::run("1.4.2".to_owned()));
    let taken = offer(first).await.unwrap();
    assert_eq!((taken.step, taken.taken_at), (0, Some(now + HOUR)));
    assert_eq!(ask(store, first, now + HOUR * 2).await, UpdateWishKind::Run);
    assert_eq!(offer(first).await.unwrap().taken_at, Some(now + HOUR), "the first time counts");
    assert_eq!(ask(store, other, now + HOUR).await, UpdateWishKind::Stay);
    assert_eq!(offer(other).await, None);

    // The other's offer is not taken when it halts: it stays.
    let write = RolloutWrite {
        offer: vec![(other, true)],
        set_aside: vec![first],
        ..RolloutWrite::default()
    };
    store.write_rollout(uuid, 1, write, None, now + HOUR * 2).await.unwrap();
    assert_eq!(ask(store, first, now + HOUR * 3).await, UpdateWishKind::Stay, "set aside");
    let view = store.rollout(uuid).await.unwrap();
    let halt = steer_rollout(&view.rollout, &view.facts, RolloutAction::Halt, now).unwrap();
    store.write_rollout(uuid, 1, halt, Some("ea".into()), now + HOUR * 3).await.unwrap();
    assert_eq!(ask(store, other, now + HOUR * 3).await, UpdateWishKind::Stay, "halted");

    // Those that were set aside wait again.
    let place = RolloutPlace {
        state: RolloutState::Running,
        halt: None,
        step: 1,
        step_since: now + HOUR * 4,
    };
    let write = RolloutWrite {
        place: Some(place),
        excuse: vec![other],
        over: vec![other],
        readmit: true,
        ..RolloutWrite::default()
    };
    store.write_rollout(uuid, 2, write, None, now + HOUR * 4).await.unwrap();
    assert_eq!(offer(first).await, None);
    let excused = offer(other).await.unwrap();
    assert_eq!((excused.excused, excused.over_at), (true, Some(now + HOUR * 4)));
    assert_eq!(ask(store, other, now + HOUR * 4).await, UpdateWishKind::Run);

    let view = store.rollout(uuid).await.unwrap();
    assert_eq!((view.rollout.step, view.rollout.step_since), (1, now + HOUR * 4));
    let events: Vec<_> =
        view.events.iter().map(|event| (event.revision, event.by.as_deref())).collect();
    assert_eq!(events, [(3, None), (2, Some("ea")), (1, Some("ea"))]);
    let listed = store.rollouts(ALL).await.unwrap().items;
    assert_eq!(listed, [view.rollout]);
}

/// Of two changes of the same revision one is made, whichever server makes it.
pub async fn two_changes_of_one_revision([store, other]: [Arc<dyn Store>; 2]) {
    let now = at(NOW);
    let uuid = Uuid::from_u128(1);
    store.begin_rollout(uuid, new(&[]), "ea".into(), now).await.unwrap();
    let write = async |store: &dyn Store, action| {
        let view = store.rollout(uuid).await.unwrap();
        let rollout = ebp_core::contract::Rollout { revision: 1, ..view.rollout };
        let rollout =
            ebp_core::contract::Rollout { state: RolloutState::Running, halt: None, ..rollout };
        let write = steer_rollout(&rollout, &view.facts, action, now).unwrap();
        store.write_rollout(uuid, 1, write, Some("ea".into()), now).await
    };
    let (one, two) =
        tokio::join!(write(&*store, RolloutAction::Halt), write(&*other, RolloutAction::End));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let late = one.and(two).unwrap_err();
    assert!(matches!(late, StoreError::Changed), "{late:?}");
    assert_eq!(store.rollout(uuid).await.unwrap().rollout.revision, 2);
    let missing = store.rollout(Uuid::from_u128(7)).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

/// With consent ends what a device said and its part in roll-outs, and it gets no other.
pub async fn a_revocation_forgets_the_device(store: &dyn Store) {
    let now = at(NOW);
    let (household, own) = device(store, "erika@example.org").await;
    let (_, other) = device(store, "max@example.org").await;
    let uuid = Uuid::from_u128(1);
    store.begin_rollout(uuid, new(&[own, other]), "ea".into(), now).await.unwrap();
    for device in [own, other] {
        ask(store, device, now).await;
    }
    store.revoke_consent(household, now + HOUR).await.unwrap();
    let facts = store.rollout(uuid).await.unwrap().facts;
    let devices: Vec<_> = facts.iter().map(|facts| facts.device).collect();
    assert_eq!(devices, [other]);
    assert!(store.report_update(own, said(), now + HOUR).await.is_err());
    let offer = vec![(own, true), (other, true)];
    let write = RolloutWrite { offer, ..RolloutWrite::default() };
    store.write_rollout(uuid, 1, write, None, now + HOUR).await.unwrap();
    let facts = store.rollout(uuid).await.unwrap().facts;
    assert!(facts.len() == 1 && facts[0].offer.is_some());
}
