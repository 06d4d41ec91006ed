//! Addresses that another server of the database ends, of which this one remembers the answer.

use std::sync::Arc;

use ebp_core::{clock::SystemClock, contract::HouseholdChange};
use ebp_store::{HouseholdId, open_store};
use ebp_survey::Survey;

use crate::{
    geocoder::CountingGeocoder,
    world::{World, address, registration},
};

crate::on_both!(
    an_address_that_another_server_ends,
    an_address_that_ends_while_a_server_is_away,
    own_ends_alone,
);

/// Another server of the database, with a geocoder of its own.
async fn another(world: &World) -> (Arc<Survey>, Arc<CountingGeocoder>) {
    let geocoder = Arc::<CountingGeocoder>::default();
    let store = open_store(&world.database).await.unwrap();
    let survey = Survey::new(store, Arc::new(SystemClock)).with_geocoder(Some(geocoder.clone()));
    (Arc::new(survey), geocoder)
}

async fn an_address_that_another_server_ends(world: World) {
    let (other, memory) = another(&world).await;
    // Each server has located an address of its own, and the household is another one's to change.
    let (_, caller) = world.register("Eigene Gasse 1").await;
    let there = other.register(registration("Alte Gasse 1"), false, None).await.unwrap();
    let household = HouseholdId(there.registered.household);
    assert_eq!(memory.streets(), ["Alte Gasse 1"]);
    let moved =
        HouseholdChange { address: Some(address("Neue Gasse 2")), ..HouseholdChange::default() };
    world.survey.change_household(household, moved, None, None).await.unwrap();
    assert_eq!(memory.streets(), ["Alte Gasse 1"], "nobody told it yet");
    // As a server does from time to time.
    other.forget_ended().await.unwrap();
    assert_eq!(memory.streets(), [""; 0]);

    // And before it uses an answer.
    world.survey.grant_consent(&caller).await.unwrap();
    let asked = memory.asked();
    other.register(registration("Eigene Gasse 1"), true, None).await.unwrap();
    assert_eq!((memory.asked(), memory.streets()), (asked + 1, vec!["Eigene Gasse 1".into()]));
    world.survey.revoke_consent(&caller).await.unwrap();
    other.register(registration("Letzte Gasse 3"), false, None).await.unwrap();
    assert_eq!(memory.streets(), ["Letzte Gasse 3"]);
    // Nothing ended since: the answer is used.
    let asked = memory.asked();
    other.register(registration("Letzte Gasse 3"), true, None).await.unwrap();
    assert_eq!(memory.asked(), asked);
}

/// Whatever it missed meanwhile counts, too.
async fn an_address_that_ends_while_a_server_is_away(world: World) {
    let (other, memory) = another(&world).await;
    let there = other.register(registration("Alte Gasse 1"), false, None).await.unwrap();
    other.store().close().await.unwrap();
    drop(other);
    let household = HouseholdId(there.registered.household);
    world.survey.remove_household(household, None).await.unwrap();
    assert_eq!(memory.streets(), ["Alte Gasse 1"]);
    let store = open_store(&world.database).await.unwrap();
    let back = Survey::new(store, Arc::new(SystemClock)).with_geocoder(Some(memory.clone()));
    back.forget_ended().await.unwrap();
    assert_eq!(memory.streets(), [""; 0]);
}

/// A server that ended an address itself keeps its other answers, unless others ended some as well.
async fn own_ends_alone(world: World) {
    let (of, caller) = world.register("Alte Gasse 1").await;
    let (second, _) = world.register("Zweite Gasse 2").await;
    world.register("Andere Gasse 3").await;
    world.survey.grant_consent(&caller).await.unwrap();
    world.survey.revoke_consent(&caller).await.unwrap();
    world.survey.remove_household(HouseholdId(second.household), None).await.unwrap();
    world.survey.forget_ended().await.unwrap();
    assert_eq!(world.geocoder.streets(), ["Andere Gasse 3"]);

    let (other, _) = another(&world).await;
    let (third, _) = world.register("Dritte Gasse 4").await;
    let there = other.register(registration("Vierte Gasse 5"), false, None).await.unwrap();
    other.remove_household(HouseholdId(there.registered.household), None).await.unwrap();
    world.survey.remove_household(HouseholdId(third.household), None).await.unwrap();
    world.survey.forget_ended().await.unwrap();
    assert_eq!(world.geocoder.streets(), [""; 0]);
    drop(of);
}
