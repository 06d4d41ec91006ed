//! A household: what is registered, its consent, devices, messages and history. Of one that revoked its
//! consent what is left.

use askama::Template;
use axum::{extract::Path, response::Response};
use ebp_core::{
    contract::{
        ChangeKind, Consent, ManagedHousehold, Message, RegistrationChange, WithdrawalChannel,
    },
    model::{ConsentState, Location, Meter, Precision, PvSystem},
    scope::Group,
};
use ebp_survey::{GroupCaller, HouseholdId, HouseholdVersion, ListQuery, StoreError, SurveyError};
use uuid::Uuid;

use super::{
    edit::{draft_of, page_of},
    households::state_text,
    messages::{Shown, subject_text, switch},
    question::{ADDRESS, ANSWERS, CONTACT, Kind, LOCATION, METER, Question, SYSTEM, meter_text},
};
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor},
    kit::{form::Fields, frame::Frame, language::Language, number::quantity},
    outlines::{MapScale, MapView},
};

/// Entries of the history that are shown, at most.
const HISTORY: usize = 1_000;

#[derive(Template)]
#[template(path = "registration/household.html")]
struct Page {
    frame: Frame,
    note: Option<String>,
    page: String,
    uuid: Uuid,
    version: String,
    is_revoked: bool,
    can_be_removed: bool,
    blocks: Vec<Block>,
    place: Vec<(String, String)>,
    map: Option<MapView>,
    consent: Vec<(String, String)>,
    can_withdraw: bool,
    meters: Vec<Member>,
    systems: Vec<Member>,
    devices: Vec<Device>,
    messages: Vec<Shown>,
    history: Vec<Entry>,
}

/// Answers that belong together.
struct Block {
    title: String,
    pairs: Vec<(String, String)>,
}

/// A meter or a system.
struct Member {
    address: String,
    title: String,
    text: String,
}

struct Device {
    uuid: Uuid,
    short: String,
    meters: String,
}

/// An entry of the history.
struct Entry {
    when: String,
    who: String,
    what: String,
    fields: String,
}

/// `GET /registration/household/{household}`.
pub async fn show(
    Researcher { visitor, caller }: Researcher,
    Path(household): Path<String>,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let nothing = Fields::from_pairs(Vec::new());
    match page(&visitor, &caller, HouseholdId(household), &nothing).await {
        Ok(response) => response,
        Err(error) => visitor.fail(error),
    }
}

/// `POST /registration/household/{household}`: the same with answers to messages that are typed so
/// far, in the other language.
pub async fn show_typed(
    Path(household): Path<String>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    match page(&visitor, &caller, HouseholdId(household), &fields).await {
        Ok(response) => response,
        Err(error) => visitor.fail(error),
    }
}

