//! The suite that every store passes: it knows the trait alone.

use std::sync::Arc;

use ebp_core::{
    contract::Registration,
    model::{ConsentState, DataPoint, Measurement},
    obis::ObisCode,
};
use ebp_store::{Actor, HouseholdId, InsertOutcome, Names, PageQuery, Refusal, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Names as a token may have them.
pub fn names(email: &str, device: Option<Uuid>) -> Names {
    Names { participant: None, email: email.to_owned(), device }
}

pub fn registration(email: &str) -> Registration {
    serde_json::from_value(json!({
        "participant": {"name": "Erika Mustermann", "email": email},
        "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                    "country": "DE"},
        "metadata": {"children": 0, "adults": 2, "adults_with_job": 2, "heat_pump": false,
                     "electric_vehicle_charger": false, "home_battery": false},
        "meters": [{"type": "ELECTRICITY", "model": "EHZ"},
                   {"type": "PV-GENERATION", "model": "MT681"}],
        "pv_systems": [
            {"nominal_power": 7.5, "azimuth": 180, "tilt": 35, "installed_on": "2019-05-03",
             "meter": 1},
            {"nominal_power": 0.49, "azimuth": 0, "tilt": 0, "installed_on": "2020-01-01"}]
    }))
    .unwrap()
}

pub fn measurement(uuid: u128, meter: Uuid, measured_at: Timestamp) -> Measurement {
    let point = DataPoint { obis: ObisCode::POSITIVE_ENERGY, value: "12345.6789".parse().unwrap() };
    Measurement {
        uuid: Uuid::from_u128(uuid),
        meter,
        measured_at,
        data: vec![point],
        flags: Vec::new(),
    }
}

/// From registration to revocation.
pub async fn story(store: &dyn Store) {
    let start = at("2026-01-01T00:00:00Z");
    let hour = SignedDuration::from_hours(1);
    let made = store.register(registration("erika@example.org"), start).await.unwrap();
    let (household, device) = (HouseholdId(made.household), made.measurement_device);

    let actor = store.actor(&names("ERIKA@EXAMPLE.ORG", Some(device))).await.unwrap();
    let Actor::Participant { participant, household: acts_for, .. } = actor else { panic!() };
    assert_eq!(acts_for, Some(household));
    let other = names("max@example.org", Some(device));
    assert_eq!(store.actor(&other).await.unwrap(), Actor::Superseded);

    let items = vec![measurement(1, made.meters[0], start + hour)];
    let early = store.insert_measurements(household, items.clone(), start + hour).await;
    assert!(matches!(early, Err(StoreError::ConsentNotGranted)));
    let early = store.revoke_consent(household, start).await;
    assert!(matches!(early, Err(StoreError::ConsentNotGranted)));

    let consent = store.grant_consent(household, start + hour).await.unwrap();
    assert_eq!((consent.state, consent.granted_at), (ConsentState::Granted, Some(start + hour)));
    let again = store.grant_consent(household, start + hour).await;
    assert!(matches!(again, Err(StoreError::ConsentAlreadyGranted)));

    let outcomes = store.insert_measurements(household, items.clone(), start + hour).await;
    assert_eq!(outcomes.unwrap(), [InsertOutcome::Accepted]);
    let mut more = items.clone();
    more.push(measurement(2, made.meters[0], start));
    more.push(measurement(3, made.meters[1], start + hour));
    let outcomes = store.insert_measurements(household, more, start + hour).await;
    let early = InsertOutcome::Refused(Refusal::BeforeConsent);
    assert_eq!(outcomes.unwrap(), [InsertOutcome::Duplicate, early, InsertOutcome::Accepted]);

    store.touch_device(device, start + hour).await.unwrap();
    let devices = store.devices(household).await.unwrap();
    assert_eq!((devices[0].last_activity, devices[0].last_report), (Some(start + hour), None));
    store.note_report(device, start + hour * 2).await.unwrap();
    let devices = store.devices(household).await.unwrap();
    assert_eq!(devices[0].last_activity, Some(start + hour));
    assert_eq!(devices[0].last_report, Some(start + hour * 2));
    assert_eq!(store.managed_device(device).await.unwrap().last_report, Some(start + hour * 2));
    assert_eq!(devices[0].meters, made.meters);

    let consent = store.revoke_consent(household, start + hour * 2).await.unwrap();
    assert_eq!(consent.state, ConsentState::Revoked);
    assert_eq!(
        store.actor(&names("erika@example.org", Some(device))).await.unwrap(),
        Actor::Revoked
    );
    assert_eq!(store.actor(&names("erika@example.org", None)).await.unwrap(), Actor::Unknown);
    let gone = |error: StoreError| assert!(matches!(error, StoreError::ConsentRevoked), "{error}");
    gone(store.account(participant).await.unwrap_err());
    gone(store.grant_consent(household, start + hour * 3).await.unwrap_err());
    gone(store.revoke_consent(household, start + hour * 3).await.unwrap_err());
    gone(store.insert_measurements(household, items, start + hour).await.unwrap_err());

    gone(store.household(household).await.unwrap_err());
    gone(store.consent(household).await.unwrap_err());

    let revoked = store.revoked_households().await.unwrap().remove(0);
    let household = HouseholdId(revoked.household);
    let after = store.household(household).await.unwrap();
    assert!(after.address.is_none() && after.location.is_none() && after.metadata.is_some());
    let systems = store.pv_systems(household).await.unwrap();
    let mut coarse: Vec<_> = systems
        .iter()
        .map(|system| (system.nominal_power.to_string(), system.installed_on.to_string()))
        .collect();
    coarse.sort();
    let expected = [("0", "2020-01-01"), ("8", "2019-01-01")];
    assert_eq!(coarse, expected.map(|(power, day)| (power.to_owned(), day.to_owned())));
    // What was measured stays: it is what the survey was for.
    let query = PageQuery { from: None, to: None, after: None, limit: 10 };
    for meter in store.meters(household).await.unwrap() {
        let page = store.measurements_page(household, meter.uuid, query).await.unwrap();
        assert_eq!(page.items.len(), 1);
    }
}

/// What a registration cannot say.
pub async fn refused_registrations(store: &dyn Store) {
    let now = at("2026-01-01T00:00:00Z");
    let mut first = registration("erika@example.org");
    first.meters[0].uuid = Some(Uuid::from_u128(1));
    first.measurement_device = Some(Uuid::from_u128(2));
    store.register(first.clone(), now).await.unwrap();
    let mut second = first.clone();
    second.participant.name = "Max Mustermann".into();
    second.address.street = String::new();
    let Err(StoreError::Registration(faults)) = store.register(second, now).await else { panic!() };
    let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    let expected =
        ["/address/street", "/participant/email", "/measurement_device", "/meters/0/uuid"];
    assert_eq!(places, expected);
    // A character that not every database can keep.
    let mut strange = registration("strange@example.org");
    strange.participant.name = "Max\0Mustermann".into();
    strange.participant.email = "a\0b@example.org".into();
    let Err(StoreError::Registration(faults)) = store.register(strange, now).await else {
        panic!()
    };
    assert_eq!(faults.iter().count(), 2, "{faults:?}");
    let unknown = store.actor(&names("a\0b@example.org", None)).await.unwrap();
    assert_eq!(unknown, Actor::Unknown);

    let Actor::Participant { household, .. } =
        store.actor(&names("erika@example.org", None)).await.unwrap()
    else {
        panic!()
    };
    assert!(household.is_some(), "nothing of the refused registration is left");
}

/// Several who do the same at once, through one store or several: one of them does it.
pub async fn races(stores: Vec<Arc<dyn Store>>) {
    let now = at("2026-01-01T00:00:00Z");
    let same = together(&stores, move |store| async move {
        let mut registration = registration("max@example.org");
        registration.measurement_device = Some(Uuid::from_u128(7));
        store.register(registration, now).await.is_ok()
    });
    assert_eq!(same.await, 1);
    let made = stores[0].register(registration("erika@example.org"), now).await.unwrap();
    let household = HouseholdId(made.household);
    let granted =
        together(
            &stores,
            move |store| async move { store.grant_consent(household, now).await.is_ok() },
        );
    assert_eq!(granted.await, 1);
    let meter = made.meters[0];
    let accepted = together(&stores, move |store| async move {
        let items = (0..50).map(|uuid| measurement(uuid, meter, now)).collect();
        let outcomes = store.insert_measurements(household, items, now).await.unwrap();
        assert!(
            outcomes
                .iter()
                .all(|o| matches!(o, InsertOutcome::Accepted | InsertOutcome::Duplicate))
        );
        outcomes.contains(&InsertOutcome::Accepted)
    });
    assert_eq!(accepted.await, 1);
    let revoked = together(&stores, move |store| async move {
        store.revoke_consent(household, now).await.is_ok()
    });
    assert_eq!(revoked.await, 1);
}

/// Months that nothing was measured in yet, and several who are the first.
pub async fn turn_of_months(stores: Vec<Arc<dyn Store>>) {
    let start = at("2025-10-31T00:00:00Z");
    let made = stores[0].register(registration("erika@example.org"), start).await.unwrap();
    let household = HouseholdId(made.household);
    stores[0].grant_consent(household, start).await.unwrap();
    let (meter, month) = (made.meters[0], SignedDuration::from_hours(24 * 31));
    let count = together(&stores, move |store| async move {
        let items =
            (0..12).map(|i: i32| measurement(Uuid::new_v4().as_u128(), meter, start + month * i));
        let outcomes = store.insert_measurements(household, items.collect(), start + month * 12);
        outcomes.await.unwrap().iter().all(|outcome| *outcome == InsertOutcome::Accepted)
    });
    assert_eq!(count.await, 8);
    let all = PageQuery { from: None, to: None, after: None, limit: 1000 };
    let page = stores[0].measurements_page(household, meter, all).await.unwrap();
    assert_eq!(page.items.len(), 8 * 12);
    assert!(page.items.is_sorted_by_key(|item| (item.measured_at, item.uuid)));
}

/// A closed store says so, and can be closed again.
pub async fn closed(store: Arc<dyn Store>) {
    store.close().await.unwrap();
    store.close().await.unwrap();
    let error = store.register(registration("a@b"), at("2026-01-01T00:00:00Z")).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed));
    let error = store.actor(&names("a@b", None)).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed));
}

