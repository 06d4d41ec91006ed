//! Correcting contact, address, location and answers of a household. If somebody else changed it
//! meanwhile both versions stand side by side, and nothing is saved.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::{
    contract::{HouseholdChange, ManagedHousehold},
    model::Location,
};
use ebp_survey::{Faults, GroupCaller, HouseholdId, HouseholdVersion, StoreError, SurveyError};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    draft::{Draft, FieldFaults},
    draft_fields::degrees,
    form::{self, Correction, Difference, FormOf, Said},
    question::{ADDRESS, ANSWERS, CONTACT, Kind, LOCATION, Question},
};
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor},
    kit::language::Language,
};

/// The page of a household.
pub fn page_of(household: Uuid) -> String {
    format!("/registration/household/{household}")
}

fn form_of(visitor: &Visitor, household: Uuid, version: String) -> FormOf {
    FormOf {
        title: visitor.language().say("reg-edit-title"),
        action: format!("{}/edit", page_of(household)),
        correction: Some(Correction { page: page_of(household), version }),
        is_sent: true,
    }
}

/// A household that can be corrected, and its version.
async fn read(
    visitor: &Visitor,
    caller: &GroupCaller,
    household: Uuid,
) -> Result<(ManagedHousehold, String), Response> {
    let read = async {
        let stored = caller.household(HouseholdId(household)).await?;
        if stored.participant.is_none() {
            return Err(SurveyError::from(StoreError::ConsentRevoked));
        }
        let version = HouseholdVersion::from_household(&stored)?.to_string();
        Ok((stored, version))
    };
    read.await.map_err(|error| visitor.fail(error))
}

/// `GET /registration/household/{household}/edit`.
pub async fn show(
    Researcher { visitor, caller }: Researcher,
    Path(household): Path<String>,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let (stored, version) = match read(&visitor, &caller, household).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let draft = draft_of(visitor.language(), &stored);
    let of = FormOf { is_sent: false, ..form_of(&visitor, household, version) };
    form::show(&visitor, &caller, of, &draft, Said::default()).await
}

/// `POST /registration/household/{household}/edit`.
pub async fn send(
    Path(household): Path<String>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let (mut draft, language) = (Draft::from_fields(&fields), visitor.language());
    let version = fields.get("version").to_owned();
    match form::edit_draft(&visitor, &caller, &mut draft, &fields).await {
        Ok(false) => {}
        Ok(true) => {
            let of = form_of(&visitor, household, version);
            return form::show(&visitor, &caller, of, &draft, Said::default()).await;
        }
        Err(error) => return visitor.fail(error),
    }
    let (stored, current) = match read(&visitor, &caller, household).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    if version != current || fields.get("do") == form::CONFLICT {
        return conflict(&visitor, &caller, &stored, current, &draft).await;
    }
    let changed = match change(language, &stored, &draft) {
        // The language was switched.
        Ok(_) if fields.get("do") == form::CHECK => {
            let of = form_of(&visitor, household, version);
            return form::show(&visitor, &caller, of, &draft, Said::default()).await;
        }
        Ok(None) => return Redirect::to(&page_of(household)).into_response(),
        Ok(Some(change)) => {
            let expected = version.parse().ok();
            caller.change_household(HouseholdId(household), change, expected).await
        }
        Err(faults) => {
            let said = Said { faults, ..Said::default() };
            let of = form_of(&visitor, household, version);
            return form::show(&visitor, &caller, of, &draft, said).await;
        }
    };
    match changed {
        Ok(_) => Redirect::to(&format!("{}?note=changed", page_of(household))).into_response(),
        Err(SurveyError::Store(StoreError::Registration(faults))) => {
            let said = Said { faults: draft.faults(language, &faults), ..Said::default() };
            let of = form_of(&visitor, household, version);
            form::show(&visitor, &caller, of, &draft, said).await
        }
        // Somebody was faster.
        Err(SurveyError::Store(StoreError::Changed)) => {
            match read(&visitor, &caller, household).await {
                Ok((stored, current)) => {
                    conflict(&visitor, &caller, &stored, current, &draft).await
                }
                Err(response) => response,
            }
        }
        Err(error) => visitor.fail(error),
    }
}

/// Both versions side by side. What is entered stays in the form, which is for the newest version now.
async fn conflict(
    visitor: &Visitor,
    caller: &GroupCaller,
    stored: &ManagedHousehold,
    current: String,
    draft: &Draft,
) -> Response {
    let language = visitor.language();
    let registered = draft_of(language, stored);
    let differs = |question: &&Question| {
        tidied(question, draft.get(question.name))
            != tidied(question, registered.get(question.name))
    };
    let mut conflict: Vec<Difference> = [CONTACT, ADDRESS, LOCATION, ANSWERS]
        .into_iter()
        .flatten()
        .filter(differs)
        .map(|question| Difference {
            label: language.say(question.label),
            entered: shown(language, question, draft.get(question.name)),
            registered: shown(language, question, registered.get(question.name)),
        })
        .collect();
    if conflict.is_empty() {
        // Meters, systems or devices were changed.
        conflict.push(Difference {
            label: language.say("reg-conflict-elsewhere"),
            entered: String::new(),
            registered: String::new(),
        });
    }
    let of = form_of(visitor, stored.uuid, current);
    form::show(visitor, caller, of, draft, Said { conflict, ..Said::default() }).await
}