async fn page(
    visitor: &Visitor,
    caller: &GroupCaller,
    household: HouseholdId,
    typed: &Fields,
) -> Result<Response, SurveyError> {
    let stored = caller.household(household).await?;
    let language = visitor.language();
    let is_revoked = stored.consent.state == ConsentState::Revoked;
    let all = ListQuery { after: None, limit: HISTORY };
    let changes = caller.changes(household, all).await?.items;
    let messages = match caller.household_messages(household, all).await {
        Ok(page) => page.items,
        Err(SurveyError::Store(StoreError::ConsentRevoked)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let scale = caller.outlines().await?.as_deref().and_then(MapScale::parse);
    let map = scale.zip(stored.location.as_ref()).and_then(|(scale, at)| scale.place(at));
    let title = match &stored.participant {
        Some(participant) => participant.name.clone(),
        None => language.say("reg-revoked-title"),
    };
    let mut frame = visitor.frame(title);
    if messages.iter().any(|message| message.closed_at.is_none()) {
        frame = frame.switched_by(switch(page_of(stored.uuid)));
    }
    let note = visitor.preferences.get("note").and_then(|note| note_text(language, note));
    let page = Page {
        note,
        page: page_of(stored.uuid),
        uuid: stored.uuid,
        version: HouseholdVersion::from_household(&stored)?.to_string(),
        is_revoked,
        can_be_removed: stored.consent.state == ConsentState::NotGranted,
        blocks: blocks(language, &stored),
        place: place(language, caller, stored.location.as_ref())?,
        map,
        consent: consent(&frame, &stored.consent),
        can_withdraw: stored.consent.state == ConsentState::Granted,
        meters: stored.meters.iter().enumerate().map(|it| meter(language, &stored, it)).collect(),
        systems: stored
            .pv_systems
            .iter()
            .enumerate()
            .map(|it| system(&frame, &stored, it))
            .collect(),
        devices: stored
            .measurement_devices
            .iter()
            .map(|it| device(language, &stored, *it))
            .collect(),
        messages: messages.iter().map(|message| shown(&frame, message, typed)).collect(),
        history: changes.iter().rev().map(|change| entry(&frame, change)).collect(),
        frame,
    };
    Ok(visitor.show(&page))
}

fn note_text(language: Language, note: &str) -> Option<String> {
    match note {
        "new" => Some(language.say("reg-note-new")),
        "unlocated" => Some(language.say("reg-note-unlocated")),
        "changed" => Some(language.say("reg-note-changed")),
        "answered" => Some(language.say("reg-note-answered")),
        "withdrawn" => Some(language.say("reg-note-withdrawn")),
        _ => None,
    }
}

/// Contact, address and answers.
fn blocks(language: Language, stored: &ManagedHousehold) -> Vec<Block> {
    let draft = draft_of(language, stored);
    let pairs = |questions: &[Question]| {
        questions
            .iter()
            .map(|question| {
                let answer = answer_text(language, question, draft.get(question.name));
                (language.say(question.label), answer)
            })
            .collect()
    };
    let mut blocks = Vec::new();
    if stored.participant.is_some() {
        blocks.push(Block { title: language.say("reg-contact"), pairs: pairs(CONTACT) });
    }
    if stored.address.is_some() {
        blocks.push(Block { title: language.say("reg-address"), pairs: pairs(ADDRESS) });
    }
    if stored.metadata.is_some() {
        blocks.push(Block { title: language.say("reg-answers"), pairs: pairs(ANSWERS) });
    }
    blocks
}

/// An answer for people.
pub fn answer_text(language: Language, question: &Question, entered: &str) -> String {
    match question.kind {
        Kind::Tick if entered == "yes" => language.say("reg-yes"),
        Kind::Tick => language.say("reg-no"),
        Kind::Choice(choices) => {
            let mut options = choices.options(language).into_iter();
            let chosen = options.find(|option| option.value == entered);
            chosen.map_or_else(|| entered.to_owned(), |option| option.text)
        }
        _ => entered.to_owned(),
    }
}

fn place(
    language: Language,
    caller: &GroupCaller,
    location: Option<&Location>,
) -> Result<Vec<(String, String)>, SurveyError> {
    let Some(location) = location else { return Ok(Vec::new()) };
    let mut pairs = vec![
        (
            language.say(LOCATION[0].label),
            super::draft_fields::degrees(language, location.latitude),
        ),
        (
            language.say(LOCATION[1].label),
            super::draft_fields::degrees(language, location.longitude),
        ),
    ];
    if location.masked.is_some() {
        pairs.push((language.say("reg-precision"), language.say("reg-masked")));
    } else if let Some(precision) = location.precision {
        let text = match precision {
            Precision::Entered => language.say("reg-entered"),
            Precision::Address => language.say("reg-of-address"),
            Precision::Street => language.say("reg-of-street"),
            Precision::PostalCode => language.say("reg-of-postal-code"),
        };
        pairs.push((language.say("reg-precision"), text));
    }
    if let Some(region) = caller.region_at(location)? {
        pairs.push((language.say("reg-region"), format!("{} ({})", region.name, region.nuts3)));
    }
    Ok(pairs)
}

fn consent(frame: &Frame, consent: &Consent) -> Vec<(String, String)> {
    let language = frame.language();
    let mut pairs = vec![(language.say("reg-state"), state_text(language, consent.state))];
    // After a revocation the months are known.
    let when = |at| match consent.state {
        ConsentState::Revoked => frame.moments.month(frame.moments.day_of(at)),
        _ => frame.moments.day(frame.moments.day_of(at)),
    };
    if let Some(at) = consent.granted_at {
        pairs.push((language.say("reg-granted-at"), when(at)));
    }
    if let Some(text) = consent.text {
        let mut version = text.version.to_string();
        if let Some(read_in) = text.language {
            version.push_str(&format!(" ({read_in})"));
        }
        pairs.push((language.say("reg-text-version"), version));
    }
    if let Some(at) = consent.revoked_at {
        pairs.push((language.say("reg-revoked-at"), when(at)));
    }
    if let Some(withdrawal) = consent.withdrawal {
        pairs.push((language.say("reg-channel"), channel_text(language, withdrawal.channel)));
    }
    pairs
}

/// How a withdrawal came.
pub fn channel_text(language: Language, channel: WithdrawalChannel) -> String {
    match channel {
        WithdrawalChannel::Letter => language.say("reg-letter"),
        WithdrawalChannel::Phone => language.say("reg-phone"),
        WithdrawalChannel::Email => language.say("reg-by-email"),
        WithdrawalChannel::InPerson => language.say("reg-in-person"),
    }
}

fn meter(language: Language, stored: &ManagedHousehold, (place, meter): (usize, &Meter)) -> Member {
    let mut text = format!("{}, {}", meter_text(language, meter.kind), meter.model);
    if let Some(register) = meter.generation_register {
        text.push_str(&format!(", {}", register.name()));
    }
    if meter.removed_at.is_some() {
        text.push_str(&format!(", {}", language.say("reg-taken-down")));
    }
    let number = [("number", (place + 1).to_string().into())];
    Member {
        address: format!("{}/meter/{}", page_of(stored.uuid), meter.uuid),
        title: language.say_with("reg-meter-number", number),
        text,
    }
}

fn system(frame: &Frame, stored: &ManagedHousehold, (place, system): (usize, &PvSystem)) -> Member {
    let language = frame.language();
    let degrees = |value| quantity(language, value, 0, "°");
    let text = [
        quantity(language, system.nominal_power, 2, "kWp"),
        format!("{} {}", language.say(SYSTEM[1].label), degrees(system.azimuth)),
        format!("{} {}", language.say(SYSTEM[2].label), degrees(system.tilt)),
        frame.moments.day(system.installed_on),
    ];
    let number = [("number", (place + 1).to_string().into())];
    Member {
        address: format!("{}/system/{}", page_of(stored.uuid), system.uuid),
        title: language.say_with("reg-system-number", number),
        text: text.join(", "),
    }
}

fn device(language: Language, stored: &ManagedHousehold, device: Uuid) -> Device {
    let read: Vec<String> = stored
        .meters
        .iter()
        .enumerate()
        .filter(|(_, meter)| meter.measurement_device == Some(device))
        .map(|(place, _)| {
            let number = [("number", (place + 1).to_string().into())];
            language.say_with("reg-meter-number", number)
        })
        .collect();
    let meters = if read.is_empty() { language.say("reg-reads-none") } else { read.join(", ") };
    Device { uuid: device, short: device.to_string().chars().take(8).collect(), meters }
}

fn shown(frame: &Frame, message: &Message, typed: &Fields) -> Shown {
    Shown::of_message(frame, message, subject_text(frame.language(), message.about), typed)
}

fn entry(frame: &Frame, change: &RegistrationChange) -> Entry {
    let language = frame.language();
    let group = match change.group {
        Group::Researchers => language.say("reg-by-researchers"),
        Group::Administrators => language.say("reg-by-administrators"),
    };
    let who = match &change.label {
        Some(label) => format!("{group} ({label})"),
        None => group,
    };
    let fields: Vec<String> =
        change.fields.iter().map(|field| field_text(language, field)).collect();
    Entry {
        when: frame.when(change.at),
        who,
        what: kind_text(language, change.kind),
        fields: fields.join(", "),
    }
}

/// The name of a member that was changed.
fn field_text(language: Language, pointer: &str) -> String {
    let all = [CONTACT, ADDRESS, LOCATION, ANSWERS, METER, SYSTEM];
    let question = all.into_iter().flatten().find(|question| question.pointer == pointer);
    question.map_or_else(
        || pointer.trim_start_matches('/').to_owned(),
        |question| language.say(question.label),
    )
}

fn kind_text(language: Language, kind: ChangeKind) -> String {
    match kind {
        ChangeKind::Registered => language.say("reg-did-register"),
        ChangeKind::Changed => language.say("reg-did-change"),
        ChangeKind::MeterAdded => language.say("reg-did-add-meter"),
        ChangeKind::MeterChanged => language.say("reg-did-change-meter"),
        ChangeKind::MeterRemoved => language.say("reg-did-remove-meter"),
        ChangeKind::PvSystemAdded => language.say("reg-did-add-system"),
        ChangeKind::PvSystemChanged => language.say("reg-did-change-system"),
        ChangeKind::PvSystemRemoved => language.say("reg-did-remove-system"),
        ChangeKind::DeviceAdded => language.say("reg-did-add-device"),
        ChangeKind::DeviceChanged => language.say("reg-did-change-device"),
        ChangeKind::DeviceRemoved => language.say("reg-did-remove-device"),
        ChangeKind::TokenMade => language.say("reg-did-make-token"),
        ChangeKind::SignInCodeMade => language.say("reg-did-make-code"),
        ChangeKind::CertificateRevoked => language.say("reg-did-revoke-certificate"),
        ChangeKind::DeviceSilenced => language.say("reg-did-silence"),
        ChangeKind::SilenceEnded => language.say("reg-did-end-silence"),
    }
}
