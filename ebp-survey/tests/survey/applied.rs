//! Addresses that end since a database that was put back from a backup is told what was revoked.

use std::time::Duration;

use ebp_core::{
    contract::{Language, Withdrawal, WithdrawalChannel},
    model::ConsentState,
};
use ebp_store::{Database, HouseholdId, PurposeChange, open_store};
use ebp_survey::{
    Applied, Caller, Restore, Restored, Revocations, geocoding::Geocode, masking::MaskingFiles,
};
use jiff::tz::TimeZone;

use crate::world::{World, address};

crate::on_both!(
    revocations_that_are_applied,
    a_list_that_a_server_kept,
    a_purpose_stays_withdrawn,
    how_consent_was_withdrawn_stays
);

/// What the survey knows as revoked, with a copy of its database of before.
async fn revoked(world: World) -> (World, Database, Revocations) {
    let (_, caller) = world.register("Alte Gasse 1").await;
    world.register("Andere Gasse 2").await;
    world.survey.grant_consent(&caller).await.unwrap();
    let (world, copy) = world.copied().await;
    world.survey.revoke_consent(&caller).await.unwrap();
    let revocations = Revocations::from_store(&**world.survey.store()).await.unwrap();
    assert!(!revocations.is_empty());
    (world, copy, revocations)
}

async fn revocations_that_are_applied(world: World) {
    let (world, copy, revocations) = revoked(world).await;
    let world = world.over(copy).await;
    remember(&world);
    let applied = world.survey.apply_revocations(&revocations).await.unwrap();
    assert_eq!(applied.households, 1);
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 2"]);

    let again = world.survey.apply_revocations(&revocations).await.unwrap();
    assert_eq!((again.households, again.already), (0, 1));
    assert_eq!(again.addresses, []);
}

async fn a_list_that_a_server_kept(world: World) {
    let (world, copy, _) = revoked(world).await;
    let world = world.over(copy).await;
    remember(&world);
    let Applied { households, unknown, .. } = world.survey.apply_kept_revocations().await.unwrap();
    assert_eq!((households, unknown), (1, 0));
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 2"]);
}

/// A further purpose is withdrawn again by the list that the server kept, which names no household;
/// one that was agreed to after the withdrawal holds.
async fn a_purpose_stays_withdrawn(world: World) {
    let (registered, caller) = world.register("Alte Gasse 1").await;
    let (_, other) = world.register("Andere Gasse 2").await;
    let household = HouseholdId(registered.household);
    for caller in [&caller, &other] {
        world.survey.grant_consent(caller).await.unwrap();
        for name in ["later-studies", "newsletter"] {
            give(&world, caller, name).await;
        }
    }
    let (world, copy) = world.copied().await;
    for name in ["later-studies", "newsletter"] {
        world.survey.withdraw_purpose(&caller, name.to_owned()).await.unwrap();
    }
    give(&world, &caller, "newsletter").await;
    let then = world.survey.store().consent(household).await.unwrap().purposes;
    assert!(then[0].withdrawn_at.is_some() && then[1].withdrawn_at.is_none(), "{then:?}");
    let store = world.survey.store();
    assert_eq!(store.revocation_counts().await.unwrap().last_purpose, then[0].withdrawn_at);
    let revocations = Revocations::from_store(&**store).await.unwrap();
    let lines = revocations.to_lines().unwrap();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    for word in ["later", "newsletter", &household.0.to_string()] {
        assert!(!lines.contains(word), "{word}: {lines}");
    }
    assert_eq!(Revocations::parse(&lines), Ok(revocations.clone()));

    let world = world.over(copy).await;
    let given = world.survey.store().consent(household).await.unwrap().purposes;
    assert!(given.iter().all(|purpose| purpose.withdrawn_at.is_none()), "as in the backup");
    // Of the newsletter the server's own list has the withdrawal, and the later grant is lost.
    let applied = world.survey.apply_revocations(&revocations).await.unwrap();
    assert_eq!((applied.purposes, applied.households, applied.unknown), (1, 0, 0));
    let put_back = world.survey.store().consent(household).await.unwrap();
    assert_eq!(put_back.state, ConsentState::Granted);
    assert_eq!(put_back.purposes[0].withdrawn_at, then[0].withdrawn_at);
    assert_eq!(put_back.purposes[1].withdrawn_at, None);
    assert_eq!(world.survey.apply_revocations(&revocations).await.unwrap().purposes, 0);
    let applied = world.survey.apply_kept_revocations().await.unwrap();
    assert_eq!(applied.purposes, 1);
    give(&world, &caller, "newsletter").await;
    assert_eq!(world.survey.apply_kept_revocations().await.unwrap().purposes, 0);
    let last = world.survey.store().consent(household).await.unwrap().purposes;
    assert_eq!(last[1].withdrawn_at, None, "it was agreed to after that");
    let of_other = world.survey.store().consent(other.household.unwrap()).await.unwrap();
    assert!(of_other.purposes.iter().all(|purpose| purpose.withdrawn_at.is_none()));
}

