//! Revocation puts one masked location into the true one's place, for good.

use std::{sync::Arc, time::Duration};

use ebp_anon::{
    Position, RegionCode, Regions, ReleaseKey,
    geocode::PostalCodes,
    geodata::{Geodata, Provenance, RegionData, Vertex},
    geodesic_m,
};
use ebp_core::{
    contract::Registration,
    model::{ConsentState, Location, Precision},
};
use ebp_server::{
    masking::{Masking, MaskingMismatch},
    store::{HouseholdId, ListQuery, PendingReport, Store, StoreError},
};

use crate::story::{at, measurement, registration};

const ALL: ListQuery = ListQuery { after: None, limit: 100 };

/// A made-up country: one region around Cologne, 51 to 52 degrees north and 6 to 8 east.
pub fn regions(density: f64) -> Regions {
    let corner = |x: i32, y: i32| Vertex { x: x * 10_000_000, y: y * 10_000_000 };
    let regions = vec![RegionData {
        code: RegionCode::new("DEA23").unwrap(),
        name: "Köln".to_owned(),
        density,
        shapes: vec![vec![vec![corner(6, 50), corner(8, 50), corner(8, 52), corner(6, 52)]]],
    }];
    let provenance =
        Provenance { densities: format!("density {density}"), ..Provenance::default() };
    Regions::new(Geodata { provenance, regions }).unwrap()
}

pub fn key() -> ReleaseKey {
    format!("ebp-release-key-1:{}", "0123456789abcdef".repeat(4)).parse().unwrap()
}

pub fn masking() -> Arc<Masking> {
    Arc::new(Masking::new(key(), Some(regions(2600.0)), None))
}

fn without_regions() -> Arc<Masking> {
    Arc::new(Masking::new(key(), None, None))
}

pub fn somewhere(email: &str, street: &str, latitude: f64, longitude: f64) -> Registration {
    let mut registration = registration(email);
    registration.address.street = street.to_owned();
    registration.location = Some(Location {
        precision: Some(Precision::Address),
        ..Location::entered(latitude, longitude)
    });
    registration
}

/// Registers and grants.
async fn consenting(store: &dyn Store, registration: Registration) -> HouseholdId {
    let now = at("2026-01-01T00:00:00Z");
    let made = store.register(registration, now).await.unwrap();
    let household = HouseholdId(made.household);
    store.grant_consent(household, now).await.unwrap();
    let item = measurement(made.household.as_u128(), made.meters[0], now);
    store.insert_measurements(household, vec![item], now).await.unwrap();
    household
}

async fn revoke(store: &dyn Store, household: HouseholdId) {
    store.revoke_consent(household, at("2026-02-01T00:00:00Z")).await.unwrap();
}

/// Whether researchers see it, whether administrators are told that it is withheld.
async fn seen(store: &dyn Store, household: HouseholdId) -> (bool, bool) {
    let listed = store.registrations(ALL).await.unwrap().items;
    let listed = listed.iter().any(|entry| entry.uuid == household.0);
    assert_eq!(store.registration(household).await.is_ok(), listed);
    let health = store.health(ALL).await.unwrap().items;
    let health = health.iter().find(|health| health.uuid == household.0).unwrap();
    (listed, health.withheld)
}

pub async fn masked_once(store: &dyn Store, again: &dyn Store) {
    store.mask_by(masking(), false).await.unwrap();
    let (latitude, longitude) = (50.850_123, 7.100_456);
    let household =
        consenting(store, somewhere("e@example.org", "Heidestraße 17", latitude, longitude)).await;
    let before = store.household(household).await.unwrap().location.unwrap();
    assert_eq!((before.precision, before.masked), (Some(Precision::Address), None));
    revoke(store, household).await;

    let after = store.registration(household).await.unwrap();
    assert_eq!(after.consent.state, ConsentState::Revoked);
    assert!(after.participant.is_none() && after.address.is_none());
    let location = after.location.unwrap();
    assert_eq!(location.precision, None);
    let masked = location.masked.clone().unwrap();
    assert_eq!((masked.nuts3.as_str(), masked.density), ("DEA23", 2600.0));
    let origin = Position::new(latitude, longitude).unwrap();
    let moved = geodesic_m(origin, Position::new(location.latitude, location.longitude).unwrap());
    assert!((masked.d_min..=masked.d_max).contains(&moved), "{masked:?}");
    // Six decimals and no more.
    assert_eq!(format!("{:.6}", location.latitude), format!("{:.6}", location.latitude + 1e-12));
    assert_eq!(location.latitude, format!("{:.6}", location.latitude).parse::<f64>().unwrap());
    assert_eq!(seen(store, household).await, (true, false));

    // Asked again, by whomever, whenever, it is the same.
    for store in [store, again] {
        let second = store.revoke_consent(household, at("2026-03-01T00:00:00Z")).await;
        assert!(matches!(second, Err(StoreError::ConsentRevoked)));
        let report = store.mask_pending().await.unwrap();
        assert_eq!(report, PendingReport::default());
        assert_eq!(store.household(household).await.unwrap().location, Some(location.clone()));
    }
}