/// An answer without what does not matter.
fn tidied(question: &Question, entered: &str) -> String {
    let entered = entered.trim();
    match question.kind {
        Kind::Number => {
            let number = entered.replace(',', ".");
            number.parse::<f64>().map_or(number, |number| number.to_string())
        }
        _ => entered.to_owned(),
    }
}

fn shown(language: Language, question: &Question, entered: &str) -> String {
    match question.kind {
        Kind::Tick if entered == "yes" => language.say("reg-yes"),
        Kind::Tick => language.say("reg-no"),
        Kind::Choice(choices) => {
            let options = choices.options(language);
            let chosen = options.into_iter().find(|option| option.value == entered);
            chosen.map_or_else(|| entered.to_owned(), |option| option.text)
        }
        _ => entered.to_owned(),
    }
}

/// What is registered, as a form has it.
pub fn draft_of(language: Language, stored: &ManagedHousehold) -> Draft {
    let mut draft = Draft::default();
    let body = serde_json::to_value(stored).unwrap_or_default();
    for question in [CONTACT, ADDRESS, ANSWERS].into_iter().flatten() {
        let entered = match body.pointer(question.pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(true)) => "yes".to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        draft.set(question.name, entered);
    }
    if let Some(Location { latitude, longitude, .. }) = &stored.location {
        draft.set("latitude", degrees(language, *latitude));
        draft.set("longitude", degrees(language, *longitude));
    }
    draft
}

/// What differs from what is registered: nothing else is sent, as another e-mail address, for example,
/// ends certificates.
fn change(
    language: Language,
    stored: &ManagedHousehold,
    draft: &Draft,
) -> Result<Option<HouseholdChange>, FieldFaults> {
    let registered = draft_of(language, stored);
    let entered = draft.value();
    let mut body = Map::new();
    // What is registered stays unless another place is entered.
    let is_gone = |name| !registered.get(name).is_empty() && draft.get(name).trim().is_empty();
    if LOCATION.iter().all(|question| is_gone(question.name)) {
        let fault = language.say("reg-fault-location-stays");
        return Err(FieldFaults::from([("latitude".to_owned(), fault)]));
    }
    for (member, questions) in [
        ("participant", CONTACT),
        ("address", ADDRESS),
        ("location", LOCATION),
        ("metadata", ANSWERS),
    ] {
        let differs = questions.iter().any(|question| {
            tidied(question, draft.get(question.name))
                != tidied(question, registered.get(question.name))
        });
        if let (true, Some(value)) = (differs, entered.get(member)) {
            body.insert(member.to_owned(), value.clone());
        }
    }
    if body.is_empty() {
        return Ok(None);
    }
    let body = Value::Object(body);
    let faults = Faults::of_json::<HouseholdChange>(&body);
    if !faults.is_empty() {
        return Err(draft.faults(language, &faults));
    }
    serde_json::from_value(body)
        .map(Some)
        .map_err(|_| FieldFaults::from([("name".to_owned(), language.say("reg-fault-other"))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored() -> ManagedHousehold {
        serde_json::from_value(json!({
            "uuid": Uuid::nil(), "registered_at": "2026-01-01T00:00:00Z",
            "participant": {"name": "Erika", "email": "erika@example.org"},
            "participant_uuid": Uuid::nil(),
            "address": {"street": "Gasse 1", "postal_code": "51147", "city": "Köln", "country": "DE"},
            "location": {"latitude": 50.8500001, "longitude": 7.1},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                         "electric_vehicle_charger": false, "home_battery": false},
            "consent": {"state": "not-granted", "granted_at": null, "revoked_at": null},
            "meters": [], "pv_systems": [], "measurement_devices": []
        }))
        .unwrap()
    }

    #[test]
    fn only_what_differs_is_changed() {
        let stored = stored();
        let mut draft = draft_of(Language::De, &stored);
        assert_eq!(change(Language::De, &stored, &draft), Ok(None));
        draft.set("latitude", "50.85000".into());
        assert_eq!(change(Language::De, &stored, &draft), Ok(None), "it is written otherwise");
        draft.set("street", "Gasse 2".into());
        let made = change(Language::De, &stored, &draft).unwrap().unwrap();
        assert!(made.participant.is_none() && made.location.is_none() && made.metadata.is_none());
        assert_eq!(made.address.unwrap().street, "Gasse 2");
        let (mut gone, is_gone) = (draft_of(Language::De, &stored), ["latitude", "longitude"]);
        is_gone.into_iter().for_each(|name| gone.set(name, String::new()));
        let faults = change(Language::De, &stored, &gone).unwrap_err();
        assert_eq!(faults.keys().collect::<Vec<_>>(), ["latitude"], "a place is not removed");
        draft.set("adults", "x".into());
        let faults = change(Language::De, &stored, &draft).unwrap_err();
        assert_eq!(faults.keys().collect::<Vec<_>>(), ["adults"]);
    }
}
