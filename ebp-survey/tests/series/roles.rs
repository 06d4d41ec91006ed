//! What was registered of a household's wiring decides its figures; what was not is assumed, and the
//! answer says so.

use ebp_core::contract::{EnergyStep, EnergySummary, TimeBound};
use ebp_needs::needs;
use ebp_store::HouseholdId;
use ebp_survey::{SeriesParts, SeriesQuery, Survey};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::household::{Engine, GRID, Household, PV, QUARTER, hours, measurement, start};

/// What was registered, and the figures that follow: drawn 9.6 kWh and fed in 3.84 kWh at the grid; the
/// other meter counts 0.96 kWh (1.8.0) and 8.64 kWh (2.8.0).
struct Case {
    metadata: Value,
    register: Option<&'static str>,
    /// Generation, consumption, self-consumption, self-sufficiency.
    figures: [Option<&'static str>; 4],
    /// Why what is absent is so.
    reason: Option<&'static str>,
    assumed: &'static [&'static str],
    flags: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let case = |metadata, register, figures, reason, assumed| Case {
        metadata,
        register,
        figures,
        reason,
        assumed,
        flags: &[],
    };
    let surplus = |battery: &str| {
        json!({"metering_concept": "surplus-feed-in", "battery": battery,
               "home_battery": battery != "none"})
    };
    let gross = [Some("8.64"), Some("14.4"), Some("4.8"), Some("0.333333")];
    let net = [Some("7.68"), Some("13.44"), Some("3.84"), Some("0.285714")];
    let full = json!({"metering_concept": "full-feed-in", "battery": "none"});
    let cascade = json!({"metering_concept": "cascade", "battery": "none"});
    let turned = [Some("0.96"), Some("6.72"), Some("-2.88"), Some("-0.428571")];
    let all = &["metering_concept", "battery", "generation_register"];
    vec![
        case(surplus("none"), Some("2.8.0"), gross, None, &[]),
        case(surplus("ac"), Some("2.8.0"), gross, None, &[]),
        case(surplus("dc"), Some("2.8.0"), net, None, &[]),
        case(full, Some("2.8.0"), [Some("8.64"), None, None, None], Some("full_feed_in"), &[]),
        case(cascade, Some("2.8.0"), [None; 4], Some("cascade"), &[]),
        Case {
            flags: &["balance_violated"],
            ..case(surplus("none"), Some("1.8.0"), turned, None, &[])
        },
        case(surplus("none"), None, gross, None, &["generation_register"]),
        case(json!({}), Some("2.8.0"), gross, None, &["metering_concept"]),
        case(json!({"home_battery": true}), None, net, None, all),
    ]
}

async fn registered(engine: &Engine, case: &Case) -> Household {
    let household = Household::registered(engine, |body| {
        for (name, value) in case.metadata.as_object().unwrap() {
            body["metadata"][name] = value.clone();
        }
        if let Some(register) = case.register {
            body["meters"][1]["generation_register"] = json!(register);
        }
    })
    .await;
    let mut measurements = Vec::new();
    for slot in 0..=2 * 96 + 1 {
        let at = start() + SignedDuration::from_secs(slot * QUARTER + 1);
        let shown = |each: i64| Decimal::new(10_000_000 + slot * each, 4);
        measurements.push(measurement(GRID, at, shown(1_000), shown(400)));
        measurements.push(measurement(PV, at, shown(100), shown(900)));
    }
    household.clock.set(hours(49));
    household.upload(&measurements).await;
    household
}

async fn check(survey: &Survey, id: HouseholdId, case: &Case) {
    let day = |text: &str| TimeBound::Midnight(text.parse().unwrap());
    let query = SeriesQuery { from: day("2026-03-02"), to: day("2026-03-03"), zone: None };
    let found = survey.energy_summary(id, &query).await.unwrap();
    let what = format!("{} {:?}", case.metadata, case.register);
    let text = |value: Option<ebp_core::contract::ExactNumber>| {
        value.map(|number| number.0.normalize().to_string())
    };
    let EnergySummary { generation, consumption, self_consumption, autarky, .. } = found;
    let figures = [generation, consumption, self_consumption, autarky].map(text);
    assert_eq!(figures, case.figures.map(|figure| figure.map(str::to_owned)), "{what}");
    assert_eq!(text(found.import).as_deref(), Some("9.6"), "{what}");
    assert_eq!(text(found.export).as_deref(), Some("3.84"), "{what}");
    for (name, figure) in
        ["generation", "consumption", "self_consumption", "autarky"].iter().zip(case.figures)
    {
        let reason = found.reasons.get(*name).map(String::as_str);
        assert_eq!(reason, case.reason.filter(|_| figure.is_none()), "{what}: {name}");
    }
    assert_eq!(found.assumed, case.assumed, "{what}");
    assert_eq!(found.flags, case.flags, "{what}");
    let parts = SeriesParts { meters: false, bounds: false };
    let series = survey.energy_series(id, &query, EnergyStep::Day, parts).await.unwrap();
    assert_eq!(series.topology.as_deref(), case.reason, "{what}");
    assert_eq!(series.assumed, case.assumed, "{what}");
    assert_eq!(text(series.generation[0]).as_deref(), case.figures[0], "{what}");
}

async fn check_all(engine: impl AsyncFn() -> Engine) {
    for case in cases() {
        let engine = engine().await;
        let household = registered(&engine, &case).await;
        check(&household.survey, household.id, &case).await;
        // The masked household was registered the same way.
        household.store.revoke_consent(household.id, hours(50)).await.unwrap();
        let released = household.store.revoked_households().await.unwrap()[0].household;
        check(&household.survey, HouseholdId(released), &case).await;
    }
}

#[tokio::test]
async fn what_is_registered_decides_on_sqlite() {
    check_all(async || Engine::sqlite()).await;
}

#[needs(postgresql)]
#[tokio::test]
async fn what_is_registered_decides_on_postgres() {
    check_all(async || Engine::postgres().await).await;
}
