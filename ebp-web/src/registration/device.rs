//! A household's devices: another one, and the sheet with what it is enrolled with. Token and code are
//! shown once; a sheet that is lost is made anew.

use std::fmt::Write;

use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::{contract::SurveyContact, model::device_host_name};
use ebp_survey::{Edit, HouseholdId, StoreError};
use jiff::Timestamp;
use qrcode::{Color, EcLevel, QrCode};
use uuid::Uuid;

use super::edit::page_of;
use crate::{
    cloud::ResearcherForm,
    kit::{
        form::Fields,
        frame::{Frame, SwitchForm},
    },
};

/// `POST /registration/household/{household}/device`: another device, which reads no meter yet.
pub async fn add(
    Path(household): Path<String>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let Ok(household) = household.parse() else { return visitor.not_found() };
    let expected = fields.get("version").parse().ok();
    match caller.edit(HouseholdId(household), Edit::AddDevice(Vec::new()), expected).await {
        Ok(_) => Redirect::to(&format!("{}?note=changed", page_of(household))).into_response(),
        Err(error) => visitor.fail(error),
    }
}

#[derive(Template)]
#[template(path = "registration/sheet.html")]
struct Sheet {
    frame: Frame,
    page: String,
    device: Uuid,
    name: String,
    address: String,
    /// By what name the machine is known in the home network.
    machine: String,
    address_code: String,
    code: String,
    token: String,
    token_code: String,
    expires: String,
    expires_at: Timestamp,
    contacts: Vec<SurveyContact>,
}

/// `POST /registration/household/{household}/device/{device}/sheet`: a token and a sign-in code.
pub async fn sheet(
    Path((household, device)): Path<(String, String)>,
    ResearcherForm { visitor, caller, fields }: ResearcherForm,
) -> Response {
    let (Ok(household), Ok(device)) = (household.parse(), device.parse::<Uuid>()) else {
        return visitor.not_found();
    };
    let stored = match caller.household(HouseholdId(household)).await {
        Ok(stored) => stored,
        Err(error) => return visitor.fail(error),
    };
    if !stored.measurement_devices.contains(&device) {
        return visitor.not_found();
    }
    let Some(participant) = stored.participant else {
        return visitor.fail(StoreError::ConsentRevoked);
    };
    // A sheet in the other language has the same token and code, which nobody knows but this page.
    let made = match shown_again(&fields) {
        Some(shown) => shown,
        None => match caller.create_enrolment(device, None, None).await {
            Ok(made) => Secrets {
                token: made.token,
                code: made.sign_in_code.unwrap_or_default(),
                expires_at: made.expires_at,
            },
            Err(error) => return visitor.fail(error),
        },
    };
    let contacts = match caller.information().await {
        Ok(information) => information.contacts,
        Err(error) => return visitor.fail(error),
    };
    let action = format!("{}/device/{device}/sheet", page_of(household));
    let switch = SwitchForm { id: "sheet", action, asks: SHOW, enter: ("do", SHOW) };
    let frame = visitor.frame(visitor.language().say("reg-sheet-title")).switched_by(switch);
    let machine = device_host_name(device);
    let address = format!("http://{machine}.local/");
    let sheet = Sheet {
        page: page_of(household),
        device,
        name: participant.name,
        address_code: drawn(&address),
        machine,
        address,
        code: made.code,
        token_code: drawn(&made.token),
        token: made.token,
        expires: frame.when(made.expires_at),
        expires_at: made.expires_at,
        contacts,
        frame,
    };
    visitor.show(&sheet)
}

/// What `do` says to show a sheet again, and to make nothing.
const SHOW: &str = "show";

/// What is shown once.
struct Secrets {
    token: String,
    code: String,
    expires_at: Timestamp,
}

/// What the sheet had that is shown again; none if a new one is asked for.
fn shown_again(fields: &Fields) -> Option<Secrets> {
    let kept = |name| fields.get(name).to_owned();
    let expires_at = fields.get("expires").parse().ok()?;
    let secrets = Secrets { token: kept("enrolment"), code: kept("code"), expires_at };
    (fields.get("do") == SHOW && !secrets.token.is_empty()).then_some(secrets)
}

/// A QR code as SVG, drawn by one path; nothing if the text is too long for one.
fn drawn(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return String::new();
    };
    // Readers need four units of light around it.
    let (width, quiet) = (code.width(), 4);
    let size = width + 2 * quiet;
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (place % width + quiet, place / width + quiet);
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    format!(
        "<svg class=\"qr\" viewBox=\"0 0 {size} {size}\" aria-hidden=\"true\">\
         <rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#000\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_finder_patterns_and_light_around_it() {
        let svg = drawn("http://ebp-7a3f.local/");
        assert!(svg.starts_with("<svg class=\"qr\" viewBox=\"0 0 33 33\""), "{svg}");
        for corner in ["M4 4h", "M22 4h", "M4 22h"] {
            assert!(svg.contains(corner), "{corner}");
        }
        assert!(!svg.contains("M3 ") && !svg.contains("style="));
        assert_eq!(drawn(&"x".repeat(5000)), "");
    }
}
