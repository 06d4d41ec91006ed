//! Whether a registration can be true: ranges and forms of its fields.

use std::collections::HashSet;

use ebp_core::{contract::Registration, model::MeterType};
use rust_decimal::Decimal;

/// Every fault of a registration, as its field and what is wrong, without any value.
#[must_use]
pub fn faults(registration: &Registration) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let filled = |text: &str| !text.trim().is_empty() && text.chars().count() <= 200;

    let Registration { participant, address, location, metadata, meters, pv_systems, .. } =
        registration;
    check(filled(&participant.name), "participant.name: must have 1 to 200 characters");
    check(is_email(&participant.email), "participant.email: must be name@domain in ASCII");

    check(filled(&address.street), "address.street: must have 1 to 200 characters");
    check(filled(&address.city), "address.city: must have 1 to 200 characters");
    let country = address.country.as_bytes();
    check(
        country.len() == 2 && country.iter().all(u8::is_ascii_uppercase),
        "address.country: must be two capital letters (ISO 3166-1), such as DE",
    );
    let code = address.postal_code.as_bytes();
    let german = code.len() == 5 && code.iter().all(u8::is_ascii_digit);
    let foreign = (2..=10).contains(&code.len());
    check(
        if country == b"DE" { german } else { foreign },
        "address.postal_code: must be the country's form, in Germany five digits",
    );

    if let Some(location) = location {
        check(
            (-90.0..=90.0).contains(&location.latitude),
            "location.latitude: must lie between -90 and 90 degrees",
        );
        check(
            (-180.0..=180.0).contains(&location.longitude),
            "location.longitude: must lie between -180 and 180 degrees",
        );
    }
    check(
        metadata.adults_with_job <= metadata.adults,
        "metadata.adults_with_job: must be no more than the adults",
    );

    check((1..=100).contains(&meters.len()), "meters: must be 1 to 100");
    let given: Vec<_> = meters.iter().filter_map(|meter| meter.uuid).collect();
    let distinct: HashSet<_> = given.iter().collect();
    check(distinct.len() == given.len(), "meters: two have the same uuid");
    for (i, meter) in meters.iter().enumerate() {
        check(
            filled(&meter.model) && meter.model.len() <= 40,
            &format!("meters[{i}].model: must have 1 to 40 characters"),
        );
    }

    check(pv_systems.len() <= 100, "pv_systems: must be no more than 100");
    for (i, system) in pv_systems.iter().enumerate() {
        check(
            system.nominal_power > Decimal::ZERO && system.nominal_power <= Decimal::from(10_000),
            &format!("pv_systems[{i}].nominal_power: must lie above 0 and up to 10000 kWp"),
        );
        check(
            system.azimuth >= Decimal::ZERO && system.azimuth < Decimal::from(360),
            &format!("pv_systems[{i}].azimuth: must lie from 0 to under 360 degrees"),
        );
        check(
            system.tilt >= Decimal::ZERO && system.tilt <= Decimal::from(90),
            &format!("pv_systems[{i}].tilt: must lie between 0 and 90 degrees"),
        );
        check(
            system.meter.is_none_or(|place| {
                meters.get(place).is_some_and(|meter| meter.kind == MeterType::PvGeneration)
            }),
            &format!("pv_systems[{i}].meter: must be the place of a PV-GENERATION meter"),
        );
    }
    faults
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= 254
        && text.bytes().all(|b| b.is_ascii_graphic())
        && !name.is_empty()
        && !domain.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> Registration {
        serde_json::from_str(
            r#"{"participant": {"name": "Erika Mustermann", "email": "erika@example.org"},
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln",
                        "country": "DE"},
            "location": {"latitude": 50.85, "longitude": 7.1},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "MT175"},
                       {"type": "PV-GENERATION", "model": "MT681"}],
            "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                            "installed_on": "2019-05-03", "meter": 1}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_true_one_has_none() {
        assert_eq!(faults(&registration()), Vec::<String>::new());
    }

    #[test]
    fn all_faults_are_listed_without_values() {
        let mut wrong = registration();
        wrong.participant.email = "erika".into();
        wrong.address.postal_code = "5114".into();
        wrong.address.country = "de".into();
        wrong.location.as_mut().unwrap().latitude = f64::NAN;
        wrong.metadata.adults_with_job = 3;
        wrong.meters[0].uuid = Some(uuid::Uuid::nil());
        wrong.meters[1].uuid = Some(uuid::Uuid::nil());
        wrong.pv_systems[0].meter = Some(0);
        wrong.pv_systems[0].azimuth = 360.into();
        let faults = faults(&wrong);
        let fields: Vec<_> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
        assert_eq!(
            fields,
            [
                "participant.email",
                "address.country",
                "location.latitude",
                "metadata.adults_with_job",
                "meters",
                "pv_systems[0].azimuth",
                "pv_systems[0].meter"
            ]
        );
        assert!(!faults.concat().contains("erika"));
    }
}
