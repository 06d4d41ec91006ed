//! The roll-out: shown, begun and steered.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use ebp_core::contract::{NewRollout, RolloutAction};
use ebp_survey::{GroupCaller, ReleaseState, StoreError, SurveyError};
use uuid::Uuid;

use super::address::done;
use crate::{
    cloud::{Administrator, AdministratorForm, CloudWeb, Visitor},
    kit::form::Fields,
    status::rollout::{RolloutDraft, RolloutPage},
};

/// Where the page is.
const ROLLOUT: &str = "/status/rollout";

/// `GET /status/rollout`.
pub async fn show(Administrator { visitor, caller }: Administrator) -> Response {
    let language = visitor.language();
    let said = visitor.preferences.get("done").and_then(|done| match done {
        "begun" => Some(language.say("rollout-was-begun")),
        "changed" => Some(language.say("rollout-was-changed")),
        _ => None,
    });
    let draft = RolloutDraft {
        steps: "5, 25, 100".to_owned(),
        soak: "24".to_owned(),
        ..RolloutDraft::default()
    };
    page(&visitor, &caller, StatusCode::OK, said, Vec::new(), draft).await
}

async fn page(
    visitor: &Visitor,
    caller: &GroupCaller,
    status: StatusCode,
    said: Option<String>,
    faults: Vec<String>,
    draft: RolloutDraft,
) -> Response {
    match caller.latest_rollout().await {
        Ok(report) => {
            let frame = visitor.frame(visitor.language().say("rollout-title"));
            let page = RolloutPage::new(frame, report.as_ref(), said, faults, draft);
            visitor.show_with(status, &page)
        }
        Err(error) => visitor.fail(error),
    }
}

/// `POST /status/rollout`: begins one.
pub async fn begin(
    State(_): State<Arc<CloudWeb>>,
    AdministratorForm { visitor, caller, fields }: AdministratorForm,
) -> Response {
    let draft = read_draft(&fields);
    let language = visitor.language();
    let refuse = async |status, text: &str| {
        let faults = vec![language.say(text)];
        page(&visitor, &caller, status, None, faults, draft.clone()).await
    };
    // The language was switched.
    if !fields.get("do").is_empty() {
        return page(&visitor, &caller, StatusCode::OK, None, Vec::new(), draft).await;
    }
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(new) = read_rollout(&draft) else {
        return refuse(unprocessable, /* text */ "rollout-fault-form").await;
    };
    let version = new.version.clone();
    match caller.begin_rollout(new).await {
        Ok(_) => done(ROLLOUT, "begun"),
        Err(SurveyError::Store(StoreError::Registration(_))) => {
            let fault = match caller.release_state(&version).await {
                Ok(ReleaseState::Unknown) => language.say("rollout-fault-unpublished"),
                Ok(ReleaseState::Recalled) => language.say("rollout-fault-recalled"),
                Ok(ReleaseState::Unreadable) => language.say("rollout-fault-releases"),
                Ok(ReleaseState::Published) | Err(_) => language.say("rollout-fault-form"),
            };
            page(&visitor, &caller, unprocessable, None, vec![fault], draft).await
        }
        Err(SurveyError::Store(StoreError::NotFound | StoreError::ConsentRevoked)) => {
            refuse(unprocessable, /* text */ "rollout-fault-device").await
        }
        Err(SurveyError::Store(StoreError::RolloutState(_))) => {
            refuse(StatusCode::CONFLICT, /* text */ "rollout-fault-state").await
        }
        Err(error) => visitor.fail(error),
    }
}

/// `POST /status/rollout/{rollout}`: for the revision that the page was made of.
pub async fn steer(
    State(_): State<Arc<CloudWeb>>,
    Path(rollout): Path<String>,
    AdministratorForm { visitor, caller, fields }: AdministratorForm,
) -> Response {
    let not_found = || SurveyError::from(StoreError::NotFound);
    let Ok(rollout) = rollout.parse::<Uuid>() else { return visitor.fail(not_found()) };
    let Some(action) = RolloutAction::named(fields.get("action")) else {
        return visitor.fail(not_found());
    };
    let revision = fields.get("revision").parse().unwrap_or(u64::MAX);
    let language = visitor.language();
    let (status, fault) = match caller.steer_rollout(rollout, action, revision).await {
        Ok(_) => return done(ROLLOUT, "changed"),
        Err(SurveyError::Store(StoreError::Changed)) => {
            (StatusCode::PRECONDITION_FAILED, language.say("rollout-fault-changed"))
        }
        Err(SurveyError::Store(StoreError::RolloutState(_))) => {
            (StatusCode::CONFLICT, language.say("rollout-fault-state"))
        }
        Err(error) => return visitor.fail(error),
    };
    page(&visitor, &caller, status, None, vec![fault], RolloutDraft::default()).await
}

fn read_draft(fields: &Fields) -> RolloutDraft {
    let get = |name: &str| fields.get(name).trim().to_owned();
    RolloutDraft {
        version: get("version"),
        first: get("first"),
        steps: get("steps"),
        soak: get("soak"),
    }
}

/// What the form says; `None` if a field is not of its form.
fn read_rollout(draft: &RolloutDraft) -> Option<NewRollout> {
    let is_between = |c: char| c == ',' || c == ';' || c.is_whitespace();
    let words = |text: &'_ str| -> Vec<String> {
        text.split(is_between).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let first = words(&draft.first).iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let share = |word: &String| word.trim_end_matches('%').parse::<u8>().ok();
    let steps: Vec<u8> = words(&draft.steps).iter().map(share).collect::<Option<_>>()?;
    let hours: u64 = if draft.soak.is_empty() { 24 } else { draft.soak.parse().ok()? };
    let new = NewRollout {
        version: draft.version.clone(),
        first,
        steps: (!steps.is_empty()).then_some(steps),
        soak: Some(hours.checked_mul(3_600)?),
    };
    new.faults().is_empty().then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_people_write_it() {
        let draft = RolloutDraft {
            version: "1.4.2".to_owned(),
            first: format!("{}, {}", Uuid::from_u128(1), Uuid::from_u128(2)),
            steps: "10 %".to_owned(),
            soak: "1".to_owned(),
        };
        assert_eq!(read_rollout(&draft), None, "a lone sign is no share");
        let draft = RolloutDraft { steps: "10%;100".to_owned(), ..draft };
        let new = read_rollout(&draft).unwrap();
        assert_eq!((new.first.len(), new.soak), (2, Some(3_600)));
        assert_eq!(new.steps, Some(vec![10, 100]));
        let wrong = RolloutDraft { first: "erika".to_owned(), ..draft.clone() };
        assert_eq!(read_rollout(&wrong), None);
        assert_eq!(read_rollout(&RolloutDraft { version: String::new(), ..draft }), None);
    }
}
