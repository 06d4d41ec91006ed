//! Registering a household: one page, checked as it is typed and when it is sent; buttons add and take
//! out meters and systems without script.

use axum::{
    Json,
    extract::Path,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::Registration;
use ebp_survey::{GroupCaller, NewHousehold, StoreError, SurveyError};

use super::{
    draft::{Draft, FieldFaults},
    form::{self, FormOf, Said},
};
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor},
    kit::language::Language,
};

fn form_of(visitor: &Visitor) -> FormOf {
    FormOf {
        title: visitor.language().say("reg-new-title"),
        action: "/registration/new".to_owned(),
        correction: None,
        is_sent: true,
    }
}

/// `GET /registration/new`.
pub async fn show(Researcher { visitor, caller }: Researcher) -> Response {
    let of = FormOf { is_sent: false, ..form_of(&visitor) };
    form::show(&visitor, &caller, of, &Draft::empty(), Said::default()).await
}

/// `POST /registration/new`.
pub async fn send(ResearcherForm { visitor, caller, fields }: ResearcherForm) -> Response {
    let mut draft = Draft::from_fields(&fields);
    match form::edit_draft(&visitor, &caller, &mut draft, &fields).await {
        Ok(false) => {}
        Ok(true) => {
            return form::show(&visitor, &caller, form_of(&visitor), &draft, Said::default()).await;
        }
        Err(error) => return visitor.fail(error),
    }
    let language = visitor.language();
    let said = match draft.registration(language) {
        Err(faults) => Said { faults, ..Said::default() },
        Ok(registration) => {
            if fields.get("do") == form::CHECK {
                return checked(&visitor, &caller, &draft, registration).await;
            }
            let (asked, is_further) = (fields.get("do"), fields.get("do") == "save-further");
            let warnings = if asked == "save" { warnings(language, &registration) } else { vec![] };
            if warnings.is_empty() {
                match caller.register(registration, is_further).await {
                    Ok(new) => return registered(new),
                    Err(error) => match refused(language, &draft, error) {
                        Ok(said) => said,
                        Err(error) => return visitor.fail(error),
                    },
                }
            } else {
                Said { warnings, ..Said::default() }
            }
        }
    };
    form::show(&visitor, &caller, form_of(&visitor), &draft, said).await
}

/// What is wrong or unusual, again: the language was switched.
async fn checked(
    visitor: &Visitor,
    caller: &GroupCaller,
    draft: &Draft,
    registration: Registration,
) -> Response {
    let language = visitor.language();
    let warnings = warnings(language, &registration);
    let said = match caller.check_registration(registration, false).await {
        Ok(()) => Said { warnings, ..Said::default() },
        Err(error) => match refused(language, draft, error) {
            Ok(said) => said,
            Err(error) => return visitor.fail(error),
        },
    };
    form::show(visitor, caller, form_of(visitor), draft, said).await
}

fn registered(new: NewHousehold) -> Response {
    let NewHousehold { registered, located } = new;
    let is_found = located.as_ref().is_none_or(|located| located.location.is_some());
    if let Some(located) = located {
        located.log_trouble();
    }
    let note = if is_found { "new" } else { "unlocated" };
    let page = format!("/registration/household/{}?note={note}", registered.household);
    Redirect::to(&page).into_response()
}

/// Why the survey does not take it in, for the form.
fn refused(language: Language, draft: &Draft, error: SurveyError) -> Result<Said, SurveyError> {
    match error {
        SurveyError::Store(StoreError::Registration(faults)) => {
            Ok(Said { faults: draft.faults(language, &faults), ..Said::default() })
        }
        SurveyError::Store(StoreError::RegisteredAlready(household)) => {
            let existing = Some(format!("/registration/household/{household}"));
            Ok(Said { existing, ..Said::default() })
        }
        error => Err(error),
    }
}

/// What is possible and unusual.
fn warnings(language: Language, registration: &Registration) -> Vec<String> {
    use ebp_core::model::{Battery, MeterType, MeteringConcept};
    let Registration { metadata, meters, pv_systems, .. } = registration;
    let mut warnings = Vec::new();
    let has_generation = meters.iter().any(|meter| meter.kind == MeterType::PvGeneration);
    if !pv_systems.is_empty() && metadata.metering_concept == MeteringConcept::NoSystem {
        warnings.push(language.say("reg-warn-no-system"));
    }
    if pv_systems.is_empty() && has_generation {
        warnings.push(language.say("reg-warn-generation-meter"));
    }
    if pv_systems.iter().any(|system| system.nominal_power > 30.into()) {
        warnings.push(language.say("reg-warn-power"));
    }
    if metadata.home_battery && metadata.battery == Battery::Unknown {
        warnings.push(language.say("reg-warn-battery"));
    }
    if metadata.adults == 0 {
        warnings.push(language.say("reg-warn-adults"));
    }
    warnings
}

/// `POST /registration/check`: what is wrong with what is entered so far, by the fields' names. What is
/// still empty is no fault yet.
pub async fn check(ResearcherForm { visitor, caller, fields }: ResearcherForm) -> Response {
    let (draft, language) = (Draft::from_fields(&fields), visitor.language());
    let faults = match draft.registration(language) {
        Err(faults) => faults,
        // A correction's conflicts are told when it is sent.
        Ok(_) if !fields.get("version").is_empty() => FieldFaults::new(),
        Ok(registration) => {
            let checked = caller.check_registration(registration, true).await;
            match checked.map_err(|error| refused(language, &draft, error)) {
                Ok(()) => FieldFaults::new(),
                Err(Ok(said)) => said.faults,
                Err(Err(error)) => return visitor.fail(error),
            }
        }
    };
    let typed: FieldFaults =
        faults.into_iter().filter(|(name, _)| !draft.get(name).trim().is_empty()).collect();
    Json(typed).into_response()
}

/// `GET /registration/regions.svg`: the outlines of all regions.
pub async fn regions(Researcher { visitor, caller }: Researcher) -> Response {
    match caller.outlines().await {
        Ok(Some(svg)) => picture(svg.to_string()),
        Ok(None) => visitor.not_found(),
        Err(error) => visitor.fail(error),
    }
}

/// `GET /registration/region/{code}`: one region with all of its corners.
pub async fn region(
    Researcher { visitor, caller }: Researcher,
    Path(code): Path<String>,
) -> Response {
    caller.outline(&code).map_or_else(|| visitor.not_found(), picture)
}

/// It holds nothing of the survey, so that browsers may keep it for a day.
fn picture(svg: String) -> Response {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "private, max-age=86400")];
    (headers, svg).into_response()
}