async fn together<F: Future<Output = bool> + Send + 'static>(
    stores: &[Arc<dyn Store>],
    work: impl Fn(Arc<dyn Store>) -> F,
) -> usize {
    let stores = stores.iter().cycle().take(8);
    let tasks: Vec<_> = stores.map(|store| tokio::spawn(work(store.clone()))).collect();
    let mut count = 0;
    for task in tasks {
        count += usize::from(task.await.unwrap());
    }
    count
}

/// The suite, as tests of the module that says how a store is opened: an object with `open()`,
/// which opens the same fresh database every time. What stands in brackets before it is an attribute of
/// every test.
macro_rules! suite {
    ([$($needs:meta)*] $fresh:expr) => {
        $(#[$needs])*
        #[tokio::test]
        async fn story() {
            let fresh = $fresh.await;
            crate::story::story(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn refused_registrations() {
            let fresh = $fresh.await;
            crate::story::refused_registrations(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn identifiers() {
            let fresh = $fresh.await;
            crate::measurement::identifiers(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn slots() {
            let fresh = $fresh.await;
            crate::places::slots(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn races() {
            let fresh = $fresh.await;
            crate::story::races(vec![fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn what_goes_while_others_tell_of_it() {
            let fresh = $fresh.await;
            crate::contest::meters([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::contest::devices([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::contest::hands([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn registered_once_and_removed() {
            let fresh = $fresh.await;
            crate::repeated::registered_once(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::repeated::registered_at_once([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::repeated::removed_while_unmeasured(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::repeated::removed_or_measured([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn frontends() {
            let fresh = $fresh.await;
            crate::access::frontends(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn edits() {
            let fresh = $fresh.await;
            crate::edit::edits(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn searches() {
            let fresh = $fresh.await;
            crate::search::searches(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn tunnels() {
            let fresh = $fresh.await;
            crate::tunnel::the_newest_counts([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::tunnel::a_conflict_is_found([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::tunnel::sessions_are_recorded(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::tunnel::a_revocation_forgets_the_device(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn rollouts() {
            let fresh = $fresh.await;
            crate::rollout::devices_are_told_what_to_run(&*fresh.open().await).await;
            let fresh = $fresh.await;
            let stores = [fresh.open().await, fresh.open().await];
            crate::rollout::two_changes_of_one_revision(stores).await;
            let fresh = $fresh.await;
            crate::rollout::a_revocation_forgets_the_device(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn web_sessions() {
            let fresh = $fresh.await;
            crate::web_session::any_server_answers([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            let both = [fresh.open().await, fresh.open().await];
            crate::web_session::another_secret_ends_them(both).await;
            let fresh = $fresh.await;
            crate::web_session::a_link_opens_once([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            let both = [fresh.open().await, fresh.open().await];
            crate::web_session::a_revoked_person_is_signed_out(both).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn alerts() {
            let fresh = $fresh.await;
            crate::alert::one_watches([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::alert::what_is_known(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::alert::nobody_in_question_is_left_out(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::alert::from_begin_to_end(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::alert::a_revocation_erases_episodes(&*fresh.open().await).await;
            let fresh = $fresh.await;
            let stores = [fresh.open().await, fresh.open().await];
            crate::alert::revocations_beside_looks(stores).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn jobs() {
            let fresh = $fresh.await;
            crate::job::from_order_to_result(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::job::failures(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::job::cancelling(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::job::imports_whole_or_not_at_all(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::job::each_job_once([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn leases() {
            let fresh = $fresh.await;
            crate::job::a_lost_lease_writes_nothing([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::job::a_lease_holds(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::job::lost_workers(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn archives_of_jobs() {
            let fresh = $fresh.await;
            crate::job_archive::archives(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn what_revocations_erase_of_jobs() {
            let fresh = $fresh.await;
            crate::job::revocations_erase(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn what_was_agreed_to() {
            let fresh = $fresh.await;
            crate::agreement::published_once([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::agreement::granted_to_a_text(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::agreement::withdrawn_elsewhere(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn messages() {
            let fresh = $fresh.await;
            crate::message::written_and_answered(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::message::bounded([fresh.open().await, fresh.open().await]).await;
            let fresh = $fresh.await;
            crate::message::gone_with_consent([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn turn_of_months() {
            let fresh = $fresh.await;
            crate::story::turn_of_months(vec![fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn pages_give_each_measurement_once() {
            let fresh = $fresh.await;
            crate::measurement::walks(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn evaluation() {
            let fresh = $fresh.await;
            crate::evaluation::instants(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::evaluation::removal(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn energy_series() {
            let fresh = $fresh.await;
            crate::series::late_measurements(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::series::revocation_and_removal(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::series::at_once([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn quotas() {
            let fresh = $fresh.await;
            crate::quota::of_each_meter(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::quota::at_once([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn management_and_access() {
            let fresh = $fresh.await;
            crate::management::incidents(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::status::is_shown_and_deleted(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::error_group::of_all_devices_together(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::management::lists(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::management::changes(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::removal::mistakes(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::access::enrolment(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::access::certificates(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::access::renewals(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::access::device_revocation(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::access::participants(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::access::tries(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn what_servers_share() {
            let fresh = $fresh.await;
            crate::authority::register(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::authority::change_of_address(&*fresh.open().await).await;
            let fresh = $fresh.await;
            let stores = vec![fresh.open().await, fresh.open().await, fresh.open().await];
            crate::authority::register_by_many(stores).await;
            let fresh = $fresh.await;
            crate::authority::group_secrets(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::authority::tokens_that_end(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::authority::ended_addresses(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn the_fleet() {
            let fresh = $fresh.await;
            crate::fleet::follows_every_writer(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::fleet::silences_end(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::fleet::histories(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::fleet::is_searched(&*fresh.open().await).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn masking() {
            let fresh = $fresh.await;
            crate::masking::masked_once(&*fresh.open().await, &*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::masking::each_is_drawn_by_itself(&*fresh.open().await, &*fresh.open().await)
                .await;
            let fresh = $fresh.await;
            let (store, later) = (fresh.open().await, fresh.open().await);
            crate::masking::withheld_until_it_can_be_masked(&*store, &*later).await;
            let fresh = $fresh.await;
            crate::masking::postal_codes_stand_in(&*fresh.open().await).await;
            let fresh = $fresh.await;
            let (store, other) = (fresh.open().await, fresh.open().await);
            crate::masking::the_regions_are_remembered(&*store, &*other).await;
            let fresh = $fresh.await;
            crate::masking::without_measurements_there_is_no_location(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::release::nothing_says_which_it_was(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::masking::nobody_else_masks(&*fresh.open().await).await;
            let fresh = $fresh.await;
            crate::masking::races([fresh.open().await, fresh.open().await]).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn guesses_tell_nothing() {
            let fresh = $fresh.await;
            crate::guess::guesses_tell_nothing(&*fresh.open().await, Fresh::GUESSED).await;
        }

        $(#[$needs])*
        #[tokio::test]
        async fn a_closed_store_says_so() {
            let fresh = $fresh.await;
            crate::story::closed(fresh.open().await).await;
        }
    };
}
pub(crate) use suite;
