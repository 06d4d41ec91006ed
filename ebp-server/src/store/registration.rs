//! Whether a registration can be true: ranges and forms of its fields.

use std::collections::HashSet;

use ebp_core::{
    contract::Registration,
    model::{Address, Location, Metadata, MeterType, Participant},
};
use rust_decimal::Decimal;

use super::StoreError;

/// What is wrong with fields, as their names and what they must be, without any value.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl From<Vec<String>> for Faults {
    fn from(faults: Vec<String>) -> Self {
        Self(faults)
    }
}

impl Faults {
    /// Notes a fault unless `holds`.
    pub fn check(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.0.push(fault.into());
        }
    }

    /// The faults, if there are any.
    ///
    /// # Errors
    /// [`StoreError::Registration`] with all of them.
    pub fn none_or_all(self) -> Result<(), StoreError> {
        if self.0.is_empty() { Ok(()) } else { Err(StoreError::Registration(self.0)) }
    }

    /// Of a participant.
    pub fn participant(&mut self, participant: &Participant) {
        self.check(filled(&participant.name), "participant.name: must have 1 to 200 characters");
        self.check(is_email(&participant.email), "participant.email: must be name@domain in ASCII");
    }

    /// Of an address.
    pub fn address(&mut self, address: &Address) {
        self.check(filled(&address.street), "address.street: must have 1 to 200 characters");
        self.check(filled(&address.city), "address.city: must have 1 to 200 characters");
        let country = address.country.as_bytes();
        self.check(
            country.len() == 2 && country.iter().all(u8::is_ascii_uppercase),
            "address.country: must be two capital letters (ISO 3166-1), such as DE",
        );
        let code = address.postal_code.as_bytes();
        let german = code.len() == 5 && code.iter().all(u8::is_ascii_digit);
        let foreign =
            (2..=10).contains(&code.len()) && !address.postal_code.chars().any(char::is_control);
        self.check(
            if country == b"DE" { german } else { foreign },
            "address.postal_code: must be the country's form, in Germany five digits",
        );
    }

    /// Of a location.
    pub fn location(&mut self, location: &Location) {
        self.check(
            (-90.0..=90.0).contains(&location.latitude),
            "location.latitude: must lie between -90 and 90 degrees",
        );
        self.check(
            (-180.0..=180.0).contains(&location.longitude),
            "location.longitude: must lie between -180 and 180 degrees",
        );
    }

    /// Of a household's metadata.
    pub fn metadata(&mut self, metadata: &Metadata) {
        self.check(
            metadata.adults_with_job <= metadata.adults,
            "metadata.adults_with_job: must be no more than the adults",
        );
    }

    /// Of a meter's model; `place` goes before the field's name.
    pub fn model(&mut self, place: &str, model: &str) {
        self.check(
            filled(model) && model.len() <= 40,
            format!("{place}model: must have 1 to 40 characters"),
        );
    }

    /// Of a photovoltaic system; `place` goes before the fields' names.
    pub fn pv_system(&mut self, place: &str, power: Decimal, azimuth: Decimal, tilt: Decimal) {
        self.check(
            power > Decimal::ZERO && power <= Decimal::from(10_000),
            format!("{place}nominal_power: must lie above 0 and up to 10000 kWp"),
        );
        self.check(
            azimuth >= Decimal::ZERO && azimuth < Decimal::from(360),
            format!("{place}azimuth: must lie from 0 to under 360 degrees"),
        );
        self.check(
            tilt >= Decimal::ZERO && tilt <= Decimal::from(90),
            format!("{place}tilt: must lie between 0 and 90 degrees"),
        );
    }
}

/// Every fault of a registration, as its field and what is wrong, without any value.
#[must_use]
pub fn faults(registration: &Registration) -> Vec<String> {
    let mut faults = Faults::default();
    let Registration { participant, address, location, metadata, meters, pv_systems, .. } =
        registration;
    faults.participant(participant);
    faults.address(address);
    if let Some(location) = location {
        faults.location(location);
    }
    faults.metadata(metadata);

    faults.check((1..=100).contains(&meters.len()), "meters: must be 1 to 100");
    let given: Vec<_> = meters.iter().filter_map(|meter| meter.uuid).collect();
    let distinct: HashSet<_> = given.iter().collect();
    faults.check(distinct.len() == given.len(), "meters: two have the same uuid");
    for (i, meter) in meters.iter().enumerate() {
        faults.model(&format!("meters[{i}]."), &meter.model);
    }

    faults.check(pv_systems.len() <= 100, "pv_systems: must be no more than 100");
    for (i, system) in pv_systems.iter().enumerate() {
        let place = format!("pv_systems[{i}].");
        faults.pv_system(&place, system.nominal_power, system.azimuth, system.tilt);
        faults.check(
            system.meter.is_none_or(|place| {
                meters.get(place).is_some_and(|meter| meter.kind == MeterType::PvGeneration)
            }),
            format!("{place}meter: must be the place of a PV-GENERATION meter"),
        );
    }
    faults.0
}

fn filled(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control)
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