/// Two flats in one house, whose coordinates a geocoder gave differently; in between the server is
/// started anew with other regions.
pub async fn neighbours_share(store: &dyn Store, later: &dyn Store) {
    store.mask_by(masking(), false).await.unwrap();
    let one = consenting(store, somewhere("1@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let two = consenting(store, somewhere("2@example.org", "am Hang 3", 50.8504, 7.1006)).await;
    let other = consenting(store, somewhere("3@example.org", "Am Hang 5", 50.8508, 7.1012)).await;
    revoke(store, one).await;
    let mut regions_of_later = Masking::new(key(), Some(regions(100.0)), None);
    let refused = later.mask_by(Arc::new(regions_of_later), false).await;
    let Err(StoreError::Masking(MaskingMismatch::Regions { kept, given })) = refused else {
        panic!("{refused:?}");
    };
    assert!(kept.contains("density 2600") && given.contains("density 100"), "{kept} {given}");
    regions_of_later = Masking::new(key(), Some(regions(100.0)), None);
    later.mask_by(Arc::new(regions_of_later), true).await.unwrap();
    revoke(later, two).await;
    revoke(later, other).await;
    let of = async |household| later.household(household).await.unwrap().location.unwrap();
    assert_eq!(of(one).await, of(two).await);
    assert_ne!(of(one).await, of(other).await);
    assert_eq!(of(other).await.masked.unwrap().density, 100.0);
}

/// Without regions nothing is told and nothing lost.
pub async fn withheld_until_it_can_be_masked(store: &dyn Store, later: &dyn Store) {
    store.mask_by(without_regions(), false).await.unwrap();
    let here = consenting(store, somewhere("1@example.org", "Am Hang 3", 50.85, 7.1)).await;
    let next_door = consenting(store, somewhere("2@example.org", "Am Hang 3", 50.8504, 7.1)).await;
    let abroad = consenting(store, somewhere("3@example.org", "Rue 1", 48.85, 2.35)).await;
    let nowhere = consenting(store, registration("4@example.org")).await;
    let all = [here, next_door, abroad, nowhere];
    for household in all {
        revoke(store, household).await;
        assert_eq!(seen(store, household).await, (false, true));
        let told = store.household(household).await.unwrap();
        assert!(told.location.is_none() && told.address.is_none());
    }
    let report = PendingReport { masked: 0, outside: 3, without_location: 1 };
    assert_eq!(store.mask_pending().await.unwrap(), report);

    later.mask_by(masking(), false).await.unwrap();
    // Two servers at once.
    let (one, two) = tokio::join!(later.mask_pending(), store.mask_pending());
    assert_eq!(one.unwrap().masked + two.unwrap().masked, 2);
    let report = PendingReport { masked: 0, outside: 1, without_location: 1 };
    assert_eq!(later.mask_pending().await.unwrap(), report);
    for household in [here, next_door] {
        assert_eq!(seen(later, household).await, (true, false));
    }
    for household in [abroad, nowhere] {
        assert_eq!(seen(later, household).await, (false, true));
    }
    let of = async |household| later.household(household).await.unwrap().location.unwrap();
    assert_eq!(of(here).await, of(next_door).await);
}

pub async fn postal_codes_stand_in(store: &dyn Store) {
    let codes = PostalCodes::read(&b"plz,lat,lon\n51147,50.85,7.1\n"[..]).unwrap();
    let by = Masking::new(key(), Some(regions(2600.0)), Some(codes));
    store.mask_by(Arc::new(by), false).await.unwrap();
    let household = consenting(store, registration("1@example.org")).await;
    revoke(store, household).await;
    assert_eq!(seen(store, household).await, (true, false));
    let mut abroad = registration("2@example.org");
    abroad.address.country = "FR".to_owned();
    let abroad = consenting(store, abroad).await;
    revoke(store, abroad).await;
    assert_eq!(seen(store, abroad).await, (false, true));
}

pub async fn one_key(store: &dyn Store, other: &dyn Store) {
    assert_eq!(store.marks().await.unwrap(), None);
    store.mask_by(masking(), false).await.unwrap();
    assert_eq!(other.marks().await.unwrap(), Some(masking().marks()));
    // Whoever has no regions yet leaves the fingerprint of those that others have.
    other.mask_by(without_regions(), false).await.unwrap();
    assert_eq!(store.marks().await.unwrap(), Some(masking().marks()));
    for change in [false, true] {
        let stranger = ReleaseKey::from_os().unwrap();
        let stranger = Arc::new(Masking::new(stranger, Some(regions(2600.0)), None));
        let refused = other.mask_by(stranger, change).await;
        assert!(
            matches!(refused, Err(StoreError::Masking(MaskingMismatch::Key { .. }))),
            "{refused:?}"
        );
    }
}

/// Nobody says himself that a location is masked.
pub async fn nobody_else_masks(store: &dyn Store) {
    let mut lie = somewhere("1@example.org", "Am Hang 3", 50.85, 7.1);
    let masked = serde_json::json!({"nuts3": "DEA23", "density": 1, "d_min": 300, "d_max": 1300});
    lie.location.as_mut().unwrap().masked = serde_json::from_value(masked).unwrap();
    let refused = store.register(lie, at("2026-01-01T00:00:00Z")).await.unwrap_err();
    assert!(refused.to_string().contains("location/masked"), "{refused}");
}

/// Many households of one house revoke at once through two servers: all are moved alike.
pub async fn races(stores: [Arc<dyn Store>; 2]) {
    for store in &stores {
        store.mask_by(masking(), false).await.unwrap();
    }
    let mut tasks = Vec::new();
    let mut households = Vec::new();
    for i in 0..12_u32 {
        let away = f64::from(i) * 2e-4;
        let email = format!("{i}@example.org");
        let household =
            consenting(&*stores[0], somewhere(&email, "Turm 1", 50.85 + away, 7.1)).await;
        households.push(household);
        let store = stores[i as usize % 2].clone();
        tasks.push(tokio::spawn(async move { revoke(&*store, household).await }));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut locations = Vec::new();
    for household in households {
        locations.push(stores[0].household(household).await.unwrap().location.unwrap());
    }
    locations.dedup();
    assert_eq!(locations.len(), 1);
}
