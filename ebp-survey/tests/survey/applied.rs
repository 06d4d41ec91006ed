//! Addresses that end since a database that was put back from a backup is told what was revoked.

use std::time::Duration;

use ebp_store::{Database, open_store};
use ebp_survey::{
    Applied, Restore, Restored, Revocations, geocoding::Geocode, masking::MaskingFiles,
};

use crate::world::{World, address};

crate::on_both!(revocations_that_are_applied, a_list_that_a_server_kept);

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
