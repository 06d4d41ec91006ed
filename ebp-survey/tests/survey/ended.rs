//! Addresses that participants and researchers end: changed, revoked, removed, or refused.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{HouseholdChange, Withdrawal, WithdrawalChannel},
    model::{ConsentState, Location},
};
use ebp_store::{HouseholdId, StoreError};
use ebp_survey::{SurveyError, import::CheckedLine};
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::world::{World, address, registration};

crate::on_both!(
    a_change_of_address,
    a_change_during_another,
    a_change_that_is_rejected,
    a_revocation,
    a_withdrawal_by_letter,
    a_removal,
    a_registration_that_is_rejected,
    a_caller_who_is_gone,
    an_import_that_comes_to_nothing,
);

fn moved_to(street: &str) -> HouseholdChange {
    HouseholdChange { address: Some(address(street)), ..HouseholdChange::default() }
}

async fn a_change_of_address(world: World) {
    let (of, _) = world.register("Alte Gasse 1").await;
    let before = world.location(&of).await;
    assert!(before.is_some());
    let household = HouseholdId(of.household);
    let changed = world
        .survey
        .change_household(household, moved_to("Neue Gasse 2"), None, None)
        .await
        .unwrap();
    assert_eq!(changed.address, Some(address("Neue Gasse 2")));
    assert_ne!(changed.location, before, "the new address is located");
    assert_eq!(world.geocoder.streets(), ["Neue Gasse 2"]);

    // With a location of its own no address is looked up, and the answer for the old one is deleted nevertheless.
    let location = Some(Location::entered(51.0, 7.0));
    let by_hand = HouseholdChange { location, ..moved_to("Letzte Gasse 3") };
    world.survey.change_household(household, by_hand, None, None).await.unwrap();
    assert!(world.geocoder.streets().is_empty());
    assert_eq!(world.geocoder.asked(), 2);

    // What is written as before stays remembered.
    let (of, _) = world.register("Feste Gasse 4").await;
    let same = moved_to("Feste Gasse 4");
    world.survey.change_household(HouseholdId(of.household), same, None, None).await.unwrap();
    assert_eq!(world.geocoder.streets(), ["Feste Gasse 4"]);
    assert_eq!(world.geocoder.asked(), 3);
}

async fn a_change_during_another(world: World) {
    let (of, _) = world.register("Alte Gasse 1").await;
    let household = HouseholdId(of.household);
    let release = world.geocoder.hold();
    let survey = world.survey.clone();
    let slow = tokio::spawn(async move {
        survey.change_household(household, moved_to("Letzte Gasse 3"), None, None).await
    });
    while world.geocoder.asked() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.survey.change_household(household, moved_to("Neue Gasse 2"), None, None).await.unwrap();
    drop(release);
    let changed = slow.await.unwrap().unwrap();
    assert_eq!(changed.address, Some(address("Letzte Gasse 3")));
    assert_eq!(world.geocoder.streets(), ["Letzte Gasse 3"]);
}

async fn a_change_that_is_rejected(world: World) {
    let unknown = HouseholdId(Uuid::new_v4());
    let refused =
        world.survey.change_household(unknown, moved_to("Neue Gasse 2"), None, None).await;
    assert!(matches!(refused, Err(SurveyError::Store(StoreError::NotFound))), "{refused:?}");

    let (of, caller) = world.register("Alte Gasse 1").await;
    let household = HouseholdId(of.household);
    let refused = world.survey.change_household(household, moved_to(""), None, None).await;
    assert!(matches!(refused, Err(SurveyError::Store(StoreError::Registration(_)))), "{refused:?}");
    assert_eq!(world.geocoder.streets(), ["Alte Gasse 1"], "the address is that of before");

    // Revoked while the new address is looked up.
    world.survey.grant_consent(&caller).await.unwrap();
    let release = world.geocoder.hold();
    let survey = world.survey.clone();
    let change = tokio::spawn(async move {
        survey.change_household(household, moved_to("Neue Gasse 2"), None, None).await
    });
    while world.geocoder.asked() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.survey.revoke_consent(&caller).await.unwrap();
    drop(release);
    let refused = change.await.unwrap();
    assert!(matches!(refused, Err(SurveyError::Store(_))), "{refused:?}");
    assert!(world.geocoder.streets().is_empty(), "{:?}", world.geocoder.streets());
    assert_eq!(world.geocoder.asked(), 2);
}

async fn a_revocation(world: World) {
    let (_, caller) = world.register("Alte Gasse 1").await;
    world.register("Andere Gasse 2").await;
    world.survey.grant_consent(&caller).await.unwrap();
    assert_eq!(world.geocoder.streets(), ["Alte Gasse 1", "Andere Gasse 2"]);
    let revoked = world.survey.revoke_consent(&caller).await.unwrap();
    assert_eq!(revoked.state, ConsentState::Revoked);
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 2"]);
}

