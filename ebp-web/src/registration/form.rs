//! The form of a registration, for a new household and for one that is corrected: groups of questions,
//! a place on the map, what is wrong, and what somebody else changed meanwhile.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use ebp_core::contract::RegionName;
use ebp_survey::{GroupCaller, SurveyError};

use super::{
    draft::{Draft, FieldFaults},
    field::{Field, Group, Input},
    question::{ADDRESS, ANSWERS, CONTACT, LOCATION},
};
use crate::{
    cloud::Visitor,
    kit::{
        form::Fields,
        frame::{Frame, SwitchForm},
    },
    outlines::{MapScale, MapView},
};

/// How wide the map is shown, px: places on it are sent in these.
const MAP_WIDTH: f64 = 280.0;

/// The field that says whether the map shows one region alone.
const NEAR: &str = "near";

/// What `do` says to say again what is wrong, and to save nothing.
pub const CHECK: &str = "check";

/// What `do` says to show again what somebody else changed, and to save nothing.
pub const CONFLICT: &str = "conflict";

/// How far a step leads, degrees: about a kilometre.
const STEP: (f64, f64) = (0.01, 0.015);

/// What a form is for.
pub struct FormOf {
    /// The title.
    pub title: String,
    /// Where it is sent to.
    pub action: String,
    /// The household that is corrected, and the version that was read.
    pub correction: Option<Correction>,
    /// Whether the form shows what was sent, and not what is stored.
    pub is_sent: bool,
}

/// A household that is corrected.
#[derive(Clone)]
pub struct Correction {
    /// Its page.
    pub page: String,
    /// The version that was read.
    pub version: String,
}

/// What is said above the form.
#[derive(Default)]
pub struct Said {
    /// What is wrong, by the fields' names.
    pub faults: FieldFaults,
    /// What may be wrong.
    pub warnings: Vec<String>,
    /// The participant's household at the same address.
    pub existing: Option<String>,
    /// What somebody else changed meanwhile.
    pub conflict: Vec<Difference>,
}

/// A member that differs between what is entered and what is registered.
pub struct Difference {
    /// What it is.
    pub label: String,
    /// As it is entered.
    pub entered: String,
    /// As it is registered.
    pub registered: String,
}

/// A fault, with a link to its field.
struct Linked {
    name: String,
    label: String,
    text: String,
}

#[derive(Template)]
#[template(path = "registration/form.html")]
struct Page {
    frame: Frame,
    action: String,
    correction: Option<Correction>,
    is_sent: bool,
    contact: Vec<Field>,
    address: Vec<Field>,
    location: Vec<Field>,
    answers: Vec<Field>,
    meters: Vec<Group>,
    systems: Vec<Group>,
    is_new: bool,
    map: Option<Map>,
    region: Option<String>,
    linked: Vec<Linked>,
    warnings: Vec<String>,
    existing: Option<String>,
    conflict: Vec<Difference>,
}

/// The map, and the place on it.
struct Map {
    scale: MapScale,
    picture: String,
    shown_width: f64,
    shown_height: f64,
    marker: Option<MapView>,
    /// Whether it shows the one region in which the place lies.
    is_near: bool,
}

/// Shows the form.
pub async fn show(
    visitor: &Visitor,
    caller: &GroupCaller,
    of: FormOf,
    draft: &Draft,
    said: Said,
) -> Response {
    let language = visitor.language();
    let Said { faults, warnings, existing, conflict } = said;
    // A switch of the language says again what is said now.
    let asks = match (conflict.is_empty(), faults.is_empty(), existing.is_none()) {
        (false, ..) => CONFLICT,
        (true, true, true) if warnings.is_empty() => "show",
        _ => CHECK,
    };
    let switch =
        SwitchForm { id: "household-form", action: of.action.clone(), asks, enter: ("do", "save") };
    let (map, region) = match place(caller, draft).await {
        Ok(placed) => placed,
        Err(error) => return visitor.fail(error),
    };
    let status = match (conflict.is_empty(), existing.is_some() || !faults.is_empty()) {
        (false, _) => StatusCode::PRECONDITION_FAILED,
        (true, true) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, false) => StatusCode::OK,
    };
    let fields = |questions| draft.fields(language, questions, &faults);
    let (contact, address) = (fields(CONTACT), fields(ADDRESS));
    let (location, answers) = (fields(LOCATION), fields(ANSWERS));
    let is_new = of.correction.is_none();
    let (mut meters, mut systems) = (Vec::new(), Vec::new());
    if is_new {
        meters = draft.meter_groups(language, &faults);
        systems = draft.system_groups(language, &faults);
    }
    let of_groups = meters.iter().chain(&systems).flat_map(|group| &group.fields);
    let all = [&contact, &address, &location, &answers].into_iter().flatten().chain(of_groups);
    let linked = linked(all, &faults);
    let page = Page {
        frame: visitor.frame(of.title).switched_by(switch),
        action: of.action,
        correction: of.correction,
        is_sent: of.is_sent,
        contact,
        address,
        location,
        answers,
        meters,
        systems,
        is_new,
        map,
        region,
        linked,
        warnings,
        existing,
        conflict,
    };
    visitor.show_with(status, &page)
}

