//! A household's meters and photovoltaic systems: added, corrected and taken out, each for the version
//! of the household that was read.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::{
    contract::{ManagedHousehold, MeterChange, NewMeter, NewPvSystem, PvSystemChange},
    model::MeterType,
};
use ebp_survey::{
    Edit, Faults, GroupCaller, HouseholdId, HouseholdVersion, StoreError, SurveyError,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    draft::FieldFaults,
    edit::page_of,
    field::{Field, FieldOption, Input},
    question::{Choices, Kind, METER, Question, SYSTEM},
};
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor},
    kit::{
        form::Fields,
        frame::{Frame, SwitchForm},
        language::Language,
    },
};

/// Which kind of member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Meter,
    System,
}

impl Of {
    fn named(name: &str) -> Option<Self> {
        match name {
            "meter" => Some(Self::Meter),
            "system" => Some(Self::System),
            _ => None,
        }
    }

    const fn questions(self) -> &'static [Question] {
        match self {
            Self::Meter => METER,
            Self::System => SYSTEM,
        }
    }

    fn title(self, language: Language, is_new: bool) -> String {
        match (self, is_new) {
            (Self::Meter, true) => language.say("reg-add-meter"),
            (Self::Meter, false) => language.say("reg-change-meter"),
            (Self::System, true) => language.say("reg-add-system"),
            (Self::System, false) => language.say("reg-change-system"),
        }
    }
}

#[derive(Template)]
#[template(path = "registration/member.html")]
struct Page {
    frame: Frame,
    page: String,
    action: String,
    version: String,
    fields: Vec<Field>,
    fault: Option<String>,
    is_new: bool,
}

/// A household with the member that is meant, none of it if it is a new one.
struct Meant {
    of: Of,
    member: Option<Uuid>,
    stored: ManagedHousehold,
    version: String,
}

impl Meant {
    async fn read(
        caller: &GroupCaller,
        household: &str,
        of: &str,
        member: &str,
    ) -> Result<Self, SurveyError> {
        let not_found = || SurveyError::from(StoreError::NotFound);
        let household = household.parse().map_err(|_| not_found())?;
        let of = Of::named(of).ok_or_else(not_found)?;
        let member = match member {
            "new" => None,
            member => Some(member.parse::<Uuid>().map_err(|_| not_found())?),
        };
        let stored = caller.household(HouseholdId(household)).await?;
        if stored.participant.is_none() {
            return Err(StoreError::ConsentRevoked.into());
        }
        let is_there = |uuid| match of {
            Of::Meter => stored.meters.iter().any(|meter| meter.uuid == uuid),
            Of::System => stored.pv_systems.iter().any(|system| system.uuid == uuid),
        };
        if member.is_some_and(|member| !is_there(member)) {
            return Err(not_found());
        }
        let version = HouseholdVersion::from_household(&stored)?.to_string();
        Ok(Self { of, member, stored, version })
    }

    fn id(&self) -> HouseholdId {
        HouseholdId(self.stored.uuid)
    }

