//! The table of meters says what each one counts, also where there is no balance.

use std::collections::BTreeMap;

use ebp_core::contract::Registration;
use ebp_dataset::files::{Format, HOUSEHOLDS, METERS};
use ebp_store::HouseholdId;
use serde_json::{Value, json};

use crate::{
    dataset::{at, insert, make, order, rows, steady},
    world::World,
};

crate::on_both!(meters_have_roles_without_a_balance);

async fn meters_have_roles_without_a_balance(world: World) {
    let store = world.survey.store();
    let grid = || json!({"type": "ELECTRICITY", "model": "MT175"});
    let generation = |register| {
        json!({"type": "PV-GENERATION", "model": "MT681",
               "generation_register": register})
    };
    let system = |meter: Value| {
        json!({"nominal_power": 9.8, "azimuth": 180, "tilt": 30, "installed_on": "2020-05-01",
               "meter": meter})
    };
    let generates = |register| ("generation", register);
    // Meters, systems, concept; why there is no balance, roles.
    let cases = [
        (
            json!([grid(), generation("2.8.0"), generation("1.8.0")]),
            json!([system(json!(1)), system(json!(2))]),
            "cascade",
            ("cascade", vec![("grid", "null"), generates("2.8.0"), generates("1.8.0")]),
        ),
        (
            json!([grid(), generation("2.8.0")]),
            json!([system(json!(1)), system(Value::Null)]),
            "unknown",
            ("unmetered_system", vec![("grid", "null"), generates("2.8.0")]),
        ),
        // Nobody registered a register: it is the one that grew.
        (
            json!([generation_of_any()]),
            json!([system(json!(0))]),
            "unknown",
            ("no_grid_meter", vec![generates("1.8.0")]),
        ),
        (
            json!([grid(), grid(), generation("2.8.0")]),
            json!([system(json!(2))]),
            "unknown",
            (
                "several_grid_meters",
                vec![("unknown", "null"), ("unknown", "null"), generates("2.8.0")],
            ),
        ),
    ];
    let ends = (at("2026-06-14T22:00:00Z"), at("2026-06-15T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    let mut wanted = BTreeMap::new();
    let mut topologies = BTreeMap::new();
    for (meters, systems, concept, (topology, roles)) in cases {
        let since = at("2025-06-01T00:00:00Z");
        let registration: Registration = serde_json::from_value(json!({
            "participant": {"name": "Erika Mustermann", "email": format!("{topology}@example.org")},
            "address": {"street": format!("{topology} 1"), "postal_code": "51147",
                        "city": "Köln", "country": "DE"},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": false,
                         "electric_vehicle_charger": false, "home_battery": false,
                         "metering_concept": concept},
            "meters": meters,
            "pv_systems": systems,
        }))
        .unwrap();
        let made = store.register(registration, since).await.unwrap();
        store.grant_consent(HouseholdId(made.household), since).await.unwrap();
        for (meter, role) in made.meters.iter().zip(roles) {
            insert(store, &made, steady(*meter, ends), "2026-11-01T00:00:00Z").await;
            wanted.insert(meter.to_string(), (role.0.to_owned(), role.1.to_owned()));
        }
        topologies.insert(made.household.to_string(), topology.to_owned());
    }
    let (_folder, path) = make(store, &order(Format::Parquet)).await;
    let households = rows(&path, &HOUSEHOLDS, Format::Parquet);
    let found = households.iter().map(|row| (row["household"].clone(), row["topology"].clone()));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), topologies);
    let meters = rows(&path, &METERS, Format::Parquet);
    let found = meters.iter().map(|row| {
        let role = (row["role"].clone(), row["generation_register"].clone());
        (row["meter"].clone(), role)
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), wanted);
}

/// A generation meter whose register was not registered.
fn generation_of_any() -> Value {
    json!({"type": "PV-GENERATION", "model": "MT681"})
}
