//! Episodes, messages and deliveries: the same on both databases.

use std::{slice, sync::Arc, time::Duration};

use ebp_core::{
    contract::{
        AlertChange, AlertChannel, AlertKind, AlertMessage, AlertMessageKind, DeliveryState,
        DeviceStatus, MeterTelegrams, NewSilence,
    },
    model::IncidentType,
};
use ebp_store::{
    AlertState, AlertThresholds, Attempted, DeviceFacts, Episode, HouseholdId, JobPolicy,
    ListQuery, Look, NewEpisode, NewMessage, PlannedMessage, Store, StoreError, WatchLease,
    Watching, changes,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::story::{at, measurement, registration};

const START: &str = "2026-01-01T00:00:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn policy(milliseconds: u64) -> JobPolicy {
    JobPolicy {
        lease: Duration::from_millis(milliseconds),
        allowance: Duration::ZERO,
        ..JobPolicy::default()
    }
}

async fn watch(store: &dyn Store, worker: u128) -> Option<WatchLease> {
    store.watch_alerts(Uuid::from_u128(worker), policy(60_000)).await.unwrap()
}

/// A device whose household consents.
async fn device(store: &dyn Store, email: &str) -> (HouseholdId, Uuid, Vec<Uuid>) {
    let made = store.register(registration(email), at(START)).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, at(START)).await.unwrap();
    (household, made.measurement_device, made.meters)
}

async fn facts(store: &dyn Store) -> Vec<DeviceFacts> {
    facts_at(store, &AlertThresholds::default(), 9).await
}

/// Of the devices that are in question so many hours after the start.
async fn facts_at(store: &dyn Store, thresholds: &AlertThresholds, hours: i32) -> Vec<DeviceFacts> {
    store.alert_facts(thresholds.clone(), at(START) + HOUR * hours).await.unwrap()
}

async fn state(store: &dyn Store) -> AlertState {
    store.alert_state(at(START)).await.unwrap()
}

fn begins(uuid: u128, device: Uuid, kind: AlertKind) -> NewEpisode {
    NewEpisode { uuid: Uuid::from_u128(uuid), device, kind, began_at: at(START), instances: None }
}

fn message(uuid: u128, begins: &[u128], ends: &[u128]) -> Option<NewMessage> {
    let uuids = |numbers: &[u128]| numbers.iter().map(|n| Uuid::from_u128(*n)).collect();
    let kind = AlertMessageKind::Changes;
    let planned = PlannedMessage { kind, begins: uuids(begins), ends: uuids(ends) };
    let channels = AlertChannel::ALL.to_vec();
    Some(NewMessage { uuid: Uuid::from_u128(uuid), planned, channels })
}

async fn look(
    store: &dyn Store,
    lease: WatchLease,
    now: Timestamp,
    begin: Vec<NewEpisode>,
    end: &[u128],
    message: Option<NewMessage>,
) -> bool {
    let watching = Watching { looked_at: now, since: at(START) };
    let end = end.iter().map(|n| Uuid::from_u128(*n)).collect();
    store.record_look(lease, Arc::new(Look { watching, begin, end, message })).await.unwrap()
}

async fn shown(store: &dyn Store, message: u128) -> AlertMessage {
    store.alert_message(Uuid::from_u128(message)).await.unwrap()
}