    /// What is registered, by the fields' names.
    fn registered(&self) -> Vec<(String, String)> {
        let member = match (self.of, self.member) {
            (Of::Meter, Some(uuid)) => {
                let meter = self.stored.meters.iter().find(|meter| meter.uuid == uuid);
                serde_json::to_value(meter)
            }
            (Of::System, Some(uuid)) => {
                let system = self.stored.pv_systems.iter().find(|system| system.uuid == uuid);
                serde_json::to_value(system)
            }
            (_, None) => Ok(Value::Null),
        };
        let member = member.unwrap_or_default();
        let text = |question: &Question| match member.pointer(question.pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let questions = self.of.questions().iter();
        questions.map(|question| (question.name.to_owned(), text(question))).collect()
    }

    fn page(&self, visitor: &Visitor, entered: &Fields, said: Said) -> Response {
        let language = visitor.language();
        let fields = self.of.questions().iter().map(|question| {
            let mut input = question.input(language);
            if let (Kind::Choice(Choices::Connected), Input::Choice(options)) =
                (question.kind, &mut input)
            {
                options.extend(self.generation_meters(language));
            }
            let hint = question.hint;
            Field {
                name: question.name.to_owned(),
                label: language.say(question.label),
                value: entered.get(question.name).to_owned(),
                hint: if hint.is_empty() { String::new() } else { language.say(hint) },
                fault: said.faults.get(question.name).cloned().unwrap_or_default(),
                is_required: question.is_required,
                input,
            }
        });
        let part = match self.of {
            Of::Meter => "meter",
            Of::System => "system",
        };
        let member = self.member.map_or_else(|| "new".to_owned(), |member| member.to_string());
        let page = page_of(self.stored.uuid);
        let action = format!("{page}/{part}/{member}");
        let switch = SwitchForm {
            id: "member",
            action: action.clone(),
            asks: if said.faults.is_empty() { "show" } else { "check" },
            enter: ("do", "save"),
        };
        let title = self.of.title(language, self.member.is_none());
        let page = Page {
            frame: visitor.frame(title).switched_by(switch),
            action,
            page,
            version: self.version.clone(),
            fields: fields.collect(),
            fault: said.fault,
            is_new: self.member.is_none(),
        };
        visitor.show_with(said.status, &page)
    }

    fn generation_meters(&self, language: Language) -> Vec<FieldOption> {
        let meters = self.stored.meters.iter().enumerate();
        meters
            .filter(|(_, meter)| meter.kind == MeterType::PvGeneration)
            .map(|(place, meter)| {
                let number = [("number", (place + 1).to_string().into())];
                FieldOption {
                    value: meter.uuid.to_string(),
                    text: language.say_with("reg-meter-number", number),
                }
            })
            .collect()
    }
}

/// What is said of what was entered.
struct Said {
    status: StatusCode,
    faults: FieldFaults,
    fault: Option<String>,
}

impl Said {
    fn nothing() -> Self {
        Self { status: StatusCode::OK, faults: FieldFaults::new(), fault: None }
    }
}

/// `GET /registration/household/{household}/{meter|system}/{new|uuid}`.
pub async fn show(
    Researcher { visitor, caller }: Researcher,
    Path((household, of, member)): Path<(String, String, String)>,
) -> Response {
    match Meant::read(&caller, &household, &of, &member).await {
        Ok(meant) => {
            let entered = Fields::from_pairs(meant.registered());
            meant.page(&visitor, &entered, Said::nothing())
        }
        Err(error) => visitor.fail(error),
    }
}

/// `POST /registration/household/{household}/{meter|system}/{new|uuid}`.
pub async fn send(
    Path((household, of, member)): Path<(String, String, String)>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let meant = match Meant::read(&caller, &household, &of, &member).await {
        Ok(meant) => meant,
        Err(error) => return visitor.fail(error),
    };
    let language = visitor.language();
    if fields.get("version") != meant.version {
        let fault = Some(language.say("reg-member-changed"));
        let faults = FieldFaults::new();
        let said = Said { status: StatusCode::PRECONDITION_FAILED, faults, fault };
        return meant.page(&visitor, &fields, said);
    }
    if fields.get("do") == "show" {
        return meant.page(&visitor, &fields, Said::nothing());
    }
    let edit = match edit_of(&meant, &fields) {
        Ok(_) if fields.get("do") == "check" => {
            return meant.page(&visitor, &fields, Said::nothing());
        }
        Ok(edit) => edit,
        Err(faults) => {
            let faults = named(language, meant.of, &faults);
            let said = Said { status: StatusCode::UNPROCESSABLE_ENTITY, faults, fault: None };
            return meant.page(&visitor, &fields, said);
        }
    };
    let said = match caller.edit(meant.id(), edit, meant.version.parse().ok()).await {
        Ok(_) => {
            let page = format!("{}?note=changed", page_of(meant.stored.uuid));
            return Redirect::to(&page).into_response();
        }
        Err(SurveyError::Store(StoreError::Registration(faults))) => Said {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            faults: named(language, meant.of, &faults),
            fault: None,
        },
        Err(SurveyError::Store(StoreError::InUse(_))) => Said {
            status: StatusCode::CONFLICT,
            faults: FieldFaults::new(),
            fault: Some(language.say("reg-member-in-use")),
        },
        Err(error) => return visitor.fail(error),
    };
    meant.page(&visitor, &fields, said)
}

fn named(language: Language, of: Of, faults: &Faults) -> FieldFaults {
    let questions = of.questions();
    faults
        .iter()
        .map(|fault| {
            let question = questions.iter().find(|question| question.pointer == fault.pointer);
            let question = question.unwrap_or(&questions[0]);
            (question.name.to_owned(), language.say(question.fault))
        })
        .collect()
}

/// What is to be done, or what is wrong with what was entered.
fn edit_of(meant: &Meant, fields: &Fields) -> Result<Edit, Faults> {
    let is_removal = fields.get("do") == "remove";
    let text = |name| fields.get(name).trim().to_owned();
    let optional = |name| match text(name).as_str() {
        "" => Value::Null,
        text => Value::String(text.to_owned()),
    };
    let number = |name| {
        let entered = text(name).replace(',', ".");
        let number = entered.parse::<rust_decimal::Decimal>().map(|number| number.to_string());
        let number = number.ok().and_then(|number| number.parse::<serde_json::Number>().ok());
        number.map_or_else(|| Value::String(entered), Value::Number)
    };
    let meter = || {
        json!({"type": text("type"), "model": text("model"),
                          "generation_register": optional("register")})
    };
    let system = || {
        json!({"nominal_power": number("power"), "azimuth": number("azimuth"),
                           "tilt": number("tilt"), "installed_on": text("installed"),
                           "meter": optional("meter")})
    };
    Ok(match (meant.of, meant.member, is_removal) {
        (Of::Meter, Some(uuid), true) => Edit::RemoveMeter(uuid),
        (Of::System, Some(uuid), true) => Edit::RemovePvSystem(uuid),
        (Of::Meter, Some(uuid), false) => {
            let body = meter();
            let change: MeterChange = read(&body, Faults::of_json::<MeterChange>(&body))?;
            Edit::ChangeMeter(uuid, change)
        }
        (Of::System, Some(uuid), false) => {
            let body = system();
            let change: PvSystemChange = read(&body, Faults::of_json::<PvSystemChange>(&body))?;
            Edit::ChangePvSystem(uuid, change)
        }
        (Of::Meter, None, _) => {
            let body = meter();
            let new: NewMeter = read(&body, Faults::of_json::<NewMeter>(&body))?;
            Edit::AddMeter(new)
        }
        (Of::System, None, _) => {
            let body = system();
            let new: NewPvSystem = read(&body, Faults::of_json::<NewPvSystem>(&body))?;
            Edit::AddPvSystem(new)
        }
    })
}

fn read<T: DeserializeOwned>(body: &Value, mut faults: Faults) -> Result<T, Faults> {
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_json::from_value(body.clone()).map_err(|_| {
        faults.check(false, "", "is not written as it must be");
        faults
    })
}
