//! Recording that a participant withdrew consent by letter, by phone, by e-mail or in person. It has
//! the effects of a revocation on the participant's own page, and cannot be undone.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::{Withdrawal, WithdrawalChannel};
use ebp_survey::{HouseholdId, StoreError, SurveyError};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    edit::page_of,
    field::{Field, FieldOption, Input},
    household::channel_text,
};
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor},
    kit::frame::{Frame, SwitchForm},
};

#[derive(Template)]
#[template(path = "registration/withdrawal.html")]
struct Page {
    frame: Frame,
    page: String,
    name: String,
    fields: Vec<Field>,
    /// Whether the fields are right, and the last question is asked.
    is_confirmed: bool,
}

/// What is entered.
#[derive(Default)]
struct Entered {
    channel: String,
    received_on: String,
}

impl Entered {
    fn withdrawal(&self, today: Date) -> Option<Withdrawal> {
        let channel: WithdrawalChannel = self.channel.parse().ok()?;
        let received_on: Date = self.received_on.parse().ok()?;
        (received_on <= today).then_some(Withdrawal { received_on, channel })
    }
}

fn page(
    visitor: &Visitor,
    status: StatusCode,
    (household, name): (Uuid, String),
    entered: &Entered,
    step: Step,
) -> Response {
    let language = visitor.language();
    let option = |channel: WithdrawalChannel| FieldOption {
        value: channel.name().to_owned(),
        text: channel_text(language, channel),
    };
    let is_wrong = matches!(step, Step::Wrong);
    let fields = vec![
        Field {
            name: "channel".to_owned(),
            label: language.say("reg-channel"),
            value: entered.channel.clone(),
            hint: String::new(),
            fault: String::new(),
            is_required: true,
            input: Input::Choice(WithdrawalChannel::ALL.into_iter().map(option).collect()),
        },
        Field {
            name: "received_on".to_owned(),
            label: language.say("reg-received-on"),
            value: entered.received_on.clone(),
            hint: language.say("reg-received-hint"),
            fault: if is_wrong { language.say("reg-fault-received") } else { String::new() },
            is_required: true,
            input: Input::Line("date", "text", "off"),
        },
    ];
    let is_confirmed = matches!(step, Step::Confirm);
    let switch = SwitchForm {
        id: "withdrawal",
        action: format!("{}/withdrawal", page_of(household)),
        asks: if matches!(step, Step::Ask) { "show" } else { "confirm" },
        enter: ("do", if is_confirmed { "record" } else { "confirm" }),
    };
    let page = Page {
        frame: visitor.frame(language.say("reg-withdrawal-title")).switched_by(switch),
        page: page_of(household),
        name,
        fields,
        is_confirmed,
    };
    visitor.show_with(status, &page)
}

enum Step {
    Ask,
    Wrong,
    Confirm,
}

/// `GET /registration/household/{household}/withdrawal`.
pub async fn show(
    Researcher { visitor, caller }: Researcher,
    Path(household): Path<String>,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    match caller.household(HouseholdId(household)).await {
        Ok(stored) => match stored.participant {
            Some(participant) => {
                let of = (household, participant.name);
                page(&visitor, StatusCode::OK, of, &Entered::default(), Step::Ask)
            }
            None => visitor.fail(StoreError::ConsentRevoked),
        },
        Err(error) => visitor.fail(error),
    }
}

/// `POST /registration/household/{household}/withdrawal`: asks once more, then records it.
pub async fn send(
    Path(household): Path<String>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let entered = Entered {
        channel: fields.get("channel").to_owned(),
        received_on: fields.get("received_on").to_owned(),
    };
    let stored = match caller.household(HouseholdId(household)).await {
        Ok(stored) => stored,
        Err(error) => return visitor.fail(error),
    };
    let Some(participant) = stored.participant else {
        return visitor.fail(StoreError::ConsentRevoked);
    };
    let of = (household, participant.name);
    if fields.get("do") == "show" {
        return page(&visitor, StatusCode::OK, of, &entered, Step::Ask);
    }
    let today = visitor.moments().day_of(visitor.now);
    let Some(withdrawal) = entered.withdrawal(today) else {
        return page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, of, &entered, Step::Wrong);
    };
    if fields.get("do") != "record" {
        return page(&visitor, StatusCode::OK, of, &entered, Step::Confirm);
    }
    match caller.record_withdrawal(HouseholdId(household), withdrawal).await {
        // The household has another identifier now, by which nobody is to find it.
        Ok(_) => Redirect::to("/registration?consent=revoked").into_response(),
        Err(SurveyError::Store(StoreError::Registration(_))) => {
            page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, of, &entered, Step::Wrong)
        }
        Err(error) => visitor.fail(error),
    }
}