/// One server watches; another one does when the lease is over, or was given back, and what the
/// first one decided then is not recorded.
pub async fn one_watches([store, other]: [Arc<dyn Store>; 2]) {
    let lease = watch(&*store, 1).await.unwrap();
    assert_eq!(watch(&*store, 1).await, Some(lease), "it is renewed");
    assert_eq!(watch(&*other, 2).await, None);
    store.watch_alerts(Uuid::from_u128(1), policy(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let next = watch(&*other, 2).await.unwrap();
    assert!(next.term > lease.term);
    assert!(!look(&*store, lease, at(START), Vec::new(), &[], None).await);
    assert!(look(&*other, next, at(START), Vec::new(), &[], None).await);
    assert_eq!(
        state(&*store).await.watching,
        Some(Watching { looked_at: at(START), since: at(START) })
    );
    // Of a lease that is lost nothing is given back.
    store.release_watch(lease).await.unwrap();
    assert_eq!(watch(&*store, 1).await, None);
    other.release_watch(next).await.unwrap();
    assert!(watch(&*store, 1).await.is_some());
}

/// What is known of devices: reports, measurements, incidents, damaged telegrams.
pub async fn what_is_known(store: &dyn Store) {
    let (household, device, meters) = device(store, "facts@example.org").await;
    store.register(registration("without@example.org"), at(START)).await.unwrap();
    // That a device asks something is no report, and one that never reported is not silent.
    store.touch_device(device, at(START) + HOUR).await.unwrap();
    assert_eq!(facts(store).await, []);

    let telegrams = |meter: Uuid, telegrams, damaged| MeterTelegrams { meter, telegrams, damaged };
    let status = DeviceStatus {
        meters: vec![telegrams(meters[0], 1000, 10), telegrams(meters[1], 100, 30)],
        ..DeviceStatus::default()
    };
    store.report_status(device, status, at(START) + HOUR).await.unwrap();
    let kind = IncidentType::SerialPortUnavailable;
    store.report_incident(household, meters[1], kind, at(START) + HOUR * 3).await.unwrap();
    for (number, meter, hours) in [(1, 0, 2), (2, 0, 4), (3, 1, 3)] {
        let item = measurement(number, meters[meter], at(START) + HOUR * hours);
        let received = at(START) + HOUR * 5;
        store.insert_measurements(household, vec![item], received).await.unwrap();
    }
    let known = facts(store).await.remove(0);
    assert_eq!(known.last_report, Some(at(START) + HOUR * 5));
    assert_eq!(known.last_measurement, Some(at(START) + HOUR * 3), "of the meter that is behind");
    assert_eq!(known.incident_since, Some(at(START) + HOUR * 3));
    assert_eq!(known.damaged, Some((100, 30)));
    store.resolve_incident(household, meters[1], kind, at(START) + HOUR * 6).await.unwrap();
    assert_eq!(facts(store).await[0].incident_since, None);
    // Silenced until it ends.
    let ends_at = Some(at(START) + HOUR * 8);
    let silence = NewSilence { reason: "away".into(), ends_at, until_recovery: false };
    store.silence_device(device, silence, at(START) + HOUR * 6).await.unwrap();
    for (hours, silenced) in [(7, true), (8, false)] {
        let known = facts_at(store, &AlertThresholds::default(), hours).await;
        assert_eq!(known[0].silenced, silenced, "{hours}");
    }
    store.revoke_consent(household, at(START) + HOUR * 7).await.unwrap();
    assert_eq!(facts(store).await, []);
}

/// A look that reads the devices in question alone decides as one that reads all of them.
pub async fn nobody_in_question_is_left_out(store: &dyn Store) {
    let lease = watch(store, 1).await.unwrap();
    for number in 0..6_u64 {
        let email = format!("question{number}@example.org");
        let (household, device, meters) = device(store, &email).await;
        let damaged = number * 7;
        let telegrams = MeterTelegrams { meter: meters[0], telegrams: 100, damaged };
        let status = DeviceStatus { meters: vec![telegrams], ..DeviceStatus::default() };
        let hour = i32::try_from(number).unwrap();
        store.report_status(device, status, at(START) + HOUR * hour).await.unwrap();
        for (key, meter) in (1..).zip(&meters) {
            let item = measurement(u128::from(number) * 10 + key, *meter, at(START) + HOUR * hour);
            let received = at(START) + HOUR * (hour + 1);
            store.insert_measurements(household, vec![item], received).await.unwrap();
        }
        if number == 2 {
            let kind = IncidentType::SerialPortUnavailable;
            store.report_incident(household, meters[0], kind, at(START)).await.unwrap();
        }
        if number == 5 {
            // Its episode ends as soon as it is not in trouble.
            let begin = vec![begins(77, device, AlertKind::Silent)];
            assert!(look(store, lease, at(START) + HOUR, begin, &[], None).await);
        }
    }
    let day = Duration::from_secs(86_400);
    let everybody = AlertThresholds { silent: Some(Duration::ZERO), ..AlertThresholds::default() };
    let own = [
        AlertThresholds::default(),
        AlertThresholds { silent: None, late: None, incident: None, ..AlertThresholds::default() },
        AlertThresholds {
            silent: Some(day),
            damaged_percent: Some(28),
            ..AlertThresholds::default()
        },
    ];
    for hours in [1, 4, 7, 8, 9, 30] {
        let all = facts_at(store, &everybody, hours).await;
        let now = at(START) + HOUR * hours;
        let watching = Watching { looked_at: now, since: at(START) - HOUR * 99 };
        let episodes = state(store).await.episodes;
        for thresholds in &own {
            let asked = facts_at(store, thresholds, hours).await;
            let decided = |facts: &[DeviceFacts]| {
                let mut next = 0;
                let uuid = || {
                    next += 1;
                    Uuid::from_u128(next)
                };
                changes(facts, &episodes, thresholds, watching, uuid)
            };
            assert_eq!(decided(&asked), decided(&all), "{hours} h, {thresholds:?}");
        }
    }
    let calm = AlertThresholds {
        damaged_percent: Some(90),
        silent: Some(day),
        late: Some(day),
        incident: None,
        ..AlertThresholds::default()
    };
    let asked = facts_at(store, &calm, 9).await;
    assert_eq!(asked.len(), 2, "the one with an incident, and the one with an episode");
}

/// From an episode's beginning to the delivery of its end.
pub async fn from_begin_to_end(store: &dyn Store) {
    let (_, device, _) = device(store, "episode@example.org").await;
    let lease = watch(store, 1).await.unwrap();
    let silent = |uuid| begins(uuid, device, AlertKind::Silent);
    let now = at(START) + HOUR;
    assert!(look(store, lease, now, vec![silent(1)], &[], None).await);
    // Of one device and kind one is open.
    assert!(look(store, lease, now, vec![silent(2)], &[], message(10, &[2], &[])).await);
    assert!(matches!(store.alert_message(Uuid::from_u128(10)).await, Err(StoreError::NotFound)));
    let open = Episode {
        uuid: Uuid::from_u128(1),
        device,
        kind: AlertKind::Silent,
        begin_untold: Some(now),
        open: true,
        end_untold: None,
    };
    assert_eq!(state(store).await.episodes, slice::from_ref(&open));

    // It is told once, whatever is planned.
    assert!(look(store, lease, now, Vec::new(), &[], message(11, &[1], &[])).await);
    assert!(look(store, lease, now, Vec::new(), &[], message(12, &[1], &[1])).await);
    assert!(matches!(store.alert_message(Uuid::from_u128(12)).await, Err(StoreError::NotFound)));
    let told = shown(store, 11).await;
    assert_eq!((told.began, told.ended, told.kind), (1, 0, AlertMessageKind::Changes));
    let [item] = &told.items[..] else { panic!("{told:?}") };
    assert_eq!((item.episode, item.device, item.at), (Uuid::from_u128(1), device, at(START)));
    assert_eq!((item.kind, item.change), (AlertKind::Silent, AlertChange::Began));
    assert_eq!(state(store).await.episodes, [Episode { begin_untold: None, ..open }]);
    assert_eq!(state(store).await.sent, [now]);

    // An end by a clock that was set back is no earlier than the beginning.
    assert!(look(store, lease, at(START) - HOUR, Vec::new(), &[1], None).await);
    assert!(look(store, lease, now + HOUR, Vec::new(), &[], message(13, &[], &[1])).await);
    let told = shown(store, 13).await;
    assert_eq!((told.began, told.ended, told.items[0].at), (0, 1, at(START)));
    assert_eq!(state(store).await.episodes, []);
    assert!(look(store, lease, now + HOUR * 2, vec![silent(3)], &[], message(14, &[3], &[])).await);

    deliveries(store, lease, now + HOUR * 3).await;

    let page = ListQuery { after: None, limit: 2 };
    let first = store.alert_messages(page).await.unwrap();
    let rest = store.alert_messages(ListQuery { after: first.next, ..page }).await.unwrap();
    let shown_first = first.items.iter().chain(&rest.items).take(3);
    let uuids: Vec<u128> = shown_first.map(|message| message.uuid.as_u128()).collect();
    // The fourth is the test.
    assert_eq!((&uuids[..], rest.items.len(), rest.next), (&[11, 13, 14][..], 2, None));
    assert_eq!(rest.items[0], shown(store, 14).await);

    // What ended long ago is removed, and what is open is not.
    let long = SignedDuration::from_hours(24 * 401);
    assert_eq!(store.expire_alerts(now).await.unwrap(), 0);
    // An episode, two messages, the test.
    assert_eq!(store.expire_alerts(now + long).await.unwrap(), 4);
    assert_eq!(store.alert_messages(page).await.unwrap().items.len(), 1);
    assert_eq!(state(store).await.episodes.len(), 1);
}

/// Each channel's messages go out in their order; a failed one is tried again, and ends once.
async fn deliveries(store: &dyn Store, lease: WatchLease, now: Timestamp) {
    let due = async |now| {
        let due = store.due_deliveries(now, 100).await.unwrap();
        due.iter().map(|d| (d.message.as_u128(), d.channel, d.attempts)).collect::<Vec<_>>()
    };
    let (webhook, mail) = (AlertChannel::Webhook, AlertChannel::Mail);
    let record = async |message: u128, channel, attempted, at| {
        let delivery = (Uuid::from_u128(message), channel);
        store.record_delivery(lease, delivery, attempted, at).await.unwrap()
    };
    assert_eq!(due(now).await, [(11, webhook, 0), (11, mail, 0)]);
    let failed = |pause: Option<u64>| Attempted::Failed {
        error: "it is away".to_owned(),
        pause: pause.map(Duration::from_secs),
    };
    assert!(record(11, webhook, failed(None), now).await);
    assert!(record(11, mail, Attempted::Accepted, now).await);
    assert_eq!(due(now).await, [(13, mail, 0)], "the webhook waits");
    assert_eq!(due(now + SignedDuration::from_secs(10)).await[0], (11, webhook, 1));
    assert!(record(11, webhook, failed(Some(600)), now).await);
    assert_eq!(due(now + SignedDuration::from_secs(599)).await, [(13, mail, 0)]);
    // A clock that was set back by years holds nothing up.
    assert_eq!(due(now - HOUR * 9000).await[0], (11, webhook, 2));
    let again = shown(store, 11).await.deliveries;
    assert_eq!((again[0].channel, again[0].state), (webhook, DeliveryState::Pending));
    assert_eq!((again[0].attempts, again[0].error.as_deref()), (2, Some("it is away")));
    assert_eq!((again[1].state, again[1].ended_at), (DeliveryState::Sent, Some(now)));
    let counts = store.alert_counts().await.unwrap();
    assert_eq!((&counts.open[..], counts.pending), (&[(AlertKind::Silent, 1)][..], 5));
    assert_eq!(counts.attempts, 2);

    assert!(record(11, webhook, Attempted::Accepted, now).await);
    assert!(!record(11, webhook, failed(None), now).await, "it has ended");
    let gone = Attempted::Refused { error: "gone".to_owned() };
    assert!(record(13, webhook, gone, now).await);
    assert_eq!(shown(store, 13).await.deliveries[0].state, DeliveryState::GivenUp);
    let lost = WatchLease { term: lease.term - 1, ..lease };
    let delivery = (Uuid::from_u128(14), webhook);
    assert!(!store.record_delivery(lost, delivery, Attempted::Accepted, now).await.unwrap());

    let test = store.add_alert_test(vec![mail], now).await.unwrap();
    assert_eq!(
        (test.kind, test.items.len(), test.deliveries.len()),
        (AlertMessageKind::Test, 0, 1)
    );
    for message in [13, 14] {
        assert!(record(message, mail, Attempted::Accepted, now).await);
    }
    assert!(record(14, webhook, Attempted::Empty, now).await);
    assert_eq!(shown(store, 14).await.deliveries[0].state, DeliveryState::Dropped);
    let due = store.due_deliveries(now, 100).await.unwrap();
    assert_eq!((due.len(), due[0].kind), (1, AlertMessageKind::Test));
    assert!(record(test.uuid.as_u128(), mail, Attempted::Accepted, now).await);
}

/// A revocation erases a household's episodes, told or not, and no message names the device then;
/// none begins afterwards.
pub async fn a_revocation_erases_episodes(store: &dyn Store) {
    let (household, device, _) = device(store, "revoked@example.org").await;
    let lease = watch(store, 1).await.unwrap();
    let kinds = [(1, AlertKind::Silent), (2, AlertKind::Damaged)];
    let begin = kinds.map(|(uuid, kind)| begins(uuid, device, kind)).to_vec();
    assert!(look(store, lease, at(START), begin, &[], message(10, &[1], &[])).await);
    store.revoke_consent(household, at(START) + HOUR).await.unwrap();
    assert_eq!(state(store).await.episodes, []);
    let left = shown(store, 10).await;
    assert_eq!((left.began, left.items.len()), (1, 0));
    let due = store.due_deliveries(at(START) + HOUR, 100).await.unwrap();
    assert_eq!((due[0].items.len(), due[0].began), (0, 0));

    let late = vec![begins(3, device, AlertKind::Late)];
    assert!(look(store, lease, at(START) + HOUR, late, &[], message(11, &[3], &[])).await);
    assert_eq!(state(store).await.episodes, []);
    assert!(matches!(store.alert_message(Uuid::from_u128(11)).await, Err(StoreError::NotFound)));
}

/// Episodes that begin while households revoke: none is left of a household that did.
pub async fn revocations_beside_looks([store, other]: [Arc<dyn Store>; 2]) {
    let mut devices = Vec::new();
    for i in 0..12 {
        devices.push(device(&*store, &format!("beside{i}@example.org")).await);
    }
    let lease = watch(&*store, 1).await.unwrap();
    let households: Vec<HouseholdId> = devices.iter().map(|(household, ..)| *household).collect();
    let revoking = tokio::spawn(async move {
        for household in households {
            other.revoke_consent(household, at(START) + HOUR).await.unwrap();
        }
    });
    let mut next = 0;
    while !revoking.is_finished() {
        let begin: Vec<_> = devices
            .iter()
            .map(|(_, device, _)| {
                next += 1;
                begins(next, *device, AlertKind::Silent)
            })
            .collect();
        assert!(look(&*store, lease, at(START), begin, &[], None).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    revoking.await.unwrap();
    assert!(next >= 12);
    assert_eq!(state(&*store).await.episodes, []);
}
