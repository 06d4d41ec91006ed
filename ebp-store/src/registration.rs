//! Checks whether a registration, or a change of one, is free of contradictions.
//!
//! Enters: bodies, whatever they hold. Leaves: all their [`Faults`]. Absent: contradictions to what
//! is registered already; each store adds those.

use std::collections::HashSet;

use ebp_core::contract::Registration;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Faults, StoreError, form};

impl Faults {
    /// Checks a body against its schema and for contradictions.
    pub fn against_schema<T: Serialize + ToSchema>(body: &T) -> Self {
        // A body that cannot be serialised (there is none) is checked as null, which fails.
        Self::of_json::<T>(&serde_json::to_value(body).unwrap_or_default())
    }

    /// Checks JSON that should be a `T`. Contradictions are found even if it does not match the
    /// schema.
    #[must_use]
    pub fn of_json<T: ToSchema>(body: &Value) -> Self {
        let mut faults = Self { form: form::faults::<T>(body), conflicts: Vec::new() };
        faults.household(body);
        faults.meters(body);
        faults
    }

    /// The faults, if there are any.
    ///
    /// # Errors
    /// Returns [`StoreError::Registration`] with all of them.
    pub fn none_or_all(self) -> Result<(), StoreError> {
        if self.is_empty() { Ok(()) } else { Err(StoreError::Registration(self)) }
    }

    fn household(&mut self, body: &Value) {
        let masked = body.pointer("/location/masked");
        self.check(masked.is_none_or(Value::is_null), "/location/masked", "must not be set");
        let number = |pointer| body.pointer(pointer).and_then(Value::as_u64);
        if let (Some(adults), Some(working)) =
            (number("/metadata/adults"), number("/metadata/adults_with_job"))
        {
            let detail = "must be no more than the adults";
            self.check(working <= adults, "/metadata/adults_with_job", detail);
        }
        let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
        let battery = body.pointer("/metadata/home_battery").and_then(Value::as_bool);
        let agrees = !matches!(
            (battery, text("/metadata/battery")),
            (Some(true), Some("none")) | (Some(false), Some("ac" | "dc"))
        );
        self.check(agrees, "/metadata/battery", "contradicts home_battery");
        if let (Some("DE"), Some(code)) = (text("/address/country"), text("/address/postal_code")) {
            let german = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
            self.check(german, "/address/postal_code", "must be five digits in Germany");
        }
    }

    /// Of a registration's meters, and the photovoltaic systems that are connected to them.
    fn meters(&mut self, body: &Value) {
        let list = |name| body.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut seen = HashSet::new();
        for (i, meter) in list("meters").enumerate() {
            let uuid = meter.get("uuid").and_then(Value::as_str);
            let new = uuid.is_none_or(|uuid| seen.insert(uuid.to_ascii_lowercase()));
            self.check(new, format!("/meters/{i}/uuid"), "is that of another meter here");
            let register = meter.get("generation_register").filter(|it| !it.is_null());
            self.check(
                register.is_none() || meter.get("type").is_some_and(|it| it == "PV-GENERATION"),
                format!("/meters/{i}/generation_register"),
                "is asked of PV-GENERATION meters only",
            );
        }
        let meters: Vec<_> = list("meters").collect();
        for (i, system) in list("pv_systems").enumerate() {
            let Some(place) = system.get("meter").and_then(Value::as_u64) else { continue };
            let meter = usize::try_from(place).ok().and_then(|place| meters.get(place));
            let kind = meter.and_then(|meter| meter.get("type"));
            self.check(
                kind.is_some_and(|kind| kind == "PV-GENERATION"),
                format!("/pv_systems/{i}/meter"),
                "must be the place of a PV-GENERATION meter",
            );
        }
    }
}

/// Every fault of a registration that is seen without the database.
#[must_use]
pub fn faults(registration: &Registration) -> Faults {
    Faults::against_schema(registration)
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
        assert_eq!(faults(&registration()), Faults::default());
    }

    #[test]
    fn all_faults_are_listed_without_values() {
        let mut wrong = registration();
        wrong.participant.email = "erika".into();
        wrong.address.postal_code = "5114".into(); // of a form, but not of Germany's
        wrong.location.as_mut().unwrap().latitude = f64::NAN;
        wrong.metadata.adults_with_job = 3;
        wrong.meters[0].uuid = Some(uuid::Uuid::nil());
        wrong.meters[1].uuid = Some(uuid::Uuid::nil());
        wrong.pv_systems[0].meter = Some(0);
        wrong.pv_systems[0].azimuth = 360.into();
        wrong.pv_systems[0].installed_on = jiff::civil::Date::constant(1899, 12, 31);
        let faults = faults(&wrong);
        assert!(faults.of_form());
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            places,
            [
                "/location/latitude",
                "/participant/email",
                "/pv_systems/0/azimuth",
                "/pv_systems/0/installed_on",
                "/metadata/adults_with_job",
                "/address/postal_code",
                "/meters/1/uuid",
                "/pv_systems/0/meter"
            ]
        );
        assert!(!faults.iter().any(|fault| fault.detail.contains("erika")));
    }
}
