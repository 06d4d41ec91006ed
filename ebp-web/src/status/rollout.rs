//! The roll-out: its version, step, devices by state, which failed and why, and the forms that steer it.

use askama::Template;
use ebp_core::contract::{
    Rollout, RolloutDevice, RolloutDeviceState, RolloutHalt, RolloutReport, RolloutState,
};

use super::brief::{brief_text, short};
use crate::kit::{
    frame::Frame,
    frame::SwitchForm,
    language::{Argument, Language},
};

/// The form of a roll-out that is to begin, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutDraft {
    /// The version.
    pub version: String,
    /// Devices that go first: identifiers, separated by spaces.
    pub first: String,
    /// Shares in percent, separated by commas.
    pub steps: String,
    /// Hours that a step is looked at.
    pub soak: String,
}

/// The page.
#[derive(Template)]
#[template(path = "status/rollout.html")]
pub struct RolloutPage {
    frame: Frame,
    done: Option<String>,
    faults: Vec<String>,
    shown: Option<ShownRollout>,
    may_begin: bool,
    draft: RolloutDraft,
}

struct ShownRollout {
    uuid: String,
    revision: u64,
    is_bad: bool,
    pairs: Vec<(String, String)>,
    counts: Vec<(String, u64)>,
    devices: Vec<ShownDevice>,
    buttons: Vec<(&'static str, String)>,
    events: Vec<String>,
}

struct ShownDevice {
    device: String,
    short: String,
    state: String,
    version: String,
    reason: String,
}

impl RolloutPage {
    /// Of what is known; `done` says what was just done, `faults` what was not and why.
    #[must_use]
    pub fn new(
        frame: Frame,
        report: Option<&RolloutReport>,
        done: Option<String>,
        faults: Vec<String>,
        draft: RolloutDraft,
    ) -> Self {
        let is_open = report.is_some_and(|report| {
            matches!(report.rollout.state, RolloutState::Running | RolloutState::Halted)
        });
        let switch = SwitchForm {
            id: "begin-form",
            action: "/status/rollout".to_owned(),
            asks: "show",
            enter: ("", ""),
        };
        let frame = if is_open { frame } else { frame.switched_by(switch) };
        let shown = report.map(|report| show(&frame, report));
        Self { frame, done, faults, shown, may_begin: !is_open, draft }
    }
}

fn show(frame: &Frame, report: &RolloutReport) -> ShownRollout {
    let RolloutReport { rollout, devices, events, .. } = report;
    let language = frame.language();
    let state = match rollout.halt {
        Some(halt) => describe_halt(language, halt),
        None => describe_state(language, rollout.state),
    };
    let count = |state: &RolloutDeviceState| {
        let count = report.count(*state);
        (count > 0).then(|| (describe_device(language, *state), count))
    };
    let device = |device: &RolloutDevice| ShownDevice {
        device: device.device.to_string(),
        short: short(device.device),
        state: describe_device(language, device.state),
        version: device.version.clone().unwrap_or_default(),
        reason: device.reason.clone().unwrap_or_default(),
    };
    let buttons: &[_] = match rollout.state {
        RolloutState::Running => &[
            ("halt", /* text */ "rollout-do-halt"),
            ("advance", /* text */ "rollout-do-advance"),
            ("end", /* text */ "rollout-do-end"),
        ],
        RolloutState::Halted => {
            &[("resume", /* text */ "rollout-do-resume"), ("end", /* text */ "rollout-do-end")]
        }
        RolloutState::Finished | RolloutState::Ended => &[],
    };
    ShownRollout {
        uuid: rollout.uuid.to_string(),
        revision: rollout.revision,
        is_bad: rollout.state == RolloutState::Halted,
        pairs: vec![
            (language.say("rollout-version"), rollout.version.clone()),
            (language.say("rollout-state"), state),
            (language.say("rollout-step"), describe_step(language, rollout)),
            (language.say("rollout-since"), brief_text(frame, rollout.step_since)),
        ],
        counts: RolloutDeviceState::ALL.iter().filter_map(count).collect(),
        // Those with which something is; the others are counted.
        devices: devices
            .iter()
            .filter(|device| device.state <= RolloutDeviceState::Excused)
            .map(device)
            .collect(),
        buttons: buttons.iter().map(|(action, text)| (*action, language.say(text))).collect(),
        events: events
            .iter()
            .map(|event| {
                let by = event.by.clone().unwrap_or_else(|| language.say("rollout-by-server"));
                let step = u64::from(event.step) + 1;
                let what = describe_state(language, event.state);
                language.say_with(
                    "rollout-event",
                    [
                        ("what", what.into()),
                        ("step", step.into()),
                        ("by", by.into()),
                        ("at", brief_text(frame, event.at).into()),
                    ],
                )
            })
            .collect(),
    }
}

fn describe_step(language: Language, rollout: &Rollout) -> String {
    let step = u64::from(rollout.step) + 1;
    let steps = rollout.steps.len() as u64;
    let numbers = [("step", Argument::from(step)), ("steps", Argument::from(steps))];
    match rollout.share() {
        0 => language.say_with("rollout-step-first", numbers),
        share => {
            let [step, steps] = numbers;
            let share = ("share", Argument::from(u64::from(share)));
            language.say_with("rollout-step-share", [step, steps, share])
        }
    }
}

fn describe_state(language: Language, state: RolloutState) -> String {
    match state {
        RolloutState::Running => language.say("rollout-running"),
        RolloutState::Halted => language.say("rollout-halted"),
        RolloutState::Finished => language.say("rollout-finished"),
        RolloutState::Ended => language.say("rollout-ended"),
    }
}

fn describe_halt(language: Language, halt: RolloutHalt) -> String {
    match halt {
        RolloutHalt::Failures => language.say("rollout-halt-failures"),
        RolloutHalt::Silence => language.say("rollout-halt-silence"),
        RolloutHalt::Administrator => language.say("rollout-halt-administrator"),
    }
}

fn describe_device(language: Language, state: RolloutDeviceState) -> String {
    match state {
        RolloutDeviceState::Failed => language.say("rollout-device-failed"),
        RolloutDeviceState::Silent => language.say("rollout-device-silent"),
        RolloutDeviceState::Trying => language.say("rollout-device-trying"),
        RolloutDeviceState::Offered => language.say("rollout-device-offered"),
        RolloutDeviceState::SetAside => language.say("rollout-device-set-aside"),
        RolloutDeviceState::Excused => language.say("rollout-device-excused"),
        RolloutDeviceState::GoneOver => language.say("rollout-device-gone-over"),
        RolloutDeviceState::Waiting => language.say("rollout-device-waiting"),
        RolloutDeviceState::Absent => language.say("rollout-device-absent"),
        RolloutDeviceState::Pinned => language.say("rollout-device-pinned"),
        RolloutDeviceState::Flux => language.say("rollout-device-flux"),
    }
}
