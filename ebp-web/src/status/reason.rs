//! What states are called, and why a device is in one.

use ebp_core::{
    contract::{FleetDevice, FleetMeter, FleetState},
    model::{ConsentState, IncidentType, MeterType},
};

use super::brief::brief_text;
use crate::kit::{frame::Frame, language::Language, number};

/// A state's name.
#[must_use]
pub fn state_name(language: Language, state: FleetState) -> String {
    match state {
        FleetState::SpeaksOn => language.say("fleet-speaks-on"),
        FleetState::NeverSpoke => language.say("fleet-never-spoke"),
        FleetState::Silent => language.say("fleet-silent"),
        FleetState::Late => language.say("fleet-late"),
        FleetState::Incident => language.say("fleet-incident"),
        FleetState::Damaged => language.say("fleet-damaged"),
        FleetState::Clock => language.say("fleet-clock"),
        FleetState::Spool => language.say("fleet-spool"),
        FleetState::Certificate => language.say("fleet-certificate"),
        FleetState::VersionBehind => language.say("fleet-version-behind"),
        FleetState::Healthy => language.say("fleet-healthy"),
        FleetState::NotGranted => language.say("fleet-not-granted"),
        FleetState::Revoked => language.say("fleet-revoked"),
    }
}

/// Whether a device in that state needs attention.
#[must_use]
pub const fn needs_attention(state: FleetState) -> bool {
    !matches!(state, FleetState::Healthy | FleetState::NotGranted | FleetState::Revoked)
}

/// Why a device is in a state, in a few words; empty where the state's name says it.
#[must_use]
pub fn reason(frame: &Frame, device: &FleetDevice, state: FleetState) -> String {
    let ago = |at: Option<_>| at.map(|at| frame.ago(at));
    match state {
        FleetState::Silent => ago(device.last_report)
            .map(|ago| frame.say_one("why-silent", "ago", ago))
            .unwrap_or_default(),
        FleetState::Late => {
            let oldest = device.meters.iter().map(|meter| meter.last_measurement).min();
            match oldest.flatten() {
                Some(at) => frame.say_one("why-late", "ago", frame.ago(at)),
                None => frame.say("why-never-measured"),
            }
        }
        FleetState::Incident => incidents(frame.language(), &device.meters),
        FleetState::Damaged => device
            .damaged_share
            .map(|share| number::percent(frame.language(), share))
            .map(|share| frame.say_one("why-damaged", "share", share))
            .unwrap_or_default(),
        FleetState::Spool => device
            .pending
            .map(|pending| frame.say_one("why-spool", "count", pending))
            .unwrap_or_default(),
        FleetState::Certificate => match device.certificate_end {
            Some(at) if at <= frame.now => {
                frame.say_one("why-certificate-ended", "time", brief_text(frame, at))
            }
            Some(at) => frame.say_one("why-certificate", "time", brief_text(frame, at)),
            None => String::new(),
        },
        FleetState::VersionBehind => device.version.clone().unwrap_or_default(),
        FleetState::SpeaksOn
        | FleetState::NeverSpoke
        | FleetState::Clock
        | FleetState::Healthy
        | FleetState::NotGranted
        | FleetState::Revoked => String::new(),
    }
}

fn incidents(language: Language, meters: &[FleetMeter]) -> String {
    let mut names: Vec<String> = meters
        .iter()
        .flat_map(|meter| {
            let other = meter.another_meter.then(|| language.say("incident-another-meter"));
            meter.incidents.iter().map(|kind| incident_name(language, *kind)).chain(other)
        })
        .collect();
    names.dedup();
    names.join(", ")
}

/// An incident's name.
#[must_use]
pub fn incident_name(language: Language, kind: IncidentType) -> String {
    match kind {
        IncidentType::SerialPortUnavailable => language.say("incident-port"),
        IncidentType::ObisCodesUnavailable => language.say("incident-codes"),
    }
}

/// What a meter counts.
#[must_use]
pub fn meter_name(language: Language, kind: MeterType) -> String {
    match kind {
        MeterType::Electricity => language.say("status-grid"),
        MeterType::PvGeneration => language.say("status-generation"),
    }
}

/// The state of a consent.
#[must_use]
pub fn consent_name(language: Language, state: ConsentState) -> String {
    match state {
        ConsentState::NotGranted => language.say("consent-is-not-granted"),
        ConsentState::Granted => language.say("consent-is-granted"),
        ConsentState::Revoked => language.say("consent-is-revoked"),
    }
}
