//! `ebp unlock`: a meter's PIN, entered by light.
//!
//! Enters: model, port, PIN. Leaves: a meter that tells its details, or why it does not.
//! Absent: presses, pauses and tries, which [`ebp_meter::unlock`] knows.

mod arguments;
mod calibrate;
mod dry_run;
mod port;
pub mod secret;
mod show;
mod step;

use std::sync::{Arc, atomic::AtomicBool};

use ebp_meter::{
    interface::{Driver, Environment, Registry},
    port::PortName,
    profile::Profile,
    unlock::{PlanError, Tries, UnlockError, Unlocked},
};

pub use arguments::Arguments;

use super::find_port;
use crate::{
    exit::{CommandResult, Context, Failure},
    state,
    tell::tell,
};

/// Unlocks, or does what else the arguments say.
pub fn run(arguments: &Arguments) -> CommandResult {
    let tries = Tries::in_folder(&state::folder(arguments.state.as_deref())?);
    if arguments.reset_tries && arguments.port.is_none() && !arguments.dry_run {
        tries.forget_all()?;
        tell!("ebp: the tries of all meters are forgotten ({})", tries.path().display());
        return Ok(());
    }
    let Some(model) = &arguments.model else {
        return Err(Failure::usage("which model is it?")
            .remedy("name it with --model; `ebp meter identify` helps"));
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).or_failed("signals")?;
    }
    let profiles = arguments.models.load()?;
    if arguments.calibrate {
        return calibrate::run(arguments, model, &tries, &stop);
    }
    let profile = profiles.get(model)?;
    if arguments.dry_run {
        return dry_run::run(arguments, profile, &stop);
    }
    can_be_unlocked(profile)?;
    let registry = Registry::from_profiles(&profiles);
    let driver = registry.driver(model)?;
    let read = driver.model().read;
    let port = find_port::named_or_only(arguments.port.as_ref(), Some(&**driver), read)?;
    let environment = Environment::for_machine(tries, Arc::clone(&stop));
    if arguments.step {
        return step::run(arguments, (profile, &**driver), &port, &environment);
    }
    let unlocked = arguments.unlock((profile, &**driver), &port, &environment);
    show::result(arguments.format, profile, &port, unlocked)
}

/// Not every model has a lock.
fn can_be_unlocked(profile: &Profile) -> CommandResult {
    match profile.pin {
        Some(_) => Ok(()),
        None => Err(UnlockError::Plan(PlanError::without_pin(profile)).into()),
    }
}

impl Arguments {
    fn unlock(
        &self,
        (profile, driver): (&Profile, &dyn Driver),
        port: &PortName,
        environment: &Environment,
    ) -> Result<Unlocked, show::NotDone> {
        // Before the PIN is asked for: a port that is not there needs none.
        let mut meter = port::open(driver, &self.light.site(port, driver), environment)?;
        let pin = secret::pin(self.pin_file.as_deref(), &environment.stop)?;
        let mut shown = show::Shown::new(profile);
        let progress = &mut |progress| shown.tell(&progress);
        let unlocked = meter.enable_detailed_readout(&pin, &self.options(), progress);
        shown.clear();
        Ok(unlocked?)
    }
}