/// Faults in the form's order.
fn linked<'a>(fields: impl Iterator<Item = &'a Field>, faults: &FieldFaults) -> Vec<Linked> {
    let mut linked: Vec<Linked> = fields
        .filter(|field| !field.fault.is_empty())
        .map(|field| Linked {
            name: field.name.clone(),
            label: field.label.clone(),
            text: field.fault.clone(),
        })
        .collect();
    for (name, text) in faults {
        if !linked.iter().any(|one| one.name == *name) {
            linked.push(Linked { name: name.clone(), label: String::new(), text: text.clone() });
        }
    }
    linked
}

/// The map with the entered place, and the region that it lies in.
async fn place(
    caller: &GroupCaller,
    draft: &Draft,
) -> Result<(Option<Map>, Option<String>), SurveyError> {
    let (location, region) = (draft.location(), region_of(caller, draft)?);
    let map = shown_scale(caller, draft).await?.map(|(scale, near)| Map {
        shown_width: MAP_WIDTH,
        shown_height: (MAP_WIDTH * scale.height / scale.width).round(),
        marker: location.as_ref().and_then(|location| scale.place(location)),
        is_near: near.is_some(),
        picture: near.map_or_else(
            || "/registration/regions.svg".to_owned(),
            |code| format!("/registration/region/{code}"),
        ),
        scale,
    });
    Ok((map, region.map(|region| format!("{} ({})", region.name, region.nuts3))))
}

/// The region of the entered place.
fn region_of(caller: &GroupCaller, draft: &Draft) -> Result<Option<RegionName>, SurveyError> {
    draft.location().map_or(Ok(None), |location| caller.region_at(&location))
}

/// The scale of the map that is shown: of the region in which the place lies, with its code, if it is
/// looked at from near, or of all regions.
async fn shown_scale(
    caller: &GroupCaller,
    draft: &Draft,
) -> Result<Option<(MapScale, Option<String>)>, SurveyError> {
    if draft.get(NEAR) == "yes"
        && let Some(region) = region_of(caller, draft)?
        && let Some(scale) = caller.outline(&region.nuts3).as_deref().and_then(MapScale::parse)
    {
        return Ok(Some((scale, Some(region.nuts3))));
    }
    let outlines = caller.outlines().await?;
    Ok(outlines.as_deref().and_then(MapScale::parse).map(|scale| (scale, None)))
}

/// Changes the draft by a button that saves nothing. Whether there was one.
pub async fn edit_draft(
    visitor: &Visitor,
    caller: &GroupCaller,
    draft: &mut Draft,
    fields: &Fields,
) -> Result<bool, SurveyError> {
    let asked = fields.get("do");
    let numbered = |prefix: &str| asked.strip_prefix(prefix)?.parse::<usize>().ok();
    match asked {
        "save" | "save-anyway" | "save-further" | CHECK | CONFLICT => return Ok(false),
        "add-meter" => draft.add_meter(),
        "add-system" => draft.add_system(),
        "north" | "south" | "east" | "west" => step(visitor, draft, asked),
        "near" => draft.set(NEAR, "yes".to_owned()),
        "far" => draft.set(NEAR, String::new()),
        _ => {
            if let Some(place) = numbered("remove-meter-") {
                draft.remove_meter(place);
            } else if let Some(place) = numbered("remove-system-") {
                draft.remove_system(place);
            } else {
                pick(visitor, caller, draft, fields).await?;
            }
        }
    }
    Ok(true)
}

/// A step from the entered place, or from the middle of Germany.
fn step(visitor: &Visitor, draft: &mut Draft, direction: &str) {
    let (mut latitude, mut longitude) =
        draft.location().map_or((51.0, 10.0), |at| (at.latitude, at.longitude));
    match direction {
        "north" => latitude += STEP.0,
        "south" => latitude -= STEP.0,
        "east" => longitude += STEP.1,
        _ => longitude -= STEP.1,
    }
    draft.set_location(visitor.language(), latitude.clamp(-90.0, 90.0), longitude);
}

/// The place where the map was pressed. By keyboard it is pressed at its corner, which says nothing.
async fn pick(
    visitor: &Visitor,
    caller: &GroupCaller,
    draft: &mut Draft,
    fields: &Fields,
) -> Result<(), SurveyError> {
    let pressed =
        |name| fields.get(name).parse::<f64>().ok().filter(|at| (1.0..4000.0).contains(at));
    let (Some(x), Some(y)) = (pressed("map.x"), pressed("map.y")) else { return Ok(()) };
    if let Some((scale, _)) = shown_scale(caller, draft).await? {
        let at = scale.location_at(x, y, MAP_WIDTH);
        draft.set_location(visitor.language(), at.latitude, at.longitude);
    }
    Ok(())
}
