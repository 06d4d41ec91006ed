//! `ebp unlock --dry-run`: what would be done, without a port.
//!
//! Enters: a profile, and a PIN where there is one. Leaves: the plans. Absent: light.

use std::sync::atomic::AtomicBool;

use ebp_meter::{
    profile::Profile,
    unlock::{Pin, Plan, PlanError, Variant},
};
use serde::Serialize;

use super::{arguments::Arguments, secret, show};
use crate::{
    exit::{CommandResult, Failure},
    output::ItemFormat,
    stdout::print,
};

#[derive(Serialize)]
struct DryRun<'a> {
    model: &'a str,
    /// Nothing where no long press is sent.
    inf_presses: Option<u8>,
    plans: Vec<DryPlan>,
}

/// Durations in seconds.
#[derive(Serialize)]
struct DryPlan {
    goal: &'static str,
    variant: &'static str,
    at_most_s: f64,
    phases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<DryStep>>,
}

#[derive(Serialize)]
struct DryStep {
    light: bool,
    seconds: f64,
    phase: String,
}

/// Prints the plans of a first and of a second, slower try, and of switching `InF` on.
pub fn run(arguments: &Arguments, profile: &Profile, stop: &AtomicBool) -> CommandResult {
    let pin = if arguments.reveal {
        secret::pin(arguments.pin_file.as_deref(), stop)?
    } else {
        match secret::given(arguments.pin_file.as_deref())? {
            Some(pin) => pin,
            None => any_pin(profile)?,
        }
    };
    let inf = arguments.options().inf_presses(profile);
    let mut plans = Vec::new();
    for variant in [Variant::Normal, Variant::Slower] {
        plans.push((variant, Plan::enter_pin(profile, &pin, variant)?));
        if let Some(presses) = inf {
            plans.push((variant, Plan::switch_inf_after(profile, presses, variant)?));
        }
    }
    let mut text = String::new();
    match arguments.format {
        ItemFormat::Json => {
            let plans = plans
                .iter()
                .map(|(variant, plan)| as_json(*variant, plan, arguments.reveal))
                .collect();
            let dry_run = DryRun { model: &profile.name, inf_presses: inf, plans };
            text = serde_json::to_string(&dry_run).map_err(Failure::failed)? + "\n";
        }
        ItemFormat::Table => {
            for (variant, plan) in &plans {
                if *variant == Variant::Slower {
                    text += "if no details appear, slower: ";
                }
                text += &match arguments.reveal {
                    true => plan.revealed().to_string(),
                    false => plan.to_string(),
                };
            }
            if inf.is_none() {
                text += &format!(
                    "InF: {}; a press every {} s keeps the details (`ebp read --every`)\n",
                    show::untouched(profile),
                    profile.keep_alive_s()
                );
            }
        }
    }
    print(&text)
}

/// A masked plan is the same for every PIN, so that none is needed to show it.
fn any_pin(profile: &Profile) -> Result<Pin, Failure> {
    let no_plan = || PlanError::without_pin(profile);
    let digits = profile.pin.as_ref().ok_or_else(no_plan)?.digits;
    Ok("0".repeat(digits.into()).parse()?)
}

fn as_json(variant: Variant, plan: &Plan, reveal: bool) -> DryPlan {
    let steps = reveal.then(|| {
        let step = |step: &ebp_meter::unlock::Step| DryStep {
            light: step.lit,
            seconds: step.duration.as_secs_f64(),
            phase: step.phase.to_string(),
        };
        plan.steps().iter().map(step).collect()
    });
    DryPlan {
        goal: plan.goal(),
        variant: show::variant_name(variant),
        at_most_s: plan.longest().as_secs_f64(),
        phases: plan.phases().iter().map(ToString::to_string).collect(),
        steps,
    }
}