async fn a_withdrawal_by_letter(world: World) {
    let (of, caller) = world.register("Alte Gasse 1").await;
    world.register("Andere Gasse 2").await;
    let household = HouseholdId(of.household);
    let received_on = TimeZone::UTC.to_datetime(SystemClock.now()).date();
    let letter = Withdrawal { received_on, channel: WithdrawalChannel::Letter };
    let early = world.survey.record_withdrawal(household, letter).await;
    assert!(matches!(early, Err(SurveyError::Store(StoreError::ConsentNotGranted))), "{early:?}");
    assert_eq!(world.geocoder.streets(), ["Alte Gasse 1", "Andere Gasse 2"]);
    world.survey.grant_consent(&caller).await.unwrap();
    let revoked = world.survey.record_withdrawal(household, letter).await.unwrap();
    assert_eq!(revoked.state, ConsentState::Revoked);
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 2"]);
    let again = world.survey.record_withdrawal(household, letter).await;
    assert!(matches!(again, Err(SurveyError::Store(StoreError::NotFound))), "{again:?}");
}

async fn a_removal(world: World) {
    let (of, _) = world.register("Alte Gasse 1").await;
    world.register("Andere Gasse 2").await;
    world.survey.remove_household(HouseholdId(of.household), None).await.unwrap();
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 2"]);
    let again = world.survey.remove_household(HouseholdId(of.household), None).await;
    assert!(matches!(again, Err(SurveyError::Store(StoreError::NotFound))), "{again:?}");
}

async fn a_registration_that_is_rejected(world: World) {
    world.register("Alte Gasse 1").await;
    let twice = world.survey.register(registration("Alte Gasse 1"), false, None).await;
    let is_refused =
        |error: &SurveyError| matches!(error, SurveyError::Store(StoreError::RegisteredAlready(_)));
    assert!(twice.as_ref().is_err_and(is_refused), "{twice:?}");
    let mut faulty = registration("Neue Gasse 2");
    faulty.meters.clear();
    world.survey.register(faulty, false, None).await.unwrap_err();
    assert_eq!(world.geocoder.asked(), 1, "what is rejected is not looked up");

    // Registered by somebody else while its address is looked up.
    let release = world.geocoder.hold();
    let survey = world.survey.clone();
    let late =
        tokio::spawn(
            async move { survey.register(registration("Neue Gasse 2"), false, None).await },
        );
    while world.geocoder.asked() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut by_hand = registration("Neue Gasse 2");
    by_hand.location = Some(Location::entered(51.0, 7.0));
    world.survey.register(by_hand, false, None).await.unwrap();
    drop(release);
    let late = late.await.unwrap();
    assert!(late.as_ref().is_err_and(is_refused), "{late:?}");
    assert_eq!(world.geocoder.streets(), ["Alte Gasse 1"]);
}

async fn a_caller_who_is_gone(world: World) {
    let (_, caller) = world.register("Alte Gasse 1").await;
    let (of, _) = world.register("Andere Gasse 2").await;
    world.survey.grant_consent(&caller).await.unwrap();
    begin(world.survey.revoke_consent(&caller)).await;
    begin(world.survey.remove_household(HouseholdId(of.household), None)).await;
    let gone = async {
        while !world.geocoder.streets().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
}

/// Polls an operation once and gives it up, as a client that hangs up.
async fn begin(operation: impl Future) {
    let mut operation = pin!(operation);
    std::future::poll_fn(|context| {
        assert!(operation.as_mut().poll(context).is_pending(), "the store is waited for");
        Poll::Ready(())
    })
    .await;
}

/// The lines of an import, checked.
async fn checked(world: &World, streets: &[&str]) -> Vec<CheckedLine> {
    let line = |(number, street): (u64, &&str)| {
        let mut registration = registration(street);
        registration.participant.email = format!("p{number}@example.org");
        (number, Ok(registration))
    };
    let lines = (1..).zip(streets).map(line).collect();
    world.survey.check_lines(lines, &|| true).await.unwrap().unwrap()
}

async fn an_import_that_comes_to_nothing(world: World) {
    let streets = ["Erste Gasse 1", "Zweite Gasse 2"];
    let mut lines = checked(&world, &streets).await;
    assert!(world.geocoder.streets().is_empty(), "checking looks nothing up");
    // Refused by the database: forgotten before the job has ended.
    let looked_up = world.survey.locate_lines(&mut lines, &|| true).await.unwrap();
    assert_eq!(world.geocoder.streets(), streets);
    looked_up.forget().await;
    assert!(world.geocoder.streets().is_empty());

    // Cancelled half way.
    let mut lines = checked(&world, &streets).await;
    assert!(world.survey.locate_lines(&mut lines, &|| false).await.is_none());
    for _ in 0..2_000 {
        if world.geocoder.streets().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(world.geocoder.streets().is_empty(), "{:?}", world.geocoder.streets());

    // Registered: remembered as long as they are.
    let mut lines = checked(&world, &streets).await;
    world.survey.locate_lines(&mut lines, &|| true).await.unwrap().keep();
    tokio::task::yield_now().await;
    assert_eq!(world.geocoder.streets(), streets);
}
