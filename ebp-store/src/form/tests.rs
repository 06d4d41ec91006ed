//! Every body has a validator, and its words are plain.

use ebp_core::{
    contract::{EnrolmentRequest, NewMessage, Registration},
    plain_text::{find_hidden, find_hidden_in_lines},
};
use serde_json::json;

use super::*;

#[test]
fn a_body_has_one_validator() {
    let (first, second) = (validator::<Registration>(), validator::<Registration>());
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
}

fn faults_of<T: ToSchema>(body: &Value) -> Vec<String> {
    faults::<T>(body).iter().map(ToString::to_string).collect()
}

#[test]
fn words_are_plain_and_repeat_no_value() {
    assert_eq!(faults_of::<Registration>(&json!("secret")), ["the body must be an object"]);
    assert_eq!(
        faults_of::<EnrolmentRequest>(
            &serde_json::from_str(r#"{"hours": 1e400, "scopes": ""}"#).unwrap()
        )
        .len(),
        2
    );
    let body = json!({
        "participant": {"name": 7, "email": "secret", "phone": "secret"},
        "address": {"street": " ", "postal_code": "51147", "city": "C\u{7}", "country": "de"},
        "location": {"latitude": -90.1, "longitude": "7.1"},
        "metadata": {"children": -1, "adults": 2.5, "adults_with_job": 100, "heat_pump": "yes",
                     "electric_vehicle_charger": null},
        "meters": [{"type": "GAS", "model": "x".repeat(41), "uuid": "secret"}, 7],
        "pv_systems": [{"nominal_power": 0, "azimuth": 360, "tilt": "35",
                        "installed_on": "2024-02-30", "meter": -1}],
        "a/b~c": 1,
    });
    let expected = [
        "address/city: must have a visible character and no control character",
        "address/country: must be two capital letters (ISO 3166-1), such as DE",
        "address/street: must have a visible character and no control character",
        "a~1b~0c: is no member that is known",
        "location/latitude: must be -90 or more",
        "location/longitude: must be a number",
        "metadata/adults: must be a whole number",
        "metadata/adults_with_job: must be 99 or less",
        "metadata/children: must be 0 or more",
        "metadata/electric_vehicle_charger: must be true or false",
        "metadata/heat_pump: must be true or false",
        "metadata/home_battery: is missing",
        "meters/0/model: must have 40 characters or less",
        "meters/0/type: must be one of ELECTRICITY, PV-GENERATION",
        "meters/0/uuid: must be a UUID",
        "meters/1: must be an object",
        "participant/email: must be an e-mail address, name@domain in ASCII",
        "participant/name: must be a text",
        "participant/phone: is no member that is known",
        "pv_systems/0/azimuth: must be less than 360",
        "pv_systems/0/installed_on: must be a date that exists, as YYYY-MM-DD",
        "pv_systems/0/meter: must be 0 or more",
        "pv_systems/0/nominal_power: must be 0.001 or more",
        "pv_systems/0/tilt: must be a number",
    ];
    assert_eq!(faults_of::<Registration>(&body), expected);
}

/// The published patterns refuse what [`ebp_core::plain_text`] refuses, and name the character.
#[test]
fn invisible_characters_are_refused_by_their_member() {
    let body = |name: &str, street: &str| {
        json!({
            "participant": {"name": name, "email": "a@example.org"},
            "address": {"street": street, "postal_code": "51147", "city": "Köln", "country": "DE"},
            "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
        })
    };
    let of_text = |body: &Value| {
        let faults = faults_of::<Registration>(body);
        faults.into_iter().filter(|fault| !fault.starts_with("metadata")).collect::<Vec<_>>()
    };
    assert_eq!(
        of_text(&body("Erika \u{202e}nnamretsuM", "Heide\u{200d}straße 17")),
        [
            "address/street: must not have the invisible character U+200D: delete it",
            "participant/name: must not have the invisible character U+202E: delete it",
        ]
    );
    for name in ["می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}🔬", "Åse Ó Briain-Şahin"]
    {
        assert_eq!(of_text(&body(name, name)), [""; 0], "{name:?}");
    }
    let candidates = ('\0'..='\u{ffff}').step_by(7).chain('\u{1ffe}'..='\u{2071}').chain('\0'..'ÿ');
    for character in candidates {
        let text = format!("a{character}b");
        let message = json!({"about": "meter", "text": text});
        let line = find_hidden(&text).is_some();
        assert_eq!(!of_text(&body(&text, "a")).is_empty(), line, "{character:?}");
        let lines = find_hidden_in_lines(&text).is_some();
        assert_eq!(!faults::<NewMessage>(&message).is_empty(), lines, "{character:?}");
    }
}