async fn give(world: &World, caller: &Caller, name: &str) {
    let (name, text) = (name.to_owned(), "Laden Sie mich ein.".to_owned());
    let change = PurposeChange::Give { name, language: Language::De, text };
    let (household, now) = (caller.household.unwrap(), world.survey.clock().now());
    world.survey.store().change_purpose(household, change, now).await.unwrap();
}

/// A withdrawal that came by letter is put back with channel and month.
async fn how_consent_was_withdrawn_stays(world: World) {
    let (registered, caller) = world.register("Alte Gasse 1").await;
    world.survey.grant_consent(&caller).await.unwrap();
    let (world, copy) = world.copied().await;
    let received_on = TimeZone::UTC.to_datetime(world.survey.clock().now()).date();
    let letter = Withdrawal { received_on, channel: WithdrawalChannel::Letter };
    let household = HouseholdId(registered.household);
    let left = world.survey.record_withdrawal(household, letter).await.unwrap();
    let month = Withdrawal { received_on: received_on.first_of_month(), ..letter };
    assert_eq!(left.withdrawal, Some(month));
    let revocations = Revocations::from_store(&**world.survey.store()).await.unwrap();
    let revocations = Revocations::parse(&revocations.to_lines().unwrap()).unwrap();

    let world = world.over(copy).await;
    assert_eq!(world.survey.apply_revocations(&revocations).await.unwrap().households, 1);
    let store = world.survey.store();
    let revoked = store.revoked_households().await.unwrap();
    assert_eq!(revoked[0].withdrawal, Some(month));
    let consent = store.consent(HouseholdId(revoked[0].household)).await.unwrap();
    assert_eq!(consent.withdrawal, Some(month));
}

/// What is put back is older than what the geocoder has forgotten: it may have been asked again.
fn remember(world: &World) {
    let located = world.geocoder.locate(&address("Alte Gasse 1"), Duration::ZERO);
    assert!(located.location.is_some());
}

#[tokio::test]
async fn a_backup_that_is_restored() {
    let (world, copy, _) = revoked(World::on_sqlite().await).await;
    let (Database::Sqlite(copy), Database::Sqlite(path)) = (copy, world.database.clone()) else {
        panic!("SQLite has a file");
    };
    world.survey.store().close().await.unwrap();
    std::fs::rename(copy, world.backup()).unwrap();
    remember(&world);
    let restore = Restore {
        input: &world.backup(),
        database: &path,
        revocations: Revocations::default(),
        masking: &MaskingFiles::default(),
        geocoder: Some(world.geocoder.clone()),
        clock: world.survey.clock().clone(),
    };
    let Restored { applied, replaced, .. } = ebp_survey::restore(restore).await.unwrap();
    assert_eq!(applied.households, 1, "the replaced database knew of it");
    assert!(replaced.is_some_and(|replaced| replaced.exists()));
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 2"]);
    let store = open_store(&world.database).await.unwrap();
    assert_eq!(store.revoked_households().await.unwrap().len(), 1);
    store.close().await.unwrap();
}
